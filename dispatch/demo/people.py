"""Invented people of the demo: names put together by chance, phone numbers nobody has, addresses of two eras."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians
from random import Random
from typing import Any

from dispatch.domain.places import Commune, Gazetteer

# Names are drawn part by part from the most common ones, so whoever comes out stands for nobody.
_FAMILIES = (
    ["Nguyễn"] * 12 + ["Trần"] * 5 + ["Lê"] * 4 + ["Phạm"] * 3 + ["Huỳnh"] * 3 + ["Võ"] * 2 + ["Phan"] * 2
    + ["Trương", "Bùi", "Đặng", "Đỗ", "Ngô", "Hồ", "Dương", "Đinh", "Lý", "Mai", "Cao", "Mấu"]
)  # fmt: skip
_WOMEN = (
    ("Thị", "Thị Kim", "Thị Ngọc", "Thị Thanh", "Ngọc", "Thị Mỹ", "Thị Thu", "Hoài"),
    ("Hoa", "Lan", "Hương", "Thảo", "Trang", "Vân", "Yến", "Phượng", "Liên", "Hạnh", "Nga", "Diễm", "Thủy", "Xuân"),
)
_MEN = (
    ("Văn", "Hữu", "Đức", "Quốc", "Minh", "Công", "Thành", "Ngọc", "Xuân", "Đình"),
    ("Hùng", "Dũng", "Tuấn", "Nam", "Sơn", "Phúc", "Long", "Bình", "Hải", "Lâm", "Tín", "Khoa", "Thắng", "Vinh"),
)
_STREETS = (
    "Trần Phú", "Lê Lợi", "Thống Nhất", "Nguyễn Trãi", "Hùng Vương", "Lê Hồng Phong", "2 Tháng 4", "Quang Trung",
    "Phan Bội Châu", "Ngô Gia Tự", "Nguyễn Huệ", "Hoàng Diệu", "Trường Sa", "23 Tháng 10", "Phan Chu Trinh",
)  # fmt: skip
_JITTER_KM = 1.5
_KM_PER_DEGREE = 111.2


@dataclass(frozen=True)
class Home:
    """Where somebody lives: the address as a request carries it, and the point a courier rides to."""

    address: dict[str, Any]
    lat: float
    lng: float


def full_name(random: Random) -> str:
    """A Vietnamese name, put together by chance."""
    middles, givens = _WOMEN if random.random() < 0.5 else _MEN
    return f"{random.choice(_FAMILIES)} {random.choice(middles)} {random.choice(givens)}"


def phone(random: Random) -> str:
    """A number that looks right and rings nowhere: no operator has 050."""
    return f"050{random.randrange(10_000_000):07d}"


def near(random: Random, lat: float, lng: float, within_km: float = _JITTER_KM) -> tuple[float, float]:
    """A point at most `within_km` away, rather to the west: east of most of these places is the sea."""
    north_km = random.uniform(-0.6, 0.6) * within_km
    east_km = random.uniform(-0.75, 0.05) * within_km
    east_degrees = east_km / (_KM_PER_DEGREE * cos(radians(lat)))
    return round(lat + north_km / _KM_PER_DEGREE, 6), round(lng + east_degrees, 6)


def home(random: Random, gazetteer: Gazetteer, commune: Commune) -> Home:
    """An address in a commune of 2025, in the words of one era or the other; most with a pin, some text alone."""
    assert commune.lat is not None and commune.lng is not None, "the demo's communes carry points"
    befores = [old for old in gazetteer.before(commune) if len(gazetteer.today(old)) == 1]
    named = random.choice(befores) if befores and random.random() < 0.5 else commune
    lat, lng = near(random, commune.lat, commune.lng)
    address: dict[str, Any] = {"raw": _words(random, named)}
    if random.random() < 0.88:
        address |= {"commune_code": named.code, "era": named.era, "lat": lat, "lng": lng}
    return Home(address, lat, lng)


def divided_home(random: Random, gazetteer: Gazetteer, communes: list[Commune]) -> Home:
    """An old address in a commune that was divided: its text alone does not say where it is today."""
    named = random.choice(communes)
    parts = [part for part in gazetteer.today(named) if part.lat is not None and part.lng is not None]
    chosen = random.choice(parts)
    lat, lng = near(random, chosen.lat or 0.0, chosen.lng or 0.0)
    return Home({"raw": _words(random, named)}, lat, lng)


def _words(random: Random, commune: Commune) -> str:
    if commune.terrain == "town":
        place = f"{random.randint(2, 390)} {random.choice(_STREETS)}"
    else:
        place = f"Số nhà {random.randint(2, 120)}, Tổ {random.randint(1, 9)}"
    parts = [place, commune.name, *([commune.district_name] if commune.district_name else []), commune.province_name]
    return ", ".join(parts)
