"""Labels: one, or many in one PDF."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

import labels
from api.endpoint import Answer, Call, route
from api.v1.requests import own_shop, scene
from dispatch.domain.errors import Invalid
from dispatch.domain.text import Shape, Word
from dispatch.flows.labelling import label_of
from dispatch.flows.sla_watch import no_such_request, touch
from labels.errors import LabelError

FORMS = ", ".join(dict.fromkeys(labels.media_type(name) for name in labels.writer_names()))

REFUSED = (*labels.CODES, "already_ended")


class LabelQuery(BaseModel):
    """Which paper and which printer language."""

    model_config = ConfigDict(extra="forbid")

    format: Annotated[str, Field(max_length=10)] = "pdf"
    size: Annotated[str, Field(max_length=20)] = "100x150"
    leg: Literal["pickup", "return"] | None = None


class Batch(Shape):
    """Requests whose labels are wanted in one PDF, in this order."""

    ids: Annotated[list[Word], Field(min_length=1, max_length=200)]


def _refused(error: LabelError) -> Invalid:
    return Invalid(code=error.code, vi="Không in được nhãn này.", en=error.sentence)


@route(
    "GET",
    "/v1/requests/<request_id>/label",
    tag="shop",
    scopes=("shop", "operator", "courier"),
    query=LabelQuery,
    produces=FORMS,
    errors=REFUSED,
)
def read_label(call: Call, request_id: str) -> Any:
    """The label of a request's active leg, ready to print; a courier's own requests only."""
    own, carrier = own_shop(call), call.principal.courier_id
    found = touch(call.session, scene(call), call.mode, request_id, own, change=False, courier_id=carrier)
    if call.query.leg is not None and call.query.leg not in [x.leg for x in call.session.consignments.legs(found.id)]:
        raise no_such_request()
    try:
        label = label_of(call.session, scene(call), call.system.places, found, call.query.leg)
        content = labels.render(label, call.query.size, call.query.format)
        media = labels.media_type(call.query.format)
    except LabelError as error:
        raise _refused(error) from error
    call.session.access.audit(
        call.mode, call.now, call.principal.owner, "label.printed", found.id, {"item": label.item_id}
    )
    name = f'inline; filename="{label.item_id}.{call.query.format}"'
    return Answer(content, 200, {"Content-Disposition": name}, media)


@route(
    "POST",
    "/v1/labels",
    tag="shop",
    body=Batch,
    idempotent=False,
    produces="application/pdf",
    errors=(*REFUSED, "not_found"),
)
def batch_of_labels(call: Call) -> Any:
    """The labels of many requests as one PDF."""
    drawn = []
    for request_id in call.body.ids:
        found = touch(call.session, scene(call), call.mode, request_id, own_shop(call), change=False)
        try:
            drawn.append(label_of(call.session, scene(call), call.system.places, found))
        except LabelError as error:
            raise _refused(error) from error
        call.session.access.audit(
            call.mode, call.now, call.principal.owner, "label.printed", found.id, {"item": drawn[-1].item_id}
        )
    return Answer(
        labels.render_many(drawn), 200, {"Content-Disposition": 'inline; filename="labels.pdf"'}, "application/pdf"
    )
