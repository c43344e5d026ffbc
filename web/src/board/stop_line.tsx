/** One stop of a run, live or drafted. */
import { Bang, Cross, Down, Tick, Up } from "../shared/icons.tsx";
import { communeOf, shortSite } from "../shared/format.ts";
import { clockText } from "../shared/time.ts";
import { requestsById, selectedId } from "./state.ts";
import type { Place, Stop } from "./types.ts";
import { t } from "./words.ts";

/** A citizen's place as "name · commune", any other by its name. */
function placeLine(place: Place | null | undefined): string {
  const commune = communeOf(place?.address);
  const name = communeOf(place?.name) ?? place?.name;
  return (
    [shortSite(name), place?.at === "citizen" && commune !== name ? commune : null].filter(Boolean).join(" · ") || "–"
  );
}

/** The tightest promise kept at a stop; drafts do not carry it, the board's requests do. */
function dueOf(stop: Stop): string | null {
  if (stop.due_at || stop.kind === "delivery") return stop.due_at ?? null;
  const here = (stop.request_ids ?? []).map((id) => requestsById.value.get(id));
  const running = here.filter((one) => one?.slack_minutes != null).map((one) => one?.due_at ?? "");
  return running.filter(Boolean).sort((a, b) => Date.parse(a) - Date.parse(b))[0] ?? null;
}

/** One stop of a run: planned time against the promise. */
export function StopLine({ stop, index }: { stop: Stop; index: number }) {
  const settled = stop.state === "done" || stop.state === "failed";
  const count = stop.request_ids?.length ?? 0;
  const planned = Date.parse(stop.planned_at ?? "");
  const due = dueOf(stop);
  const tooLate = !settled && planned > Date.parse(due ?? "");
  const sign =
    stop.state === "done" ? (
      <Tick size={12} />
    ) : stop.state === "failed" ? (
      <Cross size={12} />
    ) : stop.kind === "delivery" ? (
      <Down size={10} />
    ) : (
      <Up size={10} />
    );
  const first = stop.request_ids?.[0];
  return (
    <li class={`stop ${settled ? "is-settled" : ""}`}>
      <button type="button" disabled={!first} onClick={() => first && (selectedId.value = first)}>
        <span class="stop-no">{index + 1}</span>
        <span class="stop-sign">
          {sign}
          <span class="sr">{settled ? t(stop.state === "done" ? "stop_done" : "stop_failed") : ""}</span>
        </span>
        <span class="stop-place">
          {placeLine(stop.place)}
          {count > 1 && <i> ×{count}</i>}
        </span>
        <span
          class={`stop-time ${tooLate ? "is-late" : ""}`}
          title={t("planned_due", { planned: clockText(stop.planned_at), due: clockText(due) })}
        >
          {tooLate && <Bang size={11} />}
          {clockText(stop.planned_at)}
          {due && <small> / {clockText(due)}</small>}
        </span>
      </button>
    </li>
  );
}
