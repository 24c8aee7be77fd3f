"use strict";
/* Camera paths in space, seen from the first camera: turned by dragging or by the arrow keys. Drawn on a canvas when a clip is opened. */
report.space = (() => {
  const { el } = report;
  const START = { yaw: -0.65, pitch: 0.45, zoom: 1 };
  const LEAST_EXTENT = 0.05; // scene depths: below it, noise would fill the picture
  const TRUTH_COLOUR = "--soft";

  const reach = (path) => Math.max(...path.centers.map((p) => Math.hypot(...p)));

  /** Bring paths whose unit is unknown to the size of the first one whose unit is a scene depth; say so. */
  function sized(entries) {
    const known = entries.find((entry) => entry.path.unit === "depths" && reach(entry.path) > 1e-6) || entries[0];
    return entries.map((entry) => {
      if (entry === known || entry.path.unit === "depths") return { ...entry, scale: 1, fitted: false };
      return { ...entry, scale: reach(known.path) / (reach(entry.path) || 1) || 1, fitted: true };
    });
  }

  function bounds(entries) {
    const points = entries.flatMap((entry) => entry.path.centers.map((p) => p.map((v) => v * entry.scale)));
    points.push([0, 0, 0]);
    const low = [0, 1, 2].map((k) => Math.min(...points.map((p) => p[k]))), high = [0, 1, 2].map((k) => Math.max(...points.map((p) => p[k])));
    return { middle: low.map((v, k) => (v + high[k]) / 2), extent: Math.max(LEAST_EXTENT, Math.hypot(...high.map((v, k) => v - low[k]))) };
  }

  /** Return the corners of a camera's picture before it, in the frame of the first camera. */
  function frustum(path, camera, scale, size) {
    const half = (0.5 * size) / (path.focal_over_width || 0.85), tall = half * (path.aspect || 0.5625);
    const at = path.centers[camera.at].map((v) => v * scale);
    const corner = (x, y) => at.map((v, k) => v + camera.axes[k][0] * x + camera.axes[k][1] * y + camera.axes[k][2] * size);
    return { at, corners: [corner(-half, -tall), corner(half, -tall), corner(half, tall), corner(-half, tall)] };
  }

  function gridStep(extent) {
    const rough = extent / 4, power = 10 ** Math.floor(Math.log10(rough));
    return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
  }

  function draw(canvas, entries, view, hidden) {
    const { width, height } = canvas.getBoundingClientRect();
    if (!width) return;
    const ratio = devicePixelRatio || 1;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const pen = canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    pen.scale(ratio, ratio);
    pen.font = "12px system-ui, sans-serif";
    const { middle, extent } = bounds(entries);
    const unit = (0.95 * view.zoom * Math.min(width, height)) / extent;
    const [cy, sy, cp, sp] = [Math.cos(view.yaw), Math.sin(view.yaw), Math.cos(view.pitch), Math.sin(view.pitch)];
    const project = (p) => {
      const [x, up, z] = [p[0] - middle[0], middle[1] - p[1], p[2] - middle[2]];
      const across = cy * x + sy * z, deep = cy * z - sy * x;
      return [width / 2 + unit * across, height / 2 - unit * (up * cp + deep * sp)];
    };
    const line = (points, { stroke, wide = 1, dash = [], close = false }) => {
      pen.beginPath();
      points.map(project).forEach(([x, y], k) => (k ? pen.lineTo(x, y) : pen.moveTo(x, y)));
      if (close) pen.closePath();
      pen.setLineDash(dash);
      pen.lineWidth = wide;
      pen.strokeStyle = stroke;
      pen.stroke();
    };
    drawGround(line, project, pen, { middle, extent, colour });
    for (const entry of entries.filter(({ key }) => !hidden.has(key))) {
      const stroke = colour(entry.position < 0 ? TRUTH_COLOUR : `--m${report.look(entry.position).mark}`);
      const dash = entry.position < 0 ? [2, 4] : report.look(entry.position).dash.split(" ").filter(Boolean).map(Number);
      line(entry.path.centers.map((p) => p.map((v) => v * entry.scale)), { stroke, wide: 2.4, dash });
      entry.path.cameras.forEach((camera, k) => {
        const { at, corners } = frustum(entry.path, camera, entry.scale, extent * 0.07);
        const wide = k === 0 || k === entry.path.cameras.length - 1 ? 1.6 : 0.8;
        line(corners, { stroke, wide, close: true });
        for (const corner of corners) line([at, corner], { stroke, wide: wide * 0.7 });
      });
      const [x, y] = project(entry.path.centers.at(-1).map((v) => v * entry.scale));
      pen.fillStyle = stroke;
      pen.setLineDash([]);
      pen.fillText(`${entry.name}, end`, x + 8, y - 6);
    }
  }

  function drawGround(line, project, pen, { middle, extent, colour }) {
    const step = gridStep(extent), far = Math.ceil(extent / step) * step * 0.75;
    const snap = (value) => Math.round(value / step) * step;
    const [mx, mz] = [snap(middle[0]), snap(middle[2])];
    for (let k = -Math.floor(far / step); k <= far / step; k++) {
      line([[mx + k * step, 0, mz - far], [mx + k * step, 0, mz + far]], { stroke: colour("--line"), wide: 0.7 });
      line([[mx - far, 0, mz + k * step], [mx + far, 0, mz + k * step]], { stroke: colour("--line"), wide: 0.7 });
    }
    const arm = extent * 0.28;
    pen.fillStyle = colour("--soft");
    for (const [name, to] of [["right", [arm, 0, 0]], ["up", [0, -arm, 0]], ["forward", [0, 0, arm]]]) {
      line([[0, 0, 0], to], { stroke: colour("--soft"), wide: 1.4 });
      const [x, y] = project(to);
      pen.fillText(name, x + 3, y - 3);
    }
  }

  function turnBy(view, keys) {
    const step = 0.12;
    const turns = {
      ArrowLeft: () => { view.yaw -= step; }, ArrowRight: () => { view.yaw += step; },
      ArrowUp: () => { view.pitch = Math.min(1.55, view.pitch + step); }, ArrowDown: () => { view.pitch = Math.max(-1.55, view.pitch - step); },
      "+": () => { view.zoom *= 1.15; }, "=": () => { view.zoom *= 1.15; }, "-": () => { view.zoom /= 1.15; }, 0: () => Object.assign(view, START),
    };
    return turns[keys];
  }

  function listen(canvas, view, redraw) {
    canvas.addEventListener("keydown", (event) => {
      const turn = event.ctrlKey || event.metaKey || event.altKey ? null : turnBy(view, event.key);
      if (!turn) return;
      event.preventDefault();
      event.stopPropagation();
      turn();
      redraw();
    });
    canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
    canvas.addEventListener("pointermove", (event) => {
      if (!canvas.hasPointerCapture(event.pointerId)) return;
      view.yaw += event.movementX * 0.01;
      view.pitch = Math.max(-1.55, Math.min(1.55, view.pitch + event.movementY * 0.01));
      redraw();
    });
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && document.activeElement !== canvas) return; // a page that scrolls by must not be caught here
      event.preventDefault();
      view.zoom *= Math.exp(-event.deltaY * 0.001);
      redraw();
    }, { passive: false });
  }

  function describe(entries) {
    return entries.map(({ name, path }) => {
      const [right, down, forward] = path.centers.at(-1);
      const unit = path.unit === "depths" ? "scene depths" : "of its own extent";
      return `${name} ends ${right.toFixed(2)} to the right, ${(-down).toFixed(2)} up, ${forward.toFixed(2)} forward, ${unit}`;
    }).join("; ");
  }

  /** Return the picture of `entries` ({key, position, name, path}; position -1 is the true path) with its legend. */
  return (given) => {
    const entries = sized(given), hidden = new Set(), view = { ...START };
    const canvas = el("canvas", { tabindex: 0, role: "img", "aria-label": `Paths in space. ${describe(given)}. Arrow keys turn, plus and minus zoom.` });
    const redraw = () => draw(canvas, entries, view, hidden);
    listen(canvas, view, redraw);
    new ResizeObserver(redraw).observe(canvas);
    const onColours = () => (canvas.isConnected ? redraw() : document.removeEventListener("colours", onColours));
    document.addEventListener("colours", onColours);
    const choices = entries.map((entry) => el("label", {}, el("input", {
      type: "checkbox", checked: true,
      onchange: (event) => { hidden[event.target.checked ? "delete" : "add"](entry.key); redraw(); },
    }), " ", entry.position < 0 ? "" : report.mark(entry.position), ` ${entry.name}`, entry.fitted ? " (size fitted: its unit is unknown)" : ""));
    return el("div", { class: "space" }, canvas, el("div", { class: "space-keys" }, choices,
      el("span", { class: "facts" }, "Drag or arrow keys turn, + and - zoom, 0 sets back.")));
  };
})();
