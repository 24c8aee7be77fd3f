"use strict";
/* The list of clips: filters, orders, a window of rows, and keys. A clip's own data is read when it is opened. */
(() => {
  const { el } = report;
  const WINDOW = 100, FOLLOW_MS = 150;
  const $ = (id) => document.getElementById(id);
  const list = $("clip-list").tBodies[0], pane = $("clip");
  let index, pictured = false, all = [], shown = [], start = 0, current = null, timer = 0;
  const wide = matchMedia("(min-width: 62.01rem)");

  const words = (text) => text.replaceAll("_", " ").toLowerCase();

  function unpack(row, number) {
    const [name, labels, gap, gapTask, sign, hardness, errors, statuses, subsets, strip] = row;
    return { number, name, labels, gap, gapTask, sign, hardness, errors, statuses, subsets, strip, solved: statuses.filter((s) => index.statuses[s].solved).length };
  }

  const falling = (value) => (a, b) => (value(b) ?? -1) - (value(a) ?? -1) || a.number - b.number;

  function orders() {
    const made = [];
    if (index.between) made.push([`where ${index.between} disagree most`, falling((row) => row.gap)]);
    made.push(["hardest for all methods", falling((row) => row.hardness)]);
    index.methods.forEach((method, k) => made.push([`farthest from the labels: ${method.name}`, falling((row) => row.errors[k])]));
    made.push(["most failures", (a, b) => a.solved - b.solved || a.number - b.number]);
    made.push(["name", (a, b) => a.name.localeCompare(b.name, "en", { numeric: true })]);
    return made;
  }

  function fillControls(sorts) {
    const options = (select, texts) => texts.forEach(([value, text]) => select.append(el("option", { value }, text)));
    options($("f-label"), index.tasks.map((task, k) => [k, words(task)]));
    options($("f-status"), [["failed", "any failure"], ...index.statuses.map((status, k) => [k, words(status.name)])]);
    options($("f-subset"), index.subsets.map((name, k) => [k, words(name)]));
    options($("f-sort"), sorts.map(([text], k) => [k, text]));
    $("f-subset-label").hidden = !index.subsets.length;
    if (!index.between) $("apart-head").textContent = "";
  }

  function matches(row) {
    const [text, label, status, subset] = ["f-text", "f-label", "f-status", "f-subset"].map((id) => $(id).value);
    return (!text || row.name.toLowerCase().includes(text.trim().toLowerCase()))
      && (label === "" || row.labels[label] === "1")
      && (status === "" || (status === "failed" ? row.solved < index.methods.length : row.statuses.includes(Number(status))))
      && (subset === "" || row.subsets.includes(Number(subset)));
  }

  function arrange(sorts) {
    shown = all.filter(matches).sort(sorts[Number($("f-sort").value)][1]);
    start = 0;
    render();
  }

  /** Let a long name break after its underscores and hyphens. */
  const breakable = (name) => name.split(/(?<=[_-])/).flatMap((part, k) => (k ? [el("wbr", {}), part] : [part]));

  function rowNode(row) {
    const yes = index.tasks.filter((_, k) => row.labels[k] === "1").map(words);
    const thumb = !pictured ? null : row.strip ? el("img", { class: "thumb", src: `strips/${row.strip}`, alt: "", loading: "lazy" }) : el("span", { class: "thumb" });
    const where = row.gap === null || !index.between ? "" : `${row.gap.toFixed(2)} ${words(index.tasks[row.gapTask])}`;
    return el("tr", { "data-number": row.number, tabindex: -1, "aria-selected": row === current ? "true" : "false" },
      el("th", { scope: "row" }, el("span", {}, thumb, el("span", {}, breakable(row.name)))), el("td", {}, yes.join(", ") || "–"),
      el("td", {}, where), el("td", {}, `${row.solved} of ${index.methods.length}`));
  }

  function render() {
    const part = shown.slice(start, start + WINDOW);
    list.replaceChildren(...part.map(rowNode));
    const target = list.querySelector('[aria-selected="true"]') || list.rows[0];
    if (target) target.tabIndex = 0;
    $("count").textContent = `${shown.length} of ${all.length} clips`;
    $("window").textContent = shown.length ? `${start + 1} to ${start + part.length} of ${shown.length}` : "no clip matches";
    $("earlier").disabled = start === 0;
    $("later").disabled = start + WINDOW >= shown.length;
  }

  function select(place, { focus = true } = {}) {
    place = Math.max(0, Math.min(shown.length - 1, place));
    if (!shown.length) return;
    current = shown[place];
    const window = Math.floor(place / WINDOW) * WINDOW;
    if (window !== start) {
      start = window;
      render();
    }
    for (const node of list.rows) {
      const chosen = Number(node.dataset.number) === current.number;
      node.setAttribute("aria-selected", chosen);
      node.tabIndex = chosen ? 0 : -1;
      if (chosen && focus) node.focus({ preventScroll: false });
    }
  }

  async function open({ focus = false } = {}) {
    const row = current;
    clearTimeout(timer);
    try {
      const document_ = await report.read(`clips/${row.number}`);
      if (row !== current) return; // somebody moved on while it was being read
      pane.replaceChildren(...report.clip(document_, row, index));
      history.replaceState(null, "", `#clip=${encodeURIComponent(row.name)}`);
    } catch (error) {
      report.complain(pane, error);
    }
    if (focus) {
      ($("clip-name") || pane).focus();
      if (!wide.matches) pane.scrollIntoView();
    }
  }

  function follow() {
    clearTimeout(timer);
    if (wide.matches) timer = setTimeout(open, FOLLOW_MS);
  }

  const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !event.target.closest("tr")) return;
    if (event.key in STEPS) {
      event.preventDefault();
      const place = shown.indexOf(current ?? shown[0]);
      select(current && place >= 0 ? place + STEPS[event.key] : STEPS[event.key] > 1e6 ? shown.length - 1 : 0);
      follow();
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      if (!current) select(0);
      open({ focus: true });
    }
  }

  function named(hash) {
    const match = /^#clip=(.+)$/.exec(hash);
    return match && all.find((row) => row.name === decodeURIComponent(match[1]));
  }

  function openNamed() {
    const row = named(location.hash);
    if (!row) return;
    if (!shown.includes(row)) {
      $("controls").reset();
      $("controls").dispatchEvent(new Event("change"));
    }
    select(shown.indexOf(row), { focus: false });
    open();
    $("clips").scrollIntoView();
  }

  function begin(data) {
    index = data;
    all = data.rows.map(unpack);
    pictured = all.some((row) => row.strip);
    const sorts = orders();
    fillControls(sorts);
    for (const kind of ["input", "change"]) $("controls").addEventListener(kind, () => arrange(sorts));
    $("controls").addEventListener("submit", (event) => event.preventDefault());
    list.addEventListener("keydown", onKey);
    list.addEventListener("click", (event) => {
      const node = event.target.closest("tr");
      if (!node) return;
      select(shown.findIndex((row) => row.number === Number(node.dataset.number)));
      open({ focus: !wide.matches });
    });
    pane.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !current) return;
      select(shown.indexOf(current));
    });
    $("earlier").addEventListener("click", () => { start -= WINDOW; render(); });
    $("later").addEventListener("click", () => { start += WINDOW; render(); });
    arrange(sorts);
    openNamed();
    window.addEventListener("hashchange", openNamed);
  }

  const load = () => report.read("clips").then(begin).catch((error) => report.complain($("count"), error));
  if (location.hash.startsWith("#clip")) load();
  else report.whenNear($("clips"), load);
})();
