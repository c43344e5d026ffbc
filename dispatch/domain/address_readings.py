"""Every commune that a line of free text may mean, each with a score for the evidence the text gives.

A reading is the name of a commune with an agreeing district or province: a name without either is no address (10 of
the 373 names used twice in the country are used twice in one province). Vietnam's addresses will mix both maps for
years, so an old province with a new commune counts, and so does an old commune with its new province.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from dispatch.domain.address_words import (
    COMMUNE_WORDS,
    DISTRICT_WORDS,
    OtherName,
    TypeWord,
    Word,
    after_street_word,
    name_key,
    named_like_a_street,
    split_name,
    type_words,
    words_of,
)
from dispatch.domain.places import Commune, Gazetteer

# Weights of the evidence; the unit is arbitrary, only sums and their distances matter.
_TYPED, _TYPED_OTHERWISE, _BARE_SEGMENT, _BARE, _NEXT_TO_NOTHING = 36, 14, 22, 14, 8
_FORMER_NAME, _LIKE_A_STREET, _ACCENTS_DIFFER, _WRONG_ORDER = -4, -8, -14, -5
_DISTRICT_TYPED, _DISTRICT_TYPED_OTHERWISE, _DISTRICT, _DISTRICT_OF_THE_LAND = 30, 22, 18, 8
_PROVINCE, _PROVINCE_OF_THE_LAND = 18, 12
_NEW_PREFERRED, _OLD_MEANT = 4, -6
ENOUGH = 38
"""Below this a reading is a guess, such as a wrong type word and no district."""

Doubt = Literal["", "unit", "street"]

_TOWN_WORDS = ("phường", "thị trấn")
_OTHER_PROVINCE_NAMES = {
    "79": ("hcm", "sai gon"),
    "46": ("thua thien hue",),
    "66": ("dac lac",),
    "67": ("dac nong",),
    "06": ("bac can",),
}
"""Former and common spellings by 2020 code. Initials (KH, NT) are not among them: they mean too many places."""


class Reading(NamedTuple):
    """One commune the text may mean; not `sure` where the words could as well be a street or another kind of unit."""

    commune: Commune
    score: int
    sure: bool
    start: int
    end: int


class Name(NamedTuple):
    """One name of a commune as the index keeps it; `toned` is empty for a former name, whose accents are not known."""

    commune: Commune
    type_word: str
    toned: tuple[str, ...]
    former: bool


class Index:
    """Every name of every unit by its run-together folded form; built once over a gazetteer, never changed."""

    def __init__(
        self, gazetteer: Gazetteer, communes: Iterable[OtherName] = (), districts: Iterable[OtherName] = ()
    ) -> None:
        """`communes` and `districts`: former and variant names; a code nobody has is passed over."""
        self.gazetteer = gazetteer
        self.communes: dict[str, list[Name]] = {}
        self.districts: dict[str, dict[str, str]] = {}
        self.provinces: dict[str, dict[tuple[str, str], str]] = {}
        seen: set[str] = set()
        for commune in gazetteer:
            type_word, name = split_name(commune.name)
            key, toned = name_key(name)
            self.communes.setdefault(key, []).append(Name(commune, type_word, toned, False))
            if commune.district_code and commune.district_code not in seen:
                seen.add(commune.district_code)
                self._add_district(commune.district_code, *split_name(commune.district_name or ""))
            if f"{commune.era} {commune.province_code}" not in seen:
                seen.add(f"{commune.era} {commune.province_code}")
                type_word, name = split_name(commune.province_name)
                for spelled in (name, *_OTHER_PROVINCE_NAMES.get(commune.province_code, ())):
                    unit = (commune.era, commune.province_code)
                    self.provinces.setdefault(name_key(spelled)[0], {})[unit] = type_word
        for other in communes:
            known = gazetteer.get(other.code, other.era)
            if known is not None:
                self.communes.setdefault(name_key(other.name)[0], []).append(Name(known, other.type_word, (), True))
        for other in districts:
            if other.code in seen:
                self._add_district(other.code, other.type_word, other.name)
        keys = (*self.communes, *self.districts, *self.provinces)
        self.longest = max((len(key) for key in keys), default=0)

    def _add_district(self, code: str, type_word: str, name: str) -> None:
        self.districts.setdefault(name_key(name)[0], {}).setdefault(code, type_word)


class _Span(NamedTuple):
    """A run of words that is somebody's name, with the type word read before it."""

    key: str
    start: int
    end: int
    typed: TypeWord | None

    @property
    def first(self) -> int:
        return self.typed.start if self.typed else self.start

    def overlaps(self, other: _Span) -> bool:
        return self.first < other.end and other.first < self.end


class _Anchor(NamedTuple):
    """A district or province the text names: its codes ("568", "2020/56") and what agreeing with it is worth."""

    span: _Span
    codes: frozenset[str]
    strength: int


class _Text(NamedTuple):
    """What is found in one text before communes are weighed."""

    words: list[Word]
    accented: bool
    province: _Anchor | None
    districts: list[_Anchor]
    old_meant: bool


def readings(index: Index, raw: str, era: str | None = None) -> list[Reading]:
    """Every commune the text may mean, best first, at most one reading a commune; `era` narrows to one map."""
    words = words_of(raw)
    types = type_words(words)
    spans = _spans(words, types, index.longest)
    districts = _districts(index, words, spans)
    named = {anchor.span.start for anchor in districts}
    # A district word says that the writer has the old map in mind, even if its name is misspelt.
    old_meant = any(anchor.span.typed for anchor in districts) or any(
        typed.certain and typed.word in ("huyện", "quận", "thị xã") and at not in named for at, typed in types.items()
    )
    accented = sum(1 for word in words if word.toned) * 5 >= len(words) * 2
    text = _Text(words, accented, _province(index, words, spans, districts), districts, old_meant)
    best: dict[tuple[str, str], Reading] = {}
    for span in spans:
        for name in index.communes.get(span.key, ()):
            if era is not None and name.commune.era != era:
                continue
            reading = _weigh(index, text, span, name)
            unit = (name.commune.code, name.commune.era)
            if reading is not None and (unit not in best or best[unit].score < reading.score):
                best[unit] = reading
    return _unless_untold(words, types, _outermost(sorted(best.values(), key=_rank)))


def _rank(one: Reading) -> tuple[int, int, int, str]:
    """Best score first, then the longer name, the newer map, the code."""
    return -one.score, one.start - one.end, -int(one.commune.era), one.commune.code


def _spans(words: list[Word], types: dict[int, TypeWord], longest: int) -> list[_Span]:
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
            spans.append(_Span(key, start, end + 1, typed))
            if typed is not None and not typed.certain:
                spans.append(_Span(key, start, end + 1, None))
    return spans


def _fills(words: list[Word], span: _Span) -> bool:
    """Whether the name with its type word is all that stands between two separators."""
    starts = span.first == 0 or words[span.first - 1].soft != words[span.first].soft
    return starts and (span.end == len(words) or words[span.end].soft != words[span.end - 1].soft)


def _province(index: Index, words: list[Word], spans: list[_Span], districts: list[_Anchor]) -> _Anchor | None:
    """The mention of a province that counts: the last one typed or at the end, else the last that fills a segment."""
    longer = [(anchor.span.start, anchor.span.end) for anchor in districts]
    sure, bare = [], []
    for span in spans:
        units = index.provinces.get(span.key)
        if not units:
            continue
        if span.typed is not None:
            word = span.typed.word
            units = {unit: kind for unit, kind in units.items() if word in (kind, "tỉnh")}
        elif after_street_word(words, span.start) or any(
            start < span.start and span.end <= end for start, end in longer
        ):
            continue  # "Huệ" in "huyện Đức Huệ" is not Huế
        if units:
            anchor = _Anchor(span, frozenset(f"{era}/{code}" for era, code in units), _PROVINCE)
            if span.typed is not None or span.end == len(words):
                sure.append(anchor)
            elif _fills(words, span):
                bare.append(anchor)
    return max(sure or bare, key=lambda anchor: (anchor.span.end, anchor.span.end - anchor.span.first), default=None)


def _districts(index: Index, words: list[Word], spans: list[_Span]) -> list[_Anchor]:
    anchors = []
    for span in spans:
        units = index.districts.get(span.key)
        if not units:
            continue
        if span.typed is None:
            if not span.key.isdecimal() and not after_street_word(words, span.start):
                anchors.append(_Anchor(span, frozenset(units), _DISTRICT))
        elif span.typed.word in DISTRICT_WORDS:
            same = frozenset(code for code, kind in units.items() if kind in (span.typed.word, ""))
            strength = _DISTRICT_TYPED if same else _DISTRICT_TYPED_OTHERWISE
            anchors.append(_Anchor(span, same or frozenset(units), strength))
    return anchors


def _outermost(order: list[Reading]) -> list[Reading]:
    """Drops a name that lies inside a longer one which reads at least as well (Tam Dương in Tam Dương Bắc)."""
    kept: list[Reading] = []
    for one in order:
        if not any(
            other.start <= one.start and one.end <= other.end and other.end - other.start > one.end - one.start
            for other in kept
        ):
            kept.append(one)
    return kept


def _unless_untold(words: list[Word], types: dict[int, TypeWord], found: list[Reading]) -> list[Reading]:
    """Makes bare names unsure where the text says "xã ..." or "phường ..." of a name that nothing was found for."""
    told = {at for at, typed in types.items() if typed.certain and typed.word in COMMUNE_WORDS and at < len(words)}
    if not told or any(one.start in told for one in found):
        return found
    return [one._replace(sure=False) for one in found]


def _weigh(index: Index, text: _Text, span: _Span, name: Name) -> Reading | None:
    """One reading with its score, or None where the text contradicts it or gives it nothing to stand on."""
    evidence = _weigh_name(index, text, span, name)
    if evidence is None:
        return None
    score, doubt = evidence
    commune = name.commune
    origins = index.gazetteer.before(commune)
    old_districts = {old.district_code for old in origins}
    fitting = [anchor for anchor in text.districts if not old_districts.isdisjoint(anchor.codes)]
    if not fitting and any(anchor.span.typed and not anchor.span.overlaps(span) for anchor in text.districts):
        return None
    province = _agreeing_province(index.gazetteer, text.province, span, commune, origins)
    if text.province is not None and province is None:
        return None
    district = max(
        (
            anchor
            for anchor in fitting
            # One mention is not two proofs: "Cao Bằng" at the end is the province, not its city as well.
            if not anchor.span.overlaps(span) and not (province and anchor.span.overlaps(province.span))
        ),
        key=lambda anchor: anchor.strength,
        default=None,
    )
    if district is None and province is None:
        return Reading(commune, min(score, _NEXT_TO_NOTHING), False, span.start, span.end) if span.typed else None
    anchors = [anchor for anchor in (district, province) if anchor is not None]
    if span.typed is None and not _fills(text.words, span) and anchors[0].span.first != span.end:
        return None
    if doubt == "unit" and district is None:
        # "Nha Trang, Khánh Hòa" is a city of the old map or a ward of the new one.
        score = _NEXT_TO_NOTHING
    sure = doubt == "" or (doubt == "unit" and district is not None)
    score += sum(anchor.strength + (_WRONG_ORDER if anchor.span.first < span.first else 0) for anchor in anchors)
    if commune.era == "2025":
        if district is not None:
            score += _DISTRICT_OF_THE_LAND - district.strength
        score += _OLD_MEANT if text.old_meant or district is not None else _NEW_PREFERRED
    return Reading(commune, score, sure, span.start, span.end)


def _weigh_name(index: Index, text: _Text, span: _Span, name: Name) -> tuple[int, Doubt] | None:
    """(score, what else the words may be) of the name alone; None for another kind of unit, a street, a bare number."""
    words = text.words[span.start : span.end]
    doubt: Doubt = ""
    if span.typed is not None:
        if span.typed.word == name.type_word or (name.type_word == "" and span.typed.word in COMMUNE_WORDS):
            score = _TYPED
        elif span.typed.word in COMMUNE_WORDS:
            score = _TYPED_OTHERWISE
        else:
            return None
    elif span.key.isdecimal() or after_street_word(text.words, span.start):
        return None
    else:
        score = _BARE_SEGMENT if _fills(text.words, span) else _BARE
        if split_name(name.commune.name)[0] in _TOWN_WORDS and named_like_a_street(text.words, span.start):
            score, doubt = score + _LIKE_A_STREET, "street"
        elif span.key in index.districts or span.key in index.provinces:
            doubt = "unit"
    if name.former:
        score += _FORMER_NAME
    elif len(name.toned) == len(words) and any(
        word.toned != toned and (word.toned or text.accented) for word, toned in zip(words, name.toned, strict=True)
    ):
        score += _ACCENTS_DIFFER
    return score, doubt


def _agreeing_province(
    gazetteer: Gazetteer, anchor: _Anchor | None, span: _Span, commune: Commune, origins: tuple[Commune, ...]
) -> _Anchor | None:
    """The province mention if this commune agrees with it: its own, or weaker the one its land came from or went to."""
    if anchor is None or anchor.span.overlaps(span):
        return None
    if f"{commune.era}/{commune.province_code}" in anchor.codes:
        return anchor
    if commune.era == "2025":
        others = {f"2020/{old.province_code}" for old in origins}
    else:
        others = {f"2025/{now.province_code}" for now in gazetteer.today(commune)}
    return None if others.isdisjoint(anchor.codes) else anchor._replace(strength=_PROVINCE_OF_THE_LAND)
