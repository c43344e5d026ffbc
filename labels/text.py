"""Hostile text in, printable text out: what is cleaned, what is refused, what is replaced.

- Unicode NFC, so that a letter typed as base plus marks is one glyph of the font.
- Any white space, line breaks and tabs included, becomes one space: a label line is one line.
- Invisible characters (zero width, bidirectional controls, variation selectors, soft hyphens) are dropped: they print
  nothing and can turn a line around.
- Other control characters (C0, C1) and lone surrogates are refused with `unprintable_text`: they are a fault of the
  sender's system, and guessing what was meant could change a name.
- A character the font has no glyph for (emoji, Arabic, Chinese) becomes "?": the reader sees that something is missing.
"""

import unicodedata
from collections.abc import Callable

from labels.errors import LabelError

MAX_CHARACTERS = 300
REPLACEMENT = "?"
_LINE_BREAKS = "\t\n\r"
# Ignorable by the Unicode standard although their category is a letter or a mark.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0")


def clean(text: str, field: str) -> str:
    """Return `text` as one visible NFC line; `field` names it in an error.

    >>> clean("  Nguye\u0302\u0303n\u00a0Thị\\n A\u200b ", "name")
    'Nguyễn Thị A'

    Errors: unprintable_text, text_too_long (more than 300 characters).
    """
    if len(text) > 4 * MAX_CHARACTERS:
        raise _too_long(field)
    kept: list[str] = []
    for position, character in enumerate(text):
        category = unicodedata.category(character)
        if category == "Cs" or (category == "Cc" and character not in _LINE_BREAKS):
            raise LabelError(
                "unprintable_text",
                f"{field} holds the control character U+{ord(character):04X} at position {position + 1}; remove it.",
            )
        if not _is_invisible(character, category):
            kept.append(character)
    line = " ".join(unicodedata.normalize("NFC", "".join(kept)).split())
    if len(line) > MAX_CHARACTERS:
        raise _too_long(field)
    return line


def tidy(text: str) -> str:
    """Return `text` as one visible NFC line of any length, a control character as "?": a table is never refused.

    >>> tidy("  Nguye\u0302\u0303n\\n A\u200b\x07 ")
    'Nguyễn A?'
    """
    kept: list[str] = []
    for character in text:
        category = unicodedata.category(character)
        if category == "Cs" or (category == "Cc" and character not in _LINE_BREAKS):
            kept.append(REPLACEMENT)
        elif not _is_invisible(character, category):
            kept.append(character)
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).split())


def replace_missing(text: str, covers: Callable[[str], bool]) -> str:
    """Return `text` with "?" for each character that `covers` says the font cannot draw."""
    return "".join(character if covers(character) else REPLACEMENT for character in text)


def _is_invisible(character: str, category: str) -> bool:
    code = ord(character)
    selector = 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF
    return category == "Cf" or selector or character in _INVISIBLE


def _too_long(field: str) -> LabelError:
    return LabelError("text_too_long", f"{field} is longer than {MAX_CHARACTERS} characters; shorten it.")
