"""Keep what is foretold of every promise: made anew when something stirs it, and as time passes.

Whatever writes rounds, requests or positions notes it (`session.stirred`); `refresh` at the end of the call looks at
every promise that hangs on it. Rows that others hold are left to them: nobody waits for a forecast.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dispatch.domain import sla
from dispatch.domain.forecasts import Forecast
from dispatch.domain.hours import local_date
from dispatch.domain.sla import Promise
from dispatch.domain.text import local_text
from dispatch.flows.assessing import address_json
from dispatch.flows.foreseeing import LateNotices, Parts, held, is_running
from dispatch.flows.offering import offered
from dispatch.flows.recording import settle
from dispatch.flows.snapshot import OpenLeg, read, read_legs
from dispatch.live.danger import endangered

if TYPE_CHECKING:
    from dispatch.domain.consignment import Leg, QuoteBody
    from dispatch.flows.assessing import Assessment
    from dispatch.flows.intake import Prepared
    from dispatch.flows.recording import Scene
    from dispatch.store import Session
    from dispatch.store.forecasts import Held, Kept
    from dispatch.store.rows import LegRow, Request

ROUNDS = 24
"""Rounds looked at in one call; the rest are due for the clock at once."""
LOOSE = 40
"""Legs without a round that are tried in one call."""
PATIENCE_MS = 300
"""A forecast gives way to whoever holds what it needs."""
AGAIN = timedelta(seconds=60)
AGAIN_UNKNOWN = timedelta(minutes=5)
"""When the clock looks again at a live promise; later where nobody could say anything."""

log = logging.getLogger(__name__)


def refresh(session: Session, scene: Scene, parts: Parts, mode: str) -> None:
    """Foretell anew whatever this transaction has stirred in one world, and let promises follow.

    A forecast that fails takes nothing back but itself: it is logged, and the clock tries again.
    """
    if not session.stirred:
        return
    try:
        with session.apart(patience_ms=PATIENCE_MS):
            _renew(session, scene, parts, mode)
    except Exception:
        log.exception("promises could not be foretold")
        session.forecasts.leave(session.stirred, session.wall_clock() + AGAIN)
    finally:
        session.stirred.clear()  # what the forecast itself has changed calls for no other one


def look_again(session: Session, scene: Scene, parts: Parts, requests: Iterable[str]) -> None:
    """Foretell live requests anew because time has passed."""
    session.stirred.request_ids.update(requests)
    refresh(session, scene, parts, "live")


def _renew(session: Session, scene: Scene, parts: Parts, mode: str) -> None:
    in_rounds = session.forecasts.concerned(mode, local_date(scene.now), session.stirred)
    rounds = sorted({(one.day, one.courier_id) for one in in_rounds.values()})
    looked_at = set(rounds[:ROUNDS])
    names = {name for name, one in in_rounds.items() if (one.day, one.courier_id) in looked_at}
    later = {name[0] for name in in_rounds.keys() - names}
    loose = sorted(session.stirred.request_ids - {name[0] for name in in_rounds})
    later.update(loose[LOOSE:])
    ids = sorted({name[0] for name in names} | set(loose[:LOOSE]))
    requests = session.planning.lock_requests(mode, ids, free_only=True)
    if mode == "test":  # a row that has been at a later instant is not moved from an earlier one
        requests = {key: one for key, one in requests.items() if one.last_at <= scene.now}
    legs = _settled_legs(session, scene, requests)
    words = _foretold(session, scene, parts, mode, requests, {name: in_rounds[name] for name in names})
    _keep(session, scene, legs, words)
    session.stirred.clear()
    session.stirred.request_ids.update(later)
    if later:
        session.forecasts.leave(session.stirred, session.wall_clock())


def _settled_legs(session: Session, scene: Scene, requests: Mapping[str, Request]) -> list[LegRow]:
    """The legs of locked requests, after what time alone has done to them."""
    legs = _legs(session, requests)
    due = {leg.request_id for leg in legs if leg.next_check_at is not None and leg.next_check_at <= scene.now}
    # In one order for everybody: telling a shop holds its feed.
    for request in sorted((requests[key] for key in due), key=lambda one: (one.shop_id, one.id)):
        settle(session, scene, request)
    return _legs(session, requests) if due else legs


def _legs(session: Session, request_ids: Iterable[str]) -> list[LegRow]:
    return [leg for rows in session.consignments.legs_of(sorted(request_ids)).values() for leg in rows]


def _foretold(
    session: Session,
    scene: Scene,
    parts: Parts,
    mode: str,
    requests: Mapping[str, Request],
    in_rounds: Mapping[tuple[str, str], Held],
) -> dict[str, Forecast]:
    """The forecast of every running promise of `requests`, by leg: from its round, else where it could be taken in."""
    late = _late_notices(requests.values())
    words: dict[str, Forecast] = {}
    days: dict[date, set[str]] = {}
    for one in in_rounds.values():
        days.setdefault(one.day, set()).add(one.courier_id)
    for day, couriers in sorted(days.items()):
        words |= held(read(session, scene, mode, day, riders=couriers), scene, parts, late)
    legs = [leg for leg in read_legs(session, mode, list(requests)) if is_running(leg)]
    nobodys = [leg for leg in legs if leg.key not in words]
    return words | offered(session, scene, parts, mode, nobodys, late)


def _late_notices(requests: Iterable[Request]) -> LateNotices:
    found = {}
    for request in requests:
        if "late_notice" in request.warnings and request.body.get("notice_at"):
            late = request.created_at - datetime.fromisoformat(request.body["notice_at"])
            first = "return" if request.kind == "return" else "pickup"
            found[f"{request.id}/{first}"] = int(late / timedelta(minutes=1))
    return found


@dataclass(frozen=True)
class _Look:
    """What one look at a leg's promise found: `word` None where nothing is to be foretold of it any more."""

    leg: LegRow
    word: Forecast | None
    in_danger: bool
    turns: bool
    is_news: bool

    def to_row(self, now: datetime) -> dict[str, Any]:
        """What is written beside the leg."""
        soon = self.word is not None and self.word.breach_probability is not None
        return {
            "request_id": self.leg.request_id,
            "leg": self.leg.leg,
            "predicted": self.word.to_json() if self.word is not None and self.is_news else self.leg.predicted,
            "in_danger": self.in_danger,
            "forecast_due_at": now + (AGAIN if soon else AGAIN_UNKNOWN),
        }


def _look(leg: LegRow, word: Forecast | None, kept: Kept | None, now: datetime) -> _Look | None:
    """Hold a fresh forecast against the one kept last; None where there is nothing to write."""
    if kept is not None and kept.word.made_at > now:
        return None  # what was foretold from a later instant stands
    in_danger = False
    if word is not None and leg.due_at is not None:
        p50 = None if word.p50 is None else int(word.p50.timestamp())
        in_danger = endangered(leg.in_danger, word.breach_probability, p50, int(leg.due_at.timestamp()))
    if word is None and not leg.in_danger:
        return None
    turns = False
    if in_danger != leg.in_danger:
        turns = sla.advance(Promise.from_json(leg.promise), now, in_danger=in_danger).state != leg.promise_state
    is_news = word is not None and (kept is None or turns or kept.state != leg.promise_state or word.is_news(kept.word))
    return _Look(leg, word, in_danger, turns, is_news)


def _keep(session: Session, scene: Scene, legs: Iterable[LegRow], words: Mapping[str, Forecast]) -> None:
    """Write what is new, let promises enter or leave danger, and append to the history."""
    last = session.forecasts.last({leg.request_id for leg in legs if leg.predicted is not None})
    looks = []
    for leg in legs:
        name = leg.request_id, leg.leg
        found = _look(leg, words.get("/".join(name)), last.get(name), scene.now)
        if found is not None:
            looks.append(found)
    session.forecasts.keep([look.to_row(scene.now) for look in looks])
    turning = sorted((look.leg for look in looks if look.turns), key=lambda leg: (leg.shop_id, leg.request_id))
    for leg in turning:
        _turn(session, scene, leg)
    news = [look for look in looks if look.is_news]
    now = _legs(session, {leg.request_id for leg in turning}) if turning else []
    states = {(leg.request_id, leg.leg): leg.promise_state for leg in [*(look.leg for look in news), *now]}
    session.forecasts.add(
        [(look.leg, look.word, states[look.leg.request_id, look.leg.leg]) for look in news if look.word]
    )


def _turn(session: Session, scene: Scene, leg: LegRow) -> None:
    """Let a promise follow its forecast into danger or out of it."""
    session.consignments.change_leg(leg.request_id, leg.leg, next_check_at=scene.now)
    request = session.consignments.get(leg.mode, leg.request_id)
    assert request is not None
    settle(session, scene, request)


def of_quote(
    session: Session, scene: Scene, parts: Parts, decided: Assessment, body: QuoteBody
) -> dict[Leg, dict[str, Any]]:
    """What would be foretold of a request if it were made now; empty where that fails, which is logged."""
    first = body.legs[0]
    promise = decided.promises[first]
    leg = OpenLeg(
        request_id="quote",
        leg=first,
        status="REQUESTED",
        substatus=None,
        shop_id=decided.shop.id,
        office_id=decided.office.id if decided.office else None,
        courier_id=None,
        promise=promise.to_json(),
        due_at=promise.due_at,
        body=body.model_dump(mode="json", by_alias=True),
        address=address_json(decided.where.place),
        history=None,
    )
    late = {}
    if "late_notice" in decided.warnings and body.notice_at is not None:
        late[leg.key] = int((scene.now - body.notice_at) / timedelta(minutes=1))
    word = _first_word(session, scene, parts, decided.shop.mode, leg, late)
    return {} if word is None else {first: word.to_json()}


def at_birth(session: Session, scene: Scene, parts: Parts, prepared: Prepared) -> Prepared | None:
    """A request that is about to be kept, with what is foretold of it.

    None where time or the forecast moves its promise at once: then it is kept as it is, and foretold like any other.
    """
    request, first = prepared.request, prepared.legs[0]
    if first.next_check_at is not None and first.next_check_at <= scene.now:
        return None
    leg = OpenLeg(
        request_id=request.id,
        leg=first.leg,
        status=first.status,
        substatus=None,
        shop_id=request.shop_id,
        office_id=request.office_id,
        courier_id=None,
        promise=first.promise,
        due_at=first.due_at,
        body=request.body,
        address=request.address,
        history=None,
    )
    word = _first_word(session, scene, parts, request.mode, leg, _late_notices([request]))
    look = _look(first, word, None, scene.now) if word is not None else None
    if word is None or look is None:
        return replace(prepared, look_again_at=scene.now + AGAIN)
    if look.turns:
        return None
    row = look.to_row(scene.now)
    foretold = replace(first, predicted=row["predicted"], in_danger=row["in_danger"])
    return replace(
        prepared,
        legs=(foretold, *prepared.legs[1:]),
        look_again_at=row["forecast_due_at"],
        forecasts=(session.forecasts.line(first, word, first.promise_state),),
    )


def _first_word(
    session: Session, scene: Scene, parts: Parts, mode: str, leg: OpenLeg, late: LateNotices
) -> Forecast | None:
    """What is foretold of a leg that is not stored; None where that fails, which is logged. It only reads."""
    try:
        return offered(session, scene, parts, mode, [leg], late)[leg.key]
    except Exception:
        if session.is_broken:
            raise
        log.exception("a promise could not be foretold before it was given")
        return None


def history_json(session: Session, request: Request) -> list[dict[str, Any]]:
    """Everything that was foretold of a request, oldest first, with the state its promise had then."""
    return [
        {
            "leg": kept.leg,
            "state": kept.state,
            "courier_id": kept.word.courier_id,
            "planned_at": None if kept.word.planned_at is None else local_text(kept.word.planned_at),
            **kept.word.to_json(),
        }
        for kept in session.forecasts.history(request.id)
    ]
