"use strict";
/* The three figures: precision over recall, reliability, runtime against AP. */
(() => {
  const { el, svg, percent } = report;
  const { plot, curve, point, legend, tenths } = report.charts;

  /** Draw a layer per method with a legend that shows and hides them. */
  function compose(holder, made, layers, entries) {
    made.layer.append(...layers.values());
    holder.replaceChildren(made.node, legend(entries, (position, shown) => {
      layers.get(position).style.display = shown ? "" : "none";
    }));
  }

  function drawCurves(holder, data, task) {
    const { prevalence, positives, clips, methods } = data.curves[task];
    const name = task.replaceAll("_", " ");
    const made = plot({
      x: { ...tenths, name: "recall" }, y: { ...tenths, name: "precision" },
      label: `Precision over recall for ${name}: ${methods.map((m, k) => `${data.methods[k].name} AP ${percent(m.ap)}`).join(", ")}`,
    });
    made.layer.append(svg("line", { class: "dotted", x1: made.x(0), x2: made.x(1), y1: made.y(prevalence), y2: made.y(prevalence) }));
    const layers = new Map();
    methods.forEach(({ recall, precision }, position) => {
      const steps = [];
      recall.forEach((value, k) => steps.push([made.x(k ? recall[k - 1] : 0), made.y(precision[k])], [made.x(value), made.y(precision[k])]));
      const layer = svg("g", {});
      if (steps.length) layer.append(curve(position, steps));
      const every = Math.max(1, Math.ceil(recall.length / 6));
      recall.forEach((value, k) => {
        if (k % every && k !== recall.length - 1) return;
        layer.append(point(position, made.x(value), made.y(precision[k]),
          `${data.methods[position].name}: recall ${percent(value)}, precision ${percent(precision[k])}`, 0.8));
      });
      layers.set(position, layer);
    });
    const entries = methods.map((m, k) => ({ position: k, name: data.methods[k].name, ap: m.ap, value: `AP ${percent(m.ap)}` }));
    compose(holder, made, layers, entries.sort((a, b) => (b.ap ?? -1) - (a.ap ?? -1)));
    holder.append(el("p", { class: "note bench-note" }, `${name}: ${positives} of ${clips} clips are labelled yes.`));
  }

  function drawReliability(holder, data, task) {
    const made = plot({
      x: { ...tenths, name: "stated probability" }, y: { ...tenths, name: "share of yes among the labels" },
      label: "Reliability: how often what was said to be so probable was labelled yes",
    });
    made.layer.append(svg("line", { class: "dotted", x1: made.x(0), x2: made.x(1), y1: made.y(0), y2: made.y(1) }));
    const layers = new Map(), entries = [];
    data.reliability.forEach((known, position) => {
      const part = known && (task ? known.tasks[task] : known.all);
      if (!part || !part.labels) return;
      const bins = part.bins.filter((bin) => bin.labels);
      const layer = svg("g", {}, curve(position, bins.map((bin) => [made.x(bin.probability), made.y(bin.share_yes)])));
      for (const bin of bins) {
        const at = made.x(bin.probability);
        if (bin.interval && bin.interval[0] !== null) {
          layer.append(svg("line", { class: `whisker m${report.look(position).mark}`, x1: at, x2: at, y1: made.y(bin.interval[0]), y2: made.y(bin.interval[1]) }));
        }
        layer.append(point(position, at, made.y(bin.share_yes),
          `${data.methods[position].name}: said ${percent(bin.probability)} %, was ${percent(bin.share_yes)} % of ${bin.labels} labels`,
          0.7 + 0.5 * Math.sqrt(bin.labels / part.labels)));
      }
      layers.set(position, layer);
      entries.push({ position, name: data.methods[position].name, value: `error ${percent(part.ece)}` });
    });
    compose(holder, made, layers, entries);
  }

  const powers = (low, high) => {
    const ticks = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
      for (const step of [1, 2, 5]) ticks.push(step * 10 ** power);
    }
    return ticks.filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
  };

  function drawRuntime(holder, data) {
    const timed = data.runtime.map((run, position) => ({ run, position })).filter(({ run }) => run);
    const untimed = data.methods.filter((_, position) => !data.runtime[position]).map((method) => method.name);
    const rest = untimed.length ? el("p", { class: "note bench-note" }, `No time is known of ${untimed.join(", ")}.`) : null;
    if (!timed.length) return holder.replaceChildren(rest || el("p", {}, "No time is known of any method."));
    const seconds = timed.map(({ run }) => Math.max(run.seconds, 0.01));
    const range = [Math.min(...seconds) / 3, Math.max(...seconds) * 3];
    const made = plot({
      height: 320, x: { range, log: true, ticks: powers(...range), name: "median seconds per clip" }, y: { ...tenths, name: "mean AP_all" },
      label: `Runtime against AP: ${timed.map(({ run, position }) => `${data.methods[position].name} ${run.seconds.toFixed(2)} s, ${percent(run.ap)}`).join("; ")}`,
    });
    timed.forEach(({ run, position }, k) => {
      const [x, y] = [made.x(seconds[k]), made.y(run.ap)];
      if (run.interval[0] !== null) {
        made.layer.append(svg("line", { class: `whisker m${report.look(position).mark}`, x1: x, x2: x, y1: made.y(run.interval[0]), y2: made.y(run.interval[1]) }));
      }
      const { name } = data.methods[position];
      made.layer.append(point(position, x, y, `${name}: ${run.seconds.toFixed(2)} s, AP ${percent(run.ap)}`, 1.3),
        svg("text", { x: x + 11, y: y + 4 }, name));
    });
    holder.replaceChildren(made.node, ...(rest ? [rest] : []));
  }

  function attach(figure, select, draw) {
    const holder = document.getElementById(figure);
    if (!holder) return;
    const choice = select && document.getElementById(select);
    report.whenNear(holder, () => report.read("figures").then((data) => {
      const show = () => draw(holder, data, choice ? choice.value : "");
      if (choice) choice.addEventListener("change", show);
      show();
    }).catch((error) => report.complain(holder, error)));
  }

  attach("curve-figure", "curve-task", drawCurves);
  attach("reliability-figure", "reliability-task", drawReliability);
  attach("runtime-figure", null, drawRuntime);
})();
