/** The top line: name, which world, province, clock and freshness, health of the machinery, language, sign-out. */
import { ageText } from "../shared/format.ts";
import { lang, setLang } from "../shared/i18n.ts";
import { Ask, Bang, Cross, Tick } from "../shared/icons.tsx";
import { PROVINCES, WITH_DIRECTIVES } from "../shared/provinces.ts";
import { clockText, dateText } from "../shared/time.ts";
import { refresh } from "./poll.ts";
import { board, contactAt, look, province, tick, world, worldNow } from "./state.ts";
import type { Health, Mode } from "./types.ts";
import { t, type Word } from "./words.ts";

const PARTS = ["worker", "clock", "relay", "queue"] as const;
const STATES: Record<string, Word> = { ok: "state_ok", late: "state_late", down: "state_down" };

function HealthChip({ part, health }: { part: (typeof PARTS)[number]; health: Health | null | undefined }) {
  const state = STATES[health?.state ?? ""] ? (health?.state ?? "") : "unknown";
  const stateText = t(STATES[state] ?? "state_unknown");
  const title = t("health_title", {
    part: t(`health_${part}`),
    state: stateText,
    age: ageText(health?.age_s, lang.value),
  });
  const sign =
    state === "ok" ? (
      <Tick size={12} />
    ) : state === "late" ? (
      <Bang size={12} />
    ) : state === "down" ? (
      <Cross size={12} />
    ) : (
      <Ask size={12} />
    );
  return (
    <li class={`health health-${state}`} title={title}>
      {sign}
      {t(`health_${part}`)}
      {state === "ok" ? <span class="sr"> {stateText}</span> : <b>{stateText}</b>}
    </li>
  );
}

function WorldSwitch() {
  const choose = (next: Mode) => {
    if (next === world.value) return;
    look({ world: next });
    refresh();
  };
  return (
    <div class="segmented" role="group" aria-label={t("world")}>
      {(["live", "test"] as const).map((mode) => (
        <button type="button" key={mode} aria-pressed={world.value === mode} onClick={() => choose(mode)}>
          {t(mode === "live" ? "world_live" : "world_test")}
        </button>
      ))}
    </div>
  );
}

export function ProvinceSelect({ id, any }: { id: string; any: boolean }) {
  const option = (one: { code: string; name: string }) => (
    <option key={one.code} value={one.code}>
      {one.name}
    </option>
  );
  return (
    <select
      id={id}
      value={province.value}
      onChange={(event) => {
        look({ province: event.currentTarget.value });
        refresh();
      }}
    >
      {any && <option value="">{t("all_provinces")}</option>}
      {PROVINCES.slice(0, WITH_DIRECTIVES).map(option)}
      <optgroup label={t("other_provinces")}>{PROVINCES.slice(WITH_DIRECTIVES).map(option)}</optgroup>
    </select>
  );
}

function WorldClock() {
  const now = worldNow.value;
  const age = contactAt.value ? (tick.value - contactAt.value) / 1000 : null;
  return (
    <div class="world-clock">
      <time class="clock" aria-label={t("clock_world")}>
        {clockText(now, true)}
      </time>
      <span class="clock-day">
        {dateText(now)}
        {world.value === "test" && <em> {t("clock_test")}</em>}
      </span>
      <span class="fresh">{age === null ? t("waiting_first") : t("fresh", { age: ageText(age, lang.value) })}</span>
    </div>
  );
}

export function TopBar({ userName, role }: { userName: string; role: string }) {
  const health = board.value?.health;
  return (
    <header class="topbar">
      <h1 class="brand">
        <span class="mark" aria-hidden="true">
          Đ
        </span>
        {t("product")}
      </h1>
      <WorldSwitch />
      <label class="sr" for="province">
        {t("province")}
      </label>
      <ProvinceSelect id="province" any />
      <WorldClock />
      <ul class="health-list" aria-label={t("health")}>
        {PARTS.map((part) => (
          <HealthChip key={part} part={part} health={health?.[part]} />
        ))}
      </ul>
      <div class="topbar-end">
        <div class="segmented" role="group" aria-label={t("language")}>
          {(["vi", "en"] as const).map((one) => (
            <button type="button" key={one} lang={one} aria-pressed={lang.value === one} onClick={() => setLang(one)}>
              {one.toUpperCase()}
            </button>
          ))}
        </div>
        <form method="post" action="/sign-out" class="who">
          <span title={role}>{userName}</span>
          <button type="submit" class="quiet">
            {t("sign_out")}
          </button>
        </form>
      </div>
    </header>
  );
}

/** Says loudly that nothing here is real. */
export function TestStrip() {
  if (world.value !== "test") return null;
  return (
    <p class="test-strip" role="note">
      {t("test_strip")}
    </p>
  );
}
