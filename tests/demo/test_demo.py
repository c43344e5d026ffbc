"""The demo is only worth showing if its day is the same every time, its people are nobody, and its checks can fail."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from dispatch.channels.webhook import new_secret, sign
from dispatch.demo import network, people, report
from dispatch.demo.clock import Clock
from dispatch.demo.courier import Visit
from dispatch.demo.phone import scribble
from dispatch.demo.receiver import Inbox, is_genuine
from dispatch.demo.shop import Shops, day_of
from dispatch.demo.world import ride_time, shop_opens
from dispatch.domain.consignment import RequestBody
from dispatch.domain.places import Gazetteer
from dispatch.domain.text import LOCAL
from dispatch.store import gazetteer
from labels.codes import is_valid_dossier_code

DAY = date(2026, 11, 23)
SECRET = new_secret()


@pytest.fixture(scope="module")
def places() -> Gazetteer:
    return gazetteer.load()


@pytest.fixture(scope="module")
def khanh_hoa(places: Gazetteer) -> network.Network:
    return network.design(places, 12)


def test_names_have_a_family_a_middle_and_a_given_name_and_phones_belong_to_nobody() -> None:
    random = Random(7)
    names = [people.full_name(random) for _ in range(500)]
    assert all(len(name.split()) >= 3 for name in names)
    assert len(set(names)) > 300
    assert all(len(number) == 10 and number.startswith("050") for number in (people.phone(random) for _ in range(50)))


def test_the_network_covers_twenty_real_communes_two_offices_and_twelve_couriers(
    places: Gazetteer, khanh_hoa: network.Network
) -> None:
    today = {one.code for shop in khanh_hoa.shops for one in places.today(shop.commune)}
    assert len(today) >= 20
    assert {shop.commune.era for shop in khanh_hoa.shops} == {"2020", "2025"}
    assert len(khanh_hoa.offices) == 2
    assert len({courier.phone for courier in khanh_hoa.couriers}) == 12
    assert all(places.province_2020(shop.commune) == "56" for shop in khanh_hoa.shops)
    assert network.design(places, 12) == khanh_hoa


def test_the_same_seed_gives_the_same_day_and_another_seed_another(
    places: Gazetteer, khanh_hoa: network.Network
) -> None:
    first = day_of(1, DAY, 150, khanh_hoa, places)
    assert first == day_of(1, DAY, 150, khanh_hoa, places)
    assert first != day_of(2, DAY, 150, khanh_hoa, places)


def test_every_request_of_the_day_is_one_the_api_takes(places: Gazetteer, khanh_hoa: network.Network) -> None:
    day = day_of(1, DAY, 150, khanh_hoa, places)
    for asking in day:
        body = RequestBody.model_validate_json(json.dumps(asking.body))
        assert is_valid_dossier_code(body.dossier.code)
        assert "07:30" <= f"{asking.at.astimezone(LOCAL):%H:%M}" <= "15:30"
    kinds = [asking.body["kind"] for asking in day]
    eras = {asking.body["citizen"]["address"].get("era") for asking in day}
    assert kinds.count("return") > kinds.count("pickup") > kinds.count("two_way") > 0
    assert eras == {"2020", "2025", None}
    assert any(asking.again for asking in day)
    assert {asking.shop_id for asking in day} == {shop.id for shop in khanh_hoa.shops}
    assert [asking.at for asking in day] == sorted(asking.at for asking in day)


def test_a_message_counts_once_however_often_it_comes() -> None:
    inbox = Inbox(troubles=False, secrets={"shop": SECRET})
    body = b'{"id":"evt_1"}'
    headers = sign([SECRET], "evt_1", datetime.now(UTC), body)
    answers = [inbox.take("shop", headers, body) for _ in range(3)]
    assert answers == [(204, 0.0)] * 3
    assert inbox.taken == {"shop": {"evt_1"}}
    assert inbox.counts == {"first": 1, "duplicate": 2}


def test_a_receiver_in_trouble_loses_nothing_and_ends_with_every_message_once() -> None:
    inbox = Inbox(secrets={"shop": SECRET})
    for number in range(300):
        body = b"{}"
        headers = sign([SECRET], f"evt_{number}", datetime.now(UTC), body)
        tries = 1
        while inbox.take("shop", headers, body)[0] >= 300:
            tries += 1
        assert tries <= 2
    assert inbox.taken["shop"] == {f"evt_{number}" for number in range(300)}
    assert inbox.counts["first"] == 300
    assert inbox.counts["refused"] > 0 and inbox.counts["answer_lost"] > 0 and inbox.counts["slow"] > 0
    assert inbox.counts["duplicate"] == inbox.counts["answer_lost"]


@pytest.mark.parametrize("spoiled", ["body", "id", "timestamp", "signature", "secret", "old"])
def test_a_message_that_was_not_signed_by_us_just_now_is_refused(spoiled: str) -> None:
    at = datetime.now(UTC) - (timedelta(minutes=10) if spoiled == "old" else timedelta(0))
    headers, body, secret = sign([SECRET], "evt_1", at, b"{}"), b"{}", SECRET
    if spoiled == "body":
        body = b'{"a":1}'
    elif spoiled == "secret":
        secret = new_secret()
    elif spoiled != "old":
        headers[f"webhook-{spoiled}"] = {"id": "evt_2", "timestamp": "1", "signature": "v1,AAAA"}[spoiled]
    now_s = datetime.now(UTC).timestamp()
    assert is_genuine(SECRET, sign([SECRET], "evt_1", datetime.now(UTC), b"{}"), b"{}", now_s)
    assert not is_genuine(secret, headers, body, now_s)
    assert Inbox(secrets={"shop": secret}).take("shop", headers, body) == (401, 0.0)


def test_the_clock_only_moves_forward_and_keeps_the_order_of_things() -> None:
    begin = datetime(2026, 11, 23, 7, tzinfo=LOCAL)
    clock = Clock(begin, 0)
    seen: list[tuple[str, datetime]] = []

    def note(what: str) -> None:
        seen.append((what, clock.now))

    clock.at(begin + timedelta(minutes=10), lambda: note("second"))
    clock.at(begin + timedelta(minutes=5), lambda: clock.at(begin, lambda: note("late news")))
    clock.at(begin + timedelta(minutes=90), lambda: note("tomorrow"))
    clock.run(begin + timedelta(hours=1))
    assert seen == [("late news", begin + timedelta(minutes=5)), ("second", begin + timedelta(minutes=10))]


def test_couriers_wait_for_the_shop_to_open_and_ride_no_faster_than_a_motorbike() -> None:
    lunch = datetime(2026, 11, 23, 12, tzinfo=LOCAL)
    assert shop_opens(lunch) == lunch.replace(hour=13, minute=30)
    assert shop_opens(lunch.replace(hour=17)) is None
    assert ride_time((12.25, 109.19), (12.24, 109.11)) > timedelta(minutes=15)
    assert ride_time((12.25, 109.19), (12.50, 109.14)) < timedelta(minutes=90)


def test_every_signature_is_a_picture_of_its_own() -> None:
    random = Random(1)
    pictures = {scribble(random) for _ in range(20)}
    assert len(pictures) == 20
    assert all(picture.startswith(b"\x89PNG\r\n\x1a\n") and picture.endswith(b"IEND\xaeB`\x82") for picture in pictures)


def _step(status: str, minute: int, implied: bool = False) -> dict[str, Any]:
    at = datetime(2026, 11, 23, 9, minute, tzinfo=LOCAL)
    return {"leg": "return", "status": status, "occurred_at": at.isoformat(), "implied": implied}


WHOLE = [
    _step("REQUESTED", 0), _step("DISPATCHED", 5, True), _step("ASSIGNED", 5), _step("COLLECTED", 20),
    _step("IN_TRANSIT", 50, True), _step("AT_OFFICE", 50, True), _step("OUT_FOR_DELIVERY", 50, True),
    _step("DELIVERED", 50),
]  # fmt: skip


def test_a_trail_with_a_gap_a_leap_in_time_or_a_scan_nobody_made_is_named() -> None:
    assert report.broken_trail("return", WHOLE) is None
    for missing in range(len(WHOLE)):
        assert report.broken_trail("return", WHOLE[:missing] + WHOLE[missing + 1 :]) is not None
    assert report.broken_trail("return", [*WHOLE[:3], _step("COLLECTED", 20, True), *WHOLE[4:]]) is not None
    assert report.broken_trail("return", [*WHOLE[:3], _step("COLLECTED", 55), *WHOLE[4:]]) is not None


def _visit(courier: str, minute: int, outcome: str = "done") -> Visit:
    return Visit("req_1", "return", "pickup at shop", courier, datetime(2026, 11, 23, 9, minute, tzinfo=LOCAL), outcome)


def test_two_couriers_at_one_door_are_named_unless_the_first_reported_a_failure() -> None:
    assert report.doors([_visit("a", 1)], {}).holds
    assert report.doors([_visit("a", 1, "failed"), _visit("b", 50)], {}).holds
    assert not report.doors([_visit("a", 1), _visit("b", 50)], {}).holds
    assert not report.doors([_visit("a", 1, "withdrawn"), _visit("b", 50)], {}).holds
    assert not report.doors([_visit("a", 1)], {"req_1": [_step("COLLECTED", 1), _step("COLLECTED", 9)]}).holds
    assert not report.doors([], {}).holds


class _NoApi:
    """Stands where the claims need no call."""


def _watch(inbox: Inbox) -> report.Watch:
    clock = Clock(datetime(2026, 11, 23, 18, tzinfo=LOCAL), 0)
    api: Any = _NoApi()
    return report.Watch(api, clock, "", {}, inbox, Shops(api, clock, {}, "demo", clock.now))


def test_a_webhook_that_never_came_or_that_nobody_owed_breaks_the_claim() -> None:
    watch = _watch(Inbox(taken={"shop": {"evt_1", "evt_2"}}))
    watch.feed = {"shop": {"evt_1", "evt_2"}}
    assert report.webhooks(watch, 0).holds
    watch.feed = {"shop": {"evt_1", "evt_2", "evt_3"}}
    assert not report.webhooks(watch, 60).holds
    watch.feed = {"shop": {"evt_1"}}
    assert not report.webhooks(watch, 0).holds


def test_a_late_request_counts_only_with_its_reason_and_after_its_shop_was_told() -> None:
    request = {"id": "req_1", "external_ref": "demo/001/return", "promise": [{"leg": "return", "state": "BREACHED"}]}
    watch = _watch(Inbox())
    assert not report.promises(watch, [request]).holds
    watch.reasons["req_1", "return"] = "No courier has it yet"
    assert not report.promises(watch, [request]).holds
    watch.types["req_1"] = ["request.created", "promise.breached"]
    claim = report.promises(watch, [request])
    assert claim.holds and claim.detail["share_met"] == 0.0
    still_open = {**request, "id": "req_2", "promise": [{"leg": "return", "state": "RUNNING"}]}
    assert not report.promises(watch, [request, still_open]).holds
