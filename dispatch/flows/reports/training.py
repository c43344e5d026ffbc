"""Who of the post's tellers was trained in what (Vĩnh Phúc, March 2020, §3: promote filing online or by post)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dispatch.domain.report import Asked, Column, Report, Words

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index
    from dispatch.flows.recording import Scene
    from dispatch.store import Session

NAME = "training"
TITLE = Words("Tập huấn giao dịch viên", "Training of tellers")
OPTIONS: frozenset[str] = frozenset()
DEFINITION = Words(
    "Mỗi dòng là một giao dịch viên được tập huấn một chủ đề vào một ngày trong kỳ, tính cả ngày đầu và ngày cuối.",
    "One row per teller trained in one topic on a day of the period, first and last day included.",
)
COLUMNS = (
    Column("held_on", "Ngày", "Date", "date"),
    Column("teller_id", "Mã giao dịch viên", "Teller id"),
    Column("teller_name", "Giao dịch viên", "Teller"),
    Column("office_id", "Mã bưu cục", "Office id"),
    Column("office_name", "Bưu cục", "Post office"),
    Column("topic", "Chủ đề", "Topic"),
)


@dataclass(frozen=True)
class Found:
    """The trainings of the period; post offices by id, with name and province."""

    trainings: list[Any]
    offices: dict[str, Any]


def read(session: Session, scene: Scene, places: Index, asked: Asked) -> Found:
    """The trainings of the period and the offices."""
    offices = {office.id: office for office in session.network.offices(asked.mode)}
    return Found(session.sites.trainings(asked.mode, asked.first, asked.last), offices)


def make(asked: Asked, found: Found) -> Report:
    """One row per training; with a province only those of its post offices."""
    rows = []
    for one in found.trainings:
        office = found.offices.get(one.office_id)
        if asked.province is not None and (office is None or office.province_code != asked.province):
            continue
        rows.append(
            {
                "held_on": one.held_on,
                "teller_id": one.teller_id,
                "teller_name": one.teller_name,
                "office_id": one.office_id,
                "office_name": None if office is None else office.name,
                "topic": one.topic,
            }
        )
    topics: dict[str, int] = {}
    for row in rows:
        topics[row["topic"]] = topics.get(row["topic"], 0) + 1
    totals = {"count": len(rows), "tellers": len({row["teller_id"] for row in rows}), "by_topic": topics}
    return Report(DEFINITION, COLUMNS, rows, totals)
