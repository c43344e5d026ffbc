"""The one-stop shops of the demo: what they ask for in the course of a day, and how they ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from dispatch.demo.client import Api, Reply
from dispatch.demo.clock import Clock
from dispatch.demo.network import Network, Shop, ShopAccess
from dispatch.demo.people import divided_home, full_name, home, phone
from dispatch.domain.places import Commune, Gazetteer
from dispatch.domain.text import LOCAL

FIRST, LAST = time(7, 30), time(15, 30)
LUNCH = (time(11, 30), time(13, 30))
_PEAKS = ((time(9, 0), 40.0, 0.42), (time(14, 0), 28.0, 0.40))
"""(centre, spread in minutes, share of the requests); the rest comes at any time."""
_DIVIDED_SHARE = 0.03
_AGAIN_SHARE = 0.06
_LATE_NOTICE_SHARE = 0.05
RESULT_AFTER = timedelta(minutes=75)
"""How long after the hand-over a two-way dossier's result is ready."""
LAST_RESULT = time(15, 45)
# name, field, processing days, weight in grams, state fee in đồng (0: none), papers
_PROCEDURES: tuple[tuple[str, str, int, tuple[int, int], int, tuple[str, ...]], ...] = (
    ("Đăng ký biến động quyền sử dụng đất", "LAND", 10, (120, 420), 80_000, ("Giấy chứng nhận", "Đơn đăng ký")),
    ("Cấp đổi giấy chứng nhận quyền sử dụng đất", "LAND", 7, (90, 300), 50_000, ("Giấy chứng nhận",)),
    ("Cấp bản sao trích lục hộ tịch", "CIVIL_STATUS", 1, (30, 90), 0, ("Trích lục hộ tịch",)),
    ("Đăng ký khai sinh", "CIVIL_STATUS", 1, (40, 110), 0, ("Giấy khai sinh",)),
    ("Xác nhận tình trạng hôn nhân", "CIVIL_STATUS", 3, (30, 80), 0, ("Giấy xác nhận",)),
    ("Đăng ký thành lập hộ kinh doanh", "BUSINESS", 3, (60, 180), 0, ("Giấy chứng nhận đăng ký hộ kinh doanh",)),
    ("Đăng ký thế chấp quyền sử dụng đất", "SECURED_TRANSACTION", 1, (150, 600), 80_000, ("Hợp đồng", "Đơn yêu cầu")),
    ("Cấp đổi giấy phép lái xe", "TRANSPORT", 5, (40, 90), 135_000, ("Giấy phép lái xe",)),
    ("Cấp giấy phép xây dựng nhà ở riêng lẻ", "OTHER", 15, (300, 1400), 75_000, ("Giấy phép", "Bộ bản vẽ")),
)


@dataclass(frozen=True)
class Asking:
    """One request of the day: when, which shop, its body without the run's label, and whether it is sent twice."""

    at: datetime
    shop_id: str
    body: dict[str, Any]
    again: bool


def day_of(seed: int, day: date, count: int, network: Network, gazetteer: Gazetteer) -> list[Asking]:
    """The requests of a day in their order; the same seed gives the same day.

    Every shop asks at least once where there are enough requests; `external_ref` is a number within the day.
    """
    random = Random(f"{seed}/{day.isoformat()}")
    shops = list(network.shops)
    random.shuffle(shops)
    chosen = shops[:count]
    chosen += random.choices(network.shops, [shop.weight for shop in network.shops], k=count - len(chosen))
    divided = _divided(gazetteer)
    moments = sorted(_moment(random, day) for _ in range(count))
    random.shuffle(chosen)
    askings = []
    for number, (at, shop) in enumerate(zip(moments, chosen, strict=True), start=1):
        body = _body(random, gazetteer, shop, at, number, divided)
        askings.append(Asking(at, shop.id, body, again=random.random() < _AGAIN_SHARE or number == 2))
    return askings


def _divided(gazetteer: Gazetteer) -> list[Commune]:
    return [
        one for one in gazetteer if one.era == "2020" and one.province_code == "56" and len(gazetteer.today(one)) > 1
    ]


def _moment(random: Random, day: date) -> datetime:
    begin, end = (datetime.combine(day, hour, LOCAL) for hour in (FIRST, LAST))
    while True:
        dice = random.random()
        moment = begin + (end - begin) * random.random()
        for centre, spread, share in _PEAKS:
            if dice < share:
                moment = datetime.combine(day, centre, LOCAL) + timedelta(minutes=random.gauss(0, spread))
                break
            dice -= share
        if begin <= moment <= end and not LUNCH[0] <= moment.time() < LUNCH[1]:
            return moment.replace(microsecond=0)


def _body(
    random: Random, gazetteer: Gazetteer, shop: Shop, at: datetime, number: int, divided: list[Commune]
) -> dict[str, Any]:
    dice = random.random()
    kind = "return" if dice < 0.60 else "pickup" if dice < 0.95 else "two_way"
    name, field_, days, weights, fee, papers = random.choice(_PROCEDURES)
    sought = divided_home(random, gazetteer, divided) if random.random() < _DIVIDED_SHARE else None
    lives = sought or home(random, gazetteer, shop.homes[0] if random.random() < 0.7 else random.choice(shop.homes))
    filed = at - timedelta(days=days + random.randint(1, 3), hours=random.randint(0, 5)) if kind == "return" else at
    body: dict[str, Any] = {
        "external_ref": f"{number:03d}",
        "kind": kind,
        "dossier": {
            "code": f"H32.{number % 40 + 1}-{filed:%y%m%d}-{number:04d}",
            "procedure_name": name,
            "field": field_,
            "online_level": 4 if random.random() < 0.7 else 3,
            "submitted_via": "ONLINE",
            "submitted_at": (filed - timedelta(minutes=random.randint(10, 50))).isoformat(),
            "accepted_on": filed.date().isoformat(),
            "processing_working_days": days,
        },
        "citizen": {"name": full_name(random), "phone": phone(random), "address": lives.address},
        "weight_g": random.randint(*weights),
        "documents": [{"name": paper, "copies": 1, "original": position == 0} for position, paper in enumerate(papers)],
        "note": random.choice(["", "", "", "Gọi trước khi đến", "Nhà có cổng xanh", "Gửi bảo vệ nếu vắng"]),
        "metadata": {"demo": True},
    }
    if kind == "return":
        officer = f"cb-{random.randint(1, 30):03d}"
        body["officer"] = {"id": officer, "address_confirmed": True, "at": (at - timedelta(minutes=20)).isoformat()}
    if at.time() > LUNCH[1] and random.random() < _LATE_NOTICE_SHARE:
        # The shop's network was down, and its notices come out hours later: the promise counts from the notice.
        body["notice_at"] = (at - timedelta(minutes=random.randint(200, 236))).isoformat()
    if fee and random.random() < 0.35:
        body["state_fee"] = {"amount": fee}
    return body


@dataclass
class Asked:
    """A request as its shop knows it after asking."""

    id: str
    shop_id: str
    external_ref: str
    kind: str
    at: datetime


@dataclass
class Shops:
    """The shops' programs: each asks with its own key; `replays` counts answers to repeated calls.

    After `last_result_at` no result of a two-way dossier becomes ready any more.
    """

    api: Api
    clock: Clock
    opened: Mapping[str, ShopAccess]
    label: str
    last_result_at: datetime
    asked: dict[str, Asked] = field(default_factory=dict)
    replays: int = 0
    faults: list[str] = field(default_factory=list)

    def expect(self, askings: list[Asking]) -> None:
        """Let every request of the day be made at its instant."""
        for asking in askings:
            self.clock.at(asking.at, self._asks(asking))

    def _asks(self, asking: Asking) -> Callable[[], None]:
        def ask() -> None:
            reference = f"{self.label}/{asking.body['external_ref']}/{asking.body['kind']}"
            body = {**asking.body, "external_ref": reference}
            answer = self._post(asking.shop_id, body)
            made = answer.body
            self.asked[made["id"]] = Asked(made["id"], asking.shop_id, reference, made["kind"], asking.at)
            if asking.again:
                self.clock.after(timedelta(seconds=40), lambda: self._ask_again(asking.shop_id, body, made["id"]))

        return ask

    def _post(self, shop_id: str, body: dict[str, Any]) -> Reply:
        key = self.opened[shop_id].key
        return self.api.call("POST", "/v1/requests", key, body, idempotency_key=body["external_ref"])

    def _ask_again(self, shop_id: str, body: dict[str, Any], first_id: str) -> None:
        """A program that did not hear the answer asks once more, word for word."""
        answer = self._post(shop_id, body)
        self.replays += 1
        if answer.body["id"] != first_id or answer.headers.get("Idempotent-Replayed") != "true":
            self.faults.append(f"{body['external_ref']}: asked twice, answered {first_id} and {answer.body['id']}")

    def handed_over(self, request_id: str) -> None:
        """The shop has a dossier: where it is a two-way one, its result is ready a while later, the same day."""
        known = self.asked.get(request_id)
        ready_at = self.clock.now + RESULT_AFTER
        if known is None or known.kind != "two_way" or ready_at > self.last_result_at:
            return
        path, key = f"/v1/requests/{request_id}/result-ready", self.opened[known.shop_id].key
        self.clock.at(ready_at, lambda: _discard(self.api.call("POST", path, key, {"notice_at": ready_at.isoformat()})))


def _discard(answer: Reply) -> None:
    """The answer says nothing that is not read later."""
