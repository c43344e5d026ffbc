"""Writes drawings as PDF with ReportLab: vector shapes, an embedded Vietnamese face, text that can be copied.

The same drawings always give the same bytes: no clock, no random document number.
"""

import io
from collections.abc import Sequence
from functools import lru_cache
from threading import Lock
from typing import Any, cast

import fontpkg
import zxingcpp
from reportlab.graphics.barcode.code128 import Code128 as Code128Bars
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from labels.errors import LabelError
from labels.layout import DOT_MM, MM_PER_POINT, Code128, Drawing, Matrix, Rectangle, Text

NAME = "pdf"
MEDIA_TYPE = "application/pdf"

# UPU S10 advises bars at least 0.33 mm wide and 12.5 mm high.
# ISO/IEC 15417 asks for 10 bar widths of quiet at each side.
_MIN_BAR_MM = 0.33
_MIN_BARS_HEIGHT_MM = 12.5
_QUIET_BARS = 10
# Three dots of the printer: the smallest module a phone camera reads from thermal paper without trouble.
_MIN_MODULE_MM = 3 * DOT_MM
# ReportLab reads a font file through one shared position, so two documents cannot embed the same face at once.
_EMBEDDING = Lock()
# ISO/IEC 18004 asks for 4 modules of quiet around a QR code, ISO/IEC 16022 for 1 around a Data Matrix (2 is safer).
_QUIET_MODULES = {"qr": 4, "datamatrix": 2}


def _register(name: str, weight: int) -> str:
    pdfmetrics.registerFont(TTFont(name, str(fontpkg.path("Be Vietnam Pro", weight=weight))))
    return name


# At import, under Python's import lock: two threads that register the same face would mix up its subsets.
_FACES = {False: _register("labels-regular", 400), True: _register("labels-bold", 700)}


def measure(text: str, size_pt: float, bold: bool) -> float:
    """Return the width of a text in millimetres."""
    return _width_at_one_point(text, bold) * size_pt * MM_PER_POINT


def covers(character: str) -> bool:
    """Say whether both weights of the face have a glyph for the character."""
    return all(ord(character) in pdfmetrics.getFont(_FACES[bold]).face.charToGlyph for bold in (False, True))


def write(drawings: Sequence[Drawing], title: str) -> bytes:
    """Return a PDF with one page per drawing; the title must hold nothing personal, viewers show it.

    Error: barcode_too_small.
    """
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pageCompression=1, invariant=1, lang="vi", initialFontName=_FACES[False])
    canvas.setTitle(title)
    canvas.setAuthor("Bưu chính công ích")
    canvas.setCreator("labels")
    # Fit to page would shrink the bars below what scanners read.
    canvas.setViewerPreference("PrintScaling", "None")
    for drawing in drawings:
        canvas.setPageSize((drawing.width_mm / MM_PER_POINT, drawing.height_mm / MM_PER_POINT))
        for item in drawing.items:
            match item:
                case Text():
                    _draw_text(canvas, drawing, item)
                case Rectangle():
                    _draw_rectangle(canvas, drawing, item)
                case Code128():
                    _draw_bars(canvas, drawing, item)
                case Matrix():
                    _draw_matrix(canvas, drawing, item)
        canvas.showPage()
    with _EMBEDDING:
        canvas.save()
    return buffer.getvalue()


@lru_cache(maxsize=8192)  # a layout asks for the same words at many sizes
def _width_at_one_point(text: str, bold: bool) -> float:
    return float(pdfmetrics.stringWidth(text, _FACES[bold], 1))


def _draw_text(canvas: Canvas, page: Drawing, item: Text) -> None:
    canvas.setFillGray(1 if item.white else 0)
    canvas.setFont(_FACES[item.bold], item.size_pt)
    canvas.drawString(item.x_mm / MM_PER_POINT, (page.height_mm - item.baseline_mm) / MM_PER_POINT, item.text)


def _draw_rectangle(canvas: Canvas, page: Drawing, item: Rectangle) -> None:
    canvas.setFillGray(0)
    inset_mm = (item.frame_mm or 0) / 2
    box = item.box
    canvas.setStrokeGray(0)
    canvas.setLineWidth((item.frame_mm or 0) / MM_PER_POINT)
    canvas.rect(
        (box.x_mm + inset_mm) / MM_PER_POINT,
        (page.height_mm - box.bottom_mm + inset_mm) / MM_PER_POINT,
        (box.width_mm - 2 * inset_mm) / MM_PER_POINT,
        (box.height_mm - 2 * inset_mm) / MM_PER_POINT,
        stroke=int(item.frame_mm is not None),
        fill=int(item.frame_mm is None),
    )


def _draw_bars(canvas: Canvas, page: Drawing, item: Code128) -> None:
    box = item.box
    bars = round(Code128Bars(item.content, barWidth=1, quiet=0).width)
    bar_mm = _whole_dots(box.width_mm / (bars + 2 * _QUIET_BARS))
    if bar_mm < _MIN_BAR_MM or box.height_mm < _MIN_BARS_HEIGHT_MM:
        raise LabelError("barcode_too_small")
    symbol = Code128Bars(
        item.content,
        barWidth=bar_mm / MM_PER_POINT,
        barHeight=box.height_mm / MM_PER_POINT,
        quiet=0,
        humanReadable=False,
    )
    x_mm = _whole_dots(box.x_mm + (box.width_mm - bars * bar_mm) / 2)
    canvas.setFillGray(0)
    symbol.drawOn(canvas, x_mm / MM_PER_POINT, (page.height_mm - box.bottom_mm) / MM_PER_POINT)


def _draw_matrix(canvas: Canvas, page: Drawing, item: Matrix) -> None:
    rows = _modules(item.content, item.symbology)
    box = item.box
    side_mm = min(box.width_mm, box.height_mm)
    module_mm = _whole_dots(side_mm / (len(rows) + 2 * _QUIET_MODULES[item.symbology]))
    if module_mm < _MIN_MODULE_MM:
        raise LabelError("barcode_too_small")
    x_mm = _whole_dots(box.x_mm + (box.width_mm - len(rows) * module_mm) / 2)
    y_mm = _whole_dots(box.y_mm + (box.height_mm - len(rows) * module_mm) / 2)
    path = canvas.beginPath()
    for number, row in enumerate(rows):
        below_mm = page.height_mm - y_mm - (number + 1) * module_mm
        for start, length in _dark_runs(row):
            path.rect(
                (x_mm + start * module_mm) / MM_PER_POINT,
                below_mm / MM_PER_POINT,
                length * module_mm / MM_PER_POINT,
                module_mm / MM_PER_POINT,
            )
    canvas.setFillGray(0)
    canvas.drawPath(path, stroke=0, fill=1)


def _modules(content: str, symbology: str) -> list[list[bool]]:
    # Options are constants: the encoder ends the whole process on an option value it does not know.
    if symbology == "qr":
        code = zxingcpp.create_barcode(content, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    else:
        code = zxingcpp.create_barcode(content, zxingcpp.BarcodeFormat.DataMatrix, force_square=True)
    image = zxingcpp.write_barcode_to_image(code, scale=1, add_quiet_zones=False)
    height, width = image.shape
    pixels = bytes(cast(Any, image))
    return [[value == 0 for value in pixels[start : start + width]] for start in range(0, height * width, width)]


def _dark_runs(row: Sequence[bool]) -> list[tuple[int, int]]:
    """Return (start, length) of each run of dark modules."""
    runs: list[tuple[int, int]] = []
    for column, dark in enumerate(row):
        if dark and column and row[column - 1]:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        elif dark:
            runs.append((column, 1))
    return runs


def _whole_dots(length_mm: float) -> float:
    return int(length_mm / DOT_MM + 1e-6) * DOT_MM
