/** What the server refused or has otherwise, shown and not hidden. */
import { statusText } from "../shared/statuses.ts";
import { clockText } from "../shared/time.ts";
import * as db from "./db.ts";
import { title } from "./parts.tsx";
import { goTo, kept, problems, views } from "./state.ts";
import { BackLine } from "./stop.tsx";
import { Strip } from "./strip.tsx";
import type { Kept } from "./types.ts";
import { t } from "./words.ts";

/** The server's statuses in words, whether it tells one or one per request. */
function serverText(state: unknown): string {
  if (typeof state === "string") return statusText(state);
  if (typeof state !== "object" || state === null) return "";
  const { status } = state as { status?: unknown };
  if (typeof status === "string") return statusText(status);
  return [...new Set(Object.values(state).map(serverText).filter(Boolean))].join(", ");
}

function Issue({ event }: { event: Kept }) {
  const stop = views.value.find((view) => view.stop.stop_id === event.stop_id)?.stop;
  const server = serverText(event.server_state);
  const drop = async () => {
    await db.forget([event.event_id]);
    kept.value = kept.value.filter((one) => one.event_id !== event.event_id);
  };
  return (
    <li class="block issue">
      <p>
        <b>{t(`event_${event.type}`)}</b> · {clockText(event.at_device)}
      </p>
      <p>{stop ? title(stop) : event.request_ids.join(", ")}</p>
      <p class="say is-bad">
        {t(event.state === "conflict" ? "issue_conflict" : "issue_rejected")}
        {event.code && ` (${t("issue_code", { code: event.code })})`}
        {server && (
          <>
            <br />
            {t("issue_server", { text: server })}
          </>
        )}
      </p>
      <button type="button" class="act" onClick={() => void drop()}>
        {t("issue_seen")}
      </button>
    </li>
  );
}

export function Issues() {
  const list = problems.value;
  return (
    <>
      <Strip />
      <main class="page">
        <BackLine text={t("issues_title")} to={() => goTo("run")} />
        {list.length === 0 && <p class="say">{t("no_issues")}</p>}
        <ul>
          {list.map((event) => (
            <Issue key={event.event_id} event={event} />
          ))}
        </ul>
      </main>
    </>
  );
}
