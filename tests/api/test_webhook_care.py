"""A webhook over the years: its secret is changed, its receiver is away, what it missed is sent again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import standardwebhooks
from sqlalchemy import select, update

from dispatch.bootstrap import System
from dispatch.domain.news import NEWS
from dispatch.flows import notifying
from dispatch.store import tables as t
from tests.api.conftest import NOON, Api, make_shop
from tests.api.hooks import deliver_all, deliver_really, log_of, make_hook
from tests.channels.receiver import Call, Receiver

Body = Callable[..., dict[str, Any]]


def allow(system: System, receiver: Receiver) -> None:
    with system.store.begin() as session:
        soon = session.wall_clock() + timedelta(hours=1)
        session.notices.allow_receiver("127.0.0.1", receiver.port, "a test's own receiver", soon)


def verifies(secret: str, call: Call) -> bool:
    try:
        standardwebhooks.Webhook(secret).verify(call.body, call.headers)
    except standardwebhooks.WebhookVerificationError:
        return False
    return True


def change(system: System, table: Any, row_id: str, **values: Any) -> None:
    with system.store.begin() as session:
        session.connection.execute(update(table).where(table.c.id == row_id).values(**values))


# ---- types -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("type", [*NEWS, "*", "request.*", "promise.*", "fee.*", "manifest.*", "import.*", "address.*"])
def test_every_type_of_the_contract_and_its_family_can_be_asked_for(shop: Api, type: str) -> None:
    assert make_hook(shop, types=[type, type])["types"] == [type]


@pytest.mark.parametrize("type", ["request.creatd", "request", "nonsense.*", "webhook.test", "REQUEST.CREATED", ""])
def test_a_type_we_never_send_is_refused_and_the_known_ones_are_named(shop: Api, type: str) -> None:
    hook = make_hook(shop)
    for refused in (
        shop.post("/v1/webhooks", {"url": hook["url"], "types": ["request.created", type]}),
        shop.call("PATCH", f"/v1/webhooks/{hook['id']}", {"types": ["request.created", type]}),
    ):
        assert (refused.status_code, refused.json["code"]) == (422, "validation_failed")
        (error,) = refused.json["errors"]
        assert error["pointer"] == "/types/1"
        assert all(known in error["message"] for known in (*NEWS, "*", "request.*"))


# ---- secrets ---------------------------------------------------------------------------------------------------------
def test_while_a_secret_is_changed_both_verify_and_afterwards_the_new_one_only(
    shop: Api, body: Body, system: System
) -> None:
    with Receiver() as receiver:
        allow(system, receiver)
        hook = make_hook(shop, url=receiver.url, types=["request.created"])
        path = f"/v1/webhooks/{hook['id']}"
        assert hook["previous_secret_until"] is None
        rotated = shop.post(f"{path}/rotate", {"overlap_hours": 2}).json
        until = datetime.fromisoformat(rotated["previous_secret_until"])
        assert timedelta(minutes=119) < until - datetime.now(UTC) <= timedelta(hours=2)
        shop.post("/v1/requests", body(), at=NOON)
        deliver_really(system)
        change(system, t.webhooks, hook["id"], previous_secret_until=datetime.now(UTC))
        shop.post("/v1/requests", body(), at=NOON)
        deliver_really(system)
    during, after = receiver.calls
    signatures = during.headers["webhook-signature"].split(" ")
    assert len(signatures) == 2 and all(text.startswith("v1,") for text in signatures)
    assert [verifies(secret, during) for secret in (rotated["secret"], hook["secret"])] == [True, True]
    assert [verifies(secret, after) for secret in (rotated["secret"], hook["secret"])] == [True, False]
    assert shop.get(path).json.keys() == hook.keys() - {"secret"}


def test_at_most_two_secrets_live_and_a_leaked_one_dies_at_once(shop: Api, body: Body, system: System) -> None:
    with Receiver() as receiver:
        allow(system, receiver)
        hook = make_hook(shop, url=receiver.url, types=["request.created"])
        path = f"/v1/webhooks/{hook['id']}/rotate"
        second, third = (shop.post(path, {}).json["secret"] for _ in range(2))
        shop.post("/v1/requests", body(), at=NOON)
        deliver_really(system)
        fourth = shop.post(path, {"overlap_hours": 0}).json["secret"]
        shop.post("/v1/requests", body(), at=NOON)
        deliver_really(system)
    secrets = (hook["secret"], second, third, fourth)
    assert [verifies(secret, receiver.calls[0]) for secret in secrets] == [False, True, True, False]
    assert [verifies(secret, receiver.calls[1]) for secret in secrets] == [False, False, False, True]


def test_a_rotation_that_is_sent_twice_happens_once_and_its_secret_is_not_shown_again(shop: Api) -> None:
    hook = make_hook(shop)
    key = {"Idempotency-Key": "rotate-once"}
    first, again = (shop.post(f"/v1/webhooks/{hook['id']}/rotate", {}, headers=key) for _ in range(2))
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.json["secret"].startswith("whsec_") and again.json == first.json | {"secret": None}


def test_an_old_secret_is_forgotten_when_its_time_is_over(shop: Api, system: System) -> None:
    hook, other = make_hook(shop), make_hook(shop)
    for one in (hook, other):
        shop.post(f"/v1/webhooks/{one['id']}/rotate", {"overlap_hours": 1})
    change(system, t.webhooks, hook["id"], previous_secret_until=datetime.now(UTC))
    with system.store.begin() as session:
        session.receivers.forget_secrets(session.wall_clock())
        kept = {row.id: row.previous_secret for row in session.notices.webhooks("test", None)}
    assert kept == {hook["id"]: None, other["id"]: other["secret"]}


def test_a_secret_is_in_no_printed_form_of_its_webhook(shop: Api, system: System) -> None:
    hook = make_hook(shop)
    shop.post(f"/v1/webhooks/{hook['id']}/rotate", {})
    with system.store.begin() as session:
        row = session.notices.webhook(hook["id"])
    assert row is not None and row.previous_secret == hook["secret"]
    assert "whsec_" not in repr(row)


# ---- a range sent again ----------------------------------------------------------------------------------------------
def outage(shop: Api, body: Body, system: System) -> tuple[dict[str, Any], list[str]]:
    """A webhook that took the first event, failed the second, was off for the third, waits to retry the fourth."""
    hook = make_hook(shop, types=["request.created"])
    path = f"/v1/webhooks/{hook['id']}"
    made = []
    for status in (200, 500, None, 503):
        if status is None:
            shop.call("PATCH", path, {"active": False})
        made.append(shop.post("/v1/requests", body(), at=NOON).json["id"])
        if status is None:
            shop.call("PATCH", path, {"active": True})
        else:
            deliver_all(system, status)
        if status == 500:
            change(system, t.deliveries, log_of(shop, hook)[1]["id"], state="failed", attempt=10, next_at=None)
    assert [line["state"] for line in log_of(shop, hook)] == ["sent", "failed", "pending"]
    return hook, made


@pytest.mark.parametrize(
    ("state", "sent"),
    [
        (None, [0, 1, 2, 3]),
        ("unsent", [1, 2, 3]),
        ("missing", [2]),
        ("failed", [1]),
        ("pending", [3]),
        ("sent", [0]),
    ],
)
def test_a_range_is_sent_again_as_asked_also_what_was_never_owed(
    shop: Api, body: Body, system: System, state: str | None, sent: list[int]
) -> None:
    hook, made = outage(shop, body, system)
    asked: dict[str, Any] = {"from_seq": 0} | ({} if state is None else {"state": state})
    answer = shop.post(f"/v1/webhooks/{hook['id']}/replay", asked)
    assert answer.status_code == 202
    assert answer.json == {"webhook_id": hook["id"], "replayed": len(sent), "under_way": 0, "next_seq": None}
    before = {line["body"]["data"]["id"]: len(line["log"]) for line in log_of(shop, hook)}
    deliver_all(system)
    lines = log_of(shop, hook)
    again = {line["body"]["data"]["id"] for line in lines if len(line["log"]) > before[line["body"]["data"]["id"]]}
    assert again == {made[number] for number in sent}
    assert all(line["state"] == "sent" for line in lines if line["body"]["data"]["id"] in again)
    assert len({line["event_id"] for line in lines}) == len(lines)


def test_a_range_has_two_ends_by_number_or_by_instant(shop: Api, body: Body, system: System) -> None:
    hook = make_hook(shop, types=["request.created", "promise.*"])
    instants = [f"2026-11-23T{hour:02}:00:00+07:00" for hour in (8, 9, 10, 11)]
    for instant in instants:
        shop.post("/v1/requests", body(), at=instant)
    deliver_all(system)
    path = f"/v1/webhooks/{hook['id']}/replay"
    seqs = [line["seq"] for line in log_of(shop, hook)]
    for asked in (
        {"from_seq": seqs[1], "to_seq": seqs[2]},
        {"from": instants[1], "to": instants[2]},
        {"from_seq": seqs[1], "from": instants[0], "to": instants[2]},
    ):
        assert shop.post(path, asked).json["replayed"] == 2, asked
        assert [line["state"] for line in log_of(shop, hook)] == ["sent", "pending", "pending", "sent"]
        deliver_all(system)


def test_a_range_replay_is_cut_where_one_call_ends_and_says_where_to_go_on(
    shop: Api, body: Body, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = make_hook(shop, types=["request.created"])
    for _ in range(5):
        shop.post("/v1/requests", body(), at=NOON)
    deliver_all(system)
    monkeypatch.setattr(notifying, "MOST_RETOLD", 2)
    counts, start = [], 0
    while start is not None:
        answer = shop.post(f"/v1/webhooks/{hook['id']}/replay", {"from_seq": start}).json
        counts.append(answer["replayed"])
        start = answer["next_seq"]
    assert counts == [2, 2, 1] and {line["state"] for line in log_of(shop, hook)} == {"pending"}


def test_a_range_replay_leaves_alone_what_is_under_way_and_owes_no_test_message(
    shop: Api, body: Body, system: System
) -> None:
    hook, other = make_hook(shop, types=["request.created"]), make_hook(shop)
    shop.post(f"/v1/webhooks/{other['id']}/test")
    for _ in range(2):
        shop.post("/v1/requests", body(), at=NOON)
    held = log_of(shop, hook)[0]["id"]
    change(system, t.deliveries, held, lease_until=datetime.now(UTC) + timedelta(minutes=1))
    answer = shop.post(f"/v1/webhooks/{hook['id']}/replay", {"from_seq": 0}).json
    assert (answer["replayed"], answer["under_way"]) == (1, 1)
    shop.call("PATCH", f"/v1/webhooks/{hook['id']}", {"types": ["*"]})
    answer = shop.post(f"/v1/webhooks/{hook['id']}/replay", {"from_seq": 0, "state": "missing"}).json
    assert answer["replayed"] == 2  # the two fee.assessed; the other webhook's test message is not its news


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({}, "/from_seq"),
        ({"to_seq": 5}, "/from_seq"),
        ({"from_seq": -1}, "/from_seq"),
        ({"from": "2026-11-23T10:00:00"}, "/from"),
        ({"from_seq": 0, "state": "lost"}, "/state"),
        ({"from_seq": 0, "since": 3}, "/since"),
    ],
)
def test_a_range_that_makes_no_sense_is_refused(shop: Api, asked: dict[str, Any], pointer: str) -> None:
    hook = make_hook(shop)
    refused = shop.post(f"/v1/webhooks/{hook['id']}/replay", asked)
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, pointer)


def test_nobody_rotates_or_replays_the_webhook_of_another_shop(operator: Api, shop: Api) -> None:
    hook = make_hook(shop)
    other = operator.as_key(make_shop(operator, "kh-dien-khanh"))
    base = f"/v1/webhooks/{hook['id']}"
    assert other.post(f"{base}/rotate", {}).status_code == 404
    assert other.post(f"{base}/replay", {"from_seq": 0}).status_code == 404
    shop.call("PATCH", base, {"active": False})
    assert shop.post(f"{base}/replay", {"from_seq": 0}).json["code"] == "webhook_disabled"


# ---- a receiver that fails for days ----------------------------------------------------------------------------------
def test_a_receiver_that_fails_for_days_is_switched_off_and_everybody_can_see_it(
    operator: Api, shop: Api, body: Body, system: System
) -> None:
    hook = make_hook(shop, types=["request.created"])
    path = f"/v1/webhooks/{hook['id']}"
    shop.post("/v1/requests", body(), at=NOON)
    deliver_all(system, 503, 503, 503)
    since = shop.get(path).json["failing_since"]
    assert since is not None and shop.get(path).json["active"] is True
    five_days_ago = datetime.now(UTC) - timedelta(days=5)
    change(system, t.webhooks, hook["id"], failing_since=five_days_ago + timedelta(minutes=5))
    shop.post("/v1/requests", body(), at=NOON)
    deliver_all(system, 503, 503, 503)
    assert shop.get(path).json["active"] is True
    told = operator.get("/v1/board", at=NOON).json["alerts"]
    assert [(one["code"], one["shop_id"]) for one in told if one["code"].startswith("webhook")] == [
        ("webhook_failing", "kh-nha-trang")
    ]
    change(system, t.webhooks, hook["id"], failing_since=five_days_ago)
    shop.post("/v1/requests", body(), at=NOON)
    deliver_all(system, 503, 503, 503)
    shown = shop.get(path).json
    assert (shown["active"], shown["disabled_reason"]) == (False, "failing_for_days")
    assert shown["disabled_at"] is not None
    told = operator.get("/v1/board", at=NOON).json["alerts"]
    assert [one["code"] for one in told if one["code"].startswith("webhook")] == ["webhook_off"]
    with system.store.begin() as session:
        noted = select(t.audit.c.target, t.audit.c.detail).where(t.audit.c.action == "webhook.disabled")
        assert [tuple(row) for row in session.connection.execute(noted)] == [
            (hook["id"], {"reason": "failing_for_days"})
        ]
    on = shop.call("PATCH", path, {"active": True}).json
    assert (on["active"], on["disabled_reason"], on["disabled_at"], on["failing_since"]) == (True, None, None, None)


def test_one_success_ends_the_count_of_days(shop: Api, body: Body, system: System) -> None:
    hook = make_hook(shop, types=["request.created"])
    long_ago = datetime.now(UTC) - timedelta(days=30)
    change(system, t.webhooks, hook["id"], failing_since=long_ago)
    for status in (204, 500):
        shop.post("/v1/requests", body(), at=NOON)
        deliver_all(system, status)
    shown = shop.get(f"/v1/webhooks/{hook['id']}").json
    assert shown["active"] is True and datetime.fromisoformat(shown["failing_since"]) > long_ago + timedelta(days=29)


def test_a_new_address_begins_anew(shop: Api, system: System) -> None:
    hook = make_hook(shop)
    change(system, t.webhooks, hook["id"], failing_since=datetime.now(UTC))
    moved = shop.call("PATCH", f"/v1/webhooks/{hook['id']}", {"url": "https://93.184.216.34/new"}).json
    assert moved["failing_since"] is None


def test_the_owner_who_switches_a_webhook_off_causes_no_alarm(operator: Api, shop: Api) -> None:
    hook = make_hook(shop)
    off = shop.call("PATCH", f"/v1/webhooks/{hook['id']}", {"active": False}).json
    assert (off["disabled_reason"], off["disabled_at"] is not None) == ("by_hand", True)
    assert not [one for one in operator.get("/v1/board", at=NOON).json["alerts"] if one["code"].startswith("webhook")]
