"""Every commune that a line of free text may mean, each with a score for the evidence the text gives.

A reading is the name of a commune with an agreeing district or province: a name without either is no address (10 of
the 373 names used twice in the country are used twice in one province). Vietnam's addresses will mix both maps for
years, so an old province with a new commune counts, and so does an old commune with its new province.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from dispatch.domain.address_units import Anchor, Index, Name, Span, districts_of, province_of, spans_of
from dispatch.domain.address_words import (
    COMMUNE_WORDS,
    TypeWord,
    Word,
    accents_differ,
    accents_missing,
    after_street_word,
    is_aside,
    named_like_a_street,
    split_name,
    type_words,
    words_of,
)
from dispatch.domain.places import Commune, Gazetteer

# Weights of the evidence; the unit is arbitrary, only sums and their distances matter. Those of districts and
# provinces stand in address_units.
_TYPED, _TYPED_OTHERWISE, _BARE_SEGMENT, _BARE, _NEXT_TO_NOTHING = 36, 14, 22, 14, 8
_FORMER_NAME, _LIKE_A_STREET, _ACCENTS_DIFFER, _WRONG_ORDER, _WORDS_LEFT, _ELSEWHERE = -4, -8, -14, -5, -14, -14
_DISTRICT_OF_THE_LAND, _PROVINCE_OF_THE_LAND = 8, 12
_NEW_PREFERRED, _OLD_MEANT = 4, -6
ENOUGH = 38
"""Below this a reading is a guess, such as a wrong type word and no district."""

Doubt = Literal["", "unit", "street", "accents", "words left", "elsewhere"]
"""What else the words may be: a district, a street; or which part of the text speaks against the reading."""

_TOWN_WORDS = ("phường", "thị trấn")


class Reading(NamedTuple):
    """One commune the text may mean; not `sure` where the words could as well be something else."""

    commune: Commune
    score: int
    sure: bool
    start: int
    end: int


class _Text(NamedTuple):
    """What is found in one text before communes are weighed."""

    words: list[Word]
    accented: bool
    province: Anchor | None
    districts: list[Anchor]
    old_meant: bool
    beginnings: frozenset[int]
    """Where a type word begins."""


def readings(index: Index, raw: str, era: str | None = None) -> list[Reading]:
    """Every commune the text may mean, best first, at most one reading a commune; `era` narrows to one map."""
    words = words_of(raw)
    types = type_words(words)
    spans = spans_of(words, types, index.longest)
    text = _look(index, words, types, spans)
    districts = {(anchor.span.start, anchor.span.end) for anchor in text.districts if anchor.span.typed}
    best: dict[tuple[str, str], Reading] = {}
    for span in spans:
        if span.typed is None and (span.start, span.end) in districts:
            continue  # "huyen hoang su phi" is the district, not a bare commune after a stray word
        for name in index.communes.get(span.key, ()):
            if era is not None and name.commune.era != era:
                continue
            reading = _weigh(index, text, span, name)
            unit = (name.commune.code, name.commune.era)
            if reading is not None and (unit not in best or best[unit].score < reading.score):
                best[unit] = reading
    return _unless_untold(words, types, _outermost(sorted(best.values(), key=_rank)))


def _look(index: Index, words: list[Word], types: dict[int, TypeWord], spans: list[Span]) -> _Text:
    accented = sum(1 for word in words if word.toned) * 5 >= len(words) * 2
    districts = districts_of(index, words, spans, accented=accented)
    province = province_of(index, words, spans, districts, accented=accented)
    named = {anchor.span.start for anchor in districts}
    # A district word says that the writer has the old map in mind, even if its name is misspelt.
    old_meant = any(anchor.span.typed for anchor in districts) or any(
        typed.certain and typed.word in ("huyện", "quận", "thị xã") and at not in named for at, typed in types.items()
    )
    beginnings = frozenset(typed.start for typed in types.values())
    return _Text(words, accented, province, districts, old_meant, beginnings)


def _rank(one: Reading) -> tuple[int, int, int, str]:
    """Best score first, then the longer name, the newer map, the code."""
    return -one.score, one.start - one.end, -int(one.commune.era), one.commune.code


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
    """Makes bare names unsure where the text says "xã ..." or "phường ..." of a name that nothing was found for.

    A type word without its accents ("xa") tells only where a segment begins; elsewhere it may be part of a name.
    """
    told = {
        at: typed.start
        for at, typed in types.items()
        if typed.word in COMMUNE_WORDS
        and (typed.certain or typed.start == 0 or words[typed.start - 1].soft != words[typed.start].soft)
    }
    heard = [one for one in found if one.sure]
    if not told or any(one.start == at or one.start <= start < one.end for one in heard for at, start in told.items()):
        return found
    return [one._replace(sure=False) for one in found]


def _weigh(index: Index, text: _Text, span: Span, name: Name) -> Reading | None:
    """One reading with its score, or None where the text contradicts it or gives it nothing to stand on."""
    evidence = _weigh_name(index, text, span, name)
    if evidence is None:
        return None
    score, doubt = evidence
    commune = name.commune
    origins = index.gazetteer.before(commune)
    province = _agreeing_province(index.gazetteer, text.province, span, commune, origins)
    if text.province is not None and text.province.sure and province is None:
        return None
    old_districts = {old.district_code for old in origins}
    fitting = [anchor for anchor in text.districts if not old_districts.isdisjoint(anchor.codes)]
    if span.typed is not None and _words_left(text, span, fitting):
        score, doubt = score + _WORDS_LEFT, "words left"
    against = _stated_elsewhere(text, span, fitting)
    if against == "typed":
        # Said to lie in a district where it does not: worth showing to a person, never worth believing.
        if span.typed is None or doubt or province is None or not province.sure or span.key.isdecimal():
            return None
        return Reading(commune, min(score, _NEXT_TO_NOTHING), False, span.start, span.end)
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
    if span.typed is None and not span.fills(text.words) and anchors[0].span.first != span.end:
        return None
    if doubt == "unit" and district is None:
        # "Nha Trang, Khánh Hòa" is a city of the old map or a ward of the new one.
        score = _NEXT_TO_NOTHING
    sure = doubt == "" or (doubt == "unit" and district is not None)
    score += sum(anchor.strength + (_WRONG_ORDER if anchor.span.first < span.first else 0) for anchor in anchors)
    if against == "bare":
        score, sure = score + _ELSEWHERE, False
    if commune.era == "2025":
        if district is not None:
            score += min(_DISTRICT_OF_THE_LAND, district.strength) - district.strength
        score += _OLD_MEANT if text.old_meant or district is not None else _NEW_PREFERRED
    return Reading(commune, score, sure and any(anchor.sure for anchor in anchors), span.start, span.end)


def _weigh_name(index: Index, text: _Text, span: Span, name: Name) -> tuple[int, Doubt] | None:
    """(score, doubt) of the name alone; None for another kind of unit, a street, a bare number."""
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
        score = _BARE_SEGMENT if span.fills(text.words) else _BARE
        if split_name(name.commune.name)[0] in _TOWN_WORDS and named_like_a_street(text.words, span.start):
            score, doubt = score + _LIKE_A_STREET, "street"
        elif span.key in index.districts or span.key in index.provinces:
            doubt = "unit"
    if name.former:
        score += _FORMER_NAME
    elif accents_differ(words, name.toned):
        score, doubt = score + _ACCENTS_DIFFER, "accents"
    elif text.accented and accents_missing(words, name.toned):
        score += _ACCENTS_DIFFER
    return score, doubt


def _words_left(text: _Text, span: Span, fitting: list[Anchor]) -> bool:
    """Whether a word follows a typed name that is nobody's: "xã Vĩnh Hải Hậu" is not known to be xã Vĩnh Hải."""
    words, at = text.words, span.end
    if at == len(words) or words[at].soft != words[at - 1].soft or at in text.beginnings:
        return False
    known = [*fitting, text.province] if text.province else fitting
    return not is_aside(words[at]) and all(anchor.span.first != at for anchor in known)


def _stated_elsewhere(text: _Text, span: Span, fitting: list[Anchor]) -> Literal["", "typed", "bare"]:
    """Whether the text names districts of which none fits: with their type word, or bare where a district would stand.

    A bare name counts between commune and province only, on its own between separators: before the commune it may be a
    street or a hamlet, and the province's own mention is not its city's as well.
    """
    province = text.province
    stated: dict[str, bool] = {}
    for anchor in text.districts:
        if not anchor.sure or anchor.span.overlaps(span):
            continue
        if anchor.span.typed is None and (
            not anchor.span.fills(text.words)
            or (province is not None and anchor.span.overlaps(province.span))
            or (anchor.span.first < span.first and (province is None or province.span.first > span.first))
        ):
            continue
        kind = "typed" if anchor.span.typed else "bare"
        stated[kind] = stated.get(kind, False) or anchor in fitting
    if not stated or any(stated.values()):
        return ""
    return "typed" if "typed" in stated else "bare"


def _agreeing_province(
    gazetteer: Gazetteer, anchor: Anchor | None, span: Span, commune: Commune, origins: tuple[Commune, ...]
) -> Anchor | None:
    """The province mention if this commune agrees with it: its own, or weaker the one its land came from or went to."""
    if anchor is None or anchor.span.overlaps(span):
        return None
    if f"{commune.era}/{commune.province_code}" in anchor.codes:
        return anchor
    if commune.era == "2025":
        others = {f"2020/{old.province_code}" for old in origins}
    else:
        others = {f"2025/{now.province_code}" for now in gazetteer.today(commune)}
    if others.isdisjoint(anchor.codes):
        return None
    return anchor._replace(strength=min(anchor.strength, _PROVINCE_OF_THE_LAND))
