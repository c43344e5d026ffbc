"""The adapter for one-stop systems that speak the post's older shape: orders, a batch of them, and their recall."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flask import g
from pydantic import RootModel, ValidationError

from api.endpoint import Call, route
from api.problems import ADAPTERS, HttpProblem, from_dispatch, from_validation
from api.shapes.orders import OrderReply
from api.v1.requests import own_shop, scene
from dispatch.domain.errors import DispatchError, Unavailable, invalid
from dispatch.domain.one_stop_orders import LEGS, fields, item_code_of, leg_of, number_of, read_order, text_of
from dispatch.domain.outward import leg_json
from dispatch.domain.text import PlainObject
from dispatch.flows import forecasting, ordering
from dispatch.flows.ordering import Caller, Placed
from dispatch.store import Session

MOST_ORDERS = 100
ACCEPTED, KNOWN, PARTLY = "100", "101", "102"
TRIES = 3
_PATH = f"{ADAPTERS}one-stop"

Reply = dict[str, Any]


class OneStopOrder(RootModel[PlainObject]):
    """An order or a recall: fields as docs/adapter.md lists them; others are passed over."""


class OneStopBatch(RootModel[list[Any] | dict[str, Any]]):
    """Orders in an array, or in an object under `Orders`."""


def _reply(status: str, vi: str, en: str, **more: Any) -> Reply:
    return {"Status": status, "Message": vi if g.lang == "vi" else en, **more}


def _caller(call: Call, session: Session, given: Mapping[str, Any]) -> Caller:
    """For whom an order is: the key's own shop; an operator's key names it in CustomerCode."""
    own = own_shop(call)
    named = own or text_of(given, "CustomerCode")
    if not named.isprintable() or not named or session.network.shop(call.mode, named) is None:
        raise invalid(
            "/CustomerCode",
            "unknown_shop",
            "CustomerCode: không có Bộ phận Một cửa mang mã này.",
            "CustomerCode: no shop has this id.",
        )
    return Caller(call.mode, named, own, call.principal.owner)


def _apart(call: Call, work: Callable[[Session], Reply]) -> Reply:
    """Do one order in a transaction of its own and answer it in the shape such systems read, also where it fails.

    What hangs on it is foretold in the same transaction. The call's own has ended: no call waits for a second
    connection with one in its hands.
    """
    call.leave()
    for attempt in range(1, TRIES + 1):
        try:
            with call.system.store.begin() as session:
                reply = work(session)
                forecasting.refresh(session, scene(call), call.system, call.mode)
                return reply
        except DispatchError as error:
            if error.permanent:
                return _refused(from_dispatch(error))
            if attempt == TRIES or not isinstance(error, Unavailable) or error.code != "busy":
                raise
    raise AssertionError("every attempt returns or raises")


def _refused(problem: HttpProblem) -> Reply:
    return _reply(str(problem.status), problem.vi, problem.en, Code=problem.code, Errors=problem.errors)


def _told(call: Call, session: Session, placed: Placed) -> Reply:
    request = placed.request
    leg = session.consignments.legs(request.id)[0]
    shown = leg_json(request, leg, call.system.public_url)
    return {
        "OrderNumber": request.body["dossier"]["code"],
        "ItemCode": leg.item_id,
        "RequestId": request.id,
        "Attempt": placed.attempt,
        "RequestStatus": request.status,
        "Postage": request.quote["postage_total"],
        "CollectFromCitizen": request.quote["payable_by_citizen"],
        "TrackingUrl": shown["tracking_url"],
        "Warnings": request.warnings,
    }


def _place(call: Call, raw: dict[str, Any]) -> Reply:
    def work(session: Session) -> Reply:
        order = read_order(raw, call.system.places)
        caller = _caller(call, session, fields(raw))
        prefix = call.system.settings.s10_prefix
        placed = ordering.place(session, scene(call), call.system.places, caller, order, prefix)
        told = _told(call, session, placed)
        told["Warnings"] = [*told["Warnings"], *order.warnings]
        if placed.known:
            vi = f"Hồ sơ đã có đơn, mã vận đơn {told['ItemCode']}; không tạo thêm."
            return _reply(KNOWN, vi, f"The order is known, item {told['ItemCode']}; nothing was made.", **told)
        return _reply(ACCEPTED, "Thành công.", "Accepted.", **told)

    return _apart(call, work)


@route("POST", f"{_PATH}/orders", tag="adapter", body=OneStopOrder, out=OrderReply, idempotent=False)
def one_stop_order(call: Call) -> Any:
    """Place an order in the shape that one-stop systems send today; the same order again makes nothing."""
    return _place(call, call.body.root)


@route("POST", f"{_PATH}/orders/batch", tag="adapter", body=OneStopBatch, out=OrderReply, idempotent=False)
def one_stop_orders(call: Call) -> Any:
    """Place up to 100 orders; each is answered on its own, in their order, under `Data`."""
    given = call.body.root
    if isinstance(given, dict):
        given = next((value for name, value in given.items() if name.lower() == "orders"), None)
    if not isinstance(given, list) or not 0 < len(given) <= MOST_ORDERS:
        vi, en = f"Cần từ 1 đến {MOST_ORDERS} đơn.", f"From 1 to {MOST_ORDERS} orders are taken."
        raise invalid("", "validation_failed", vi, en)
    data = [_one_of_many(call, one) for one in given]
    refused = sum(one["Status"] not in (ACCEPTED, KNOWN) for one in data)
    if refused:
        return _reply(PARTLY, f"{refused} đơn bị từ chối.", f"{refused} orders were refused.", Data=data)
    return _reply(ACCEPTED, "Thành công.", "Accepted.", Data=data)


def _one_of_many(call: Call, raw: Any) -> Reply:
    try:
        return _place(call, OneStopOrder.model_validate(raw).root)
    except ValidationError as error:
        return _refused(from_validation(error))


@route("POST", f"{_PATH}/item-codes/recall", tag="adapter", body=OneStopOrder, out=OrderReply, idempotent=False)
def one_stop_recall_item(call: Call) -> Any:
    """Recall an item code ("thu hồi mã vận đơn"): its request is called off, as long as nothing was collected."""
    given = fields(call.body.root)

    def work(session: Session) -> Reply:
        caller, code = _caller(call, session, given), item_code_of(given)
        placed = ordering.recall_item(session, scene(call), caller, code, "thu hồi mã vận đơn")
        return _recalled(call, session, [placed])

    return _apart(call, work)


@route("POST", f"{_PATH}/registrations/recall", tag="adapter", body=OneStopOrder, out=OrderReply, idempotent=False)
def one_stop_recall_registration(call: Call) -> Any:
    """Recall a registration ("thu hồi đăng ký"): whatever of a dossier was not collected yet is called off."""
    given = fields(call.body.root)

    def work(session: Session) -> Reply:
        caller, number = _caller(call, session, given), number_of(given)
        legs = [leg_of(given)] if text_of(given, "FlagConfig") else sorted(LEGS.values())
        placed = ordering.recall_registration(session, scene(call), caller, number, legs, "thu hồi đăng ký")
        return _recalled(call, session, placed)

    return _apart(call, work)


def _recalled(call: Call, session: Session, placed: Iterable[Placed]) -> Reply:
    data = [(one.known, _told(call, session, one)) for one in placed]
    told = {**data[0][1], "Data": [line for _, line in data]}
    if all(known for known, _ in data):
        return _reply(KNOWN, "Đã thu hồi từ trước.", "It was recalled before.", **told)
    return _reply(ACCEPTED, "Đã thu hồi.", "Recalled.", **told)
