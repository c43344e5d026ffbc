/** The board: top line, due rail, list, map, couriers. */
import { useEffect } from "preact/hooks";
import { ageText } from "../shared/format.ts";
import { lang } from "../shared/i18n.ts";
import { Bang, Cross } from "../shared/icons.tsx";
import { RightPane } from "./couriers.tsx";
import { Drawer } from "./drawer.tsx";
import { DueRail } from "./due_rail.tsx";
import { onKey } from "./keys.ts";
import { MapPane } from "./map/map.tsx";
import { RequestList } from "./request_list.tsx";
import { contactAt, notice, tick, trouble } from "./state.ts";
import { TestStrip, TopBar } from "./topbar.tsx";
import { t } from "./words.ts";

function Banner() {
  const now = trouble.value;
  if (!now) return null;
  const age = contactAt.value ? ageText((tick.value - contactAt.value) / 1000, lang.value) : null;
  const refused = age ? t("server_down", { text: now.text, age }) : t("server_says", { text: now.text });
  const text = !now.offline ? refused : age ? t("offline", { age }) : t("offline_first");
  return (
    <p class="banner" role="alert">
      <Bang size={14} />
      {text}
    </p>
  );
}

function Notice() {
  const now = notice.value;
  return (
    <div class="notice-holder" role="status">
      {now && (
        <p class={`notice ${now.bad ? "is-bad" : ""}`}>
          {now.text}
          <button type="button" class="icon" aria-label={t("dismiss")} onClick={() => (notice.value = null)}>
            <Cross size={12} />
          </button>
        </p>
      )}
    </div>
  );
}

export function App({ userName, role }: { userName: string; role: string }) {
  useEffect(() => {
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  return (
    <div class="board">
      <TestStrip />
      <TopBar userName={userName} role={role} />
      <Banner />
      <DueRail />
      <main class="panes">
        <RequestList />
        <div class="centre">
          <MapPane />
          <Drawer />
        </div>
        <RightPane />
      </main>
      <Notice />
    </div>
  );
}
