/** The one big action of a stop, with "problem" beside it and well apart. */
import { useState } from "preact/hooks";
import { reasonText } from "../shared/api.ts";
import { Bang } from "../shared/icons.tsx";
import { badEnd, goodEnd, isOpen, type View } from "./queue.ts";
import { record } from "./record.ts";
import { goTo, tell } from "./state.ts";
import { t } from "./words.ts";

export function Bar({ view }: { view: View }) {
  const [busy, setBusy] = useState(false);
  if (!isOpen(view)) return null;
  const { stop } = view;
  const requestIds = view.open.map((task) => task.id);
  const atOffice = stop.place?.at === "office";
  const act = async () => {
    if (view.state === "arrived" && !atOffice) {
      goTo("proof", stop.stop_id);
      return;
    }
    setBusy(true);
    try {
      // At a post office there is nobody to sign: being there is the whole act.
      await record([{ type: atOffice ? goodEnd(stop) : "arrived", stopId: stop.stop_id, requestIds }]);
      if (!atOffice) goTo("proof", stop.stop_id);
    } catch (failure) {
      tell(t("failed_to_keep", { text: reasonText(failure) }));
    } finally {
      setBusy(false);
    }
  };
  return (
    <nav class="bar">
      {badEnd(stop) && (
        <button type="button" class="act trouble" onClick={() => goTo("trouble", stop.stop_id)}>
          <Bang size={18} />
          {t("trouble")}
        </button>
      )}
      <button type="button" class="primary act" disabled={busy} onClick={() => void act()}>
        {t(view.state === "arrived" ? "carry_on" : "arrive")}
      </button>
    </nav>
  );
}
