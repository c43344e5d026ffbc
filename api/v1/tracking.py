"""The citizen's view as JSON; the page is in api/pages."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from api.endpoint import Call, route
from api.shapes.requests import ItemTracked
from dispatch.domain.errors import NotFound
from dispatch.flows.tracking_page import item_view


class Token(BaseModel):
    """The token that stands in the link on the label."""

    model_config = ConfigDict(extra="forbid")

    token: Annotated[str, Field(max_length=100)] = ""


@route("GET", "/v1/track/<item_id>", tag="citizen", out=ItemTracked, scopes=(), query=Token)
def track(call: Call, item_id: str) -> Any:
    """Where an item is, with names masked."""
    found = item_view(call.session, item_id, call.query.token)
    if found is None:
        raise NotFound(code="not_found", vi="Không tìm thấy bưu gửi này.", en="There is no such item.")
    return found
