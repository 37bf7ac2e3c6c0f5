// Letters that do what a button does: of the chosen row, or else of the page.

/** Does what carries this key, if anything does. Answers whether something did. */
export function press(key: string): boolean {
  const row = document.querySelector("main .chosen");
  const wanted = `[data-key="${CSS.escape(key)}"]`;
  const target = row?.querySelector<HTMLElement>(wanted) ?? pageWide(wanted);
  if (!target) return false;
  target.click();
  // What opened is written in at once.
  const field = target.closest("details[open]")?.querySelector<HTMLElement>("input:not([type='hidden']), textarea");
  field?.focus();
  return true;
}

/** What is not in a row, nor in a pair that is compared, belongs to the page. */
function pageWide(wanted: string): HTMLElement | null {
  const all = [...document.querySelectorAll<HTMLElement>(`main ${wanted}`)];
  return all.find((one) => one.closest("tbody, article.match") === null) ?? null;
}
