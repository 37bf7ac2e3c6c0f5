// What every page gains where scripts run: keys, menus that close, rows that can be walked. Everything works without.

import "./parts/forms";
import { press } from "./parts/keys";
import "./parts/live";

const places: Record<string, string> = { o: "/", q: "/queue", d: "/declarations", e: "/entities", l: "/plan", j: "/journal", p: "/pool", t: "/tags", a: "/audits" };

/** Is somebody writing, so that a letter is a letter? */
function writing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName));
}

function searchBox(): HTMLInputElement | null {
  return document.querySelector<HTMLInputElement>("#search");
}

function closeMenus(except?: Element): void {
  for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.menu[open]")) {
    if (menu !== except) menu.open = false;
  }
}

function closeSuggestions(): void {
  document.querySelector("#suggestions")?.replaceChildren();
}

/** Marks the next or previous row of the first table. */
function walk(step: 1 | -1): void {
  // Where pairs are compared, each is walked to as a whole.
  const pairs = [...document.querySelectorAll<HTMLElement>("main article.match")];
  const all = pairs.length > 0 ? pairs : [...document.querySelectorAll<HTMLElement>("main tbody tr")];
  const rows = all.filter((row) => row.querySelector("a"));
  if (rows.length === 0) return;
  const now = rows.findIndex((row) => row.classList.contains("chosen"));
  const next = Math.min(rows.length - 1, Math.max(0, now < 0 ? 0 : now + step));
  if (now >= 0) rows[now]?.classList.remove("chosen");
  const row = rows[next];
  row?.classList.add("chosen");
  row?.querySelector<HTMLAnchorElement>("a")?.focus({ preventScroll: true });
  row?.scrollIntoView({ block: "nearest" });
}

let went = Number.NEGATIVE_INFINITY;

function onKey(event: KeyboardEvent): void {
  if (event.key === "Escape") {
    closeMenus();
    closeSuggestions();
    return;
  }
  if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    searchBox()?.select();
    searchBox()?.focus();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || writing(event.target)) return;
  const going = event.timeStamp - went < 1500;
  went = Number.NEGATIVE_INFINITY;
  if (going && places[event.key]) {
    location.assign(places[event.key] ?? "/");
  } else if (event.key === "/") {
    event.preventDefault();
    searchBox()?.focus();
  } else if (event.key === "?") {
    if (searchBox()) location.assign("/help");
  } else if (event.key === "g") {
    went = event.timeStamp;
  } else if (event.key === "j") {
    walk(1);
  } else if (event.key === "k") {
    walk(-1);
  } else if (press(event.key)) {
    event.preventDefault();
  }
}

/** The arrow keys go from the search box into its suggestions and through them. */
function onSearchKey(event: KeyboardEvent): void {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const links = [...document.querySelectorAll<HTMLAnchorElement>("#suggestions a")];
  if (links.length === 0) return;
  event.preventDefault();
  const now = links.indexOf(document.activeElement as HTMLAnchorElement);
  const next = event.key === "ArrowDown" ? now + 1 : now - 1;
  (links[next] ?? searchBox())?.focus();
}

document.addEventListener("keydown", onKey);
document.querySelector(".search")?.addEventListener("keydown", (event) => onSearchKey(event as KeyboardEvent));
document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  closeMenus(target?.closest("details.menu") ?? undefined);
  if (!target?.closest(".search")) closeSuggestions();
});
