"""The demo's Khánh Hòa: post offices, one-stop shops and couriers, made and kept up through the operator's API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from random import Random
from typing import Any

from dispatch.demo.client import Api, Refused
from dispatch.demo.people import full_name, near
from dispatch.demo.receiver import PATH, Receiver
from dispatch.domain.places import Commune, Gazetteer
from dispatch.domain.text import LOCAL

PROVINCE = "56"
PIN = "2468"
MODE = "test"
SHIFT = (time(7, 0), time(18, 30))
MORNING = (time(7, 0), time(10, 30))
"""Long enough for every promise of the day before: four hours from 15:30 end at 10:00 at the latest."""


@dataclass(frozen=True)
class Office:
    """A post office."""

    id: str
    name: str
    commune: Commune


@dataclass(frozen=True)
class Shop:
    """A one-stop shop; `homes` are communes of 2025 its citizens live in, `weight` how much it sends."""

    id: str
    name: str
    commune: Commune
    lat: float
    lng: float
    weight: float
    homes: tuple[Commune, ...]


@dataclass(frozen=True)
class Bearer:
    """A courier: where the day begins, how slow (1 = as a ride takes as a rule), how far the phone's clock is ahead."""

    id: str
    name: str
    phone: str
    office_id: str
    lat: float
    lng: float
    slowness: float
    phone_ahead: timedelta


@dataclass(frozen=True)
class Network:
    """Everything that stands still."""

    offices: tuple[Office, ...]
    shops: tuple[Shop, ...]
    couriers: tuple[Bearer, ...]


_OFFICES = (
    ("demo-bc-nha-trang", "Bưu điện Nha Trang (mẫu)", "22366"),
    ("demo-bc-cam-ranh", "Bưu điện Cam Ranh (mẫu)", "22420"),
)
# (commune, era, weight, further communes of 2025 whose people use this shop)
_SHOPS: tuple[tuple[str, str, float, tuple[str, ...]], ...] = (
    ("22366", "2025", 16, ("22402", "22390")),  # phường Nha Trang
    ("22333", "2025", 12, ("22366",)),  # phường Bắc Nha Trang
    ("22390", "2025", 11, ("22366", "22651")),  # phường Tây Nha Trang
    ("22402", "2025", 12, ("22366",)),  # phường Nam Nha Trang
    ("22330", "2020", 6, ("22366",)),  # phường Vĩnh Hải
    ("22357", "2020", 6, ("22366",)),  # phường Phước Hải
    ("22651", "2025", 6, ("22678", "22390")),  # xã Diên Khánh
    ("22678", "2020", 3, ("22651",)),  # xã Diên Lạc
    ("22657", "2025", 3, ("22651",)),  # xã Diên Điền
    ("22702", "2025", 2, ("22651",)),  # xã Suối Hiệp
    ("22708", "2025", 2, ("22453",)),  # xã Suối Dầu
    ("22453", "2025", 4, ("22435",)),  # xã Cam Lâm
    ("22465", "2025", 2, ("22420",)),  # xã Cam An
    ("22420", "2025", 7, ("22432", "22411")),  # phường Cam Ranh
    ("22411", "2025", 4, ("22420",)),  # phường Bắc Cam Ranh
    ("22426", "2020", 4, ("22420",)),  # phường Cam Thuận
    ("22423", "2025", 3, ("22420",)),  # phường Ba Ngòi
    ("22528", "2025", 6, ("22576", "22591")),  # phường Ninh Hòa
    ("22591", "2025", 2, ("22528",)),  # phường Hòa Thắng
    ("22576", "2025", 2, ("22528",)),  # xã Tân Định
    ("22546", "2025", 1, ("22528",)),  # xã Bắc Ninh Hòa
    ("22489", "2025", 3, ("22516",)),  # xã Vạn Ninh
    ("22609", "2025", 1, ()),  # xã Khánh Vĩnh
    ("22714", "2025", 1, ()),  # xã Khánh Sơn
)
# Where couriers begin their day (commune of 2025), and the office they belong to; a longer list repeats.
_BASES = (
    ("22366", 0), ("22333", 0), ("22420", 1), ("22402", 0), ("22528", 0), ("22390", 0), ("22651", 0), ("22411", 1),
    ("22366", 0), ("22489", 0), ("22453", 1), ("22714", 1),
)  # fmt: skip
_SLOW = {3: 1.4, 8: 1.3}
_PHONE_AHEAD = {1: timedelta(minutes=3, seconds=20), 5: timedelta(seconds=-95)}


def design(gazetteer: Gazetteer, couriers: int) -> Network:
    """The network, the same every time: stable ids, so that a second demo finds the first one's places."""
    random = Random("network")

    def commune(code: str, era: str = "2025") -> Commune:
        found = gazetteer.get(code, era)
        if found is None or found.lat is None or found.lng is None:
            raise LookupError(f"the gazetteer has no place for commune {code} of {era}")
        return found

    offices = tuple(Office(id, name, commune(code)) for id, name, code in _OFFICES)
    shops = []
    for code, era, weight, further in _SHOPS:
        home = commune(code, era)
        lat, lng = near(random, home.lat or 0.0, home.lng or 0.0, 0.7)
        homes = (*gazetteer.today(home), *(commune(one) for one in further))
        shops.append(Shop(f"demo-{era}-{code}", _shop_name(home), home, lat, lng, weight, homes))
    bearers = []
    for number in range(couriers):
        code, office = _BASES[number % len(_BASES)]
        start = commune(code)
        lat, lng = near(random, start.lat or 0.0, start.lng or 0.0, 0.5)
        bearers.append(
            Bearer(
                id=f"demo-bt-{number + 1:02d}",
                name=full_name(random),
                phone=f"0510{number + 1:06d}",
                office_id=offices[office].id,
                lat=lat,
                lng=lng,
                slowness=_SLOW.get(number, 1.0),
                phone_ahead=_PHONE_AHEAD.get(number, timedelta(0)),
            )
        )
    return Network(offices, tuple(shops), tuple(bearers))


def _shop_name(commune: Commune) -> str:
    kind, _, rest = commune.name.partition(" ")
    where = f"{kind.lower()} {rest}"
    if commune.era == "2025":
        return f"Trung tâm PVHCC {where}"  # Nghị định 118/2025/NĐ-CP: a centre in every commune
    return f"Bộ phận Một cửa {where} (cũ)"


def put(api: Api, operator: str, network: Network) -> None:
    """Create or renew offices, shops and couriers."""
    for office in network.offices:
        body = {"name": office.name, "lat": office.commune.lat, "lng": office.commune.lng, **_in(office.commune)}
        api.call("PUT", f"/v1/admin/offices/{office.id}", operator, body)
    for shop in network.shops:
        body = {"name": shop.name, "lat": shop.lat, "lng": shop.lng, "level": "COMMUNE", **_in(shop.commune)}
        api.call("PUT", f"/v1/admin/shops/{shop.id}", operator, {**body, "hours_profile": "OSS-DEFAULT"})
    for courier in network.couriers:
        body = {
            "name": courier.name,
            "phone": courier.phone,
            "pin": PIN,
            "home_office_id": courier.office_id,
            "skills": ["HCC"],
            "capacity_items": 40,
            "base": {"lat": courier.lat, "lng": courier.lng},
        }
        api.call("PUT", f"/v1/admin/couriers/{courier.id}", operator, body)


def _in(commune: Commune) -> dict[str, Any]:
    return {"province_code": PROVINCE, "commune_code": commune.code, "era": commune.era}


def put_shifts(api: Api, operator: str, couriers: Sequence[Bearer], day: date, hours: tuple[time, time]) -> None:
    """Give couriers a shift on a date."""
    for courier in couriers:
        put_shift(api, operator, courier, day, *(datetime.combine(day, hour, LOCAL) for hour in hours))


def put_shift(api: Api, operator: str, courier: Bearer, day: date, starts_at: datetime, ends_at: datetime) -> None:
    """Give one courier a shift from his base."""
    body = {
        "starts_at": starts_at.isoformat(),
        "ends_at": ends_at.isoformat(),
        "start": {"lat": courier.lat, "lng": courier.lng},
    }
    api.call("PUT", f"/v1/admin/shifts/{courier.id}/{day.isoformat()}", operator, body)


@dataclass
class ShopAccess:
    """What one shop's program holds: its key, its webhook, and how far it has read its feed."""

    shop_id: str
    key: str
    key_id: str
    webhook_id: str = ""
    first_seq: int = 0


def open_shops(api: Api, operator: str, shops: Sequence[Shop], receiver: Receiver) -> dict[str, ShopAccess]:
    """Mint a key for every shop, drop webhooks that an earlier demo left, register new ones; by shop id."""
    opened = {}
    for shop in shops:
        made = api.call("POST", "/v1/admin/keys", operator, {"scope": "shop", "shop_id": shop.id, "mode": MODE}).body
        access = ShopAccess(shop.id, made["key"], made["id"])
        for hook in api.call("GET", "/v1/webhooks?limit=200", access.key).body["data"]:
            if PATH in hook["url"]:
                api.call("DELETE", f"/v1/webhooks/{hook['id']}", access.key)
        hook = api.call("POST", "/v1/webhooks", access.key, {"url": receiver.url(shop.id), "types": ["*"]}).body
        access.webhook_id = hook["id"]
        receiver.inbox.secrets[shop.id] = hook["secret"]
        access.first_seq = _last_seq(api, access.key)
        opened[shop.id] = access
    return opened


def _last_seq(api: Api, key: str) -> int:
    after = 0
    while (page := api.call("GET", f"/v1/events?after={after}&limit=200", key).body)["data"]:
        after = page["next_after"]
    return after


def close_shops(api: Api, operator: str, opened: dict[str, ShopAccess]) -> None:
    """Take the webhooks away and end the shops' keys."""
    for access in opened.values():
        for path, key in (
            (f"/v1/webhooks/{access.webhook_id}", access.key),
            (f"/v1/admin/keys/{access.key_id}", operator),
        ):
            try:
                api.call("DELETE", path, key)
            except Refused as error:
                if error.status != 404:  # a repeated call that had reached the system the first time
                    raise


def working_day(api: Api, operator: str, shop: Shop, from_day: date) -> date:
    """The first day from `from_day` on when one-stop shops work, as the system's own promises say."""
    for ahead in range(30):
        day = from_day + timedelta(days=ahead)
        notice_at = datetime.combine(day, time(6), LOCAL)
        body = {
            "kind": "return",
            "shop_id": shop.id,
            "notice_at": notice_at.isoformat(),
            "dossier": {"code": f"H32.1-{day:%y%m%d}-0001"},
            "citizen": {"name": "Khách hỏi giá", "phone": "0500000000", "address": _where(shop.commune)},
            "weight_g": 80,
        }
        # Asked as of that morning; a quote stores nothing.
        promise = Api(api.address, partial(_same, notice_at)).call("POST", "/v1/quotes", operator, body)
        due_at = datetime.fromisoformat(promise.body["promise"][0]["due_at"])
        if due_at.astimezone(LOCAL).date() == day:
            return day
    raise LookupError(f"no working day within 30 days from {from_day}")


def _same(moment: datetime) -> datetime:
    return moment


def _where(commune: Commune) -> dict[str, str]:
    return {"commune_code": commune.code, "era": commune.era}
