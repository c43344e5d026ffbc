"""What one label costs, beside plain ReportLab with its own QR encoder."""

from __future__ import annotations

import io
import resource
import time

from reportlab.graphics import renderPDF
from reportlab.graphics.barcode import code128, qr
from reportlab.graphics.shapes import Drawing
from reportlab.lib.units import mm
from reportlab.pdfgen import canvas

import labels
from labels import codes
from labels.model import Label, Party

COUNT = 300


def _label(number: int) -> Label:
    item = codes.build("RD", number)
    return Label(
        item_id=item,
        kind="return",
        sender=Party("Bộ phận Một cửa phường Nha Trang", commune_2025="Phường Nha Trang"),
        recipient=Party("Nguyễn Thị Ánh Nguyệt", "•••• ••• 456", ("12 Trần Phú, P. Vĩnh Hải",), "Phường Vĩnh Hải"),
        tracking_url=f"https://post.example/t/{item}?token=0123456789abcdef",
        weight_g=80,
        payable_dong=26_000,
    )


def _ours(count: int) -> bytes:
    return labels.render_many([_label(number) for number in range(count)])


def _plain(count: int) -> bytes:
    """The same codes and a few lines of text with ReportLab alone, as a first program would do it."""
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=(100 * mm, 150 * mm))
    for number in range(count):
        label = _label(number)
        page.drawString(5 * mm, 140 * mm, "Nguyen Thi Anh Nguyet")
        page.drawString(5 * mm, 130 * mm, "12 Tran Phu, P. Vinh Hai")
        code128.Code128(label.item_id, barHeight=14 * mm, barWidth=0.4 * mm).drawOn(page, 5 * mm, 12 * mm)
        drawing = Drawing(25 * mm, 25 * mm)
        drawing.add(qr.QrCodeWidget(label.tracking_url, barWidth=25 * mm, barHeight=25 * mm))
        renderPDF.draw(drawing, page, 70 * mm, 40 * mm)
        page.showPage()
    page.save()
    return out.getvalue()


def measure() -> str:
    """CPU seconds and size of a PDF with `COUNT` labels, ours and plain ReportLab's."""
    lines = [
        f"## {COUNT} labels 100×150 mm with Code 128 and QR in one PDF",
        "",
        "| | CPU s | ms per label | KB per label |",
        "|---|---|---|---|",
    ]
    spent = {}
    labels.render(_label(0))  # fonts are read once per process
    for name, work in (
        ("ours: whole layout, embedded Vietnamese font", _ours),
        ("plain ReportLab, no diacritics", _plain),
    ):
        began = time.process_time()
        pdf = work(COUNT)
        spent[name] = time.process_time() - began
        lines.append(
            f"| {name} | {spent[name]:.1f} | {spent[name] / COUNT * 1000:.1f} | {len(pdf) / COUNT / 1000:.1f} |"
        )
    ours, plain = spent.values()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lines.append(f"| ours / plain | {ours / plain:.2f} × | | |")
    return "\n".join([*lines, "", f"Peak memory of the process: {peak:.0f} MB."])
