/** What the phone page knows; screens read from here. */
import { computed, signal } from "@preact/signals";
import { instant, minutesUntil } from "../shared/time.ts";
import { isOpen, issues, run, waitingCount } from "./queue.ts";
import type { Kept, Pack, Session } from "./types.ts";

/** False until the store on this phone has been read. */
export const ready = signal(false);
/** Why nothing can be kept on this phone, empty when it can. */
export const broken = signal("");
export const session = signal<Session | null>(null);
/** True when the server no longer takes the session; the queue stays. */
export const expired = signal(false);
export const pack = signal<Pack | null>(null);
export const packAt = signal(0);
/** Milliseconds to add to this phone's clock to get the server's, as last measured. */
export const offsetMs = signal(0);
export const kept = signal<Kept[]>([]);
export const photosWaiting = signal(0);
export const online = signal(typeof navigator === "undefined" ? true : navigator.onLine);
export const sending = signal(false);
export const sentAt = signal(0);
/** The server's last refusal of a whole call, in words; empty when all is well. */
export const refusal = signal("");
export const tick = signal(Date.now());
export const toast = signal("");

export const views = computed(() =>
  run(
    pack.value,
    kept.value.filter((one) => one.courier_id === session.value?.courier_id),
  ),
);
export const next = computed(() => views.value.find(isOpen) ?? null);
export const waiting = computed(() => waitingCount(kept.value, session.value?.courier_id ?? ""));
export const problems = computed(() =>
  issues(kept.value.filter((one) => one.courier_id === session.value?.courier_id)),
);

/** The instant of this courier's world: test time stands still between answers, live time runs. */
export const worldNow = computed(() => {
  const told = instant(pack.value?.now);
  if (session.value?.mode === "test" && told !== null) return told;
  return tick.value + offsetMs.value;
});

/** Minutes left of a promise now. */
export const minutesLeft = (dueAt: string | null | undefined) => minutesUntil(dueAt, worldNow.value);

/** The screen on show, kept in the address so that the phone's back key works. */
export interface Screen {
  name: "run" | "stop" | "proof" | "trouble" | "issues";
  stopId: string;
}

function read(): Screen {
  const [name = "", stopId = ""] = location.hash.replace(/^#\/?/, "").split("/");
  const known = ["stop", "proof", "trouble", "issues"].includes(name);
  return { name: known ? (name as Screen["name"]) : "run", stopId: decodeURIComponent(stopId) };
}

export const screen = signal<Screen>(typeof location === "undefined" ? { name: "run", stopId: "" } : read());

/** Goes to a screen; `instead` leaves no step behind for the back key. */
export function goTo(name: Screen["name"], stopId = "", instead = false): void {
  const hash = name === "run" ? "#/" : `#/${name}/${encodeURIComponent(stopId)}`;
  if (instead) location.replace(hash);
  else location.hash = hash;
}

/** Follows the address for the life of the page. */
export function followAddress(): void {
  addEventListener("hashchange", () => {
    screen.value = read();
    scrollTo(0, 0);
  });
}

let toastTimer: ReturnType<typeof setTimeout> | undefined;

/** Shows one line for a few seconds. */
export function tell(text: string): void {
  toast.value = text;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (toast.value = ""), 5_000);
}
