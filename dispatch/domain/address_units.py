"""The districts and provinces a line of free text names, and the index of all names of all units behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from dispatch.domain.address_words import (
    DISTRICT_WORDS,
    OtherName,
    TypeWord,
    Word,
    accents_differ,
    accents_missing,
    after_street_word,
    name_key,
    split_name,
)
from dispatch.domain.places import Commune, Gazetteer

# Weights of the evidence; the unit is arbitrary, only sums and their distances matter (see address_readings).
_DISTRICT_TYPED, _DISTRICT_TYPED_OTHERWISE, _DISTRICT = 30, 16, 18
_PROVINCE = 18
_DOUBTFUL = 6
"""A mention with other accents than the unit's own ("Huệ" for Huế): better than none, never enough."""

_OTHER_PROVINCE_NAMES = {
    "79": ("hcm", "sai gon"),
    "46": ("thua thien hue",),
    "66": ("dac lac",),
    "67": ("dac nong",),
    "06": ("bac can",),
}
"""Former and common spellings by 2020 code. Initials (KH, NT) are not among them: they mean too many places."""


class Name(NamedTuple):
    """One name of a commune as the index keeps it; `toned` is empty for a former name, whose accents are not known."""

    commune: Commune
    type_word: str
    toned: tuple[str, ...]
    former: bool


class UnitName(NamedTuple):
    """How a district or province is called: its type word and the toned words of its name (empty = not known)."""

    type_word: str
    toned: tuple[str, ...]


class Index:
    """Every name of every unit by its run-together folded form; built once over a gazetteer, never changed."""

    def __init__(
        self, gazetteer: Gazetteer, communes: Iterable[OtherName] = (), districts: Iterable[OtherName] = ()
    ) -> None:
        """`communes` and `districts`: former and variant names; a code nobody has is passed over."""
        self.gazetteer = gazetteer
        self.communes: dict[str, list[Name]] = {}
        self.districts: dict[str, dict[str, UnitName]] = {}
        self.provinces: dict[str, dict[tuple[str, str], UnitName]] = {}
        seen: set[str] = set()
        for commune in gazetteer:
            type_word, name = split_name(commune.name)
            key, toned = name_key(name)
            self.communes.setdefault(key, []).append(Name(commune, type_word, toned, False))
            if commune.district_code and commune.district_code not in seen:
                seen.add(commune.district_code)
                type_word, name = split_name(commune.district_name or "")
                self._add_district(commune.district_code, type_word, name, accented=True)
            if f"{commune.era} {commune.province_code}" not in seen:
                seen.add(f"{commune.era} {commune.province_code}")
                self._add_province(commune)
        for other in communes:
            known = gazetteer.get(other.code, other.era)
            if known is not None:
                self.communes.setdefault(name_key(other.name)[0], []).append(Name(known, other.type_word, (), True))
        for other in districts:
            if other.code in seen:
                self._add_district(other.code, other.type_word, other.name, accented=False)
        keys = (*self.communes, *self.districts, *self.provinces)
        self.longest = max((len(key) for key in keys), default=0)

    def _add_district(self, code: str, type_word: str, name: str, *, accented: bool) -> None:
        key, toned = name_key(name)
        self.districts.setdefault(key, {}).setdefault(code, UnitName(type_word, toned if accented else ()))

    def _add_province(self, commune: Commune) -> None:
        type_word, name = split_name(commune.province_name)
        unit = (commune.era, commune.province_code)
        key, toned = name_key(name)
        self.provinces.setdefault(key, {})[unit] = UnitName(type_word, toned)
        for spelled in _OTHER_PROVINCE_NAMES.get(commune.province_code, ()):
            self.provinces.setdefault(name_key(spelled)[0], {})[unit] = UnitName(type_word, ())


class Span(NamedTuple):
    """A run of words that is somebody's name, with the type word read before it."""

    key: str
    start: int
    end: int
    typed: TypeWord | None

    @property
    def first(self) -> int:
        """Where it begins, its type word included."""
        return self.typed.start if self.typed else self.start

    def overlaps(self, other: Span) -> bool:
        """Whether the two share a word."""
        return self.first < other.end and other.first < self.end

    def fills(self, words: list[Word]) -> bool:
        """Whether the name with its type word is all that stands between two separators."""
        starts = self.first == 0 or words[self.first - 1].soft != words[self.first].soft
        return starts and (self.end == len(words) or words[self.end].soft != words[self.end - 1].soft)


class Anchor(NamedTuple):
    """A district or province the text names: its codes ("568", "2020/56") and what agreeing with it is worth.

    Not `sure` where its accents are those of another name.
    """

    span: Span
    codes: frozenset[str]
    strength: int
    sure: bool = True


def spans_of(words: list[Word], types: dict[int, TypeWord], longest: int) -> list[Span]:
    """Every run of words within one comma segment that is short enough to be a name.

    "xa", "phuong", "quan" without accents are type words or parts of a name (Tàm Xá, Tiên Phương): both are tried.
    """
    spans = []
    for start in range(len(words)):
        typed = types.get(start)
        key = ""
        for end in range(start, len(words)):
            key += words[end].fold
            if words[end].hard != words[start].hard or len(key) > longest:
                break
            spans.append(Span(key, start, end + 1, typed))
            if typed is not None and not typed.certain:
                spans.append(Span(key, start, end + 1, None))
    return spans


def districts_of(index: Index, words: list[Word], spans: list[Span], *, accented: bool) -> list[Anchor]:
    """Every mention of a district; one mention of a name that several districts bear may give several anchors."""
    anchors: list[Anchor] = []
    for span in spans:
        units = index.districts.get(span.key)
        if not units:
            continue
        if span.typed is None:
            if not span.key.isdecimal() and not after_street_word(words, span.start):
                bare = ((code, _DISTRICT, unit.toned) for code, unit in units.items())
                anchors.extend(_anchors(words, span, bare, accented))
        elif span.typed.word in DISTRICT_WORDS:
            kinds = (span.typed.word, "")
            weighed = (
                (code, _DISTRICT_TYPED if unit.type_word in kinds else _DISTRICT_TYPED_OTHERWISE, unit.toned)
                for code, unit in units.items()
            )
            anchors.extend(_anchors(words, span, weighed, accented))
    return anchors


def _anchors(
    words: list[Word], span: Span, units: Iterable[tuple[str, int, tuple[str, ...]]], accented: bool
) -> Iterator[Anchor]:
    groups: dict[tuple[int, bool], set[str]] = {}
    here = words[span.start : span.end]
    for code, strength, toned in units:
        other = accents_differ(here, toned) or (accented and span.typed is None and accents_missing(here, toned))
        groups.setdefault((_DOUBTFUL if other else strength, not other), set()).add(code)
    for (strength, sure), codes in groups.items():
        yield Anchor(span, frozenset(codes), strength, sure)


def province_of(
    index: Index, words: list[Word], spans: list[Span], districts: list[Anchor], *, accented: bool
) -> Anchor | None:
    """The mention of a province that counts: with its type word, else at the end, else alone between separators.

    The last of several; one whose accents are another name's only where there is no other.
    """
    longer = [(anchor.span.start, anchor.span.end) for anchor in districts]
    found: dict[tuple[bool, int], list[Anchor]] = {}
    for span in spans:
        units = index.provinces.get(span.key)
        if not units:
            continue
        if span.typed is not None:
            word = span.typed.word
            units = {unit: name for unit, name in units.items() if word in (name.type_word, "tỉnh")}
        elif after_street_word(words, span.start) or any(
            start < span.start and span.end <= end for start, end in longer
        ):
            continue  # "Huệ" in "huyện Đức Huệ" is not Huế
        place = 0 if span.typed is not None else 1 if span.end == len(words) else 2 if span.fills(words) else None
        if place is None:
            continue
        weighed = ((f"{era}/{code}", _PROVINCE, name.toned) for (era, code), name in units.items())
        for anchor in _anchors(words, span, weighed, accented):
            found.setdefault((not anchor.sure, place), []).append(anchor)
    if not found:
        return None
    return max(found[min(found)], key=lambda anchor: (anchor.span.end, anchor.span.end - anchor.span.first))
