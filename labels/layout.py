"""The page as plain shapes in millimetres, and the setting of text that wraps and shrinks but never clips.

The origin is the top left corner and y grows downwards. Type sizes are in points. Nothing here knows a font: the writer
gives `measure(text, size_pt, bold)`, the width of a text in millimetres.
"""

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

Measure = Callable[[str, float, bool], float]

MM_PER_POINT = 25.4 / 72
# One dot of a 203 dpi thermal printer. Bars and modules are whole dots wide, or the printer rounds each its own way.
DOT_MM = 0.125

# Heights above the baseline by the number of marks on a capital ("A", "Á", "Ẩ"), and the depth below it, in parts of
# the type size, generous enough for every glyph of the face in use: a test compares them with the font.
_RISES = (1.04, 1.08, 1.24)
_DROP = 0.28
_MARK_ABOVE = 230  # the Unicode combining class


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in millimetres from the top left corner of the page."""

    x_mm: float
    y_mm: float
    width_mm: float
    height_mm: float

    @property
    def right_mm(self) -> float:
        """The x of the right edge."""
        return self.x_mm + self.width_mm

    @property
    def bottom_mm(self) -> float:
        """The y of the bottom edge."""
        return self.y_mm + self.height_mm


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text; `width_mm` is its measured width, `white` sets it white on a black ground."""

    x_mm: float
    baseline_mm: float
    text: str
    size_pt: float
    width_mm: float
    bold: bool = False
    white: bool = False

    @property
    def box(self) -> Box:
        """The room the line takes, marks and descenders included."""
        above = rise_mm(self.text, self.size_pt)
        return Box(self.x_mm, self.baseline_mm - above, self.width_mm, above + drop_mm(self.size_pt))


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A black rectangle, filled, or drawn as a frame whose line lies inside the box."""

    box: Box
    frame_mm: float | None = None


@dataclass(frozen=True, slots=True)
class Code128:
    """A Code 128 bar code; the box includes the quiet zones, the writer picks the widest bars that fit."""

    box: Box
    content: str


@dataclass(frozen=True, slots=True)
class Matrix:
    """A two-dimensional code; the box includes the quiet zones, the writer picks the largest modules that fit."""

    box: Box
    content: str
    symbology: Literal["qr", "datamatrix"] = "qr"


Item = Text | Rectangle | Code128 | Matrix


@dataclass(frozen=True, slots=True)
class Drawing:
    """One page: its size and what is drawn on it, in order."""

    width_mm: float
    height_mm: float
    items: tuple[Item, ...]


def rise_mm(text: str, size_pt: float) -> float:
    """Return how far a line of text may reach above its baseline, in millimetres."""
    return _RISES[min(_most_marks_on_a_capital(text), 2)] * size_pt * MM_PER_POINT


@lru_cache(maxsize=4096)
def _most_marks_on_a_capital(text: str) -> int:
    most = marks = 0
    on_capital = False
    for character in unicodedata.normalize("NFD", text):
        if not unicodedata.combining(character):
            marks, on_capital = 0, character.isupper()
        elif on_capital and unicodedata.combining(character) == _MARK_ABOVE:
            marks += 1
            most = max(most, marks)
    return most


def drop_mm(size_pt: float) -> float:
    """Return how far a line of text may reach below its baseline, in millimetres."""
    return _DROP * size_pt * MM_PER_POINT


def place(
    text: str,
    x_mm: float,
    baseline_mm: float,
    size_pt: float,
    measure: Measure,
    *,
    bold: bool = False,
    white: bool = False,
    align: Literal["left", "centre", "right"] = "left",
) -> Text:
    """Return one line of text whose left end, middle or right end stands at `x_mm`."""
    width_mm = measure(text, size_pt, bold)
    start_mm = x_mm - width_mm * {"left": 0.0, "centre": 0.5, "right": 1.0}[align]
    return Text(start_mm, baseline_mm, text, size_pt, width_mm, bold, white)


def fit_size(text: str, width_mm: float, largest_pt: float, measure: Measure, *, bold: bool = False) -> float:
    """Return the type size, at most `largest_pt`, at which the text is no wider than `width_mm`."""
    width_at_largest_mm = measure(text, largest_pt, bold)
    # A hair smaller than exact, so that rounding cannot push the last glyph over the edge.
    return largest_pt if width_at_largest_mm <= width_mm else largest_pt * width_mm / width_at_largest_mm * 0.999


def wrap(text: str, width_mm: float, size_pt: float, measure: Measure, *, bold: bool = False) -> list[str]:
    """Break a text into lines no wider than `width_mm`; a word is broken only if it alone is wider."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if measure(longer, size_pt, bold) <= width_mm:
            line = longer
            continue
        if line:
            lines.append(line)
        *full, line = _break_word(word, width_mm, size_pt, measure, bold)
        lines.extend(full)
    return [*lines, line] if line else lines


def _break_word(word: str, width_mm: float, size_pt: float, measure: Measure, bold: bool) -> list[str]:
    if measure(word, size_pt, bold) <= width_mm:
        return [word]
    pieces = [""]
    for character in word:
        if pieces[-1] and measure(pieces[-1] + character, size_pt, bold) > width_mm:
            pieces.append("")
        pieces[-1] += character
    return pieces


def shift(items: Iterable[Item], down_mm: float) -> list[Item]:
    """Return the items moved down the page."""
    moved: list[Item] = []
    for item in items:
        if isinstance(item, Text):
            moved.append(replace(item, baseline_mm=item.baseline_mm + down_mm))
        else:
            moved.append(replace(item, box=replace(item.box, y_mm=item.box.y_mm + down_mm)))
    return moved


def first_baseline_mm(items: Iterable[Item], otherwise_mm: float) -> float:
    """Return the baseline of the first text among the items, or `otherwise_mm` if there is none."""
    return next((item.baseline_mm for item in items if isinstance(item, Text)), otherwise_mm)


class Column:
    """A strip of the page that is filled from the top; `y_mm` is where the next line may begin.

    Type sizes are multiplied by `scale`, but never fall below `smallest_pt`.
    """

    def __init__(
        self, x_mm: float, y_mm: float, width_mm: float, measure: Measure, scale: float = 1.0, smallest_pt: float = 5.0
    ) -> None:
        self.x_mm, self.y_mm, self.width_mm = x_mm, y_mm, width_mm
        self.measure = measure
        self.scale, self.smallest_pt = scale, smallest_pt
        self.items: list[Item] = []

    def part(self, indent_mm: float, width_mm: float, *, scale: float | None = None) -> "Column":
        """Return a column that begins beside here, to be filled and then taken in with `add`."""
        return Column(
            self.x_mm + indent_mm, self.y_mm, width_mm, self.measure,
            self.scale if scale is None else scale, self.smallest_pt,
        )  # fmt: skip

    def add(self, *parts: "Column") -> None:
        """Take in what stands in the parts and go on below the lowest of them."""
        for part in parts:
            self.items += part.items
            self.y_mm = max(self.y_mm, part.y_mm)

    def scaled(self, size_pt: float) -> float:
        """Return the type size this column uses for a nominal one."""
        return max(self.smallest_pt, size_pt * self.scale)

    def write(self, text: str, size_pt: float, *, bold: bool = False, squeeze: float = 1.0) -> None:
        """Set a text on as many lines as it needs; an empty text takes no room.

        The type may shrink to `squeeze` times its size where that saves a line.
        """
        size_pt, lines = self._squeezed(text, self.scaled(size_pt), bold, squeeze)
        for line in lines:
            baseline_mm = self.y_mm + rise_mm(line, size_pt)
            self.items.append(place(line, self.x_mm, baseline_mm, size_pt, self.measure, bold=bold))
            self.y_mm = baseline_mm + drop_mm(size_pt)

    def _squeezed(self, text: str, size_pt: float, bold: bool, squeeze: float) -> tuple[float, list[str]]:
        smallest_pt = max(self.smallest_pt, size_pt * squeeze)
        fewest = len(wrap(text, self.width_mm, smallest_pt, self.measure, bold=bold))
        while len(lines := wrap(text, self.width_mm, size_pt, self.measure, bold=bold)) > fewest:
            size_pt = max(smallest_pt, size_pt * 0.97)
        return size_pt, lines

    def write_pair(self, first: str, second: str, size_pt: float, second_size_pt: float) -> None:
        """Set a bold Vietnamese text and its small English one on one line, or below each other where room is short."""
        if not first or not second:
            self.write(first, size_pt, bold=True)
            self.write(second, second_size_pt)
            return
        first_pt, second_pt = self.scaled(size_pt), self.scaled(second_size_pt)
        gap_mm = 0.35 * first_pt * MM_PER_POINT
        width_mm = self.measure(first, first_pt, True) + gap_mm + self.measure(second, second_pt, False)
        if width_mm > self.width_mm:
            self.write(first, size_pt, bold=True)
            self.write(second, second_size_pt)
            return
        baseline_mm = self.y_mm + max(rise_mm(first, first_pt), rise_mm(second, second_pt))
        start = place(first, self.x_mm, baseline_mm, first_pt, self.measure, bold=True)
        self.items += [start, place(second, start.box.right_mm + gap_mm, baseline_mm, second_pt, self.measure)]
        self.y_mm = baseline_mm + drop_mm(max(first_pt, second_pt))

    def write_beside(self, end: str, size_pt: float, fill: Callable[["Column"], None], *, bold: bool = False) -> None:
        """Set `end` at the right edge, on the first baseline of what `fill` writes to its left.

        If `end` would take more than two fifths of the width, it follows on lines of its own.
        """
        end_pt = self.scaled(size_pt)
        width_mm = self.measure(end, end_pt, bold)
        if not end or width_mm > 0.4 * self.width_mm:
            fill(self)
            self.write(end, size_pt, bold=bold)
            return
        words = self.part(0, self.width_mm - width_mm - 1.5)
        fill(words)
        highest_mm = self.y_mm + rise_mm(end, end_pt)
        down_mm = max(0.0, highest_mm - first_baseline_mm(words.items, highest_mm))
        words.items = shift(words.items, down_mm)
        baseline_mm = first_baseline_mm(words.items, highest_mm)
        words.y_mm = max(words.y_mm + down_mm, baseline_mm + drop_mm(end_pt))
        right_mm = self.x_mm + self.width_mm
        self.items.append(place(end, right_mm, baseline_mm, end_pt, self.measure, bold=bold, align="right"))
        self.add(words)

    def write_framed(self, text: str, size_pt: float) -> None:
        """Set a text bold inside a thin frame, for a warning that must be seen."""
        pad_mm = 0.3 * self.scaled(size_pt) * MM_PER_POINT
        inner = self.part(2 * pad_mm, self.width_mm - 4 * pad_mm)
        inner.gap(pad_mm)
        inner.write(text, size_pt, bold=True)
        widest_mm = max((item.width_mm for item in inner.items if isinstance(item, Text)), default=0.0)
        inner.gap(pad_mm)
        frame = Box(self.x_mm, self.y_mm, widest_mm + 4 * pad_mm, inner.y_mm - self.y_mm)
        self.items.append(Rectangle(frame, frame_mm=0.25))
        self.add(inner)

    def rule(self, thickness_mm: float) -> None:
        """Draw a line over the whole width."""
        self.items.append(Rectangle(Box(self.x_mm, self.y_mm, self.width_mm, thickness_mm)))
        self.y_mm += thickness_mm

    def gap(self, height_mm: float) -> None:
        """Leave room."""
        self.y_mm += height_mm
