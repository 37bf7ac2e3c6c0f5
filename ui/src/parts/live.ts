// Pages that change by themselves: they ask again when something moved, and never take away what somebody is at.

interface Htmx {
  trigger(target: Element, event: string): void;
}

/** Asks at most this often, in milliseconds, whatever happens. */
const REST = 1000;

function htmx(): Htmx | undefined {
  return (window as unknown as { htmx?: Htmx }).htmx;
}

/** Is somebody writing, or reading what they opened, within a part of the page? */
function occupied(part: Element): boolean {
  const active = document.activeElement;
  const writing = active !== null && part.contains(active) && /^(INPUT|SELECT|TEXTAREA)$/.test(active.tagName);
  return writing || part.querySelector("details[open]") !== null;
}

/** Tells every part that shows the present that something moved. */
function follow(): void {
  if (document.querySelector("[data-live]") === null) return;
  let asked = 0;
  let waiting = false;
  const ask = (): void => {
    waiting = false;
    asked = performance.now();
    for (const part of document.querySelectorAll("[data-live]")) htmx()?.trigger(part, "moved");
  };
  const stream = new EventSource("/api/v1/stream");
  stream.addEventListener("moved", () => {
    if (waiting || document.hidden) return;
    waiting = true;
    setTimeout(ask, Math.max(0, REST - (performance.now() - asked)));
  });
  addEventListener("pagehide", () => stream.close());
}

/** Time left, counted down where it is shown. */
function countDown(): void {
  const parts = [...document.querySelectorAll<HTMLElement>("[data-until]")];
  if (parts.length === 0) return;
  setInterval(() => {
    for (const part of parts) {
      const left = Math.max(0, Math.ceil((Date.parse(part.dataset["until"] ?? "") - Date.now()) / 1000));
      const minutes = Math.floor(left / 60);
      part.textContent = minutes > 0 ? `${minutes}\u00a0min ${String(left % 60).padStart(2, "0")}\u00a0s` : `${left}\u00a0s`;
    }
  }, 1000);
}

document.addEventListener("htmx:beforeSwap", (event) => {
  const detail = (event as CustomEvent<{ target: Element; shouldSwap: boolean }>).detail;
  if (detail.target.matches("[data-live]") && occupied(detail.target)) detail.shouldSwap = false;
});
// What is asked without a person keeps no session alive.
document.addEventListener("htmx:configRequest", (event) => {
  const detail = (event as CustomEvent<{ elt: Element; headers: Record<string, string> }>).detail;
  if (detail.elt.matches("[data-live]")) detail.headers["x-unattended"] = "1";
});
// The row that was chosen stays chosen: focus is given back by its id.
document.addEventListener("htmx:afterSettle", () => {
  const row = document.activeElement?.closest("main tbody tr");
  if (row && !row.classList.contains("chosen")) row.classList.add("chosen");
});
follow();
countDown();
