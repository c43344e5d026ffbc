"""The policy files: what they hold, that their own examples come true, and that a wrong file says where it is wrong."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Callable
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

import holidays
import pytest

from dispatch.domain.pricing import Terms, quote
from dispatch.domain.rules import BadPolicy, Example, PolicyBook
from dispatch.domain.text import EARLIEST_AT, LATEST_AT
from dispatch.policies import EVERYWHERE, HolidayFile, load, read
from dispatch.policies.checking import Finding, examine, mismatches
from tests.domain.bodies import at, body

BOOK = load()
SHIPPED = Path(str(files("dispatch.policies")))
PUBLIC = HolidayFile.model_validate(
    tomllib.loads((SHIPPED / "calendars" / "public-holidays.toml").read_text(encoding="utf-8"))
)
FROZEN_YEARS = range(2019, 2029)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped policy files that a test may spoil."""
    shutil.copytree(SHIPPED, tmp_path / "policies", ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    return tmp_path / "policies"


def comes_true(book: PolicyBook, example: Example) -> None:
    assert example.promise or example.quote, "an example that expects nothing proves nothing"
    assert mismatches(book, example) == {}


@pytest.mark.parametrize("example", BOOK.examples, ids=lambda example: example.case)
def test_every_worked_example_of_a_policy_file_comes_true(example: Example) -> None:
    comes_true(BOOK, example)


@pytest.mark.parametrize("name", ["quang-ngai", "thua-thien-hue"])
def test_two_other_provinces_of_2020_are_expressed_in_one_file_each_without_code(folder: Path, name: str) -> None:
    shutil.copy(Path(__file__).parent / "provinces" / f"{name}.toml", folder)
    book = read(folder)
    examples = [example for example in book.examples if example not in BOOK.examples]
    assert len(examples) >= 2
    for example in examples:
        comes_true(book, example)


def test_the_worked_cases_ship_with_the_files() -> None:
    told = {example.case[:3] for example in BOOK.examples}
    assert told >= {"C01", "C02", "C03", "C05", "C07", "C08", "C09", "C11", "C12", "C14", "C15", "C16", "C21"}


def test_every_rule_cites_a_source_and_unverified_ones_are_known() -> None:
    assert all(rule.doc_no or rule.source for rule in BOOK.rules)
    assert {rule.id for rule in BOOK.rules if not rule.verified} == {
        *("DEFAULT-TARIFF@1", "KH-TARIFF@1", "KH-WAIVE@1"),
        *("VP-04@1", "VP-06@1"),  # the copy bears neither number nor day
    }


@pytest.mark.parametrize("kind", EVERYWHERE)
def test_no_instant_the_api_accepts_is_left_without_a_rule(kind: str) -> None:
    for moment in (EARLIEST_AT, at("2020-04-07 15:10"), LATEST_AT):
        assert BOOK.applying(kind, "99", at=moment, known_at=moment, body=body(), leg="return")


def test_the_frozen_holidays_are_those_of_the_package_but_for_the_listed_swaps() -> None:
    package = holidays.country_holidays("VN", years=FROZEN_YEARS, language="vi")
    theirs = {day: package[day] for day in package}
    assert PUBLIC.off == {day: name for day, name in theirs.items() if day not in {swap.off for swap in PUBLIC.swap}}
    for swap in PUBLIC.swap:
        frozen = swap.off.year in FROZEN_YEARS
        assert (swap.off in theirs) is (swap.in_package and frozen), swap
        assert package.is_weekend(swap.work), swap
        assert (swap.work in package.weekend_workdays) is swap.in_package, swap
    unknown = [(swap.off, swap.work) for swap in PUBLIC.swap if not swap.in_package]
    assert unknown == [(date(2026, 1, 2), date(2026, 1, 10))]


def test_every_working_day_of_ten_years_is_the_packages_but_for_the_january_2026_swap() -> None:
    package = holidays.country_holidays("VN", years=FROZEN_YEARS)
    day, differing = date(FROZEN_YEARS[0], 1, 1), []
    while day.year in FROZEN_YEARS:
        if BOOK.holidays.is_working_day(day) is not package.is_working_day(day):
            differing.append(day)
        day += timedelta(days=1)
    assert differing == [date(2026, 1, 2), date(2026, 1, 10)]


def test_culture_day_is_marked_as_wanting_confirmation() -> None:
    assert [entry.date for entry in PUBLIC.unconfirmed] == [date(2026, 11, 24)]
    assert date(2026, 11, 24) in BOOK.holidays.off


def test_the_same_files_give_the_same_version_and_an_edit_gives_another(folder: Path) -> None:
    assert read(folder).version == BOOK.version
    spoil("khanh-hoa.toml", lambda text: text.replace("8000", "9000"))(folder)
    assert read(folder).version != BOOK.version


def test_a_new_province_is_one_new_file(folder: Path) -> None:
    (folder / "thu-nghiem.toml").write_text(
        """
province_code = "66"
name = "Tỉnh thử nghiệm"

[[rule]]
id = "T-FEE@1"
kind = "STATE_FEE"
params = { mandate_required = true }
valid_from = 2020-03-01
recorded_at = 2020-03-01T00:00:00+07:00
clause = "1"
source = "test policy"
verified = false
summary_vi = "Thu hộ phải có ủy quyền"
summary_en = "Collection on behalf needs a mandate"
""",
        encoding="utf-8",
    )
    when = at("2020-04-06 09:00")
    asked = body(state_fee={"amount": 80_000})
    for book, reasons in ((read(folder), ("NO_RULE", "STATE_FEE_NEEDS_MANDATE")), (BOOK, ("NO_RULE",))):
        told = quote(book, asked, Terms("66", "66", "INTRA_DISTRICT", when), at=when, known_at=when)
        assert told.reasons == reasons


def spoil(name: str, edit: Callable[[str], str]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        before = (folder / name).read_text(encoding="utf-8")
        after = edit(before)
        assert after != before, "the spoiling edit must change something"
        (folder / name).write_text(after, encoding="utf-8")

    return change


def swapped(old: str, new: str, name: str = "khanh-hoa.toml") -> Callable[[Path], None]:
    return spoil(name, lambda text: text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("change", "place", "told"),
    [
        (swapped('kind = "SLA_PICKUP"', 'kind = "SLA_TELEPORT"'), "khanh-hoa.toml:9:", "unknown kind 'SLA_TELEPORT'"),
        (swapped("verified = true", "verifyed = true"), "khanh-hoa.toml:17:", "verifyed: unknown key"),
        (swapped("clause =", "clausse ="), "khanh-hoa.toml:16:", "clausse: unknown key"),
        (swapped("minutes = 240", "minuts = 240"), "khanh-hoa.toml:11:", "params.minut"),
        (swapped("minutes = 240", 'minutes = "240"'), "khanh-hoa.toml:11:", "params.minutes: .*valid integer"),
        (swapped("minutes = 240", "minutes = 0"), "khanh-hoa.toml:11:", "params.minutes"),
        (swapped('leg = "pickup"', 'leg = "pick-up"'), "khanh-hoa.toml:10:", "scope.leg"),
        (swapped('leg = "pickup"', 'phase_of_moon = "full"'), "khanh-hoa.toml:10:", "scope.phase_of_moon: unknown key"),
        (swapped("valid_to = 2020-04-15", "valid_to = 2020-03-15"), "khanh-hoa.toml:", "valid_to lies before"),
        (swapped("valid_from = 2020-04-01", 'valid_from = "1/4/2020"'), "khanh-hoa.toml:12:", "valid_from"),
        (swapped("T00:00:00+07:00", "T00:00:00"), "khanh-hoa.toml:13:", "time zone"),
        (swapped("citizen = 100", "citizen = 90"), "khanh-hoa.toml:", "sum to 100"),
        (swapped("citizen = 100", "bank = 100"), "khanh-hoa.toml:", "funding.bank"),
        (swapped('"da-nang-2021"', '"da-nang-2099"'), "khanh-hoa.toml:79:", "KH-TARIFF@1: unknown tariff da-nang-2099"),
        (swapped("KH-10@1", "KH-10"), "khanh-hoa.toml:", "id"),
        (
            swapped('id = "KH-10@1"\nkind = "SLA_COLLECT"', 'id = "KH-09@1"\nkind = "SLA_PICKUP"'),
            "khanh-hoa.toml:21:",
            "KH-09@1 stands twice",
        ),
        (swapped('id = "KH-10@1"', 'id = "KH-10@2"\nsupersedes = "KH-10@1"'), "khanh-hoa.toml:21:", "unknown KH-10@1"),
        (swapped('province_code = "56"', 'province_code = "48"'), "khanh-hoa.toml:", "another file"),
        (swapped('province_code = "56"', "province_code = 56"), "khanh-hoa.toml:4:", "province_code"),
        (swapped('name = "Khánh Hòa"', 'name = "Khánh Hòa"\nmood = "calm"'), "khanh-hoa.toml:6:", "mood: unknown key"),
        (swapped("[[rule]]", "[[rule]"), "khanh-hoa.toml:", "not readable TOML"),
        (
            swapped('kind = "TARIFF"', 'kind = "TARIFF"\nvalid_to = 2030-01-01', "default.toml"),
            "default.toml:",
            "TARIFF",
        ),
        (swapped("up_to_g = 250", "up_to_g = 600", "tariffs/da-nang-2021.toml"), "tariffs/da-nang-2021.toml", "ascend"),
        (swapped("26500", "26500.5", "tariffs/da-nang-2021.toml"), "tariffs/da-nang-2021.toml:23:", "INTRA_DISTRICT"),
        (swapped('"18:00"', '"06:00"', "calendars/post-default.toml"), "calendars/post-default.toml:", "closes before"),
        (swapped("VP-CENTRE", "HG-CENTRE", "calendars/vp-centre.toml"), "calendars/vp-centre.toml:", "another file"),
        (swapped("2019-01-01 =", "2019-13-01 =", "calendars/public-holidays.toml"), "calendars/public", "no date"),
    ],
)
def test_a_wrong_policy_file_is_refused_with_file_place_and_key(
    folder: Path, change: Callable[[Path], None], place: str, told: str
) -> None:
    change(folder)
    with pytest.raises(BadPolicy, match=told) as refused:
        read(folder)
    assert refused.value.en.startswith(place)
    assert refused.value.vi.startswith(place)


def test_a_folder_without_public_holidays_is_refused(folder: Path) -> None:
    (folder / "calendars" / "public-holidays.toml").unlink()
    with pytest.raises(BadPolicy, match=r"public-holidays\.toml: is missing"):
        read(folder)


OVERLAP = """
[[rule]]
id = "GL-01@9"
kind = "PERCENT_OFF"
params = { percent = 10 }
funding = { post = 100 }
valid_from = 2020-05-30
recorded_at = 2020-05-30T00:00:00+07:00
clause = "1"
source = "test"
verified = true
summary_vi = "Thử"
summary_en = "Test"

[rule.scope]
leg = "return"
any = [{ online_level = [3, 4], submitted_via = ["ONLINE"] }, { field = ["SECURED_TRANSACTION"] }]
"""


def edited(before: str, after: str) -> Callable[[Path], None]:
    return spoil("gia-lai.toml", lambda text: text.replace(before, after, 1))


OVERLAPPING = edited("[[example]]", OVERLAP + "\n[[example]]")
APART = edited("[[example]]", OVERLAP.replace("valid_from = 2020-05-30", "valid_from = 2020-06-02") + "\n[[example]]")


@pytest.mark.parametrize(
    ("change", "weight", "place", "told"),
    [
        (OVERLAPPING, "error", "gia-lai.toml:56", "GL-01@9 overlaps GL-01@1 from 2020-05-30 on"),
        (APART, "note", "gia-lai.toml:56", "a gap"),
        (edited("funding = { post = 100 }\n", ""), "error", "gia-lai.toml:6", "who bears"),
        (edited("-7800", "-7801"), "error", "gia-lai.toml:55", "discount_total"),
        (edited("post = 100", "post = 99"), "error", "gia-lai.toml:6", "sum to 100"),
        (edited("valid_to = 2020-05-30\n", "valid_to = 2020-03-22\n"), "error", "gia-lai.toml:6", "before valid_from"),
    ],
)
def test_check_policies_finds_what_is_wrong_and_says_file_and_line(
    folder: Path, change: Callable[[Path], None], weight: str, place: str, told: str
) -> None:
    change(folder)
    found = [finding for finding in examine(folder, date(2020, 6, 1)) if told in finding.en]
    assert [(finding.weight, finding.place) for finding in found] == [(weight, place)]


def test_check_policies_reports_every_fault_of_a_folder_not_only_the_first(folder: Path) -> None:
    edited("percent = 30", "percent = 130")(folder)
    spoil("ha-giang.toml", lambda text: text.replace('kind = "CHANNEL"', 'kind = "CHANEL"'))(folder)
    errors = [finding for finding in examine(folder, date(2020, 6, 1)) if finding.weight == "error"]
    assert [finding.place for finding in errors] == ["gia-lai.toml:9", "ha-giang.toml:10"]


def test_the_shipped_files_have_no_error_and_their_old_open_rules_are_noted() -> None:
    found: list[Finding] = examine(SHIPPED, date(2026, 11, 22))
    assert [finding for finding in found if finding.weight == "error"] == []
    assert any("KH-09@1 has no end" in finding.en for finding in found)
    assert any("GL-01@1 is retroactive" in finding.en for finding in found)
