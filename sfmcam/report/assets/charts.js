"use strict";
/* Plots with two axes, as SVG: lines, steps, points and whiskers per method, told apart by colour, dash and mark. */
report.charts = (() => {
  const { svg, el, look } = report;
  const MARGIN = { left: 58, right: 18, top: 14, bottom: 46 };

  function scale(axis, from, to) {
    const map = axis.log ? Math.log : (value) => value;
    const [low, high] = axis.range.map(map);
    return (value) => from + ((map(value) - low) / (high - low || 1)) * (to - from);
  }

  /** Return an empty plot: `node` the SVG, `layer` where to draw, `x` and `y` from values to pixels. */
  function plot({ width = 720, height = 430, x, y, label }) {
    const right = width - MARGIN.right, bottom = height - MARGIN.bottom;
    const [toX, toY] = [scale(x, MARGIN.left, right), scale(y, bottom, MARGIN.top)];
    const axes = svg("g", { "aria-hidden": "true" });
    for (const tick of x.ticks) {
      axes.append(svg("line", { class: "grid", x1: toX(tick), x2: toX(tick), y1: MARGIN.top, y2: bottom }),
        svg("text", { class: "soft", x: toX(tick), y: bottom + 18, "text-anchor": "middle" }, x.show ? x.show(tick) : String(tick)));
    }
    for (const tick of y.ticks) {
      axes.append(svg("line", { class: "grid", x1: MARGIN.left, x2: right, y1: toY(tick), y2: toY(tick) }),
        svg("text", { class: "soft", x: MARGIN.left - 8, y: toY(tick) + 4, "text-anchor": "end" }, y.show ? y.show(tick) : String(tick)));
    }
    const middle = (MARGIN.top + bottom) / 2;
    axes.append(svg("line", { class: "axis", x1: MARGIN.left, x2: right, y1: bottom, y2: bottom }),
      svg("line", { class: "axis", x1: MARGIN.left, x2: MARGIN.left, y1: MARGIN.top, y2: bottom }),
      svg("text", { x: (MARGIN.left + right) / 2, y: height - 6, "text-anchor": "middle" }, x.name),
      svg("text", { x: 14, y: middle, "text-anchor": "middle", transform: `rotate(-90 14 ${middle})` }, y.name));
    const layer = svg("g", {});
    const node = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, axes, layer);
    return { node, layer, x: toX, y: toY };
  }

  const path = (points) => points.map(([x, y], k) => `${k ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

  function curve(position, points) {
    return svg("path", { class: `curve m${look(position).mark}`, d: path(points), "stroke-dasharray": look(position).dash || null });
  }

  function point(position, x, y, title, size = 1) {
    return svg("g", { class: `m${look(position).mark}`, transform: `translate(${x.toFixed(1)} ${y.toFixed(1)}) scale(${size.toFixed(2)})` },
      svg("use", { class: "point", href: `#mark${look(position).mark}` }), svg("title", {}, title));
  }

  /** Return the legend: a box per series that shows and hides it, its line as drawn, its name and a figure. */
  function legend(entries, toggle) {
    return el("ul", { class: "legend" }, entries.map(({ position, name, value }) => el("li", {}, el("label", {},
      el("input", { type: "checkbox", checked: true, onchange: (event) => toggle(position, event.target.checked) }),
      svg("svg", { class: `m${look(position).mark}`, viewBox: "0 0 42 16", "aria-hidden": "true" },
        svg("line", { class: "curve", x1: 0, x2: 42, y1: 8, y2: 8, "stroke-dasharray": look(position).dash || null }),
        svg("use", { class: "point", href: `#mark${look(position).mark}`, transform: "translate(21 8)" })),
      el("span", {}, name), el("span", { class: "value" }, value)))));
  }

  const tenths = { range: [0, 1], ticks: [0, 0.2, 0.4, 0.6, 0.8, 1], show: (value) => value.toFixed(1) };
  return { plot, curve, point, legend, path, tenths };
})();
