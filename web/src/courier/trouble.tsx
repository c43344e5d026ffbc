/** Why a stop could not be done: one reason, a photo where the reason asks for it. */
import { useState } from "preact/hooks";
import { reasonText } from "../shared/api.ts";
import { say } from "../shared/i18n.ts";
import { Camera } from "../shared/icons.tsx";
import { fail } from "./finish.ts";
import { title } from "./parts.tsx";
import { badEnd, type View } from "./queue.ts";
import { goTo, pack, tell } from "./state.ts";
import { BackLine } from "./stop.tsx";
import { Strip } from "./strip.tsx";
import type { EventType, Reason } from "./types.ts";
import { t } from "./words.ts";

const LONG_SIDE = 1280;

/** A photo made small enough for a mountain network: longest side 1,280 points, JPEG. */
async function shrink(file: File): Promise<Blob> {
  const image = await createImageBitmap(file);
  const scale = Math.min(1, LONG_SIDE / Math.max(image.width, image.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(image.width * scale);
  canvas.height = Math.round(image.height * scale);
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  image.close();
  return new Promise((done, refuse) =>
    canvas.toBlob((blob) => (blob ? done(blob) : refuse(new Error("JPEG"))), "image/jpeg", 0.72),
  );
}

/** The reasons that fit; a one-stop's refusal has three of its own when the pack names none. */
function reasonsFor(type: EventType): { code: string; text: string; photo: boolean }[] {
  const given = (pack.value?.reasons ?? []).filter((one: Reason) => one.for?.includes(type));
  if (given.length || type !== "handover_refused")
    return given.map((one) => ({ code: one.code, text: say(one) || one.code, photo: Boolean(one.needs_photo) }));
  return [
    { code: "INTAKE_CLOSED", text: t("reason_intake_closed"), photo: false },
    { code: "INCOMPLETE", text: t("reason_incomplete"), photo: false },
    { code: "WRONG", text: t("reason_wrong"), photo: false },
  ];
}

export function Trouble({ view }: { view: View }) {
  const [reason, setReason] = useState("");
  const [photo, setPhoto] = useState<Blob | null>(null);
  const [busy, setBusy] = useState(false);
  const type = badEnd(view.stop);
  const reasons = type ? reasonsFor(type) : [];
  const chosen = reasons.find((one) => one.code === reason);
  const take = async (file: File | undefined) => {
    if (!file) return;
    try {
      setPhoto(await shrink(file));
    } catch {
      setPhoto(null);
      tell(t("photo_bad"));
    }
  };
  const report = async () => {
    setBusy(true);
    try {
      await fail(view, reason, photo);
      tell(t("recorded"));
      goTo("run");
    } catch (failure) {
      tell(t("failed_to_keep", { text: reasonText(failure) }));
      setBusy(false);
    }
  };
  return (
    <>
      <Strip />
      <main class="page has-bar">
        <BackLine text={title(view.stop)} to={() => goTo("stop", view.stop.stop_id)} />
        <fieldset class="block reasons">
          <legend>{t("trouble_title")}</legend>
          {reasons.length === 0 && <p class="fine">{t("no_trouble_here")}</p>}
          {reasons.map((one) => (
            <label key={one.code} class="check">
              <input type="radio" name="reason" checked={reason === one.code} onChange={() => setReason(one.code)} />
              <span>
                {one.text}
                {one.photo && <Camera size={16} />}
              </span>
            </label>
          ))}
        </fieldset>
        {type !== "handover_refused" && (
          <section class="block">
            <label class="button act" for="photo">
              <Camera size={20} />
              {t("photo")}
            </label>
            <input
              id="photo"
              class="sr"
              type="file"
              accept="image/*"
              capture="environment"
              onChange={(event) => void take(event.currentTarget.files?.[0])}
            />
            <p class="fine">
              {photo
                ? t("photo_taken", { kb: Math.round(photo.size / 1024) })
                : t(chosen?.photo ? "photo_needed" : "photo_free")}
            </p>
          </section>
        )}
      </main>
      <nav class="bar">
        <button
          type="button"
          class="primary act"
          disabled={busy || !chosen || (chosen.photo && !photo)}
          onClick={() => void report()}
        >
          {t("report")}
        </button>
      </nav>
    </>
  );
}
