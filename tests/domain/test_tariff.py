"""The printed price list, cell by cell, and what lies beyond its last band."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.domain.consignment import Leg
from dispatch.domain.places import Zone
from dispatch.domain.tariff import ZONES
from dispatch.policies import load

TARIFF = load().tariffs["da-nang-2021"]
LEGS: tuple[Leg, Leg] = ("pickup", "return")

PRINTED = [
    ("pickup", 100, (26_000, 30_000, 30_500, 31_000)),
    ("pickup", 250, (26_000, 30_000, 31_000, 34_000)),
    ("pickup", 500, (26_500, 30_500, 32_500, 38_000)),
    ("return", 100, (26_000, 30_000, 30_500, 31_000)),
    ("return", 250, (27_000, 31_000, 32_000, 35_000)),
    ("return", 500, (28_500, 32_500, 34_500, 40_000)),
]


@pytest.mark.parametrize(("leg", "weight_g", "prices"), PRINTED)
def test_every_printed_price_is_charged_as_printed(leg: Leg, weight_g: int, prices: tuple[int, ...]) -> None:
    assert tuple(TARIFF.price(leg, zone, weight_g)[0] for zone in ZONES) == prices


@pytest.mark.parametrize(
    ("weight_g", "band", "amount"),
    [
        (1, "≤100 g", 26_000),
        (100, "≤100 g", 26_000),
        (101, ">100–250 g", 27_000),
        (250, ">100–250 g", 27_000),
        (251, ">250–500 g", 28_500),
        (500, ">250–500 g", 28_500),
        (501, ">500–1000 g", 30_700),
        (1000, ">500–1000 g", 30_700),
        (1001, ">1000–1500 g", 32_900),
        (30_000, ">29500–30000 g", 28_500 + 59 * 2_200),
    ],
)
def test_a_gram_more_enters_the_next_band_and_each_started_500_g_is_charged(
    weight_g: int, band: str, amount: int
) -> None:
    assert TARIFF.price("return", "INTRA_DISTRICT", weight_g) == (amount, band)


def test_the_further_500_g_costs_what_each_zone_prints_for_both_legs() -> None:
    for leg in LEGS:
        steps = [TARIFF.price(leg, zone, 501)[0] - TARIFF.price(leg, zone, 500)[0] for zone in ZONES]
        assert steps == [2_200, 2_900, 3_600, 6_300]


def test_nothing_weighs_nothing() -> None:
    with pytest.raises(ValueError, match="at least one gram"):
        TARIFF.price("return", "INTRA_DISTRICT", 0)


@settings(derandomize=True, deadline=None, max_examples=2000)
@given(st.sampled_from(LEGS), st.sampled_from(ZONES), st.integers(1, 29_999), st.integers(1, 5_000))
def test_a_heavier_or_farther_consignment_is_never_cheaper(leg: Leg, zone: Zone, weight_g: int, more_g: int) -> None:
    assert TARIFF.price(leg, zone, weight_g)[0] <= TARIFF.price(leg, zone, weight_g + more_g)[0]
    prices = [TARIFF.price(leg, each, weight_g)[0] for each in ZONES]
    assert prices == sorted(prices)
