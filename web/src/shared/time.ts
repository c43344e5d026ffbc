/** Instants and clocks of the screens: everything is shown at Vietnamese time (+07:00), wherever the browser stands. */

const ZONE_MS = 7 * 3_600_000;

/** Whether a text is a date without a time of day. */
export const isPlainDate = (text: string | null | undefined) => /^\d{4}-\d{2}-\d{2}$/.test(text ?? "");

/** Milliseconds of an RFC 3339 instant; null when there is none, or only a date, which is no instant. */
export function instant(text: string | null | undefined): number | null {
  if (!text || isPlainDate(text)) return null;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}

function local(ms: number): Date {
  return new Date(ms + ZONE_MS);
}

const two = (n: number) => String(n).padStart(2, "0");

/** "14:05" at Vietnamese time; "–" when there is no instant. */
export function clockText(at: string | number | null | undefined, seconds = false): string {
  const ms = typeof at === "number" ? at : instant(at);
  if (ms === null) return "–";
  const d = local(ms);
  const minutes = `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
  return seconds ? `${minutes}:${two(d.getUTCSeconds())}` : minutes;
}

/** "23/11/2026" of an instant or a plain date; "–" when there is none. */
export function dateText(at: string | number | null | undefined): string {
  if (typeof at === "string" && isPlainDate(at)) return at.split("-").reverse().join("/");
  const ms = typeof at === "number" ? at : instant(at);
  if (ms === null) return "–";
  const d = local(ms);
  return `${two(d.getUTCDate())}/${two(d.getUTCMonth() + 1)}/${d.getUTCFullYear()}`;
}

/** "14:05", or "14:05 24/11" when the instant lies on another day than `now`. */
export function momentText(at: string | null | undefined, now: number): string {
  const ms = instant(at);
  if (ms === null) return "–";
  return dateText(ms) === dateText(now) ? clockText(ms) : `${clockText(ms)} ${dateText(ms).slice(0, 5)}`;
}

/** RFC 3339 with the +07:00 offset and milliseconds, as the courier's events carry it. */
export function rfc3339(ms: number): string {
  return local(ms).toISOString().replace("Z", "+07:00");
}

/** Whole minutes from `now` to `due`, rounded so that a promise is late only once it has passed. */
export function minutesUntil(due: string | null | undefined, now: number): number | null {
  const ms = instant(due);
  return ms === null ? null : Math.floor((ms - now) / 60_000);
}

/**
 * Milliseconds to add to this device's clock to get the server's.
 * `sent` and `received` are device times around the call; the server is taken to have answered in the middle.
 */
export function clockOffset(serverTime: string | null | undefined, sent: number, received: number): number | null {
  const ms = instant(serverTime);
  if (ms === null) return null;
  // A time told in whole seconds has been cut: its middle is half a second on.
  const told = /\.\d/.test(serverTime ?? "") ? ms : ms + 500;
  return Math.round(told - (sent + received) / 2);
}
