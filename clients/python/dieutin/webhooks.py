"""Verify what comes to a webhook (Standard Webhooks 1.0), before a word of it is believed."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Iterable, Mapping
from typing import cast

from dieutin.errors import DieuTinError
from dieutin.types import Event

TOLERANCE_S = 300
"""How far a message's timestamp may be from our clock: an old one may be somebody's recording."""


class NotOurs(DieuTinError):
    """A message that nobody who knows the secret has signed just now: answer 400 and forget it."""


def verified(
    body: bytes, headers: Mapping[str, str], secrets: str | Iterable[str], *, now_s: float | None = None
) -> Event:
    """The event of a message; raises `NotOurs`.

    `body` is as it came, before any parsing. `secrets`: `whsec_…`, several while one replaces another. An event may
    come more than once: its `id` tells.
    """
    given = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, stamp = given["webhook-id"], given["webhook-timestamp"]
        signatures = given["webhook-signature"].split()
        age_s = (time.time() if now_s is None else now_s) - int(stamp)
    except (KeyError, ValueError) as error:
        raise NotOurs("a header of Standard Webhooks is missing or unreadable") from error
    if abs(age_s) > TOLERANCE_S:
        raise NotOurs(f"the message is {age_s:.0f} s old")
    signed = f"{message_id}.{stamp}.".encode() + body
    known = [secrets] if isinstance(secrets, str) else list(secrets)
    wanted = [f"v1,{_signature(secret, signed)}".encode() for secret in known]
    # Every pair is compared, so that the time taken tells nothing.
    fits = [hmac.compare_digest(one.encode(), other) for one in signatures for other in wanted]
    if not any(fits):
        raise NotOurs("no signature fits")
    return cast(Event, json.loads(body))


def _signature(secret: str, signed: bytes) -> str:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise ValueError("a signing secret is whsec_ and base64") from error
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
