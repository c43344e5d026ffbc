"""The policy files of this package, read once into a `PolicyBook`.

One file per province beside this one (`default.toml` holds where a province has no rule of its own), price lists in
`tariffs/`, opening hours and public holidays in `calendars/`. A new province, price list or calendar is one new file;
a new kind of rule is one line in `KINDS`.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from dispatch.domain.counters import CapacityParams, CounterDaysParams
from dispatch.domain.hours import Calendar, CalendarBody, PublicHolidays
from dispatch.domain.pricing import StateFeeParams
from dispatch.domain.reductions import DeferParams, FixedPriceParams, PercentParams, WaiveParams
from dispatch.domain.result import HintParams, PauseParams, ReportDutyParams, ReturnModeParams, SafetyParams
from dispatch.domain.rules import BadPolicy, Example, PolicyBook, Rule, Scope, bad_policy
from dispatch.domain.sla import SlaParams, TransitParams
from dispatch.domain.tariff import Tariff, TariffParams
from dispatch.domain.text import Line, Name, ProvinceCode, Shape, Word

KINDS: dict[str, type[Shape]] = {
    "SLA_PICKUP": SlaParams,
    "SLA_COLLECT": SlaParams,
    "TRANSIT": TransitParams,
    "TARIFF": TariffParams,
    "STATE_FEE": StateFeeParams,
    "CLOCK_PAUSE": PauseParams,
    "PERCENT_OFF": PercentParams,
    "FIXED_PRICE": FixedPriceParams,
    "WAIVE_PERSON": WaiveParams,
    "DEFER": DeferParams,
    "RETURN_MODE": ReturnModeParams,
    "CHANNEL": HintParams,
    "PAPER": HintParams,
    "COUNTER_DAYS": CounterDaysParams,
    "CAPACITY": CapacityParams,
    "SAFETY": SafetyParams,
    "REPORT_DUTY": ReportDutyParams,
}
"""Every kind of rule a file may hold, with the shape of its parameters."""

EVERYWHERE = ("SLA_PICKUP", "SLA_COLLECT", "TRANSIT", "TARIFF", "STATE_FEE")
"""Kinds that must answer for any request: the default file holds each without scope or end."""

BORNE_BY_SOMEBODY = frozenset({"PERCENT_OFF", "FIXED_PRICE", "WAIVE_PERSON", "DEFER"})
"""Kinds that take something off what the citizen pays: each says in percent who bears it."""

NOT_A_PROVINCE = frozenset({"regions.toml"})
"""Files beside the provinces' that hold no rules: regions.toml is read with the gazetteer."""

Row = TypeVar("Row", bound=Shape)


class _PolicyFile(Shape):
    province_code: ProvinceCode | None = None
    name: Name
    rule: list[dict[str, Any]]
    example: list[dict[str, Any]] = []


class _CalendarFile(Shape):
    id: Word
    source: Line
    week: Annotated[tuple[CalendarBody, ...], Field(strict=False, min_length=1)]


class _Swap(Shape):
    off: date
    work: date
    in_package: bool
    source: Line


class _Unconfirmed(Shape):
    date: date
    note: Line


class HolidayFile(Shape):
    """`calendars/public-holidays.toml`: days off by date, swap days, and which of them still want confirming."""

    source: Line
    swap: list[_Swap] = []
    unconfirmed: list[_Unconfirmed] = []
    off: dict[date, Line]

    @field_validator("off", mode="before")
    @classmethod
    def _dated(cls, value: Any) -> Any:
        try:
            return {date.fromisoformat(key): name for key, name in value.items()}
        except (AttributeError, ValueError) as error:
            raise PydanticCustomError("off_dates", "holds a key that is no date") from error

    def holidays(self) -> PublicHolidays:
        """The frozen days as the domain counts them."""
        off: dict[date, str] = dict(self.off)
        off.update({swap.off: f"Nghỉ hoán đổi, làm bù {swap.work:%d/%m/%Y}" for swap in self.swap})
        return PublicHolidays(off=off, worked={swap.work: swap.off for swap in self.swap})


@dataclass(frozen=True)
class _Source:
    """One file: its name from the policies folder down, its text, and what TOML makes of it."""

    name: str
    text: str

    def parsed(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            raise bad_policy(self.name, f"không đọc được TOML: {error}", f"is not readable TOML: {error}") from error

    def place(self, table: str | None = None, index: int = 0, key: str | None = None) -> str:
        """`khanh-hoa.toml:12`: the line of a key inside the index-th `[[table]]`, or of its header, or the file."""
        lines = self.text.splitlines()
        begins, ends = 0, len(lines)
        if table is not None:
            headers = [number for number, line in enumerate(lines) if line.strip() == f"[[{table}]]"]
            if index >= len(headers):
                return self.name
            begins = headers[index]
            inner = f"[{table}."
            after = (n for n in range(begins + 1, ends) if lines[n].startswith("[") and not lines[n].startswith(inner))
            ends = next(after, ends)
        if key is not None:
            pattern = re.compile(rf"\s*\"?{re.escape(key)}\"?\s*[=.]")
            begins = next((n for n in range(begins, ends) if pattern.match(lines[n])), begins)
        return f"{self.name}:{begins + 1}" if table is not None or key is not None else self.name

    def read(self, shape: type[Row], row: Any, table: str | None = None, index: int = 0, within: str = "") -> Row:
        """A row as `shape`; whatever is wrong with it becomes a `BadPolicy` that says where."""
        try:
            return shape.model_validate(row)
        except ValidationError as error:
            found = error.errors(include_url=False)
            first = next((fault for fault in found if fault["type"] == "extra_forbidden"), found[0])
            path = [*([within] if within else []), *(str(step) for step in first["loc"])]
            if table is None and len(path) > 1 and path[1].isdigit():
                place = self.place(path[0], int(path[1]), path[2] if len(path) > 2 else None)
            else:
                place = self.place(table, index, path[0] if path else None)
            told = "unknown key" if first["type"] == "extra_forbidden" else first["msg"]
            raise bad_policy(place, f"sai tại {'.'.join(path)}: {told}", f"{'.'.join(path)}: {told}") from error


@cache
def load() -> PolicyBook:
    """The book of the files shipped in this package, read once per process."""
    return read(files(__name__))


def read(root: Traversable) -> PolicyBook:
    """Read every policy file under `root`; raises `BadPolicy` naming file and line at the first thing wrong."""
    book, _, faults = survey(root)
    if faults:
        raise faults[0]
    return book


def survey(root: Traversable) -> tuple[PolicyBook, Mapping[str, str], list[BadPolicy]]:
    """Read every policy file under `root` to its end: what could be read, where each rule stands, and every fault."""
    faults: list[BadPolicy] = []
    provinces = [source for source in _sources(root) if source.name not in NOT_A_PROVINCE]
    tariffs = list(_sources(root, "tariffs"))
    calendars = list(_sources(root, "calendars"))
    digest = hashlib.sha256()
    for source in [*provinces, *tariffs, *calendars]:
        digest.update(f"{source.name}\0{source.text}\0".encode())
    holidays = PublicHolidays()
    with _noted(faults):
        holidays = _holidays(calendars)
    rules: list[Rule] = []
    places: dict[str, str] = {}
    examples: list[Example] = []
    spoken_for: set[str | None] = set()
    for source in provinces:
        with _noted(faults):
            file = source.read(_PolicyFile, source.parsed())
            if file.province_code in spoken_for:
                raise bad_policy(
                    source.name, "tỉnh này đã có tệp khác", "another file already speaks for this province"
                )
            spoken_for.add(file.province_code)
            for index, row in enumerate(file.rule):
                with _noted(faults):
                    for rule in _rules(source, file.province_code, index, row):
                        rules.append(rule)
                        places[rule.id] = source.place("rule", index)
            for index, row in enumerate(file.example):
                with _noted(faults):
                    given = row | {"province_code": file.province_code}
                    examples.append(source.read(Example, given, "example", index))
                    places[examples[-1].case] = source.place("example", index)
    book = PolicyBook(
        version=digest.hexdigest()[:12],
        rules=tuple(rules),
        tariffs=_by_id(((source.name, partial(_tariff, source)) for source in tariffs), faults),
        calendars=_by_id(
            ((source.name, partial(_calendar, source, holidays)) for source in calendars if not _is_holidays(source)),
            faults,
        ),
        holidays=holidays,
        examples=tuple(examples),
    )
    for fault in _whole_faults(book, places):
        faults.append(fault)
    return book, places, faults


@contextmanager
def _noted(faults: list[BadPolicy]) -> Iterator[None]:
    """Keep a fault and go on with the next thing."""
    try:
        yield
    except BadPolicy as fault:
        faults.append(fault)


def _sources(root: Traversable, folder: str = "") -> Iterator[_Source]:
    place = root.joinpath(folder) if folder else root
    for entry in sorted(place.iterdir(), key=lambda entry: entry.name):
        if entry.is_file() and entry.name.endswith(".toml"):
            yield _Source(f"{folder}/{entry.name}" if folder else entry.name, entry.read_text(encoding="utf-8"))


def _is_holidays(source: _Source) -> bool:
    return source.name.endswith("public-holidays.toml")


def _holidays(calendars: list[_Source]) -> PublicHolidays:
    for source in calendars:
        if _is_holidays(source):
            return source.read(HolidayFile, source.parsed()).holidays()
    raise bad_policy("calendars/public-holidays.toml", "thiếu tệp", "is missing")


def _tariff(source: _Source) -> Tariff:
    return source.read(Tariff, source.parsed())


def _calendar(source: _Source, holidays: PublicHolidays) -> Calendar:
    file = source.read(_CalendarFile, source.parsed())
    return Calendar.from_bodies(file.id, file.week, holidays)


def _rules(source: _Source, province_code: str | None, index: int, row: Mapping[str, Any]) -> Iterator[Rule]:
    """The rules of one `[[rule]]`: one for each kind it names (`kind` is a word or a list of words)."""
    named = row.get("kind")
    for kind in named if isinstance(named, list) else [named]:
        if kind not in KINDS:
            place, known = source.place("rule", index, "kind"), ", ".join(KINDS)
            raise bad_policy(place, f"loại quy tắc lạ {kind!r}; có: {known}", f"unknown kind {kind!r}; known: {known}")
        params = source.read(KINDS[kind], row.get("params", {}), "rule", index, "params")
        scope = source.read(Scope, row.get("scope", {}), "rule", index, "scope")
        given = {"province_code": province_code, "kind": kind, "params": params, "scope": scope}
        if "override" in row:
            place = source.place("rule", index, "override")
            raise bad_policy(place, "override: khóa lạ", "override: unknown key")
        yield source.read(Rule, {**row, **given}, "rule", index)


def _by_id(found: Iterable[tuple[str, Callable[[], Any]]], faults: list[BadPolicy]) -> dict[str, Any]:
    held: dict[str, Any] = {}
    for name, made in found:
        with _noted(faults):
            thing = made()
            if thing.id in held:
                raise bad_policy(
                    name, f"mã {thing.id} đã có ở tệp khác", f"the id {thing.id} stands in another file too"
                )
            held[thing.id] = thing
    return held


def _whole_faults(book: PolicyBook, places: Mapping[str, str]) -> Iterator[BadPolicy]:
    """What no single row can show: ids once, references that lead somewhere, who bears, a default for every request."""
    seen: set[tuple[str, str]] = set()
    for rule in book.rules:
        place, named = places[rule.id], rule.supersedes
        if (rule.id, rule.kind) in seen:
            yield bad_policy(place, f"mã quy tắc {rule.id} lặp lại", f"the rule id {rule.id} stands twice")
        seen.add((rule.id, rule.kind))
        if named is not None and named not in places:
            yield bad_policy(place, f"{rule.id} thay thế {named} không có", f"{rule.id} supersedes the unknown {named}")
        if isinstance(rule.params, TariffParams) and rule.params.table not in book.tariffs:
            table = rule.params.table
            yield bad_policy(place, f"{rule.id}: không có bảng cước {table}", f"{rule.id}: unknown tariff {table}")
        if rule.kind in BORNE_BY_SOMEBODY and not rule.funding:
            yield bad_policy(place, f"{rule.id}: thiếu funding, ai chịu?", f"{rule.id}: no funding: who bears it?")
    for kind in EVERYWHERE:
        everyone = (rule for rule in book.rules if rule.kind == kind and rule.province_code is None)
        if not any(rule.valid_to is None and rule.scope == Scope() for rule in everyone):
            yield bad_policy("default.toml", f"thiếu quy tắc chung loại {kind}", f"has no open {kind} rule for all")


__all__ = ["KINDS", "BadPolicy", "HolidayFile", "load", "read"]
