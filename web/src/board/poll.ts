/** Keeps the board fresh: asks every few seconds while the tab is seen, says so when it cannot. */
import { ApiError, reasonText } from "../shared/api.ts";
import { fetchBoard } from "./calls.ts";
import { board, contactAt, province, receivedAt, tell, tick, trouble, world } from "./state.ts";
import { t } from "./words.ts";

const EVERY_MS = 2_500;
const SLOWEST_MS = 10_000;

let etag: string | null = null;
let seen = "";
let timer: ReturnType<typeof setTimeout> | undefined;
let running = false;
let again = false;
let failures = 0;

async function ask(): Promise<void> {
  const view = `${world.value}/${province.value}`;
  if (view !== seen) {
    etag = null;
    seen = view;
  }
  try {
    const answer = await fetchBoard(board.value ? etag : null);
    if (view !== `${world.value}/${province.value}`) {
      again = true; // the reader moved on while this was under way
      return;
    }
    const now = Date.now();
    if (answer.status !== 304 && answer.data) {
      board.value = answer.data;
      receivedAt.value = now;
      etag = answer.etag;
    }
    contactAt.value = now;
    tick.value = now;
    if (trouble.value && failures > 1) tell(t("back_online"));
    trouble.value = null;
    failures = 0;
  } catch (failure) {
    failures += 1;
    if (failure instanceof ApiError && failure.status === 401) {
      location.assign("/sign-in");
      return;
    }
    const offline = failure instanceof ApiError ? failure.offline : false;
    // One lost answer is noise; two are worth a banner. A refusal is told at once.
    if (!offline || failures > 1 || navigator.onLine === false) trouble.value = { offline, text: reasonText(failure) };
  }
}

async function round(): Promise<void> {
  if (running) {
    again = true;
    return;
  }
  running = true;
  clearTimeout(timer);
  do {
    again = false;
    await ask();
  } while (again);
  running = false;
  if (!document.hidden) timer = setTimeout(() => void round(), Math.min(SLOWEST_MS, EVERY_MS * Math.max(1, failures)));
}

/** Asks at once, after a change made here or a choice of another view. */
export function refresh(): void {
  void round();
}

/** Starts the rhythm for the life of the page. */
export function startPolling(): void {
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (!document.hidden) void round();
  });
  addEventListener("online", () => void round());
  addEventListener("offline", () => {
    trouble.value = { offline: true, text: "" };
  });
  setInterval(() => (tick.value = Date.now()), 1_000);
  void round();
}
