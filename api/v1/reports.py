"""The figures for the province and the post, each with its definition."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

import labels
from api.endpoint import Answer, Call, route
from api.shapes.network import Report
from api.v1.requests import scene
from dispatch.domain.errors import Invalid, invalid
from dispatch.domain.hours import IsoDate
from dispatch.domain.report import MAX_LINES, Asked
from dispatch.domain.text import ProvinceCode
from dispatch.flows import reports
from labels.errors import LabelError

EARLIEST, LATEST = date(2000, 1, 1), date(2099, 12, 31)
MAX_DAYS = 5 * 366
"""The longest period: electronic records are kept for five years (TT 17/2017/TT-BTTTT art 14)."""
_FILES = sorted({labels.table_media_type(name).partition(";")[0] for name in labels.table_writer_names()})
FORMS = ", ".join(["application/json", *_FILES, "*/*"])
"""The last one: whoever asks for a file by `format` may accept it by any name."""


class ReportQuery(BaseModel):
    """The period (both days included), the province (2020 code), the form; `percent` and `leg` of a price proposal."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)

    first: Annotated[IsoDate, Field(alias="from")]
    last: Annotated[IsoDate, Field(alias="to")]
    province: ProvinceCode | None = None
    format: Literal["json", "csv", "xlsx", "pdf"] = "json"
    percent: Annotated[int, Field(ge=1, le=100)] = 30
    leg: Literal["pickup", "return"] = "return"


@route(
    "GET",
    "/v1/reports/<name>",
    tag="operator",
    out=Report,
    scopes=("operator",),
    query=ReportQuery,
    produces=FORMS,
    errors=("not_found", "report_too_large", *labels.CODES),
)
def read_report(call: Call, name: str) -> Any:
    """A report: JSON with its definition, rows and totals, or a csv, xlsx or pdf file."""
    query: ReportQuery = call.query
    file = reports.find(name)
    _refuse(query, file.OPTIONS)
    asked = Asked(call.mode, query.first, query.last, query.province, call.now, query.percent, query.leg)
    limit = reports.MAX_PRINTED_LINES if query.format == reports.PAPER else MAX_LINES
    report = reports.build(call.session, scene(call), call.system.places, name, asked, limit)
    detail = {"from": query.first.isoformat(), "to": query.last.isoformat(), "format": query.format}
    call.session.access.audit(
        call.mode, call.now, call.principal.owner, "report.read", name, {**detail, "province": query.province}
    )
    if query.format == "json":
        return reports.as_json(report, name, asked, call.lang)
    try:
        place = reports.province_name(call.system.places, asked)
        content = labels.render_table(reports.as_table(report, name, asked, query.format, place), query.format)
    except LabelError as error:
        raise Invalid(code=error.code, vi="Không lập được tệp này.", en=error.sentence) from error
    parts = (name, query.province, query.first.isoformat(), query.last.isoformat())
    filename = "_".join(part for part in parts if part)
    headers = {"Content-Disposition": f'attachment; filename="{filename}.{query.format}"'}
    return Answer(content, 200, headers, labels.table_media_type(query.format))


def _refuse(query: ReportQuery, options: frozenset[str]) -> None:
    for pointer, day in (("/from", query.first), ("/to", query.last)):
        if not EARLIEST <= day <= LATEST:
            raise invalid(pointer, "validation_failed", "Ngày ngoài khoảng 2000–2099.", "Lies outside 2000 to 2099.")
    if query.last < query.first:
        raise invalid("/to", "validation_failed", "Ngày cuối trước ngày đầu.", "The period ends before it begins.")
    if (query.last - query.first).days >= MAX_DAYS:
        raise invalid("/to", "validation_failed", f"Kỳ dài hơn {MAX_DAYS} ngày.", f"Longer than {MAX_DAYS} days.")
    for name in sorted(query.model_fields_set & {"percent", "leg"} - options):
        raise invalid(f"/{name}", "validation_failed", "Báo cáo này không dùng khóa đó.", "Not of this report.")
