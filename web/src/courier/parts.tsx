/** Pieces shared by the run and the stop screens. */
import { dialable, money, noPoint, roughPoint, slackText, urgency } from "../shared/format.ts";
import { lang } from "../shared/i18n.ts";
import { Bang, Coin, Down, Go, Paper, Phone, Tick, Up } from "../shared/icons.tsx";
import { clockText, dateText, isPlainDate } from "../shared/time.ts";
import { due, goodEnd, type View } from "./queue.ts";
import { minutesLeft } from "./state.ts";
import type { PackStop, Paper as Doc, Task } from "./types.ts";
import { t } from "./words.ts";

/** What is to be done at a stop, in words. */
export function deed(stop: PackStop): string {
  const end = goodEnd(stop);
  if (end === "arrived_office" || end === "departed_office") return t("at_office");
  if (end === "collected") return t(stop.place?.at === "shop" ? "take_from_shop" : "take_from_citizen");
  return t(end === "handed_over" ? "give_to_shop" : "give_to_citizen");
}

export function Deed({ stop }: { stop: PackStop }) {
  const down = stop.kind === "delivery";
  return (
    <span class={`deed ${down ? "deed-down" : "deed-up"}`}>
      {down ? <Down size={13} /> : <Up size={13} />}
      {deed(stop)}
    </span>
  );
}

/** Who or where: a person's name at a citizen's, the site's name elsewhere. */
export function title(stop: PackStop): string {
  const person = stop.requests?.find((task) => task.contact?.name)?.contact?.name;
  return (stop.place?.at === "citizen" ? person || stop.place?.name : stop.place?.name || person) || "–";
}

export function Left({ dueAt, big }: { dueAt: string | null | undefined; big?: boolean }) {
  const minutes = minutesLeft(dueAt);
  if (minutes === null) return null;
  const how = urgency(minutes);
  return (
    <span class={`left left-${how} ${big ? "left-big" : ""}`}>
      {(how === "late" || how === "risk") && <Bang size={big ? 18 : 13} />}
      {slackText(minutes, lang.value)}
    </span>
  );
}

export function When({ stop }: { stop: PackStop }) {
  // A delivery owes a day, not an hour: its requests then carry a plain date.
  const day = (stop.requests ?? [])
    .map((task) => task.due_at)
    .filter(isPlainDate)
    .sort()[0];
  if (!stop.due_at && !stop.planned_at && !day) return null;
  return (
    <p class="when">
      <Left dueAt={stop.due_at} big />
      <span>
        {!stop.due_at && day && <b>{t("by_day", { day: dateText(day) })}</b>}
        {stop.due_at && <b>{t("time_left", { at: clockText(stop.due_at) })}</b>}
        {stop.planned_at && <span>{t("planned", { at: clockText(stop.planned_at) })}</span>}
      </span>
    </p>
  );
}

export function Papers({ papers }: { papers: Doc[] }) {
  if (papers.length === 0) return <p class="fine">{t("no_papers")}</p>;
  return (
    <ul class="papers">
      {papers.map((one, index) => (
        <li key={index}>
          {one.name || "–"}
          <span>
            {t(one.original ? "original" : "copy")} × {one.copies ?? 1}
          </span>
        </li>
      ))}
    </ul>
  );
}

/** What to take along: dossiers and money. */
export function Load({ stop, open }: { stop: PackStop; open: Task[] }) {
  const total = due(stop.money);
  return (
    <ul class="load">
      <li>
        <Paper size={20} />
        <b>{t("dossiers", { n: open.length || (stop.request_ids?.length ?? 0) })}</b>
      </li>
      <li class={total > 0 ? "is-money" : ""}>
        <Coin size={20} />
        <span>
          <b>{total > 0 ? t("collect_money", { total: money(total) }) : t("no_money")}</b>
          {(stop.money?.state_fee ?? 0) > 0 && (
            <small>
              {t("money_parts", { postage: money(stop.money?.postage ?? 0), fee: money(stop.money?.state_fee) })}
            </small>
          )}
        </span>
      </li>
    </ul>
  );
}

/** The address, with a word when its point on the map is only near. */
export function Address({ stop }: { stop: PackStop }) {
  return (
    <span class="address">
      {stop.place?.address || stop.place?.name}
      {roughPoint(stop.place?.precision) && (
        <>
          {" "}
          <span class="tag">{t("rough")}</span>
        </>
      )}
      {noPoint(stop.place?.precision) && (
        <>
          {" "}
          <span class="tag">{t("no_point")}</span>
        </>
      )}
    </span>
  );
}

/** Call and navigate; the coordinates stand in text for phones without a map program. */
export function Reach({ stop }: { stop: PackStop }) {
  // The contacts of a pack are citizens; at a one-stop's counter there is nobody of them to call.
  const phone =
    stop.place?.at === "citizen" ? dialable(stop.requests?.find((task) => task.contact?.phone)?.contact?.phone) : "";
  const { lat, lng } = stop.place ?? {};
  const known = typeof lat === "number" && typeof lng === "number";
  const at = known ? `${lat.toFixed(5)},${lng.toFixed(5)}` : "";
  return (
    <div class="reach">
      <div class="pair">
        {phone && (
          <a class="button act" href={`tel:${phone}`}>
            <Phone size={20} />
            {t("call")}
          </a>
        )}
        {known ? (
          <a class="button act" href={`geo:${at}?q=${at}(${encodeURIComponent(title(stop))})`}>
            <Go size={20} />
            {t("navigate")}
          </a>
        ) : (
          <span class="button act is-off">
            <Go size={20} />
            {t("navigate")}
          </span>
        )}
      </div>
      {(phone || known) && <p class="fine">{[phone, at.replace(",", ", ")].filter(Boolean).join(" · ")}</p>}
    </div>
  );
}

/** The state of a stop in the list, in sign and word. */
export function StateMark({ view }: { view: View }) {
  if (view.state === "open") {
    const at = view.stop.planned_at;
    return (
      <span class="mark-open">
        <Left dueAt={view.stop.due_at} />
        {at && t("about", { at: clockText(at) })}
      </span>
    );
  }
  const word =
    view.state === "done" ? t("state_done") : view.state === "failed" ? t("state_failed") : t("state_arrived");
  return (
    <span class={`state state-${view.state}`}>
      {view.state === "failed" ? <Bang size={13} /> : <Tick size={13} />}
      {word}
      {view.waiting && <small>{t("state_unsent")}</small>}
    </span>
  );
}
