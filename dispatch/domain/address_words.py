"""Cuts a Vietnamese address into words: abbreviations opened, accents kept beside the folded form, type words found."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from dispatch.domain.places import fold

COMMUNE_WORDS = ("phường", "xã", "thị trấn", "đặc khu")
DISTRICT_WORDS = ("huyện", "quận", "thị xã", "thành phố")
MAX_WORDS = 90
"""Of a longer text only the end is read, where the units stand."""

_TONES = {"\u0300": "1", "\u0301": "2", "\u0303": "3", "\u0309": "4", "\u0323": "5"}
_SHORT = {
    "p": "phường", "f": "phường", "x": "xã", "q": "quận", "h": "huyện", "t": "tỉnh", "đ": "đường",
    "ph": "phường", "tt": "thị trấn", "ttr": "thị trấn", "tx": "thị xã", "tp": "thành phố", "đk": "đặc khu",
}  # fmt: skip
_APOSTROPHES = re.compile("['`´‘’ʼ]")
_SPACED = re.compile(r"\bt\s?\.\s?([ptx])\b\.?")
_DOTTED = re.compile(r"\b(tp|tx|tt|ttr|đk|ph|[pfxqhtđ])\s?\.")
_NUMBERED = re.compile(r"\b([pqf])(\d{1,2})\b")
_GLUED_CITY = re.compile(r"\btphcm\b")
_PIECE = re.compile(r"[^\W_]+|[,;\n|()，、；·•>]|[-‐‑–—−/]")
_NAME_PIECE = re.compile(r"[^\W_]+")
_COUNTRY = ({"vn"}, {"vietnam"}, {"viet", "nam"})

_FIRST_WORDS_OF_STREETS = frozenset({
    "nguyen", "tran", "le", "ly", "ngo", "phan", "pham", "hoang", "huynh", "vo", "vu", "dang", "bui", "do", "ho",
    "truong", "trung", "dinh", "duong", "cao", "mac", "to", "ton", "hung", "quang", "hai", "thong", "ba", "dien",
    "chu", "kim", "luong", "mai", "yet", "hong", "minh",
})  # fmt: skip


_ASIDES = frozenset({"cu", "nay", "gan", "canh"})


class Word(NamedTuple):
    """One word: folded, toned (accents in a fixed order, "" if it has none), and the segments it lies in.

    `hard` counts commas and the like before it, `soft` counts dashes and slashes as well.
    """

    fold: str
    toned: str
    hard: int
    soft: int


class TypeWord(NamedTuple):
    """A type word of a unit: which, where it starts, and whether its accents leave no doubt ("xã", not "xa")."""

    word: str
    start: int
    certain: bool


class OtherName(NamedTuple):
    """A former or variant name of a unit: its code, type word ("" = any), name (spaced or run together) and map."""

    code: str
    type_word: str
    name: str
    era: str = "2020"


@lru_cache(maxsize=20_000)
def spell(word: str) -> tuple[str, str]:
    """(folded, toned) of one lower-case word: "hoà" and "hòa" are one, "hoa" has toned "" because it says nothing."""
    if word.isdecimal():
        return "".join(str(unicodedata.decimal(digit)) for digit in word).lstrip("0") or "0", ""
    tones = ""
    letters = []
    for char in unicodedata.normalize("NFD", word):
        if char in _TONES:
            tones += _TONES[char]
        else:
            letters.append(char)
    bare = fold(word)
    if bare == "dak":
        return bare, ""  # "water" of the highlands, written Đak, Đăk and Đắk of the same place
    toned = unicodedata.normalize("NFC", "".join(letters)) + tones
    return bare, "" if toned == bare else toned


_TYPE_SPELLINGS = [
    (tuple(spell(part) for part in word.split()), word)
    for word in sorted((*COMMUNE_WORDS, *DISTRICT_WORDS, "tỉnh"), key=lambda word: -len(word.split()))
]

_STREET_OR_HAMLET = dict(map(spell, (
    "đường", "phố", "ngõ", "ngách", "hẻm", "kiệt", "số", "nhà", "lô", "ql", "tl", "đt", "cầu", "chợ", "trường", "viện",
    "góc", "thôn", "xóm", "ấp", "bản", "làng", "buôn", "bon", "plei", "tổ", "tdp", "khu", "kp", "khóm", "cụm", "đội",
    "tòa", "kđt",
)))  # fmt: skip

_ONE_WORD_TYPES = frozenset(word for parts, word in _TYPE_SPELLINGS if len(parts) == 1)
_TWO_WORD_TYPES = frozenset(word for parts, word in _TYPE_SPELLINGS if len(parts) == 2)


def words_of(text: str) -> list[Word]:
    """The words of an address in order, abbreviated type words opened, country and postcode at the end dropped."""
    text = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    # Ð (eth) is what old fonts put for Đ; it looks the same.
    text = _APOSTROPHES.sub("", text.replace("ð", "đ"))
    text = _GLUED_CITY.sub("thành phố hcm", text)
    text = _SPACED.sub(lambda found: f" {_SHORT['t' + found[1] if found[1] != 'p' else 'tp']} ", text)
    text = _DOTTED.sub(lambda found: f" {_SHORT[found[1]]} ", text)
    text = _NUMBERED.sub(lambda found: f"{_SHORT[found[1]]} {found[2]}", text)
    words: list[Word] = []
    hard = soft = 0
    for piece in _PIECE.findall(text):
        if not piece[0].isalnum():
            soft += 1
            hard += piece not in "-‐‑–—−/"
            continue
        for part in _SHORT.get(piece, piece).split():
            words.append(Word(*spell(part), hard, soft))
    _drop_tail(words)
    return words[-MAX_WORDS:]


def _drop_tail(words: list[Word]) -> None:
    while words:
        last = {word.fold for word in words[-2:]} if words[-1].fold == "nam" else {words[-1].fold}
        if last in _COUNTRY:
            del words[-len(last) :]
        elif words[-1].fold.isdecimal() and len(words[-1].fold) >= 5:
            words.pop()
        else:
            return


def type_words(words: list[Word]) -> dict[int, TypeWord]:
    """The type words of the text by the place of the name that follows each."""
    found: dict[int, TypeWord] = {}
    at = 0
    while at < len(words):
        for spelling, word in _TYPE_SPELLINGS:
            here = words[at : at + len(spelling)]
            if len(here) == len(spelling) and all(
                part.fold == bare and part.toned in ("", toned) and part.hard == words[at].hard
                for part, (bare, toned) in zip(here, spelling, strict=True)
            ):
                name_at = at + len(here)
                if name_at < len(words) and words[name_at].hard == words[at].hard:
                    found[name_at] = TypeWord(word, at, any(part.toned for part in here))
                at = name_at - 1
                break
        at += 1
    return found


def split_name(name: str) -> tuple[str, str]:
    """An official name as (type word in lower case, proper name): "Thị trấn Vạn Giã" -> ("thị trấn", "Vạn Giã")."""
    first, _, rest = name.partition(" ")
    if first.lower() in _ONE_WORD_TYPES and rest:
        return first.lower(), rest
    second, _, rest = rest.partition(" ")
    word = f"{first} {second}".lower()
    return (word, rest) if word in _TWO_WORD_TYPES and rest else ("", name)


def name_key(name: str) -> tuple[str, tuple[str, ...]]:
    """A name as (its words folded and run together, their toned forms): "Ia Dêr" -> ("iader", ("", "dêr"))."""
    spelled = [spell(piece) for piece in _NAME_PIECE.findall(_APOSTROPHES.sub("", name.lower()))]
    return "".join(bare for bare, _ in spelled), tuple(toned for _, toned in spelled)


def accents_differ(words: list[Word], toned: tuple[str, ...]) -> bool:
    """Whether a word carries accents that the name does not have ("Thành" for Thanh, "Huệ" for Huế).

    `toned` is the name's as `name_key` gives it; nothing differs where it is empty or cut into other words. Hỏi and ngã
    count as one, because half the country writes one for the other.
    """
    return len(toned) == len(words) and any(
        word.toned and word.toned.replace("4", "3") != own.replace("4", "3")
        for word, own in zip(words, toned, strict=True)
    )


def accents_missing(words: list[Word], toned: tuple[str, ...]) -> bool:
    """Whether a word lacks accents that the name has ("Thanh" for Thành)."""
    return len(toned) == len(words) and any(own and not word.toned for word, own in zip(words, toned, strict=True))


def is_aside(word: Word) -> bool:
    """Whether what begins with this word is a remark on the name before it ("cũ", "nay là ...", "gần ...") or a number.

    Only a number of five digits and more: it is a postcode or a telephone; a shorter one may be part of a name.
    """
    return word.fold in _ASIDES or (word.fold.isdecimal() and len(word.fold) >= 5)


def after_street_word(words: list[Word], start: int) -> bool:
    """Whether the word before `start`, in the same segment, makes what follows a street, hamlet or house number."""
    if start == 0 or words[start - 1].soft != words[start].soft:
        return False
    before = words[start - 1]
    toned = _STREET_OR_HAMLET.get(before.fold)
    # With accents the word must be the very one: "làng Kép", not "phường Láng".
    return (toned is not None and before.toned in ("", toned)) or any(char.isdecimal() for char in before.fold)


def named_like_a_street(words: list[Word], start: int) -> bool:
    """Whether a bare name could as well be a street of any town (Trần Phú, Hùng Vương, Quang Trung)."""
    return words[start].fold in _FIRST_WORDS_OF_STREETS
