"""What the operator says of places: points, communes, a shop's own rules, trainings, dated hours, rosters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from dispatch.bootstrap import System
from dispatch.store.tables import audit
from tests.api.conftest import SHOP, Api, make_shop

Body = Callable[..., dict[str, Any]]
APRIL = "2020-04-10T09:00:00+07:00"
POINT = {
    "name": "Điểm BĐ-VHX Vĩnh Hải",
    "kind": "BDVHX",
    "commune_code": "22330",
    "era": "2020",
    "area_class": "REMOTE",
    "hours_profile": "POST-DEFAULT",
    "active_from": "2020-04-01",
    "active_to": None,
}
TRAINING = {
    "teller_id": "gdv-7",
    "teller_name": "Trần Văn Quầy",
    "topic": "Hướng dẫn nộp hồ sơ qua bưu chính",
    "held_on": "2020-04-03",
}


def audited(system: System) -> list[tuple[str, str]]:
    with system.store.begin() as session:
        rows = session.connection.execute(select(audit.c.action, audit.c.target).order_by(audit.c.seq))
        return [(row.action, row.target) for row in rows]


def test_a_reception_point_is_kept_replaced_listed_and_audited(operator: Api, system: System) -> None:
    assert operator.put("/v1/admin/points/p1", POINT, at=APRIL).status_code == 201
    closed = operator.put("/v1/admin/points/p1", POINT | {"active_to": "2020-05-31"}, at=APRIL)
    assert (closed.status_code, closed.json["active_to"]) == (200, "2020-05-31")
    (line,) = operator.get("/v1/admin/points").json["data"]
    assert line == POINT | {"id": "p1", "active_to": "2020-05-31"}
    assert audited(system) == [("point.put", "p1")] * 2
    with system.store.begin() as session:
        (kept,) = session.sites.points("test")
    days = [kept.active_on(kept.active_to), kept.active_on(kept.active_from)]
    assert days == [True, True] and not kept.active_on(kept.active_to.replace(month=6, day=1))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"commune_code": "99999"}, "unknown_commune"),
        ({"era": "2025", "commune_code": "22331"}, "unknown_commune"),
        ({"kind": "KIOSK"}, "validation_failed"),
        ({"active_from": "2020-06-01", "active_to": "2020-05-01"}, "validation_failed"),
        ({"active_from": "soon"}, "validation_failed"),
        ({"capacity": 3}, "validation_failed"),
    ],
)
def test_a_point_nobody_could_find_is_refused(operator: Api, change: dict[str, Any], code: str) -> None:
    answer = operator.put("/v1/admin/points/p1", POINT | change)
    assert (answer.status_code, answer.json["code"]) == (422, code)


def test_a_list_of_points_is_read_page_by_page_without_loss(operator: Api) -> None:
    for number in range(7):
        assert operator.put(f"/v1/admin/points/p{number}", POINT, at=APRIL).status_code == 201
    seen: list[str] = []
    path = "/v1/admin/points?limit=3"
    for _ in range(3):
        page = operator.get(path).json
        seen += [line["id"] for line in page["data"]]
        path = f"/v1/admin/points?limit=3&cursor={page['next_cursor']}"
    assert seen == [f"p{number}" for number in range(7)] and not page["has_more"]
    assert operator.get("/v1/admin/points?cursor=abc").json["code"] == "validation_failed"


def test_how_a_commune_is_served_is_kept_by_its_code_of_either_era(operator: Api, system: System) -> None:
    told = {"service_days": ["tue", "fri"], "area_class": "A", "terrain": "high_mountain"}
    first = operator.put("/v1/admin/communes/2020/22330", told, at=APRIL)
    assert first.status_code == 201 and first.json == {"id": "2020/22330", "mode": "test", "era": "2020",
                                                       "code": "22330", **told}  # fmt: skip
    assert operator.put("/v1/admin/communes/2020/22330", {"service_days": []}).status_code == 200
    (line,) = operator.get("/v1/admin/communes").json["data"]
    assert line == {"era": "2020", "code": "22330", "service_days": [], "area_class": None, "terrain": None}
    assert audited(system) == [("commune.put", "2020/22330")] * 2
    for path in ("2020/99999", "1999/22330", "2025/22331"):
        assert operator.put(f"/v1/admin/communes/{path}", told).json["code"] == "unknown_commune"
    for wrong in ({"service_days": ["monday"]}, {"service_days": ["tue", "tue"]}, {"terrain": "swamp"}):
        assert operator.put("/v1/admin/communes/2020/22330", wrong).json["code"] == "validation_failed"


def test_only_an_operator_says_how_places_are_served(shop: Api) -> None:
    for path, body in (
        ("/v1/admin/points/p1", POINT),
        ("/v1/admin/communes/2020/22330", {}),
        ("/v1/admin/shops/kh-nha-trang/overrides/KH-09@1", {}),
    ):
        assert shop.put(path, body).status_code == 403
    assert shop.post("/v1/admin/trainings", TRAINING).status_code == 403


OVERRIDE = {
    "params": {"minutes": 120},
    "reason": "Ủy ban xã thống nhất thu gom trong hai giờ",
    "valid_from": "2020-04-08",
    "valid_to": "2020-04-30",
}
OVERRIDES = "/v1/admin/shops/kh-nha-trang/overrides"


def test_a_shops_own_parameters_change_its_promise_while_they_last(
    operator: Api, system: System, shop: Api, body: Body
) -> None:
    made = operator.put(f"{OVERRIDES}/KH-10@1", OVERRIDE, at=APRIL)
    assert made.status_code == 201 and made.json["author"].startswith("key:")
    assert operator.put(f"{OVERRIDES}/KH-10@1", OVERRIDE, at=APRIL).status_code == 200
    other = operator.as_key(make_shop(operator, "kh-cam-ranh"))

    def minutes(caller: Api, clock: str) -> int:
        answer = caller.post("/v1/quotes", {k: v for k, v in body().items() if k != "external_ref"}, at=clock)
        assert answer.status_code == 200, answer.text
        promised: int = answer.json["promise"][0]["minutes"]
        return promised

    assert [minutes(shop, f"2020-{day}T08:00:00+07:00") for day in ("04-07", "04-08", "04-29", "05-04")] == [
        240, 120, 120, 240
    ]  # fmt: skip
    assert minutes(other, "2020-04-08T08:00:00+07:00") == 240, "another shop keeps the rule"
    assert [target for action, target in audited(system) if action == "override.put"] == ["kh-nha-trang/KH-10@1"] * 2
    (line,) = operator.get(OVERRIDES).json["data"]
    assert (line["params"], line["reason"], line["valid_to"]) == (OVERRIDE["params"], OVERRIDE["reason"], "2020-04-30")


@pytest.mark.parametrize(
    ("rule", "change", "status", "code", "pointer"),
    [
        ("KH-99@1", {}, 422, "unknown_rule", "/rule_id"),
        ("KH-10", {}, 422, "unknown_rule", "/rule_id"),
        ("KH-10@1", {"params": {"minuts": 120}}, 422, "validation_failed", "/params/minuts"),
        ("KH-10@1", {"params": {"minutes": 0}}, 422, "validation_failed", "/params/minutes"),
        ("KH-10@1", {"params": {"minutes": "120"}}, 422, "validation_failed", "/params/minutes"),
        ("KH-10@1", {"params": {}}, 422, "validation_failed", "/params"),
        ("KH-10@1", {"reason": "  "}, 422, "validation_failed", "/reason"),
        ("KH-10@1", {"valid_to": "2020-04-07"}, 422, "validation_failed", ""),
        ("KH-10@1", {"valid_from": None}, 422, "validation_failed", "/valid_from"),
    ],
)
def test_an_override_that_no_rule_can_hold_is_refused(
    operator: Api, shop: Api, rule: str, change: dict[str, Any], status: int, code: str, pointer: str
) -> None:
    answer = operator.put(f"{OVERRIDES}/{rule}", OVERRIDE | change)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert pointer in [fault["pointer"] for fault in answer.json["errors"]]


def test_an_override_needs_its_reason_and_its_shop(operator: Api, shop: Api) -> None:
    silent = {key: value for key, value in OVERRIDE.items() if key != "reason"}
    assert operator.put(f"{OVERRIDES}/KH-10@1", silent).json["errors"][0]["pointer"] == "/reason"
    assert operator.put("/v1/admin/shops/nobody/overrides/KH-10@1", OVERRIDE).status_code == 404
    assert operator.get("/v1/admin/shops/nobody/overrides").status_code == 404


def test_one_rule_id_of_several_kinds_takes_parameters_of_any_of_them(operator: Api, shop: Api) -> None:
    assert operator.put(f"{OVERRIDES}/DEFAULT-SLA@1", OVERRIDE).status_code == 201


def test_vp02_a_tellers_training_is_on_record(operator: Api, system: System) -> None:
    made = operator.post("/v1/admin/trainings", TRAINING, at=APRIL)
    assert made.status_code == 201 and made.json["id"].startswith("trn_")
    unknown = operator.post("/v1/admin/trainings", TRAINING | {"office_id": "nowhere"})
    assert (unknown.status_code, unknown.json["code"]) == (422, "unknown_office")
    (line,) = operator.get("/v1/admin/trainings").json["data"]
    assert line == TRAINING | {"id": made.json["id"], "office_id": None}
    assert audited(system) == [("training.added", made.json["id"])]
    assert operator.call("POST", "/v1/admin/trainings", TRAINING, headers={"Idempotency-Key": ""}).status_code == 400


# Dated hours: what the shop's promise becomes.

WINTER = {"weekly": {day: [["07:30", "11:30"], ["13:00", "16:30"]] for day in ("mon", "tue", "wed", "thu", "fri")}}
SUMMER = {"weekly": {day: [["07:00", "11:30"], ["13:30", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}}
VINH_PHUC = {"province_code": "26", "commune_code": "08707"}


def due_at(caller: Api, body: dict[str, Any], notice_at: str) -> str:
    told = {key: value for key, value in body.items() if key != "external_ref"} | {"notice_at": notice_at}
    answer = caller.post("/v1/quotes", told, at=notice_at)
    assert answer.status_code == 200, answer.text
    due: str = answer.json["promise"][0]["due_at"]
    return due


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_winter_hours_end_on_the_day_summer_hours_begin(operator: Api, body: Body, order: tuple[int, int]) -> None:
    weeks = [WINTER | {"valid_from": "2019-10-16"}, SUMMER | {"valid_from": "2020-04-16"}]
    for index in order:
        assert operator.put("/v1/admin/calendars/VP-HOURS", weeks[index]).status_code in (200, 201)
    caller = operator.as_key(make_shop(operator, "vp-centre", **VINH_PHUC, hours_profile="VP-HOURS"))
    assert due_at(caller, body(), "2020-04-14T14:30:00+07:00") == "2020-04-15T09:30:00+07:00", "2 h, then from 7:30"
    assert due_at(caller, body(), "2020-04-15T14:30:00+07:00") == "2020-04-16T09:00:00+07:00", "2 h, then from 7:00"
    assert due_at(caller, body(), "2020-04-16T14:30:00+07:00") == "2020-04-17T08:30:00+07:00", "2 h 30 to 17:00"
    assert due_at(caller, body(), "2020-04-16T13:00:00+07:00") == "2020-04-16T17:00:00+07:00", "ends at closing"


def test_a_week_told_again_replaces_the_week_of_that_date_alone(operator: Api, body: Body) -> None:
    path = "/v1/admin/calendars/VP-HOURS"
    for week in (WINTER | {"valid_from": "2019-10-16"}, SUMMER | {"valid_from": "2020-04-16"}):
        operator.put(path, week)
    early = {"valid_from": "2020-04-16", "weekly": {"thu": [["06:00", "12:00"]], "fri": [["06:00", "12:00"]]}}
    assert operator.put(path, early).status_code == 200
    caller = operator.as_key(make_shop(operator, "vp-centre", **VINH_PHUC, hours_profile="VP-HOURS"))
    assert due_at(caller, body(), "2020-04-15T14:30:00+07:00") == "2020-04-16T08:00:00+07:00"
    assert due_at(caller, body(), "2020-04-14T14:30:00+07:00") == "2020-04-15T09:30:00+07:00"


def test_the_operators_hours_of_a_built_in_calendar_hold_from_their_date_on(operator: Api, body: Body) -> None:
    """Before that date the built-in hours still hold: Vĩnh Phúc's summer does not end in April."""
    autumn = WINTER | {"valid_from": "2020-10-16"}
    assert operator.put("/v1/admin/calendars/VP-CENTRE", autumn).status_code == 201
    caller = operator.as_key(make_shop(operator, "vp-centre", **VINH_PHUC, hours_profile="VP-CENTRE"))
    assert due_at(caller, body(), "2020-04-16T14:30:00+07:00") == "2020-04-17T08:30:00+07:00"
    assert due_at(caller, body(), "2020-10-15T14:30:00+07:00") == "2020-10-16T09:00:00+07:00", "2 h 30, then from 7:30"
    assert operator.put("/v1/admin/calendars/VP-CENTRE", WINTER).status_code == 200
    assert due_at(caller, body(), "2020-04-16T14:30:00+07:00") == "2020-04-17T09:30:00+07:00", "no date: always"


def test_a_shop_without_a_calendar_of_its_own_works_normal_hours(operator: Api, body: Body) -> None:
    caller = operator.as_key(make_shop(operator, "kh-new", hours_profile="KH-NEW"))
    assert due_at(caller, body(), "2020-04-07T15:10:00+07:00") == "2020-04-08T09:40:00+07:00"
    opened = {"weekly": {"tue": [["15:00", "20:00"]], "wed": [["15:00", "20:00"]]}}
    operator.put("/v1/admin/calendars/KH-NEW", opened)
    assert due_at(caller, body(), "2020-04-07T15:10:00+07:00") == "2020-04-07T19:10:00+07:00"


def test_the_swapped_days_of_2026_move_the_promise(operator: Api, shop: Api, body: Body) -> None:
    assert due_at(shop, body(), "2026-01-09T15:00:00+07:00") == "2026-01-10T09:30:00+07:00"
    assert due_at(shop, body(), "2025-12-31T15:00:00+07:00") == "2026-01-05T09:30:00+07:00"
    assert due_at(shop, body(), "2026-08-21T15:00:00+07:00") == "2026-08-22T09:30:00+07:00"
    assert due_at(shop, body(), "2026-08-28T15:00:00+07:00") == "2026-09-03T09:30:00+07:00"


# Rosters: a shop nobody is there for.

OFFICE = {"name": "Bưu cục Hà Giang", "province_code": "02", "commune_code": "00691", "era": "2020", "lat": 22.83,
          "lng": 104.98}  # fmt: skip
HA_GIANG = {"province_code": "02", "commune_code": "00691", "lat": 22.83, "lng": 104.98}


def on_shift(operator: Api, courier_id: str, day: str, hours: str = "07:30-17:30", **changes: Any) -> None:
    courier = {"name": courier_id, "phone": f"09050000{courier_id[-2:]}", "pin": "1234", "home_office_id": "hg"}
    assert operator.put(f"/v1/admin/couriers/{courier_id}", courier | changes).status_code in (200, 201)
    starts, ends = hours.split("-")
    shift = {"starts_at": f"{day}T{starts}:00+07:00", "ends_at": f"{day}T{ends}:00+07:00"}
    assert operator.put(f"/v1/admin/shifts/{courier_id}/{day}", shift).status_code in (200, 201)


def gaps(operator: Api, day: str, province: str = "02") -> list[str]:
    board = operator.get(f"/v1/board?province={province}&date={day}", at=APRIL).json
    found = [one for one in board["alerts"] if one["code"] == "roster_gap"]
    assert board["roster"]["shops_without_courier"] == len(found)
    assert all(one["text"]["vi"] and one["text"]["en"] for one in found)
    return sorted(one["shop_id"] for one in found)


@pytest.fixture
def ha_giang(operator: Api) -> Api:
    """Two one-stop shops of Hà Giang and two post offices, nobody rostered."""
    assert operator.put("/v1/admin/offices/hg", OFFICE).status_code == 201
    assert operator.put("/v1/admin/offices/dv", OFFICE | {"lat": 23.28, "lng": 105.36}).status_code == 201
    make_shop(operator, "hg-1", **HA_GIANG)
    make_shop(operator, "hg-2", **HA_GIANG | {"commune_code": "00721", "lat": 23.28, "lng": 105.36})
    return operator


def test_hg08_a_shop_without_anybody_rostered_is_an_alarm_on_every_open_day(ha_giang: Api) -> None:
    assert gaps(ha_giang, "2020-04-10") == ["hg-1", "hg-2"]
    assert gaps(ha_giang, "2020-04-11") == [], "a Saturday: nobody need be there"
    assert gaps(ha_giang, "2020-04-02") == [], "Hùng Kings' day"
    on_shift(ha_giang, "c01", "2020-04-10")
    assert gaps(ha_giang, "2020-04-10") == ["hg-2"], "the other shop has another post office"
    assert gaps(ha_giang, "2020-04-13") == ["hg-1", "hg-2"], "he rides on the tenth only"
    assert gaps(ha_giang, "2020-04-10", province="56") == []


def test_a_courier_whose_communes_cover_the_shop_closes_the_gap_in_either_era(ha_giang: Api) -> None:
    on_shift(ha_giang, "c01", "2020-04-10", communes=[{"code": "00721", "era": "2020"}])
    assert gaps(ha_giang, "2020-04-10") == []
    on_shift(ha_giang, "c02", "2020-04-13", communes=[{"code": "00721", "era": "2025"}], home_office_id="dv")
    assert gaps(ha_giang, "2020-04-13") == ["hg-1"]


def test_a_shift_after_closing_or_a_day_off_closes_no_gap(ha_giang: Api) -> None:
    on_shift(ha_giang, "c01", "2020-04-10", "17:00-21:00")
    on_shift(ha_giang, "c02", "2020-04-10", "07:30-07:30")
    assert gaps(ha_giang, "2020-04-10") == ["hg-1", "hg-2"]


def test_a_gap_where_people_wait_stands_above_the_others(ha_giang: Api, body: Body) -> None:
    waiting = ha_giang.post("/v1/requests", body(shop_id="hg-2"), at=APRIL)
    assert waiting.status_code == 201, waiting.text
    alerts = ha_giang.get("/v1/board?province=02&date=2020-04-10", at=APRIL).json["alerts"]
    assert [(one["shop_id"], one["severity"]) for one in alerts if one["code"] == "roster_gap"] == [
        ("hg-2", "high"),
        ("hg-1", "medium"),
    ]


def test_kh07_the_board_counts_the_public_service_force_of_the_date(ha_giang: Api) -> None:
    on_shift(ha_giang, "c01", "2020-04-10", skills=["HCC"])
    on_shift(ha_giang, "c02", "2020-04-10")
    on_shift(ha_giang, "c03", "2020-04-10", "08:00-08:00", skills=["HCC"])
    roster = ha_giang.get("/v1/board?province=02&date=2020-04-10", at=APRIL).json["roster"]
    assert roster == {"on_shift": 2, "hcc": 1, "shops_without_courier": 1}


def test_a_shift_is_answered_in_local_time(ha_giang: Api) -> None:
    on_shift(ha_giang, "c01", "2020-04-10")
    rest = {"from": "2020-04-10T04:30:00Z", "to": "2020-04-10T05:00:00Z", "minutes": 30}
    shift = {"starts_at": "2020-04-10T00:30:00Z", "ends_at": "2020-04-10T10:30:00Z", "breaks": [rest]}
    told = ha_giang.put("/v1/admin/shifts/c01/2020-04-10", shift).json
    assert (told["starts_at"], told["ends_at"]) == ("2020-04-10T07:30:00+07:00", "2020-04-10T17:30:00+07:00")
    assert told["breaks"][0]["from"] == "2020-04-10T11:30:00+07:00"


def test_a_room_is_named_once(operator: Api) -> None:
    twice = [{"id": "R1", "capacity": 5, "slot_minutes": 30}, {"id": "R1", "capacity": 9, "slot_minutes": 30}]
    assert operator.put("/v1/admin/shops/s", SHOP | {"rooms": twice}).json["code"] == "validation_failed"


# Masks and disinfectant: what a courier ticks on the way.


def courier_of(operator: Api) -> Api:
    on_shift(operator, "c01", "2020-04-10")
    signed_in = operator.as_key(None).post("/v1/courier/sessions", {"phone": "0905000001", "pin": "1234"})
    return operator.as_key(signed_in.json["token"])


def given(operator: Api, body: dict[str, Any]) -> str:
    made = operator.post("/v1/requests", body, at=APRIL)
    assert made.status_code == 201, made.text
    path = f"/v1/requests/{made.json['id']}/assign"
    assert operator.post(path, {"courier_id": "c01", "lock": False}, at=APRIL).status_code == 200
    request_id: str = made.json["id"]
    return request_id


def test_hg08_vp04_the_phone_lists_what_to_tick_where_a_province_asks_for_it(ha_giang: Api, body: Body) -> None:
    phone = courier_of(ha_giang)
    given(ha_giang, body(shop_id="hg-1"))
    make_shop(ha_giang, "kh-1")
    given(ha_giang, body(shop_id="kh-1"))
    stops = phone.get("/v1/courier/day?date=2020-04-10", at=APRIL).json["stops"]
    asked = {stop["place"]["id"]: stop["safety_checklist"] for stop in stops if stop["place"]["at"] == "shop"}
    assert asked == {"hg-1": ["mask", "sanitiser"], "kh-1": []}


@pytest.mark.parametrize(
    ("safety", "result"),
    [
        ({"mask": True, "sanitiser": False}, "applied"),
        ({"mask": True}, "applied"),
        (None, "applied"),
        ({"mask": "yes"}, "rejected"),
        ({"gloves": True}, "rejected"),
        (["mask"], "rejected"),
    ],
)
def test_ticks_that_are_no_yes_or_no_are_refused_and_nothing_else(
    ha_giang: Api, body: Body, safety: Any, result: str
) -> None:
    phone = courier_of(ha_giang)
    request_id = given(ha_giang, body(shop_id="hg-1"))
    scan = {
        "event_id": "0190a000-0000-7000-8000-000000000001",
        "device_seq": 1,
        "type": "collected",
        "stop_id": None,
        "request_ids": [request_id],
        "at_device": "2020-04-10T09:30:00+07:00",
        "clock_offset_ms": 0,
        "lat": 22.83,
        "lng": 104.98,
        "accuracy_m": 10.0,
        "payload": {"slip_signed": True, "signature": "0" * 64, "documents_checked": True, "safety": safety},
        "media": [],
    }
    answer = phone.post("/v1/courier/sync", {"events": [scan]}, at="2020-04-10T10:00:00+07:00")
    (line,) = answer.json["results"]
    assert line["result"] == result, line
    assert line.get("code") == ("guard_safety" if result == "rejected" else None)
