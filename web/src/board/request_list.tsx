/** The list of requests, least slack first, with filters and a search that needs no diacritics. */
import { communeOf, shortSite } from "../shared/format.ts";
import { Cross, Find } from "../shared/icons.tsx";
import { statusText } from "../shared/statuses.ts";
import { clockText } from "../shared/time.ts";
import { toggle } from "./actions.ts";
import { Badge, KindChip, PointChip, RequestSlack } from "./chips.tsx";
import { assignable, FILTERS, urgencyNow } from "./select.ts";
import { band, board, counts, couriersById, filter, minutesPassed, search, selectedId, shown } from "./state.ts";
import type { BoardRequest } from "./types.ts";
import { t } from "./words.ts";

/** Where to go as "shop › commune"; the citizen's name stands in when the place is the shop itself. */
function Way({ request }: { request: BoardRequest }) {
  const place = request.place?.name;
  const end = place && place !== request.shop_name ? (communeOf(place) ?? place) : request.citizen_name;
  if (!request.shop_name && !end) return <span class="row-route">{request.external_ref || request.id}</span>;
  return (
    <span class="row-route" title={[request.shop_name, place].filter(Boolean).join(" › ")}>
      <span class="row-shop">{shortSite(request.shop_name)}</span>
      {end && <span class="row-end">› {end}</span>}
    </span>
  );
}

function CourierCell({ request }: { request: BoardRequest }) {
  const courier = request.courier_id ? couriersById.value.get(request.courier_id) : null;
  if (courier)
    return (
      <span class="row-courier">
        <Badge courier={courier} />
        {courier.name}
      </span>
    );
  if (!assignable(request)) return null;
  return <span class="row-courier none">{request.courier_id ?? t("no_courier")}</span>;
}

function Row({ request }: { request: BoardRequest }) {
  const chosen = selectedId.value === request.id;
  return (
    <li>
      <button
        type="button"
        id={`row-${request.id}`}
        aria-pressed={chosen}
        onClick={() => toggle(request.id)}
        class={`row row-${urgencyNow(request, minutesPassed.value)}`}
      >
        <span class="row-top">
          <Way request={request} />
          <RequestSlack request={request} />
        </span>
        <span class="row-mid">
          <KindChip request={request} />
          <span class="row-status">{statusText(request.status)}</span>
          {request.due_at && request.slack_minutes != null && <span class="row-due">{clockText(request.due_at)}</span>}
          <PointChip precision={request.place?.precision} />
        </span>
        <span class="row-low">
          <span class="row-who">{[request.citizen_name, request.external_ref].filter(Boolean).join(" · ")}</span>
          <CourierCell request={request} />
        </span>
      </button>
    </li>
  );
}

function Search() {
  return (
    <div class="search">
      <Find size={14} />
      <label class="sr" for="search">
        {t("search")}
      </label>
      <input
        id="search"
        type="search"
        autocomplete="off"
        placeholder={t("search")}
        value={search.value}
        onInput={(event) => (search.value = event.currentTarget.value)}
      />
      {search.value && (
        <button type="button" class="icon" aria-label={t("clear_search")} onClick={() => (search.value = "")}>
          <Cross size={12} />
        </button>
      )}
    </div>
  );
}

function Filters() {
  return (
    <div class="filters" role="group" aria-label={t("filter")}>
      {FILTERS.map((one) => (
        <button type="button" key={one} aria-pressed={filter.value === one} onClick={() => (filter.value = one)}>
          {t(`filter_${one}`)} <i>{counts.value[one]}</i>
        </button>
      ))}
      {band.value && (
        <button type="button" class="filter-band" aria-pressed="true" onClick={() => (band.value = null)}>
          {t("band_filter", { from: clockText(band.value.from_at), to: clockText(band.value.to_at) })}{" "}
          <Cross size={10} />
        </button>
      )}
    </div>
  );
}

export function RequestList() {
  const list = shown.value;
  const total = board.value?.requests?.length ?? 0;
  return (
    <section class="pane list" aria-label={t("list")}>
      <header class="pane-head">
        <h2>{t("list")}</h2>
        <span class="shown" aria-live="polite">
          {t("shown", { shown: list.length, total })}
        </span>
        <Search />
        <Filters />
      </header>
      {board.value && list.length === 0 && <p class="empty">{total ? t("list_empty") : t("board_empty")}</p>}
      <ul class="rows">
        {list.map((request) => (
          <Row key={request.id} request={request} />
        ))}
      </ul>
    </section>
  );
}
