"""The thermal label of 100 × 150 mm: black on white, promise first, Vietnamese before English.

From the top: which leg, the promised time, sender, recipient, note; from the bottom: bar code, facts beside the QR
code, money. Spare room lies between the two halves; if the texts are long, both halves are set smaller until they fit.
No name of a document or procedure is printed: postal secrecy (Law 49/2010/QH12 art. 29.10, Decision 45/2016/QĐ-TTg
art. 16.5).
"""

from bisect import bisect_left
from collections.abc import Callable
from functools import partial
from itertools import chain

from labels import codes, wording
from labels.errors import LabelError
from labels.layout import (
    Box,
    Code128,
    Column,
    Drawing,
    Item,
    Matrix,
    Measure,
    Rectangle,
    drop_mm,
    first_baseline_mm,
    fit_size,
    place,
    rise_mm,
    shift,
)
from labels.model import Label, MoneyLine, Party

NAME = "100x150"
SIZE_MM = (100.0, 150.0)

_MARGIN_MM = 4.0
_RIGHT_MM = SIZE_MM[0] - _MARGIN_MM
_WIDTH_MM = _RIGHT_MM - _MARGIN_MM
_HEADER_HEIGHT_MM = 13.5
_QR_SIDE_MM = 22.0
_BARS_HEIGHT_MM = 13.5
# From large to small: (scale of the nominal type sizes, whether the page is dense). On a dense page an address runs on
# like prose instead of keeping its lines, and the account gets room from the sum to collect. No type falls below
# 5 points, where a 203 dpi printer stops separating the Vietnamese marks.
_STEPS = tuple(
    (percent / 100, dense) for percent in range(125, 47, -2) for dense in ((False, True) if percent < 78 else (False,))
)
_GAPS = 7
_LEG_WORDS = {"pickup": ("LẤY HỒ SƠ", "PICKUP"), "return": ("TRẢ KẾT QUẢ", "RETURN")}


def draw(label: Label, measure: Measure) -> Drawing:
    """Return the label as one page; raise does_not_fit if even the smallest type is too large."""
    bottom_mm = SIZE_MM[1] - _MARGIN_MM

    def spare_mm(step: int) -> float:
        scale, dense = _STEPS[step]
        return bottom_mm - _upper(label, measure, scale, dense, 0).y_mm - _lower(label, measure, scale, dense).y_mm

    # Smaller type all but always takes less room; where it does not, bisection still ends on a step that fits.
    step = bisect_left(range(len(_STEPS)), True, key=lambda step: spare_mm(step) >= 0)
    if step == len(_STEPS):
        raise LabelError("does_not_fit", f"The texts do not fit on {NAME} mm; shorten the addresses or the note.")
    scale, dense = _STEPS[step]
    upper = _upper(label, measure, scale, dense, air_mm=min(1.0, spare_mm(step) / _GAPS))
    lower = _lower(label, measure, scale, dense)
    moved = shift(lower.items, bottom_mm - lower.y_mm)
    return Drawing(*SIZE_MM, tuple(chain(_header(label, measure), upper.items, moved)))


def _upper(label: Label, measure: Measure, scale: float, dense: bool, air_mm: float) -> Column:
    """Everything from the promise to the note; `air_mm` widens each gap between the sections."""
    column = Column(_MARGIN_MM, _MARGIN_MM + _HEADER_HEIGHT_MM, _WIDTH_MM, measure, scale)
    _promise(column, label)
    by_sender = label.approximate_point and label.kind == "pickup"
    by_recipient = label.approximate_point and label.kind == "return"
    _section(column, air_mm, "Từ", "From", lambda part: _party(part, label.sender, 0.8, dense, by_sender))
    _section(column, air_mm, "Đến", "To", lambda part: _party(part, label.recipient, 1, dense, by_recipient))
    _section(column, air_mm, "Ghi chú", "Note", lambda part: part.write(label.note, 8))
    return column


def _lower(label: Label, measure: Measure, scale: float, dense: bool) -> Column:
    """Everything from the money to the bar code, from y = 0; its small print gives way later than the addresses."""
    column = Column(_MARGIN_MM, 0, _WIDTH_MM, measure, min(scale + 0.1, 1.0))
    _money(column, label, dense)
    _facts(column, label)
    _bars(column, label)
    return column


def _header(label: Label, measure: Measure) -> list[Item]:
    """A black band for a pickup, a heavy frame for a return: told apart at arm's length without colour."""
    vietnamese, english = _LEG_WORDS[label.kind]
    white = label.kind == "pickup"
    left_mm, right_mm = _MARGIN_MM + 4, _RIGHT_MM - 4
    band = Box(_MARGIN_MM, _MARGIN_MM, _WIDTH_MM, _HEADER_HEIGHT_MM)
    return [
        Rectangle(band, frame_mm=None if white else 0.9),
        place(vietnamese, left_mm, _MARGIN_MM + 10.4, 21, measure, bold=True, white=white),
        place(english, right_mm, _MARGIN_MM + 6.4, 11, measure, bold=True, white=white, align="right"),
        place("Bưu chính công ích", right_mm, _MARGIN_MM + 10.4, 6.5, measure, white=white, align="right"),
    ]


def _promise(column: Column, label: Label) -> None:
    column.gap(0.6)
    if label.due_at is None:
        _hero(column, "Giờ lấy", "chưa hẹn")
        column.write_pair("Đồng hồ chưa chạy", "No time promised yet", 7, 6)
    else:
        _hero(column, "Lấy trước", wording.clock_and_day(label.due_at))
        rule = f" · {label.due_rule}" if label.due_rule else ""
        column.write(f"{wording.full_day(label.due_at)}{rule}", 7)
    if label.delivery_expected_on is not None:
        column.write_pair(f"Phát dự kiến {wording.full_day(label.delivery_expected_on)}", "Delivery expected", 7, 6)
    column.gap(1.2)


def _hero(column: Column, caption: str, promise: str) -> None:
    """The promise in the largest type of the page, its caption beside it."""
    size_pt = fit_size(promise, 65, 30 * min(1.0, max(0.85, column.scale)), column.measure, bold=True)
    baseline_mm = column.y_mm + rise_mm(promise, size_pt)
    english = place("Collect by", column.x_mm, baseline_mm, 8, column.measure)
    column.items += [
        place(caption, column.x_mm, english.box.y_mm - drop_mm(13), 13, column.measure, bold=True),
        place(promise, _RIGHT_MM, baseline_mm, size_pt, column.measure, bold=True, align="right"),
        english,
    ]
    column.y_mm = baseline_mm + drop_mm(size_pt)


def _section(column: Column, air_mm: float, vietnamese: str, english: str, fill: Callable[[Column], None]) -> None:
    """A line across the page and a captioned text below it; without a text, nothing."""
    part = column.part(0, column.width_mm)
    part.gap(air_mm)
    part.rule(0.25)
    part.gap(0.7 + air_mm)
    if _row(part, 14, vietnamese, english, fill, stacked=True):
        column.add(part)
        column.gap(0.9)


def _party(column: Column, party: Party, share: float, dense: bool, approximate: bool) -> None:
    now = (f"Nay / Now: {party.commune_2025}",) if party.commune_2025 else ()
    before = (f"Trước 1/7/2025 / Before: {party.commune_2020}",) if party.commune_2020 else ()
    address, communes = party.address_lines, (*now, *before)
    if dense:
        column.write(party.name, 14 * share, bold=True, squeeze=0.6)
        address = (" · ".join(filter(None, (party.phone_masked, ", ".join(address)))),)
        communes = (" · ".join(communes),)
    else:
        name = partial(Column.write, text=party.name, size_pt=14 * share, bold=True, squeeze=0.7)
        column.write_beside(party.phone_masked, 10 * share, name, bold=True)
    for line in address:
        column.write(line, 10 * share, squeeze=0.85)
    for line in communes:
        column.write(line, 8.5 * share, squeeze=0.85)
    if approximate:
        column.gap(0.6)
        column.write_framed("Vị trí gần đúng, hãy gọi trước / Approximate place, call first", 6.5)


def _money(column: Column, label: Label, dense: bool) -> None:
    """What to collect, in a heavy frame; the account that explains it stands beside it."""
    column.gap(0.8)
    frame_top_mm = column.y_mm
    column.gap(1.1)
    collect_mm = 30.0 if dense else 44.0
    collect, account = column.part(2.5, collect_mm), column.part(collect_mm + 4, _WIDTH_MM - collect_mm - 6.5)
    if label.payable_dong:
        collect.write_pair("Thu", "Collect", 9, 7)
    else:
        collect.write_pair("Không thu tiền", "Collect nothing", 9, 7)
    amount = wording.dong(label.payable_dong)
    collect.write(amount, fit_size(amount, collect.width_mm, 20, column.measure, bold=True), bold=True)
    if label.provisional:
        collect.write_framed("tạm tính / provisional", 6.5)
    for line in label.money:
        _entry(account, line)
    column.add(collect, account)
    column.gap(1.1)
    frame = Box(column.x_mm, frame_top_mm, _WIDTH_MM, column.y_mm - frame_top_mm)
    column.items.append(Rectangle(frame, frame_mm=0.6))


def _entry(column: Column, line: MoneyLine) -> None:
    figure = wording.dong(line.amount_dong)
    column.write_beside(figure, 7, lambda part: part.write_pair(line.label_vi, line.label_en, 7, 5.5))


def _facts(column: Column, label: Label) -> None:
    column.gap(1.0)
    code = column.part(_WIDTH_MM - _QR_SIDE_MM, _QR_SIDE_MM)
    code.items.append(Matrix(Box(code.x_mm, code.y_mm, _QR_SIDE_MM, _QR_SIDE_MM), label.tracking_url))
    code.gap(_QR_SIDE_MM)
    facts = column.part(0, _WIDTH_MM - _QR_SIDE_MM - 1)
    facts.gap(1.4)
    weight = wording.weight(label.weight_g)
    papers, papers_english = wording.papers(len(label.documents))
    holds = f"{papers} · {weight}" if label.documents else weight
    # The shop is nearly always one of the two parties, and need not be named twice.
    shop_name = "" if label.shop_name in (label.sender.name, label.recipient.name) else label.shop_name
    rows = (
        ("Hồ sơ", "Dossier", lambda part: part.write(label.dossier_code, 9, bold=True, squeeze=0.8)),
        ("Tham chiếu", "Ref.", lambda part: part.write(label.external_ref, 8, squeeze=0.8)),
        ("Một cửa", "One-stop", lambda part: part.write(shop_name, 8, squeeze=0.8)),
        ("Bưu cục", "Post office", lambda part: part.write(label.office_name, 8, squeeze=0.8)),
        ("Gồm", "Contents", lambda part: part.write_pair(holds, papers_english if label.documents else "", 8, 6)),
        ("Tra cứu", "Track", lambda part: part.write_pair("quét mã QR", "scan the QR code", 8, 6)),
    )
    for vietnamese, english, fill in rows:
        _row(facts, 24, vietnamese, english, fill)
        facts.gap(0.3)
    column.add(facts, code)


def _row(
    column: Column,
    width_mm: float,
    vietnamese: str,
    english: str,
    fill: Callable[[Column], None],
    stacked: bool = False,
) -> bool:
    """Set a caption and, on the same baseline beside it, what `fill` writes; say whether it wrote anything."""
    value = column.part(width_mm, column.width_mm - width_mm)
    fill(value)
    if not value.items:
        return False
    caption = column.part(0, width_mm - 1, scale=min(column.scale, 1.0))
    size_pt = 8.0 if stacked else 7.5
    baseline_mm = first_baseline_mm(value.items, column.y_mm)
    caption.y_mm = max(column.y_mm, baseline_mm - rise_mm(vietnamese, caption.scaled(size_pt)))
    if stacked:
        caption.write(vietnamese, size_pt, bold=True)
        caption.write(english, 6)
    else:
        caption.write_pair(vietnamese, english, size_pt, 5.5)
    column.add(value, caption)
    return True


def _bars(column: Column, label: Label) -> None:
    column.gap(0.8)
    column.items.append(Code128(Box(column.x_mm, column.y_mm, _WIDTH_MM, _BARS_HEIGHT_MM), label.item_id))
    number = codes.format(label.item_id)
    baseline_mm = column.y_mm + _BARS_HEIGHT_MM + 0.4 + rise_mm(number, 12)
    middle_mm = column.x_mm + _WIDTH_MM / 2
    column.items.append(place(number, middle_mm, baseline_mm, 12, column.measure, bold=True, align="centre"))
    column.y_mm = baseline_mm + drop_mm(12)
