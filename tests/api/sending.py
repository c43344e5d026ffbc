"""Files of requests as an office makes them, sent to `POST /v1/imports` and worked at by this very process."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import openpyxl
from werkzeug.test import TestResponse

from dispatch.bootstrap import System
from dispatch.flows import bulk_intake
from tests.api.conftest import NOON, Api

HEADER = (
    *("external_ref", "kind", "dossier.code", "dossier.online_level", "dossier.submitted_via", "citizen.name"),
    *("citizen.phone", "citizen.address.raw", "citizen.address.commune_code", "citizen.address.era", "weight_g"),
)
Cells = dict[str, str]


def row(number: int, **changes: str) -> Cells:
    """A lawful row; keywords (dots as `__`) replace cells."""
    made = dict(
        zip(
            HEADER,
            (
                *(f"IM-{number:05}", "return", "000.00.16.H32-261120-0015", "4", "ONLINE", "Nguyễn Thị Ánh Nguyệt"),
                *("0905123456", f"{number} Trần Phú, P. Vĩnh Hải, TP Nha Trang, Khánh Hòa", "22330", "2020", "80"),
            ),
            strict=True,
        )
    )
    return made | {name.replace("__", "."): cell for name, cell in changes.items()}


def as_csv(rows: Sequence[Cells], *, delimiter: str = ",", newline: str = "\r\n", bom: bool = False) -> bytes:
    """The rows as CSV under the columns that any of them has."""
    names = list(dict.fromkeys(name for one in rows for name in one))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names, delimiter=delimiter, lineterminator=newline)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig" if bom else "utf-8")


def as_xlsx(rows: Sequence[Cells]) -> bytes:
    """The rows as a workbook."""
    names = list(dict.fromkeys(name for one in rows for name in one))
    book = openpyxl.Workbook()
    book.active.append(names)
    for one in rows:
        book.active.append([one.get(name) for name in names])
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def send(caller: Api, content: bytes, query: str = "", *, at: str = NOON, key: str | None = None) -> TestResponse:
    """Send a file; `key` is the Idempotency-Key where it matters."""
    headers = {"Authorization": f"Bearer {caller.key}", "Test-Clock": at}
    headers["Idempotency-Key"] = key or f"file-{next(_keys)}"
    form = {"file": (io.BytesIO(content), "tệp.csv")}
    return caller.client.post(f"/v1/imports{query}", data=form, headers=headers)


_keys = iter(range(1_000_000))


def take(system: System, caller: Api, content: bytes, query: str = "", **more: Any) -> dict[str, Any]:
    """Send a file, work at it to its end, and answer the operation as its sender reads it."""
    sent = send(caller, content, query, **more)
    assert sent.status_code == 202, sent.text
    assert sent.headers["Location"] == f"/v1/operations/{sent.json['id']}"
    bulk_intake.run(system, sent.json["id"], "RA")
    return read(caller, sent.json["id"])


def read(caller: Api, operation_id: str, **headers: str) -> dict[str, Any]:
    answer = caller.get(f"/v1/operations/{operation_id}", headers=headers)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json
    return told


def statuses(operation: dict[str, Any]) -> list[str]:
    return [line["status"] for line in operation["result"]["rows"]]


def errors(operation: dict[str, Any]) -> dict[int, list[tuple[str, str]]]:
    """(pointer, code) of every error, by row."""
    return {
        line["row"]: [(error["pointer"], error["code"]) for error in line["errors"]]
        for line in operation["result"]["rows"]
        if line["errors"]
    }


def requests_of(caller: Api) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = caller.get(f"/v1/requests?limit=200{cursor}").json
        found += page["data"]
        if not page["has_more"]:
            return found
        cursor = f"&cursor={page['next_cursor']}"
