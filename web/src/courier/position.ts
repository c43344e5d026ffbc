/** Where the phone is, when its owner allows it: attached to events, and told to the board now and then. */
import * as db from "./db.ts";
import { kept, session } from "./state.ts";
import type { Kept } from "./types.ts";

export interface Fix {
  lat: number;
  lng: number;
  accuracy_m: number;
  at: number;
}

const TRUSTED_MS = 120_000;

let last: Fix | null = null;
let watch: number | null = null;

/** The last fix while it is still worth telling, else null. */
export function here(now: number): Fix | null {
  return last && now - last.at < TRUSTED_MS ? last : null;
}

/** Starts following the phone; without permission nothing happens. */
export function follow(): void {
  if (watch !== null || !("geolocation" in navigator)) return;
  watch = navigator.geolocation.watchPosition(
    ({ coords }) =>
      (last = { lat: coords.latitude, lng: coords.longitude, accuracy_m: Math.round(coords.accuracy), at: Date.now() }),
    () => undefined,
    { enableHighAccuracy: true, maximumAge: 30_000, timeout: 60_000 },
  );
}

/** Stops following, at sign-out. */
export function unfollow(): void {
  if (watch !== null) navigator.geolocation.clearWatch(watch);
  watch = null;
  last = null;
}

/** Metres between two fixes, near enough for a street. */
export function metresBetween(a: Fix, b: Fix): number {
  const north = (b.lat - a.lat) * 111_320;
  const east = (b.lng - a.lng) * 111_320 * Math.cos((a.lat * Math.PI) / 180);
  return Math.hypot(north, east);
}

/** Forgets unsent older positions, so that a day offline does not pile them up; only the newest matters. */
export async function dropOldPositions(): Promise<void> {
  const old = kept.value.filter((one: Kept) => one.type === "position" && one.courier_id === session.value?.courier_id);
  if (old.length === 0) return;
  await db.forget(old.map((one) => one.event_id));
  const gone = new Set(old.map((one) => one.event_id));
  kept.value = kept.value.filter((one) => !gone.has(one.event_id));
}
