"""What an office would lose if a worker died in the middle of its file: nothing, and no request is made twice."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from dispatch import policies
from dispatch.embedded.programs import Programs
from dispatch.flows import bulk_intake
from dispatch.flows.recording import Scene
from dispatch.store.rows import Operation
from tests.api.conftest import NOON
from tests.api.sending import as_csv, row
from tests.embedded.waiting import descendants, eventually
from tests.faults.machine import SHOP, Machine, machine_on

ROWS = 400
TAKEN_UP_S = 120.0
"""A lease of 15 s runs out, the clock queues the operation, and the rest is taken in."""


@pytest.fixture(scope="module")
def machine(
    postgres: Callable[[str], str], migrated_template: str, ground: Path, programs: Programs
) -> Iterator[Machine]:
    with machine_on(postgres, migrated_template, ground, programs) as running:
        yield running


def ask(machine: Machine, first: int) -> str:
    scene = Scene(policies.load(), datetime.fromisoformat(NOON), "https://post.example")
    content = as_csv([row(number) for number in range(first, first + ROWS)])
    with machine.store.begin() as session:
        asked = {"shop_id": None, "own_shop_id": SHOP, "dry_run": False, "owner": "key:office"}
        return bulk_intake.ask(session, scene, mode="test", content=[content], **asked)


def operation(machine: Machine, operation_id: str) -> Operation:
    with machine.store.begin() as session:
        found = session.planning.operation("test", operation_id)
    assert found is not None
    return found


def in_the_middle(machine: Machine, operation_id: str) -> bool:
    return 0.1 < operation(machine, operation_id).progress < 0.9


def judge(machine: Machine, operation_id: str, first: int) -> None:
    """Every row became one request with one event of each kind, and the shop was told once that it is over."""
    ended = eventually(
        lambda: (one := operation(machine, operation_id)).status not in ("queued", "running") and one, TAKEN_UP_S
    )
    assert ended.status == "succeeded" and ended.result["created"] == ended.result["done"] == ROWS
    with machine.store.begin() as session:
        rows = session.imports.rows(operation_id)
        assert [line.row for line in rows] == list(range(2, ROWS + 2))
        assert {line.status for line in rows} == {"created"} and len({line.request_id for line in rows}) == ROWS

        def counted(query: str) -> Any:
            names = [f"IM-{number:05}" for number in range(first, first + ROWS)]
            return session.connection.execute(text(query), {"names": names, "id": operation_id}).scalar_one()

        mine = "select id from requests where external_ref = any(:names)"
        assert counted(f"select count(*) from ({mine}) as r") == ROWS
        assert counted(f"select count(*) from events where request_id in ({mine})") == ROWS
        assert counted(f"select count(*) from feed where type = 'request.created' and request_id in ({mine})") == ROWS
        assert counted("select count(*) from feed where type = 'import.finished' and data->>'id' = :id") == 1
        for mode, shop_id in session.notices.unnumbered(100):
            session.notices.number(mode, shop_id)
        assert counted("select max(seq) - count(*) from feed") == 0
        assert session.imports.content(operation_id) == b""


def test_a_worker_killed_in_the_middle_of_a_file_loses_no_row_and_makes_none_twice(machine: Machine) -> None:
    operation_id = ask(machine, 1)
    eventually(lambda: in_the_middle(machine, operation_id), 120)
    machine.kill("worker")
    assert operation(machine, operation_id).status == "running", "nobody could say good-bye"
    machine.start("worker")
    judge(machine, operation_id, 1)


def test_one_process_of_the_pool_killed_leaves_its_file_to_another(machine: Machine) -> None:
    operation_id = ask(machine, 5001)
    eventually(lambda: in_the_middle(machine, operation_id), 120)
    for pid in descendants(machine.nodes()["routing"]):
        os.kill(pid, signal.SIGKILL)
    judge(machine, operation_id, 5001)


def test_the_database_letting_go_of_everybody_costs_one_batch_at_most(machine: Machine) -> None:
    operation_id = ask(machine, 9001)
    eventually(lambda: in_the_middle(machine, operation_id), 120)
    assert machine.drop_connections() > 0
    judge(machine, operation_id, 9001)
