"""What is wrong, or worth a look, in a folder of policy files: faults, overlaps, gaps, examples that fail."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources.abc import Traversable
from itertools import combinations, pairwise
from typing import Any, Literal

from dispatch import policies
from dispatch.domain import sla
from dispatch.domain.consignment import QuoteBody
from dispatch.domain.counters import CapacityParams
from dispatch.domain.hours import local_date
from dispatch.domain.pricing import Terms, quote
from dispatch.domain.result import HintParams
from dispatch.domain.rules import Example, PolicyBook, Rule


@dataclass(frozen=True)
class Finding:
    """One thing found: `error` must be mended, `note` is lawful but wants a person's eye; `place` is file and line."""

    weight: Literal["error", "note"]
    place: str
    vi: str
    en: str


def examine(root: Traversable, today: date) -> list[Finding]:
    """Everything found in the policy files under `root`, errors first."""
    book, places, faults = policies.survey(root)
    found = [Finding("error", str(fault.extra["place"]), *_told(fault.vi, fault.en)) for fault in faults]
    found += _overlaps(book, places)
    found += _gaps(book, places)
    if not faults:
        found += _examples(book, places)
    found += _notes(book, places, today)
    return sorted(found, key=lambda finding: finding.weight != "error")


def _told(vi: str, en: str) -> tuple[str, str]:
    """The sentences without the place, which stands beside them."""
    return vi.partition(": ")[2], en.partition(": ")[2]


def _rivals(book: PolicyBook) -> Iterator[list[Rule]]:
    """Rules that would decide the same thing for the same requests: one kind, one province, one scope."""
    groups: dict[str, list[Rule]] = defaultdict(list)
    for rule in book.rules:
        apart = ""
        if isinstance(rule.params, HintParams):
            apart = rule.params.warning
        elif isinstance(rule.params, CapacityParams):
            apart = rule.params.applies_to
        elif rule.kind == "REPORT_DUTY":
            apart = str(rule.params)
        elif rule.kind == "RETURN_MODE":
            apart = str(rule.doc_date)  # the latest document wins
        groups[f"{rule.kind}|{rule.province_code}|{rule.scope.model_dump_json()}|{apart}"].append(rule)
    yield from (sorted(rules, key=lambda rule: rule.valid_from) for rules in groups.values() if len(rules) > 1)


def _overlaps(book: PolicyBook, places: Mapping[str, str]) -> Iterator[Finding]:
    for rules in _rivals(book):
        for earlier, later in combinations(rules, 2):
            ends = earlier.valid_to
            replaced = earlier.id == later.supersedes or later.id == earlier.supersedes
            if not replaced and (ends is None or later.valid_from <= ends):
                yield Finding(
                    "error",
                    places[later.id],
                    f"{later.id} chồng lên {earlier.id} từ {later.valid_from} mà không thay thế nó",
                    f"{later.id} overlaps {earlier.id} from {later.valid_from} on without superseding it",
                )


def _gaps(book: PolicyBook, places: Mapping[str, str]) -> Iterator[Finding]:
    for rules in _rivals(book):
        for earlier, later in pairwise(rules):
            if earlier.valid_to is not None and later.valid_from > earlier.valid_to + timedelta(days=1):
                yield Finding(
                    "note",
                    places[later.id],
                    f"khoảng trống từ {earlier.valid_to} ({earlier.id}) đến {later.valid_from} ({later.id})",
                    f"a gap between {earlier.valid_to} ({earlier.id}) and {later.valid_from} ({later.id})",
                )


def _examples(book: PolicyBook, places: Mapping[str, str]) -> Iterator[Finding]:
    for example in book.examples:
        for what, (wanted, got) in mismatches(book, example).items():
            vi = f"ví dụ “{example.case}”: {what} cần {wanted!r}, tính ra {got!r}"
            en = f"example “{example.case}”: {what} should be {wanted!r}, comes out as {got!r}"
            yield Finding("error", places[example.case], vi, en)


def mismatches(book: PolicyBook, example: Example) -> dict[str, tuple[Any, Any]]:
    """What a worked example expects and what comes out instead, by key; empty where it comes true."""
    body = QuoteBody.model_validate(_body(example), strict=False)
    terms = Terms(example.province_code, example.province_code, example.zone, body.registered_at or example.at)
    told = quote(book, body, terms, at=example.at, known_at=example.at).to_json()
    promised = sla.start(
        book,
        body,
        body.legs[0],
        province_code=example.province_code,
        zone=example.zone,
        clock_started_at=example.at,
        known_at=example.at,
        shop_calendar=book.calendars["OSS-DEFAULT"],
    ).to_json()
    expected = [("quote", example.quote, told), ("promise", example.promise, promised)]
    return {
        f"{name}.{key}": (wanted, got.get(key))
        for name, keys, got in expected
        for key, wanted in keys.items()
        if got.get(key) != wanted
    }


def _body(example: Example) -> dict[str, Any]:
    """The least a shop must say, with what the example says beyond it."""
    more = dict(example.body)
    fee = None if example.state_fee is None else {"amount": example.state_fee}
    return {
        "kind": example.kind,
        "weight_g": example.weight_g,
        "state_fee": fee,
        **more,
        "dossier": {"code": "H32.1-200320-0015", **more.get("dossier", {})},
        "citizen": {"name": "Ví dụ", "phone": "0905000000", "address": {"raw": "-"}, **more.get("citizen", {})},
    }


def _notes(book: PolicyBook, places: Mapping[str, str], today: date) -> Iterator[Finding]:
    for rule in book.rules:
        place = places[rule.id]
        if rule.outlived_on(today):
            yield Finding(
                "note",
                place,
                f"{rule.id} không có ngày hết hạn và đã hơn 12 tháng: vẫn áp dụng, có cảnh báo",
                f"{rule.id} has no end and is older than 12 months: it still applies, with a warning",
            )
        known_from = local_date(rule.recorded_at)
        if not rule.standing and known_from > rule.valid_from:
            yield Finding(
                "note",
                place,
                f"{rule.id} hồi tố: có hiệu lực từ {rule.valid_from}, biết từ {known_from}",
                f"{rule.id} is retroactive: in force from {rule.valid_from}, known from {known_from}",
            )
        if not rule.verified:
            yield Finding("note", place, f"{rule.id} chưa kiểm chứng nguồn", f"{rule.id}: source not verified")
