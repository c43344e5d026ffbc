/** The board's keys: / search, J K or arrows move, Esc lets go, A assign, O plan. */
import { neighbour } from "./select.ts";
import { draft, litCourier, rightTab, selectedId, shown } from "./state.ts";

function move(step: 1 | -1): void {
  const next = neighbour(shown.value, selectedId.value, step);
  if (!next) return;
  selectedId.value = next;
  requestAnimationFrame(() => {
    const row = document.getElementById(`row-${next}`);
    row?.scrollIntoView({ block: "nearest" });
    row?.focus({ preventScroll: true });
  });
}

function letGo(): void {
  if (selectedId.value) selectedId.value = null;
  else if (litCourier.value) litCourier.value = null;
  else if (draft.value && rightTab.value !== "plan") rightTab.value = "plan";
}

const KEYS: Record<string, () => void> = {
  j: () => move(1),
  k: () => move(-1),
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  "/": () => document.getElementById("search")?.focus(),
  a: () => document.getElementById("assign")?.focus(),
  o: () => document.getElementById("plan")?.click(),
};

/** Handles one key press; typing in a field and browser shortcuts are left alone. */
export function onKey(event: KeyboardEvent): void {
  const target = event.target instanceof HTMLElement ? event.target : null;
  if (event.key === "Escape") {
    if (target?.matches("input, select")) target.blur();
    else letGo();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || target?.closest("input, select, textarea, .leaflet-container"))
    return;
  const action = KEYS[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}
