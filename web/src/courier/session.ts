/** Signing in and out of the phone page. What waits on the phone survives both. */
import { callJson } from "../shared/api.ts";
import { dialable } from "../shared/format.ts";
import * as db from "./db.ts";
import { follow, unfollow } from "./position.ts";
import { expired, goTo, session } from "./state.ts";
import { flush, forgetDay } from "./sync.ts";
import type { Session } from "./types.ts";

/** Opens a session by phone and PIN; throws ApiError in words when refused. */
export async function signIn(phone: string, pin: string): Promise<void> {
  const body = { phone: dialable(phone), pin: pin.trim() };
  const { data } = await callJson<Session>("/v1/courier/sessions", { method: "POST", body, withoutCookies: true });
  if (!data) return;
  if (session.value?.courier_id !== data.courier_id) {
    forgetDay();
    await db.remember("pack", null);
  }
  await db.remember("session", data);
  session.value = data;
  expired.value = false;
  follow();
  goTo("run", "", true);
  // Asks the browser not to clear this phone's record when space is short.
  void navigator.storage?.persist?.().catch(() => false);
  await flush();
}

/** Ends the session on this phone; unsent acts stay until this courier signs in again. */
export async function signOut(): Promise<void> {
  await db.remember("session", null);
  await db.remember("pack", null);
  session.value = null;
  forgetDay();
  unfollow();
  goTo("run", "", true);
}
