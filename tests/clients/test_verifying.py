"""The client believes a webhook message only where it is signed by a live secret and fresh."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from dieutin.webhooks import NotOurs, verified
from standardwebhooks import Webhook

from dispatch.channels.webhook import new_secret

BODY = json.dumps({"id": "evt_1", "type": "webhook.test", "seq": 1}, ensure_ascii=False).encode()
NOW_S = 1_790_000_000


def signed(*secrets: str, at_s: int = NOW_S, body: bytes = BODY) -> dict[str, str]:
    """The headers the reference library makes, with a signature for each secret."""
    at = datetime.fromtimestamp(at_s, UTC)
    signatures = [Webhook(secret).sign("evt_1", at, body.decode()) for secret in secrets]
    return {"Webhook-Id": "evt_1", "Webhook-Timestamp": str(at_s), "Webhook-Signature": " ".join(signatures)}


def test_what_the_reference_library_signs_is_ours() -> None:
    secret = new_secret()
    assert verified(BODY, signed(secret), secret, now_s=NOW_S + 299)["id"] == "evt_1"


def test_while_a_secret_is_changed_either_side_may_know_only_one() -> None:
    old, new = new_secret(), new_secret()
    assert verified(BODY, signed(new, old), old, now_s=NOW_S)
    assert verified(BODY, signed(old), [new, old], now_s=NOW_S)
    with pytest.raises(NotOurs):
        verified(BODY, signed(old), [new], now_s=NOW_S)


@pytest.mark.parametrize("off_s", [-301, 301])
def test_an_old_message_and_one_from_the_future_are_not_believed(off_s: int) -> None:
    secret = new_secret()
    with pytest.raises(NotOurs):
        verified(BODY, signed(secret), secret, now_s=NOW_S + off_s)


def test_a_changed_body_and_missing_headers_are_not_believed() -> None:
    secret = new_secret()
    headers = signed(secret)
    with pytest.raises(NotOurs):
        verified(BODY.replace(b"1", b"2"), headers, secret, now_s=NOW_S)
    for name in headers:
        with pytest.raises(NotOurs):
            verified(BODY, {**headers, name: "x"}, secret, now_s=NOW_S)
        with pytest.raises(NotOurs):
            verified(BODY, {key: value for key, value in headers.items() if key != name}, secret, now_s=NOW_S)
