"""`python -m dispatch demo`: a Khánh Hòa day on a running system, all through the public HTTP API, in test mode."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, datetime

from dispatch.bootstrap import allow_receiver, latest_test_instant, mint_key
from dispatch.demo import network
from dispatch.demo.client import Api, Away, Refused
from dispatch.demo.day import Day, Wishes
from dispatch.demo.receiver import HOST, Inbox, Receiver
from dispatch.domain.text import LOCAL
from dispatch.settings import CHECKOUT, Settings
from dispatch.store import gazetteer

READY_S = 180.0
RECEIVER_HOURS = 12


def main(argv: list[str], settings: Settings, look: Callable[[], Settings] | None = None) -> int:
    """Play the day; 0 where every claim held, 1 where one failed or the system went away, 2 for a wrong argument.

    `look` reads anew where the system runs, for after the demo started one itself.
    """
    wishes = _wishes(argv)
    system: subprocess.Popen[bytes] | None = None
    try:
        if not Api(settings.address).is_ready():
            system = _start(settings)
            settings = look() if look is not None else settings
        child = system
        code = _play(wishes, settings, lambda: child is not None and child.poll() is not None)
        if system is not None and sys.stdin.isatty() and not wishes.keep_open and system.poll() is None:
            _stay("Hệ thống vẫn chạy; Ctrl-C để dừng · the system stays up; Ctrl-C stops it")
        return code
    except (Away, Refused) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    finally:
        if system is not None:
            system.terminate()
            system.wait()


def _wishes(argv: list[str]) -> Wishes:
    parser = argparse.ArgumentParser(
        prog="python -m dispatch demo", description="A believable day of Khánh Hòa, in test mode, faster than life."
    )
    parser.add_argument("--requests", type=_between(1, 2000), default=150, help="how many requests (150)")
    parser.add_argument("--couriers", type=_between(1, 60), default=12, help="how many couriers (12)")
    parser.add_argument("--speed", type=_between(0, 100_000), default=120, help="times faster than life; 0: no pause")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same day (1)")
    parser.add_argument("--date", type=date.fromisoformat, help="the simulated date (default: the next working day)")
    parser.add_argument("--seconds", type=_between(1, 30), default=2, help="seconds the solver gets for each plan (2)")
    parser.add_argument("--report", metavar="FILE", help="write the report there as JSON")
    parser.add_argument("--keep-open", action="store_true", help="when the day is over, stay until Ctrl-C")
    return Wishes(**vars(parser.parse_args(argv)))


def _between(low: int, high: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdigit() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"a whole number from {low} to {high}")
        return int(text)

    return number


def _start(settings: Settings) -> subprocess.Popen[bytes]:
    """Start the whole system as a child of this process and wait until it is ready."""
    print("Hệ thống chưa chạy; đang khởi động · the system does not run yet; starting it", flush=True)
    command = [sys.executable, "-m", "dispatch", "serve", "--with-parent"]
    # A session of its own: Ctrl-C reaches the demo alone, which then stops the system in its order.
    system = subprocess.Popen(command, cwd=CHECKOUT, start_new_session=True)
    api, deadline = Api(settings.address), time.monotonic() + READY_S
    while not api.is_ready():
        if system.poll() is not None:
            raise Away(f"the system could not start (exit code {system.returncode})")
        if time.monotonic() > deadline:
            system.terminate()
            raise Away(f"the system was not ready within {READY_S:.0f} s")
        time.sleep(0.3)
    return system


def _play(wishes: Wishes, settings: Settings, is_gone: Callable[[], bool]) -> int:
    places = network.design(gazetteer.load(), wishes.couriers)
    latest = latest_test_instant(settings)
    if wishes.date is not None and latest is not None and latest.astimezone(LOCAL).date() >= wishes.date:
        print(
            f"demo: the test world has already been at {latest.astimezone(LOCAL):%Y-%m-%d %H:%M}; "
            "its time only moves forward: give a later --date.",
            file=sys.stderr,
        )
        return 2
    operator = mint_key(settings, "operator", network.MODE)
    inbox = Inbox()
    receiver = Receiver(inbox)
    allow_receiver(settings, HOST, receiver.port, "demo: the demo's own receiver", RECEIVER_HOURS)
    day: Day | None = None
    try:
        api = Api(settings.address, is_gone=is_gone)
        network.put(api, operator, places)
        when = wishes.date or network.working_day(api, operator, places.shops[0], _earliest(latest))
        _welcome(settings, places, when)
        day = Day(wishes, Api(settings.address, is_gone=is_gone), operator, places, receiver, when)
        day.play()
        code = day.judge()
        if wishes.keep_open:
            _stay("Ctrl-C để kết thúc · Ctrl-C ends the demo")
        return code
    except KeyboardInterrupt:
        print("\nDừng · stopped", flush=True)
        return 130
    finally:
        if Api(settings.address).is_ready():
            _leave(Api(settings.address), operator, day)
        receiver.close()


def _stay(text: str) -> None:
    """Let the person look around until Ctrl-C."""
    print(text, flush=True)
    try:
        while True:
            time.sleep(60)
    except KeyboardInterrupt:
        print(flush=True)


def _earliest(latest: datetime | None) -> date:
    """The first date a demo may play: after today and after every instant the test world has been at."""
    moments = [datetime.now(LOCAL), *([latest.astimezone(LOCAL)] if latest else [])]
    return date.fromordinal(max(moments).date().toordinal() + 1)


def _leave(api: Api, operator: str, day: Day | None) -> None:
    """Take back what only this run needed: webhooks and keys."""
    if day is not None:
        network.close_shops(api, operator, day.opened)
    key_id = api.call("GET", "/v1/me", operator).body["key_id"]
    api.call("DELETE", f"/v1/admin/keys/{key_id}", operator)


def _welcome(settings: Settings, places: network.Network, when: date) -> None:
    user = settings.bootstrap_user.partition(":")[0]
    sign_in = (
        f"{user} / (mật khẩu đã đặt · the password you set)"
        if user
        else ("như `make run` đã hiện · as `make run` showed (a new one: .venv/bin/python -m dispatch user NAME)")
    )
    first = places.couriers[0]
    rows = [
        ("Bảng điều phối · Board", f"{settings.address}/board?mode=test"),
        ("Đăng nhập · Sign in", sign_in),
        ("Bưu tá · Courier", f"{settings.address}/courier   {first.phone}, PIN {network.PIN}  ({first.name})"),
        ("Ngày mô phỏng · Date", f"{when:%d/%m/%Y} — dữ liệu THỬ, không lẫn với dữ liệu thật · TEST data only"),
    ]
    print("\n" + "\n".join(f"  {label:<24} {value}" for label, value in rows) + "\n", flush=True)
