// What the script adds to a report: it reads and prints without it. Sorting and filtering of tables, the switches for
// language and theme, and opening the part that a link points to.

type Order = "ascending" | "descending";

function cellOrder(row: HTMLTableRowElement, column: number): string | number {
  const cell = row.cells[column];
  const order = cell?.dataset["order"];
  if (order !== undefined) return Number(order);
  return visibleText(cell);
}

/** The text of a cell in the language shown. */
function visibleText(cell: Element | undefined): string {
  if (!cell) return "";
  const language = cell.closest<HTMLElement>(".report")?.dataset["language"] ?? "en";
  const copy = cell.cloneNode(true) as Element;
  for (const other of copy.querySelectorAll("[lang]")) if (other.getAttribute("lang") !== language) other.remove();
  return (copy.textContent ?? "").trim();
}

function compare(a: string | number, b: string | number): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  // What is absent stands behind what is there.
  if (typeof a === "number") return -1;
  if (typeof b === "number") return 1;
  return a.localeCompare(b, undefined, { numeric: true });
}

function sortBy(table: HTMLTableElement, column: number, head: HTMLTableCellElement): void {
  const before = head.getAttribute("aria-sort") as Order | null;
  const firstOrder: Order = head.classList.contains("number") ? "descending" : "ascending";
  const opposite: Order = firstOrder === "ascending" ? "descending" : "ascending";
  const order: Order = before === firstOrder ? opposite : firstOrder;
  const body = table.tBodies[0];
  if (!body) return;
  const direction = order === "ascending" ? 1 : -1;
  const rows = [...body.rows].map((row) => ({ row, order: cellOrder(row, column) }));
  rows.sort((a, b) => {
    const absent = Number(a.order === "–") - Number(b.order === "–");
    return absent !== 0 ? absent : direction * compare(a.order, b.order);
  });
  body.replaceChildren(...rows.map(({ row }) => row));
  for (const other of table.tHead?.rows[0]?.cells ?? []) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", order);
}

function makeSortable(table: HTMLTableElement): void {
  const heads = table.tHead?.rows[0]?.cells ?? [];
  [...heads].forEach((head, column) => {
    // A real button inside the head: reachable by keyboard and announced as one.
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sortBy(table, column, head as HTMLTableCellElement));
    head.append(button);
  });
}

function makeFilter(input: HTMLInputElement): void {
  const body = input.closest(".table-frame")?.querySelector("tbody");
  if (!body) return;
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLocaleLowerCase();
    for (const row of body.rows) row.hidden = wanted !== "" && !row.innerText.toLocaleLowerCase().includes(wanted);
  });
}

function showLanguage(report: HTMLElement, language: string): void {
  report.dataset["language"] = language;
  if (document.body.classList.contains("report-file")) document.documentElement.lang = language;
  for (const button of report.querySelectorAll<HTMLButtonElement>("[data-set-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset["setLanguage"] === language));
  }
}

function switchTheme(): void {
  const root = document.documentElement;
  const dark = root.dataset["theme"]
    ? root.dataset["theme"] === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset["theme"] = dark ? "light" : "dark";
}

/** Opens every folded part around the place that the address names. */
function openTarget(): void {
  const target = location.hash.length > 1 ? document.getElementById(location.hash.slice(1)) : null;
  for (let part: Element | null = target; part; part = part.parentElement) {
    if (part instanceof HTMLDetailsElement) part.open = true;
  }
}

/** Folded parts are printed too. */
function openForPrint(report: HTMLElement): void {
  let closed: HTMLDetailsElement[] = [];
  addEventListener("beforeprint", () => {
    closed = [...report.querySelectorAll<HTMLDetailsElement>("details.dimension:not([open])")];
    for (const part of closed) part.open = true;
  });
  addEventListener("afterprint", () => {
    for (const part of closed) part.open = false;
  });
}

for (const report of document.querySelectorAll<HTMLElement>(".report")) {
  for (const table of report.querySelectorAll<HTMLTableElement>("table[data-sortable]")) makeSortable(table);
  for (const input of report.querySelectorAll<HTMLInputElement>("[data-filter]")) makeFilter(input);
  for (const button of report.querySelectorAll<HTMLButtonElement>("[data-set-language]")) {
    button.addEventListener("click", () => showLanguage(report, button.dataset["setLanguage"] ?? "en"));
  }
  showLanguage(report, report.dataset["language"] ?? "en");
  report.querySelector("[data-set-theme]")?.addEventListener("click", switchTheme);
  openForPrint(report);
}
addEventListener("hashchange", openTarget);
openTarget();
