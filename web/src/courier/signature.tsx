/** A field to sign in with finger or pen. The strokes are kept, so turning back loses nothing. */
import { useEffect, useRef } from "preact/hooks";
import { t } from "./words.ts";

/** Points run from 0 to 1 across the field. */
export type Strokes = [x: number, y: number][][];

/** Width and height of the picture that is sent. */
const SIZE = { width: 600, height: 240 };

function paint(
  canvas: HTMLCanvasElement,
  strokes: Strokes,
  width: number,
  height: number,
  ink: string,
  thick: number,
): void {
  const brush = canvas.getContext("2d");
  if (!brush) return;
  brush.lineWidth = thick;
  brush.lineCap = "round";
  brush.lineJoin = "round";
  brush.strokeStyle = ink;
  for (const stroke of strokes) {
    brush.beginPath();
    stroke.forEach(([x, y], index) =>
      index ? brush.lineTo(x * width, y * height) : brush.moveTo(x * width, y * height),
    );
    if (stroke.length === 1) brush.lineTo(stroke[0]![0] * width + 0.1, stroke[0]![1] * height);
    brush.stroke();
  }
}

/** The signature as a PNG, black on white whatever the screen's colours. */
export function signaturePng(strokes: Strokes): Promise<Blob> {
  const canvas = document.createElement("canvas");
  canvas.width = SIZE.width;
  canvas.height = SIZE.height;
  const brush = canvas.getContext("2d");
  if (brush) {
    brush.fillStyle = "#fff";
    brush.fillRect(0, 0, SIZE.width, SIZE.height);
  }
  paint(canvas, strokes, SIZE.width, SIZE.height, "#000", 3.5);
  return new Promise((done, fail) =>
    canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error("PNG"))), "image/png"),
  );
}

/** Enough ink to be a signature and not a touch by mistake. */
export const isSigned = (strokes: Strokes) => strokes.reduce((sum, stroke) => sum + stroke.length, 0) >= 6;

export function SignatureField({
  label,
  strokes,
  onChange,
}: {
  label: string;
  strokes: Strokes;
  onChange: (next: Strokes) => void;
}) {
  const field = useRef<HTMLCanvasElement>(null);
  const drawing = useRef<Strokes[number] | null>(null);
  const redraw = (all: Strokes) => {
    const canvas = field.current;
    if (!canvas) return;
    const { width, height } = canvas.getBoundingClientRect();
    const scale = devicePixelRatio || 1;
    canvas.width = width * scale;
    canvas.height = height * scale;
    canvas.getContext("2d")?.scale(scale, scale);
    paint(canvas, all, width, height, getComputedStyle(canvas).color, 2.4);
  };
  useEffect(() => {
    redraw(strokes);
    const again = () => redraw(strokes);
    addEventListener("resize", again);
    return () => removeEventListener("resize", again);
  }, [strokes]);
  const at = (event: PointerEvent): [number, number] => {
    const box = field.current!.getBoundingClientRect();
    const clip = (n: number) => Math.round(Math.min(1, Math.max(0, n)) * 1000) / 1000;
    return [clip((event.clientX - box.left) / box.width), clip((event.clientY - box.top) / box.height)];
  };
  const down = (event: PointerEvent) => {
    event.preventDefault();
    field.current?.setPointerCapture(event.pointerId);
    drawing.current = [at(event)];
  };
  const move = (event: PointerEvent) => {
    if (!drawing.current) return;
    drawing.current.push(at(event));
    redraw([...strokes, drawing.current]);
  };
  const up = () => {
    if (drawing.current) onChange([...strokes, drawing.current]);
    drawing.current = null;
  };
  return (
    <div class="signature">
      <p class="field-name">
        {label}
        {strokes.length > 0 && (
          <button type="button" class="quiet" onClick={() => onChange([])}>
            {t("sign_again")}
          </button>
        )}
      </p>
      <canvas
        ref={field}
        role="img"
        aria-label={label}
        onPointerDown={down}
        onPointerMove={move}
        onPointerUp={up}
        onPointerCancel={up}
      />
      {strokes.length === 0 && (
        <span class="sign-here" aria-hidden="true">
          {t("sign_here")}
        </span>
      )}
    </div>
  );
}
