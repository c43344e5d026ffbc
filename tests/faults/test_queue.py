"""What a shop would lose if a process or a server died at a bad moment: nothing, and it hears of it within 30 s."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import standardwebhooks

from dispatch.channels.webhook import new_secret
from dispatch.embedded.programs import Programs
from dispatch.embedded.valkey import ask
from tests.channels.receiver import Call, Receiver
from tests.embedded.waiting import alive, descendants, eventually
from tests.faults.machine import Machine, machine_on

BESIDE_SLOW_S = 8
"""In line behind the receivers that hang, ten seconds each, it would be minutes."""
CATCH_UP_S = 30.0


@pytest.fixture(scope="module")
def running(
    postgres: Callable[[str], str], migrated_template: str, ground: Path, programs: Programs
) -> Iterator[Machine]:
    with machine_on(postgres, migrated_template, ground, programs) as machine:
        yield machine


@pytest.fixture
def machine(running: Machine) -> Iterator[Machine]:
    """The running machine; a test leaves it as it found it: all processes there, no webhook."""
    yield running
    running.drop_hooks()


def arrived(receiver: Receiver, told: set[str]) -> Callable[[], bool]:
    return lambda: told <= set(receiver.counts())


def test_every_event_arrives_once_and_signed_with_two_relays_and_two_clocks(machine: Machine) -> None:
    secret = new_secret()
    with Receiver() as receiver:
        hook_id = machine.hook(receiver.url, secret)
        machine.start("relay-2", "clock-2")
        told = machine.publish(60)
        eventually(arrived(receiver, told), CATCH_UP_S)
        eventually(lambda: machine.all_sent(hook_id))
        assert machine.stop("relay-2") == 0 and machine.stop("clock-2") == 0
    assert receiver.counts() == dict.fromkeys(told, 1)
    for call in receiver.calls:
        body = standardwebhooks.Webhook(secret).verify(call.body, call.headers)
        assert body["id"] == call.headers["webhook-id"] and body["livemode"] is False
    assert {row.attempt for row in machine.deliveries(hook_id)} == {1}


def test_a_relay_killed_in_the_middle_loses_nothing_and_tells_nobody_twice(machine: Machine) -> None:
    with Receiver() as receiver:
        hook_id = machine.hook(receiver.url)
        told = machine.publish(30)
        machine.kill("relay")
        told |= machine.publish(30)
        assert not machine.idle()
        machine.start("relay")
        eventually(arrived(receiver, told), CATCH_UP_S)
        eventually(lambda: machine.all_sent(hook_id))
    assert receiver.counts() == dict.fromkeys(told, 1)


def test_a_worker_killed_during_a_delivery_makes_it_again_under_the_same_id(machine: Machine) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def hold(call: Call) -> tuple[int, dict[str, str], bytes]:
        inside.set()
        go_on.wait(60)
        return 200, {}, b"ok"

    with Receiver(hold) as receiver:
        hook_id = machine.hook(receiver.url)
        told = machine.publish(3)
        assert inside.wait(CATCH_UP_S)
        nodes = descendants(machine.children["worker"].pid)
        assert len(nodes) >= 4, "two nodes, and the processes of one's pool"
        machine.kill("worker")
        eventually(lambda: not alive(nodes), 5)
        go_on.set()
        machine.start("worker")
        eventually(lambda: machine.all_sent(hook_id), CATCH_UP_S)
        assert set(receiver.counts()) == told and max(receiver.counts().values()) == 2
        assert len({(call.headers["webhook-id"], call.body) for call in receiver.calls}) == 3


def test_a_node_of_the_worker_killed_alone_is_started_again(machine: Machine) -> None:
    nodes = machine.nodes()
    with Receiver() as receiver:
        machine.hook(receiver.url)
        os.kill(nodes["notify"], signal.SIGKILL)
        told = machine.publish(5)
        eventually(arrived(receiver, told), CATCH_UP_S)
    fresh = machine.nodes()
    assert fresh["notify"] != nodes["notify"] and fresh["routing"] == nodes["routing"]


def test_a_killed_broker_is_noticed_and_all_that_waited_arrives_when_it_is_back(machine: Machine) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def hold(call: Call) -> tuple[int, dict[str, str], bytes]:
        inside.set()
        go_on.wait(60)
        return 200, {}, b"ok"

    with Receiver(hold) as receiver:
        hook_id, nodes = machine.hook(receiver.url), machine.nodes()
        told = machine.publish(10)
        assert inside.wait(CATCH_UP_S)
        machine.kill_broker()
        told |= machine.publish(20)
        eventually(lambda: machine.heartbeat("relay")[1].get("broker") is False)
        go_on.set()  # the deliveries in hand end now, with nobody there to hear that they are done
        last, seen = machine.heartbeat("worker")[0], machine.heartbeat("clock")[0]
        assert seen is not None and last is not None
        eventually(lambda: machine.heard("clock", seen + timedelta(seconds=5)))
        beaten = machine.heartbeat("worker")[0]
        assert beaten is not None and beaten - last < timedelta(seconds=3), "a deaf worker must not look alive"
        machine.start_broker()
        eventually(arrived(receiver, told), CATCH_UP_S)
        eventually(lambda: machine.all_sent(hook_id), CATCH_UP_S)
        eventually(lambda: machine.heard("worker", beaten) and machine.heartbeat("relay")[1]["broker"])
    assert receiver.counts() == dict.fromkeys(told, 1)
    assert machine.nodes() == nodes, "the nodes outlive their broker"


def test_a_broker_that_hangs_does_not_hang_the_relay(machine: Machine) -> None:
    with Receiver() as receiver:
        machine.hook(receiver.url)
        os.kill(machine.broker.pid, signal.SIGSTOP)
        try:
            told = machine.publish(5)
            eventually(lambda: machine.heartbeat("relay")[1].get("broker") is False)
            at = machine.heartbeat("relay")[0]
            assert at is not None
            eventually(lambda: machine.heard("relay", at), 12)
        finally:
            os.kill(machine.broker.pid, signal.SIGCONT)
        eventually(arrived(receiver, told), CATCH_UP_S)


def test_what_the_queue_forgot_is_found_in_the_database_and_what_only_waits_is_not_queued_twice(
    machine: Machine,
) -> None:
    with Receiver() as receiver:
        machine.hook(receiver.url)
        below = descendants(machine.children["worker"].pid)
        assert machine.stop("worker") == 0 and not alive(below), "asked to stop, it leaves nobody behind"
        told = machine.publish(20)
        eventually(machine.idle)
        machine.age_queued(timedelta(seconds=60))
        seen = machine.heartbeat("clock")[0]
        assert seen is not None
        eventually(lambda: machine.heard("clock", seen + timedelta(seconds=3)))
        assert machine.queued() == 20, "a worker that is long away must not find everything many times over"
        ask(machine.valkey.url, "FLUSHALL")
        eventually(lambda: machine.queued() == 20)
        machine.start("worker")
        eventually(arrived(receiver, told), CATCH_UP_S)
    assert receiver.counts() == dict.fromkeys(told, 1)


def test_a_receiver_that_never_answers_delays_nobody_else(machine: Machine) -> None:
    go_on = threading.Event()

    def hold(call: Call) -> tuple[int, dict[str, str], bytes]:
        go_on.wait(60)
        return 200, {}, b"ok"

    with Receiver(hold) as slow, Receiver() as quick:
        machine.hook(slow.url)
        machine.publish(60)
        eventually(lambda: len(slow.calls) >= 2)
        machine.hook(quick.url)
        told = machine.publish(20)
        eventually(arrived(quick, told), BESIDE_SLOW_S)
        assert len(slow.calls) < 20
        go_on.set()


def test_ten_receivers_that_hang_with_a_long_backlog_delay_nobody_else(machine: Machine) -> None:
    go_on = threading.Event()

    def hold(call: Call) -> tuple[int, dict[str, str], bytes]:
        go_on.wait(60)
        return 200, {}, b"ok"

    with Receiver(hold) as slow, Receiver() as quick:
        hanging = [machine.hook(f"{slow.url}/{number}") for number in range(10)]
        machine.publish(40)
        eventually(lambda: len({call.path for call in slow.calls}) == len(hanging), CATCH_UP_S)
        for hook_id in hanging:
            with machine.store.begin() as session:
                session.notices.change_webhook(hook_id, types=["request.cancelled"])
        quick_hook = machine.hook(quick.url)
        for _ in range(5):  # while each of the ten has forty that wait, and hangs until it is given up
            told = machine.publish(4)
            eventually(arrived(quick, told), BESIDE_SLOW_S)
        assert {row.attempt for row in machine.deliveries(quick_hook)} == {1}
        assert sum(row.state == "pending" for hook_id in hanging for row in machine.deliveries(hook_id)) > 300
        go_on.set()


def test_dropped_database_connections_are_made_again(machine: Machine) -> None:
    with Receiver() as receiver:
        hook_id = machine.hook(receiver.url)
        told = machine.publish(10)
        assert machine.drop_connections() >= 3
        told |= machine.publish(10)
        eventually(arrived(receiver, told), CATCH_UP_S)
        eventually(lambda: machine.all_sent(hook_id), CATCH_UP_S)
        begun = machine.heartbeat("clock")[0]
        assert begun is not None
        for kind in ("clock", "relay", "worker"):
            eventually(lambda kind=kind: machine.heard(kind, begun))  # type: ignore[misc]
    assert all(child.alive for child in machine.children.values())
