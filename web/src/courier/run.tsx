/** The run in order: the next stop large, the rest small. */
import { communeOf, shortSite } from "../shared/format.ts";
import { Next } from "../shared/icons.tsx";
import { dateText } from "../shared/time.ts";
import { Bar } from "./bar.tsx";
import { Address, Deed, Left, Load, Reach, StateMark, title, When } from "./parts.tsx";
import { isOpen, type View } from "./queue.ts";
import { goTo, next, pack, packAt, session, views, worldNow } from "./state.ts";
import { Foot, Strip } from "./strip.tsx";
import { t } from "./words.ts";

function Head({ all }: { all: View[] }) {
  const open = all.filter(isOpen);
  const tightest = open
    .map((view) => view.stop.due_at)
    .filter(Boolean)
    .sort((a, b) => Date.parse(a ?? "") - Date.parse(b ?? ""))[0];
  const done = all.length - open.length;
  return (
    <header class="run-head">
      <div>
        <h1>{pack.value?.courier_name || session.value?.name || t("page")}</h1>
        <p class="fine">
          {dateText(pack.value?.date ?? worldNow.value)} · {t("progress", { done, total: all.length })}
        </p>
      </div>
      {tightest && (
        <div class="tightest">
          <span class="fine">{t("tightest")}</span>
          <Left dueAt={tightest} />
        </div>
      )}
      <div class="progress" aria-hidden="true">
        <i style={{ width: `${all.length ? (done / all.length) * 100 : 0}%` }} />
      </div>
    </header>
  );
}

function NextCard({ view }: { view: View }) {
  const { stop } = view;
  return (
    <section class="next" aria-label={t("next_stop")}>
      <button type="button" class="next-open" aria-label={t("open_stop")} onClick={() => goTo("stop", stop.stop_id)}>
        <span class="next-top">
          <Deed stop={stop} />
          <Next size={18} />
        </span>
        <h2>{title(stop)}</h2>
        <Address stop={stop} />
      </button>
      <When stop={stop} />
      <Load stop={stop} open={view.open} />
      <Reach stop={stop} />
    </section>
  );
}

function Small({ view, no }: { view: View; no: number }) {
  const { stop } = view;
  const place = stop.place?.at === "citizen" ? (communeOf(stop.place.address) ?? stop.place.name) : null;
  const where = place === title(stop) ? null : place;
  return (
    <li>
      <button type="button" class={`small ${isOpen(view) ? "" : "is-over"}`} onClick={() => goTo("stop", stop.stop_id)}>
        <span class="no">{no}</span>
        <span class="small-text">
          <b>{shortSite(title(stop))}</b>
          <span class="small-where">
            <Deed stop={stop} />
            {where ? ` · ${where}` : ""}
          </span>
        </span>
        <StateMark view={view} />
      </button>
    </li>
  );
}

function List({ text, list, all }: { text: string; list: View[]; all: View[] }) {
  if (list.length === 0) return null;
  return (
    <section class="later">
      <h2>{text}</h2>
      <ol>
        {list.map((view) => (
          <Small key={view.stop.stop_id} view={view} no={all.indexOf(view) + 1} />
        ))}
      </ol>
    </section>
  );
}

export function Run() {
  const all = views.value;
  const first = next.value;
  const blank = !pack.value
    ? packAt.value
      ? t("no_stops")
      : t("no_pack")
    : all.length === 0
      ? t("no_stops")
      : first
        ? ""
        : t("all_done");
  return (
    <>
      <Strip />
      <main class="page has-bar">
        <Head all={all} />
        {blank && <p class="say">{blank}</p>}
        {first && <NextCard view={first} />}
        <List text={t("later")} list={all.filter((view) => isOpen(view) && view !== first)} all={all} />
        <List text={t("finished")} list={all.filter((view) => !isOpen(view))} all={all} />
        <Foot />
      </main>
      {first && <Bar view={first} />}
    </>
  );
}
