/** One stop of a run, live or drafted. */
import { Bang, Cross, Down, Tick, Up } from "../shared/icons.tsx";
import { clockText } from "../shared/time.ts";
import { selectedId } from "./state.ts";
import type { Stop } from "./types.ts";
import { t } from "./words.ts";

/** One stop of a run: planned time against the promise. */
export function StopLine({ stop, index }: { stop: Stop; index: number }) {
  const settled = stop.state === "done" || stop.state === "failed";
  const count = stop.request_ids?.length ?? 0;
  const planned = Date.parse(stop.planned_at ?? "");
  const tooLate = !settled && planned > Date.parse(stop.due_at ?? "");
  const sign = stop.state === "done" ? <Tick size={12} /> : stop.state === "failed" ? <Cross size={12} /> : stop.kind === "delivery" ? <Down size={10} /> : <Up size={10} />;
  const first = stop.request_ids?.[0];
  return (
    <li class={`stop ${settled ? "is-settled" : ""}`}>
      <button type="button" disabled={!first} onClick={() => first && (selectedId.value = first)}>
        <span class="stop-no">{index + 1}</span>
        <span class="stop-sign">{sign}<span class="sr">{settled ? t(stop.state === "done" ? "stop_done" : "stop_failed") : ""}</span></span>
        <span class="stop-place">{stop.place?.name || "–"}{count > 1 && <i> ×{count}</i>}</span>
        <span class={`stop-time ${tooLate ? "is-late" : ""}`} title={t("planned_due", { planned: clockText(stop.planned_at), due: clockText(stop.due_at) })}>
          {tooLate && <Bang size={11} />}
          {clockText(stop.planned_at)}<small> / {clockText(stop.due_at)}</small>
        </span>
      </button>
    </li>
  );
}
