// The curve of consequences: moving the slider, or dragging over the drawing, shows at once what would follow. The
// server wrote every value already; nothing is worked out here.

type Point = [x: number, values: string[]];

const slider = document.querySelector<HTMLInputElement>("input[data-curve]");
const drawing = document.querySelector<SVGSVGElement>(".curve-drawing");

function points(): Point[] {
  return slider ? (JSON.parse(slider.dataset["curve"] ?? "[]") as Point[]) : [];
}

const all = points();

/** Shows a point of the curve, and keeps it in the address so that a link shows the same. */
function show(at: number): void {
  const point = all[at];
  if (!point || !slider) return;
  const [x, values] = point;
  const mark = drawing?.querySelector("[data-mark]");
  mark?.setAttribute("x1", String(x));
  mark?.setAttribute("x2", String(x));
  document.querySelectorAll("[data-told]").forEach((told, place) => {
    told.textContent = values[place] ?? "";
  });
  const capacity = document.querySelector<HTMLInputElement>("[data-capacity]");
  if (capacity) capacity.value = String(Math.max(1, Math.round(Number(values[0]))));
  slider.setAttribute("aria-valuetext", values[0] ?? "");
  const place = new URL(location.href);
  place.searchParams.set("at", String(at));
  history.replaceState(null, "", place);
}

/** The point of the curve nearest to a place on the screen. */
function nearest(clientX: number): number {
  const box = drawing?.getBoundingClientRect();
  if (!box) return 0;
  const x = ((clientX - box.left) / box.width) * 1000;
  let best = 0;
  all.forEach(([own], at) => {
    if (Math.abs(own - x) < Math.abs((all[best]?.[0] ?? 0) - x)) best = at;
  });
  return best;
}

function drag(event: PointerEvent): void {
  if (!slider || event.buttons === 0) return;
  const at = nearest(event.clientX);
  slider.value = String(at);
  show(at);
}

slider?.addEventListener("input", () => show(Number(slider.value)));
drawing?.addEventListener("pointerdown", (event) => {
  drawing.setPointerCapture(event.pointerId);
  drag(event);
});
drawing?.addEventListener("pointermove", drag);
if (slider) slider.setAttribute("aria-valuetext", all[Number(slider.value)]?.[1][0] ?? "");
