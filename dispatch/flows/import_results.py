"""What became of the rows of an import: for programs, and as a file to put right and send again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dispatch.domain.sheet_bodies import RESULT_COLUMNS
from dispatch.domain.text import local_text
from dispatch.flows.bulk_intake import KEPT, KIND
from labels import Table, TableColumn

if TYPE_CHECKING:
    from dispatch.domain.sheet_bodies import ImportRow
    from dispatch.store import Session
    from dispatch.store.rows import Operation

OVER = ("succeeded", "failed", "cancelled")
COLUMNS = tuple(f"{RESULT_COLUMNS}{name}" for name in ("row", "status", "request_id", "reason_vi", "reason_en"))


def result_json(session: Session, operation: Operation, lang: str) -> dict[str, Any] | None:
    """The result of an operation as its reader sees it; that of an import lists its rows once it is over."""
    if operation.kind != KIND or operation.result is None:
        return operation.result
    rows = session.imports.rows(operation.id) if operation.status in OVER else None
    shown = {
        **operation.result,
        "result_url": f"/v1/imports/{operation.id}/result",
        "rows_kept_until": local_text(operation.created_at + KEPT),
    }
    return shown if rows is None else {**shown, "rows": [_row_json(row, lang) for row in rows]}


def _row_json(row: ImportRow, lang: str) -> dict[str, Any]:
    return {
        "row": row.row,
        "status": row.status,
        "request_id": row.request_id,
        "errors": [{**error, "message": error["message"][lang]} for error in row.errors],
        **row.told,
    }


def result_table(operation: Operation, rows: list[ImportRow]) -> Table:
    """Every row as it was sent, with what became of it and why in both languages before it."""
    places = _places(operation, rows)
    names = [*COLUMNS, *(name or f"{RESULT_COLUMNS}column_{place + 1}" for place, name in places.items())]
    return Table(
        title_vi="Kết quả nhập yêu cầu",
        title_en="What became of imported requests",
        columns=tuple(TableColumn(name, name, "") for name in names),
        rows=[_cells(row, places) for row in rows],
        notes=(
            (
                "Sửa các dòng lỗi rồi gửi lại chính tệp này: dòng đã nhận không tạo lần nữa, cột result. bị bỏ qua.",
                "Put the rows with errors right and send this very file again: rows taken in make nothing twice, and "
                "the columns result. are passed over.",
            ),
        ),
    )


def _places(operation: Operation, rows: list[ImportRow]) -> dict[int, str]:
    """The columns of the file by their places, without those of an earlier result; cells beyond the header too."""
    names: list[str] = operation.params.get("columns", [])
    widest = max((len(row.cells) for row in rows), default=0)
    named = enumerate([*names, *([""] * (widest - len(names)))])
    return {place: name for place, name in named if name != RESULT_COLUMNS}


def _cells(row: ImportRow, places: dict[int, str]) -> tuple[str | None, ...]:
    reasons = ["; ".join(_reason(error, lang) for error in row.errors) for lang in ("vi", "en")]
    sent = [row.cells[place] if place < len(row.cells) else None for place in places]
    return str(row.row), row.status, row.request_id, *reasons, *sent


def _reason(error: dict[str, Any], lang: str) -> str:
    column = error["pointer"].strip("/").replace("/", ".")
    told: str = error["message"][lang]
    return f"{column}: {told}" if column else told
