"use strict";
/* Motion over time: rotation, translation and zoom since the first frame with a pose, with one-sigma bands. */
report.timeline = (() => {
  const { el, svg } = report;
  const { plot, curve, path } = report.charts;
  const PANELS = [
    { name: "rotation, degrees", unit: "°", least: 4, digits: 1, lines: [["tilt_deg", "tilt up", 1], ["pan_deg", "pan right", 1], ["roll_deg", "roll clockwise", 1]] },
    { name: "translation, scene depths", unit: "", least: 0.08, digits: 2, lines: [["right_depths", "right", 1], ["down_depths", "up", -1], ["in_depths", "in", 1]] },
    { name: "zoom, focal ratio", unit: "×", least: 0.05, digits: 2, ratio: true, lines: [["log_zoom", "zoom in", 1]] },
  ];
  const LABELS_WIDTH = 205, LABEL_HEIGHT = 16;

  function ticks(low, high) {
    const rough = (high - low) / 4;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
    const made = [];
    for (let k = Math.ceil(low / step); k * step <= high + step * 1e-6; k++) made.push(Number((k * step).toPrecision(6)));
    return made;
  }

  /** Return the known runs of a line: frames without a pose leave a gap. */
  function runs(times, values) {
    const made = [[]];
    values.forEach((value, k) => {
      if (value !== null) made.at(-1).push([times[k], value]);
      else if (made.at(-1).length) made.push([]);
    });
    return made.filter((run) => run.length);
  }

  function prepare(panel, motion) {
    const turn = (sign, value) => (value === null ? null : panel.ratio ? Math.exp(value) : sign * value);
    return panel.lines.map(([key, name, sign], position) => {
      const { smooth, raw, sigma } = motion.dofs[key];
      const spread = sigma || 0;
      return {
        position, name, spread,
        smooth: smooth.map((value) => turn(sign, value)), raw: raw.map((value) => turn(sign, value)),
        low: smooth.map((value) => (value === null ? null : turn(sign, value - sign * spread))),
        high: smooth.map((value) => (value === null ? null : turn(sign, value + sign * spread))),
      };
    }).filter((line) => line.smooth.some((value) => value !== null));
  }

  /** Return a value with its sign and unit; what rounds to zero has no sign. */
  function figure(panel, value) {
    if (panel.ratio) return `×${value.toFixed(panel.digits)}`;
    const shown = value.toFixed(panel.digits).replace(/^-(?=[0.]*$)/, "");
    return `${shown.startsWith("-") || Number(shown) === 0 ? "" : "+"}${shown}${panel.unit}`;
  }

  function drawPanel(panel, motion) {
    const lines = prepare(panel, motion);
    if (!lines.length) return el("p", { class: "note" }, `${panel.name}: not measured`);
    const neutral = panel.ratio ? 1 : 0;
    const shown = [neutral, ...lines.flatMap((line) => [...line.smooth, ...line.raw]).filter((value) => value !== null)];
    let [low, high] = [Math.min(...shown), Math.max(...shown)];
    const missing = Math.max(panel.least - (high - low), 0) / 2, margin = 0.1 * Math.max(high - low, panel.least);
    [low, high] = [low - missing - margin, high + missing + margin];
    const { times } = motion;
    const [start, end] = [times[0], times.at(-1)];
    const beyond = end + ((end - start || 1) * LABELS_WIDTH) / 500; // room for the names at the ends of the lines
    const last = (line) => line.smooth.filter((value) => value !== null).at(-1);
    const text = (line) => `${line.name} ${figure(panel, last(line))} ± ${panel.ratio ? `${(100 * line.spread).toFixed(0)} %` : line.spread.toFixed(panel.digits)}`;
    const made = plot({
      height: 230, x: { range: [start, beyond], ticks: ticks(start, end || start + 1), name: "time, s" },
      y: { range: [low, high], ticks: ticks(low, high), name: panel.name },
      label: `${panel.name} over time; at the end: ${lines.map(text).join(", ")}`,
    });
    made.layer.append(svg("line", { class: "axis", x1: made.x(start), x2: made.x(end), y1: made.y(neutral), y2: made.y(neutral) }));
    const taken = [];
    for (const line of [...lines].sort((a, b) => last(b) - last(a))) {
      const at = (pair) => [made.x(pair[0]), made.y(Math.max(low, Math.min(high, pair[1])))]; // a wide band ends at the frame
      const [lows, highs] = [runs(times, line.low), runs(times, line.high)];
      const group = svg("g", { class: `m${line.position}` });
      lows.forEach((run, k) => group.append(svg("path", { class: "band", d: `${path([...run.map(at), ...highs[k].map(at).reverse()])}Z` })));
      runs(times, line.raw).flat().forEach((pair) => group.append(svg("circle", { class: "dot", r: 1.6, cx: at(pair)[0], cy: at(pair)[1] })));
      runs(times, line.smooth).forEach((run) => group.append(curve(line.position, run.map(at))));
      let y = made.y(last(line)) + 4;
      if (taken.length && y < taken.at(-1) + LABEL_HEIGHT) y = taken.at(-1) + LABEL_HEIGHT;
      taken.push(y);
      made.layer.append(group, curve(line.position, [[made.x(end) + 6, y - 4], [made.x(end) + 26, y - 4]]), svg("text", { x: made.x(end) + 32, y }, text(line)));
    }
    return made.node;
  }

  const OTHER_DEPTH = { "path extent": "how deep the scene is was not known: the extent of the path counts as 0.3", "nominal metric": "how deep the scene is was not known: 3 m are assumed" };

  return (motion) => el("div", { class: "motion" }, PANELS.map((panel) => drawPanel(panel, motion)),
    el("p", { class: "note" }, "Lines are the smooth path, dots the frames, bands one sigma. ", OTHER_DEPTH[motion.depth_source] || ""));
})();
