"""Pages of a list: `?limit=&cursor=` in, `{data, next_cursor, has_more}` out, in the order of creation."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from api.problems import HttpProblem

Row = TypeVar("Row")
Cursor = tuple[datetime, str]


class Paging(BaseModel):
    """The query of a list."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str, Field(max_length=200)] | None = None

    def after(self) -> Cursor | None:
        """The row after which the page begins; raises 422 where the cursor is none of ours."""
        if self.cursor is None:
            return None
        try:
            at, row_id = json.loads(base64.urlsafe_b64decode(self.cursor.encode()))
            moment = datetime.fromisoformat(at)
            if moment.tzinfo is None or not isinstance(row_id, str) or not row_id.isprintable():
                raise ValueError("not ours")
            return moment, row_id
        except (ValueError, TypeError) as error:
            raise HttpProblem(
                422, "validation_failed", "Con trỏ trang không đúng.", "The cursor is not ours."
            ) from error


def page_of(
    asked: Paging, rows: Sequence[Row], place: Callable[[Row], Cursor], show: Callable[[Row], dict[str, Any]]
) -> dict[str, Any]:
    """The page held by `rows`, which are one more than asked for where there is a next one."""
    shown, more = rows[: asked.limit], len(rows) > asked.limit
    token = None
    if more:
        at, row_id = place(shown[-1])
        token = base64.urlsafe_b64encode(json.dumps([at.isoformat(), row_id]).encode()).decode()
    return {"data": [show(row) for row in shown], "next_cursor": token, "has_more": more}
