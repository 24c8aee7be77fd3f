"use strict";
/* One clip: what it shows, what people say, what every method says, its path in space and its motion over time. */
report.clip = (() => {
  const { el, percent } = report;
  const UNDECIDED = 0.5;
  const words = (text) => text.replaceAll("_", " ").toLowerCase();

  const short = (score) => (score !== 0 && Math.abs(score) < 0.001 ? score.toExponential(1) : String(Number(score.toPrecision(3))));

  function media(clip, strip) {
    const picture = strip ? el("img", { class: "strip", src: `strips/${strip}`, alt: `Six moments of ${clip.name}, from the first frame to the last` }) : null;
    if (!clip.video) return [picture, el("p", { class: "facts" }, picture ? "The video is not where the run found it: these are six moments of it." : "The video is not here, and there are no thumbnails of it.")];
    const note = el("p", { class: "facts" });
    const video = el("video", { controls: true, loop: true, muted: true, playsinline: true, preload: "metadata", src: clip.video, "aria-label": `Video of ${clip.name}` });
    video.addEventListener("error", () => {
      video.remove();
      note.textContent = picture ? "The video cannot be played here (its file has moved, or the browser does not know its format): these are six moments of it." : "The video cannot be played here: its file has moved, or the browser does not know its format.";
    });
    return [video, picture, note];
  }

  function facts(clip, row, index) {
    const about = Object.entries(clip.about).map(([key, value]) => el("span", {}, `${words(key)}: ${value}`));
    const subsets = row.subsets.map((k) => index.subsets[k]);
    return el("p", { class: "facts" }, el("span", {}, clip.file), about, subsets.length ? el("span", {}, `subsets: ${subsets.join(", ")}`) : null);
  }

  function labels(row, index) {
    const yes = index.tasks.filter((_, k) => row.labels[k] === "1"), unsure = index.tasks.filter((_, k) => row.labels[k] === "-");
    return el("ul", { class: "labels", "aria-label": "What people say" },
      yes.length ? yes.map((task) => el("li", { class: "yes" }, `✓ ${words(task)}`)) : el("li", {}, "no primitive is labelled yes"),
      unsure.length ? el("li", {}, `not labelled: ${unsure.map(words).join(", ")}`) : null);
  }

  function apart(row, index) {
    if (row.gap === null || !index.between) return null;
    const task = words(index.tasks[row.gapTask]);
    const side = index.between === "the methods" ? "" : row.sign > 0 ? "; geometry leans more to yes" : "; the language models lean more to yes";
    return el("p", {}, `Farthest apart on `, el("strong", {}, task), ` (${row.gap.toFixed(2)} of 1)${side}.`);
  }

  function said(clip, row, index) {
    const lines = index.methods.map((method, k) => {
      const { sentence, message, seconds, posed, frames, drawn } = clip.methods[k];
      const status = index.statuses[row.statuses[k]];
      const counts = frames === undefined ? "" : ` (${posed} of ${frames} frames, ${seconds.toFixed(1)} s)`;
      return el("li", {}, report.mark(k), " ", el("strong", {}, method.name), `: ${words(status.name)}${counts}. `, sentence || (status.solved || frames !== undefined || status.name === "not_run" ? status.meaning : ""),
        message && !status.solved ? el("span", { class: "facts" }, ` ${message}`) : null, drawn && drawn.note ? el("span", { class: "facts" }, ` ${drawn.note}.`) : null);
    });
    return el("ul", { class: "said" }, lines);
  }

  function scoreCell(method, label, task) {
    const [score, leaning] = [method.scores[task], method.leaning[task]];
    if (leaning === null) return el("td", {}, label === "-" ? "" : "failed");
    const wrong = label !== "-" && (leaning > UNDECIDED) !== (label === "1");
    return el("td", { class: wrong ? "wrong" : null, title: `score ${score}, rank ${leaning.toFixed(2)}` },
      el("span", { class: "lean", "aria-hidden": "true", style: `--at:${leaning}` }, el("span", {})), `${wrong ? "✗ " : ""}${short(score)}`);
  }

  function scores(clip, row, index) {
    const heads = index.methods.map((method, k) => el("th", { scope: "col" }, report.mark(k), ` ${method.name}`));
    const rows = index.tasks.map((task, k) => el("tr", { class: k === row.gapTask ? "apart" : null }, el("th", { scope: "row" }, words(task)),
      el("td", {}, { 1: "✓ yes", 0: "no", "-": "–" }[row.labels[k]]), clip.methods.map((method) => scoreCell(method, row.labels[k], k))));
    return [
      el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Scores of every method" }, el("table", { class: "scores" },
        el("caption", {}, "Scores; the bar is the rank within the primitive, its middle where yes begins; ✗ leans against the label"),
        el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Primitive"), el("th", { scope: "col" }, "Label"), heads)), el("tbody", {}, rows))),
    ];
  }

  function space(clip, index) {
    const entries = index.methods.map((method, k) => ({ key: `m${k}`, position: k, name: method.name, path: clip.methods[k].drawn && clip.methods[k].drawn.path }));
    if (clip.reference) entries.unshift({ key: "truth", position: -1, name: "true path", path: clip.reference });
    const drawn = entries.filter((entry) => entry.path);
    if (!drawn.length) return el("p", { class: "facts" }, "No method measured a path of this clip.");
    return report.space(drawn);
  }

  function motion(clip, index) {
    const measured = index.methods.map((method, k) => ({ name: method.name, k })).filter(({ k }) => clip.methods[k].drawn && clip.methods[k].drawn.motion);
    if (!measured.length) return el("p", { class: "facts" }, "No method measured a motion of this clip.");
    const holder = el("div", {});
    const show = (k) => holder.replaceChildren(report.timeline(clip.methods[k].drawn.motion));
    const choice = el("select", { onchange: (event) => show(Number(event.target.value)) }, measured.map(({ name, k }) => el("option", { value: k }, name)));
    show(measured[0].k);
    return [measured.length > 1 ? el("p", { class: "clip-choice" }, el("label", {}, "Method ", choice)) : null, holder];
  }

  /** Return what stands in the pane: `clip` is its document, `row` its line of the index. */
  return (clip, row, index) => [
    el("h3", { id: "clip-name", tabindex: -1 }, clip.name), facts(clip, row, index), ...media(clip, row.strip),
    el("h3", {}, "What people say"), labels(row, index), apart(row, index),
    el("h3", {}, "What the methods say"), said(clip, row, index), ...scores(clip, row, index),
    el("h3", {}, "Path in space"), space(clip, index),
    el("h3", {}, "Motion over time"), motion(clip, index),
    el("p", { class: "facts" }, `Average distance from the labels: ${row.hardness === null ? "–" : percent(row.hardness)} of 100.`),
  ].flat().filter((node) => node !== null);
})();
