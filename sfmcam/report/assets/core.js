"use strict";
/* What every script of the page uses: reading data, making elements, the colours.
   Data comes as scripts (`report.receive(name, value)`), since a page opened from disk may not read files. */
const report = (() => {
  const known = new Map();
  const asked = new Map();

  function receive(name, value) {
    known.set(name, value);
  }

  /** Return a promise of the data `name`, reading `data/<name>.js` on first use. */
  function read(name) {
    if (!asked.has(name)) {
      asked.set(name, new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = `data/${name}.js`;
        script.onload = () => (known.has(name) ? resolve(known.get(name)) : reject(new Error(`${script.src} holds no ${name}`)));
        script.onerror = () => reject(new Error(`data/${name}.js cannot be read: keep the whole folder of the report together`));
        document.head.append(script);
      }));
    }
    return asked.get(name);
  }

  function fill(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (name === "style") node.style.cssText = value;
      else node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
    return node;
  }

  /** Make an HTML element; text children are text, never markup. */
  const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
  const svg = (tag, attributes, ...children) => fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

  const MARKS = 8;
  const DASHES = ["", "9 4", "3 3", "12 3 3 3", "6 3", "2 5", "14 5", "8 3 2 3 2 3"];
  const look = (position) => ({ mark: position % MARKS, dash: DASHES[(position + Math.floor(position / MARKS)) % DASHES.length] });

  /** The mark of a method beside its name. */
  function mark(position) {
    return svg("svg", { class: `mark m${look(position).mark}`, viewBox: "-6 -6 12 12", "aria-hidden": "true" },
      svg("use", { href: `#mark${look(position).mark}` }));
  }

  /** Call `then` once, when `node` comes near the window. */
  function whenNear(node, then) {
    const watch = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      watch.disconnect();
      then();
    }, { rootMargin: "600px" });
    watch.observe(node);
  }

  /** Put what went wrong where the result would have been. */
  function complain(node, error) {
    node.replaceChildren(el("p", { class: "warnings" }, error.message));
  }

  const percent = (value) => (value === null || value === undefined ? "–" : (100 * value).toFixed(1));

  const THEMES = ["system", "light", "dark"];
  function kept() {
    try { return localStorage.getItem("sfmcam-theme"); } catch { return null; }
  }
  function show(theme) {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    try { localStorage.setItem("sfmcam-theme", theme); } catch { /* a browser may forbid it; then the choice lasts as long as the page */ }
    document.dispatchEvent(new Event("colours"));
  }
  let theme = THEMES.includes(kept()) ? kept() : "system";
  if (theme !== "system") document.documentElement.dataset.theme = theme;

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const name = () => { button.textContent = `Colours: ${theme}`; };
    button.hidden = false;
    name();
    button.addEventListener("click", () => {
      theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
      show(theme);
      name();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.dispatchEvent(new Event("colours")));
  });

  return { receive, read, el, svg, mark, look, whenNear, complain, percent };
})();
