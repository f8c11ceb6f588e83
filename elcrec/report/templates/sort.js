// Sort a table by the column whose title is clicked: ascending, then descending. Without this script
// the tables are as they are. Gaps stay last in both directions.
(function () {
  "use strict";
  function key(row, column) {
    const cell = row.cells[column];
    if (cell.classList.contains("gap")) return null;
    if (cell.dataset.sort !== undefined) return Number(cell.dataset.sort);
    return cell.textContent.trim();
  }
  function compare(a, b) {
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b), "en", { numeric: true });
  }
  function sort(table, column, direction) {
    const body = table.tBodies[0];
    const rows = Array.from(body.rows, (row) => [key(row, column), row]);
    rows.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      return direction * compare(a, b);
    });
    body.append(...rows.map(([, row]) => row));
    Array.from(table.tHead.rows[0].cells).forEach((title, index) => {
      if (index === column) title.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
      else title.removeAttribute("aria-sort");
    });
  }
  for (const table of document.querySelectorAll("table.sortable")) {
    Array.from(table.tHead.rows[0].cells).forEach((title, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...title.childNodes);
      title.append(button);
      button.addEventListener("click", () => {
        const up = title.getAttribute("aria-sort") === "ascending";
        sort(table, column, up ? -1 : 1);
      });
    });
  }
  // Contents are closed on a narrow screen, where they would push everything down.
  if (window.matchMedia("(max-width: 60rem)").matches) {
    document.querySelector("nav details").removeAttribute("open");
  }
})();
