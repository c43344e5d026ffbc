"""Imports: a file of requests, taken in row by row by a worker."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

import labels
from api.endpoint import Answer, Call, operation_answer, route
from api.shapes.base import Accepted
from api.v1.requests import own_shop, scene
from dispatch.domain.errors import NotFound
from dispatch.domain.text import Word
from dispatch.flows import bulk_intake, import_results

MAX_FILE = 20_000_000
FORMS = ", ".join(labels.table_media_type(name).partition(";")[0] for name in ("csv", "xlsx"))


class ImportQuery(BaseModel):
    """`dry_run`: only say what would become of the rows; `shop_id`: the shop of rows that name none."""

    model_config = ConfigDict(extra="forbid")

    dry_run: bool = False
    shop_id: Word | None = None


class ResultQuery(BaseModel):
    """The form of the file."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["csv", "xlsx"] = "csv"


@route(
    "POST",
    "/v1/imports",
    tag="shop",
    query=ImportQuery,
    out=Accepted,
    names={"operation_id": "/id"},
    status=202,
    accepts="multipart/form-data",
    upload=MAX_FILE,
    errors=("unknown_shop",),
)
def create_import(call: Call) -> Any:
    """Take the requests of a CSV or XLSX file in, or say with `dry_run` what would become of them.

    The header names the keys of a request's body with dots, such as `citizen.address.raw`. The operation's result
    tells of every row.
    """
    asked: ImportQuery = call.query
    assert call.upload is not None
    operation_id = bulk_intake.ask(
        call.session,
        scene(call),
        mode=call.mode,
        shop_id=asked.shop_id,
        own_shop_id=own_shop(call),
        dry_run=asked.dry_run,
        content=call.upload.pieces(),
        owner=call.principal.owner,
    )
    return operation_answer(operation_id)


@route("GET", "/v1/imports/<operation_id>/result", tag="shop", query=ResultQuery, produces=f"{FORMS}, */*")
def read_import_result(call: Call, operation_id: str) -> Any:
    """The rows of an import as a file, each with what became of it and why; kept for 30 days."""
    found = call.session.planning.operation(call.mode, operation_id)
    mine = found is not None and (
        call.principal.scope == "operator" or bulk_intake.is_of(found, call.principal.shop_id)
    )
    if found is None or found.kind != bulk_intake.KIND or not mine:
        raise _absent()
    rows = call.session.imports.rows(operation_id)
    if not rows:
        raise _absent()
    form = call.query.format
    content = labels.render_table(import_results.result_table(found, rows), form)
    headers = {"Content-Disposition": f'attachment; filename="{operation_id}.{form}"'}
    return Answer(content, 200, headers, labels.table_media_type(form))


def _absent() -> NotFound:
    return NotFound(code="not_found", vi="Không có kết quả nhập này.", en="There is no such import result.")
