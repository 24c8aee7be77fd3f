"use strict";
/* Tables that sort by a click on a head, the choice of the failure policy, the choice of a confusion table. */
(() => {
  const valueOf = (cell) => (cell.dataset.value === undefined ? null : Number(cell.dataset.value));

  function compare(a, b, descending) {
    const [x, y] = [valueOf(a), valueOf(b)];
    if (x !== null && y !== null) return descending ? y - x : x - y;
    if (x !== null || y !== null) return x === null ? 1 : -1; // what is unknown comes last either way
    const order = a.textContent.trim().localeCompare(b.textContent.trim(), "en", { numeric: true });
    return descending ? -order : order;
  }

  function sortBy(table, column) {
    const head = table.tHead.rows[0].cells[column];
    const numeric = [...table.tBodies[0].rows].some((row) => valueOf(row.cells[column]) !== null);
    const descending = head.ariaSort ? head.ariaSort === "ascending" : numeric;
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.ariaSort = descending ? "descending" : "ascending";
    const rows = [...table.tBodies[0].rows];
    rows.sort((a, b) => compare(a.cells[column], b.cells[column], descending));
    table.tBodies[0].append(...rows);
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = report.el("button", { type: "button", onclick: () => sortBy(table, column) }, head.textContent);
      head.replaceChildren(button);
    });
  }

  document.getElementById("policy").addEventListener("change", (event) => {
    for (const policy of ["all", "answered"]) document.getElementById(`heat-${policy}`).hidden = event.target.value !== policy;
  });

  const confusion = document.getElementById("confusion-method");
  if (confusion) {
    confusion.addEventListener("change", () => {
      for (const part of document.querySelectorAll(".confusion")) part.hidden = part.dataset.number !== confusion.value;
    });
  }
})();
