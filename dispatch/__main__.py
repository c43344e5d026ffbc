"""The command line: `python -m dispatch COMMAND`. Exit code 0 good, 1 it went wrong, 2 the input was wrong."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Callable
from pathlib import Path

try:
    from dispatch.lifeline import die_with_parent
    from dispatch.settings import CHECKOUT, ROADS, Settings, SettingsError, load
except ModuleNotFoundError as missing:
    sys.exit(f"dispatch: {sys.executable} lacks {missing.name}: run `make setup`, then .venv/bin/python -m dispatch.")

# Each command imports what it needs when it runs, and only after the settings were found good: a wrong variable is
# refused in a moment, `web` need not load the worker, `doctor` need not load a broken package.


# Plans use all the processor they get: where web and worker share a machine, the web answers before plans think on.
_WORKER_NICE = 5


def _serve(options: argparse.Namespace) -> int:
    from dispatch.embedded.serve import serve

    if options.with_parent:
        die_with_parent(parent=os.getppid())
    return serve(load())


def _web(options: argparse.Namespace) -> int:
    load(servers=True)
    configuration = CHECKOUT / "deploy" / "gunicorn.conf.py"
    os.chdir(CHECKOUT)
    from gunicorn.app.wsgiapp import run

    # In this very process: a fresh interpreter would read everything a second time.
    sys.argv = ["gunicorn", "-c", str(configuration), "api.app:create_app()"]
    run()
    return 0


def _worker(options: argparse.Namespace) -> int:
    load(servers=True)
    os.nice(_WORKER_NICE)
    from dispatch import worker

    return worker.main() or 0


def _clock(options: argparse.Namespace) -> int:
    settings = load(servers=True)
    from dispatch import clock

    return clock.main(settings) or 0


def _relay(options: argparse.Namespace) -> int:
    settings = load(servers=True)
    from dispatch import relay

    return relay.main(settings) or 0


def _migrate(options: argparse.Namespace) -> int:
    settings = load(servers=True)
    from dispatch.bootstrap import migrate

    migrate(settings)
    return 0


def _demo(options: argparse.Namespace) -> int:
    from dispatch import demo
    from dispatch.embedded.serve import joined

    return demo.main(options.arguments, joined(load()), lambda: joined(load()))


def _doctor(options: argparse.Namespace) -> int:
    from dispatch.doctor import examine

    return examine(options.process)


def _key(options: argparse.Namespace) -> int:
    settings = _running()
    from dispatch.bootstrap import mint_key

    print(mint_key(settings, options.scope, options.mode or settings.mode, options.shop))
    return 0


def _user(options: argparse.Namespace) -> int:
    settings = _running()
    from dispatch.bootstrap import set_user

    given = None
    if options.password:
        given = (
            getpass.getpass("Mật khẩu mới · new password: ")
            if sys.stdin.isatty()
            else sys.stdin.readline().rstrip("\n")
        )
        if len(given) < 8:
            print("a password needs at least 8 characters: run the command again with a longer one.", file=sys.stderr)
            return 2
    password = set_user(settings, options.name, given)
    print(f"{options.name}: " + ("mật khẩu đã đổi · password changed" if given else password))
    return 0


def _check_policies(options: argparse.Namespace) -> int:
    from datetime import UTC, datetime
    from importlib.resources import files

    from dispatch.policies.checking import examine

    root = Path(options.folder) if options.folder else files("dispatch.policies")
    if not root.is_dir():
        print(f"check-policies: {options.folder} is not a folder", file=sys.stderr)
        return 2
    found = examine(root, datetime.now(UTC).date())
    for finding in found:
        print(f"{finding.place}: {finding.weight}: {finding.vi} · {finding.en}")
    errors = sum(finding.weight == "error" for finding in found)
    print(f"{errors} lỗi · errors, {len(found) - errors} lưu ý · notes")
    return 2 if errors else 0


def _import(options: argparse.Namespace) -> int:
    from dispatch.domain.sheets import BadTable

    path = Path(options.file)
    if options.what == "roads":
        return _import_roads(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        print(f"import: {path}: {error.strerror}", file=sys.stderr)
        return 2
    settings = _running()
    from dispatch.bootstrap import take_in

    try:
        taken = take_in(settings, options.what, content, options.source or path.name, options.mode or settings.mode)
    except BadTable as error:
        for problem in error.problems:
            print(f"{path.name}:{problem.line}: {problem.vi} · {problem.en}", file=sys.stderr)
        print("không nhập dòng nào · nothing was taken", file=sys.stderr)
        return 2
    for note in taken.notes:
        print(f"{path.name}:{note.line}: {note.vi} · {note.en}")
    for sentence in taken.told:
        print(sentence)
    return 0


def _import_roads(path: Path) -> int:
    from dispatch.embedded import place as places
    from routing import RoutingError
    from routing.roads import read_osm

    place = places.find(load().data_dir)
    try:
        graph = read_osm(path)
        places.prepare(place)
        graph.save(place.home / ROADS)
    except (RoutingError, OSError) as error:
        print(f"import: {error}", file=sys.stderr)
        return 2
    kilometres = round(float(graph.metres.sum()) / 1000)
    print(f"{len(graph.lat)} nút · nodes, {len(graph.tail)} cung · arcs, {kilometres} km → {place.home / ROADS}")
    print("© OpenStreetMap contributors, ODbL 1.0")
    return 0


def _simulate(options: argparse.Namespace) -> int:
    import json

    from pydantic import ValidationError

    from dispatch.rehearsal import WhatIf, answer, read
    from routing import RoutingError

    try:
        asked = {"strategy": options.strategy, "seed": options.seed, "couriers": options.couriers, "work": options.work}
        if options.curve:
            first, _, last = options.curve.partition("-")
            asked["curve"] = {"from": int(first), "to": int(last), "target": options.target}
        told = answer(
            read(Path(options.file).read_bytes()), WhatIf.model_validate(asked), [], lambda share, points: None
        )
        if options.out:
            Path(options.out).write_text(json.dumps(told.whole, ensure_ascii=False), encoding="utf-8")
    except OSError as error:
        print(f"simulate: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    except ValidationError as error:
        wrong = error.errors()[0]
        print(f"simulate: --{wrong['loc'][0] if wrong['loc'] else 'couriers'}: {wrong['msg']}", file=sys.stderr)
        return 2
    except RoutingError as error:
        print(f"simulate: {options.file}: {error}", file=sys.stderr)
        return 2
    except ValueError:
        print(f"simulate: --curve: {options.curve}: must be two numbers such as 4-12", file=sys.stderr)
        return 2
    short = told.result if options.curve else told.result["metrics"]
    print(json.dumps(short if options.out or options.curve else told.whole, ensure_ascii=False))
    return 0


def _running() -> Settings:
    """The settings of the system that runs here or that the environment names. Raises SettingsError without one."""
    from dispatch.embedded.serve import joined

    settings = joined(load())
    if not (settings.database_url and settings.redis_url):
        raise SettingsError(
            "the system does not run here: start it with `make run` in another terminal (with the same "
            "DISPATCH_DATA_DIR), or set DISPATCH_DATABASE_URL and DISPATCH_REDIS_URL."
        )
    return settings


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m dispatch", description="Điều Tin: postal dispatch for dossiers.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, run: Callable[[argparse.Namespace], int], about: str) -> argparse.ArgumentParser:
        # The demo explains its own arguments.
        command = commands.add_parser(name, help=about, description=about, add_help=name != "demo")
        command.set_defaults(run=run)
        return command

    serve = add("serve", _serve, "run the whole system on this machine, database and queue included")
    serve.add_argument("--with-parent", action="store_true", help="stop when the process that started this one ends")
    add("web", _web, "run the web server (API, board, courier page)")
    add("worker", _worker, "run the worker: plans, webhooks, imports")
    add("clock", _clock, "run the clock: promises, deadlines, what falls due")
    add("relay", _relay, "run the relay: carries committed outbox rows to the queue")
    add("migrate", _migrate, "bring the database to the newest version, make the first operator")
    add("demo", _demo, "play a believable day on the running system (further arguments are the demo's own)")
    doctor = add("doctor", _doctor, "say in plain words what is wrong with this installation")
    doctor.add_argument(
        "process", nargs="?", default="", choices=["", "worker", "clock", "relay"], help="look only at it"
    )
    checked = add("check-policies", _check_policies, "look for faults, overlaps and gaps in the policy files")
    checked.add_argument("--folder", metavar="DIR", help="another folder of policy files than the shipped one")
    imported = add("import", _import, "take in communes, shops, couriers (CSV or XLSX) or roads (.osm.pbf), or nothing")
    imported.add_argument("what", choices=["communes", "shops", "couriers", "roads"])
    imported.add_argument("file", metavar="FILE")
    imported.add_argument("--source", help="decree or origin kept with communes (default: the file's name)")
    imported.add_argument("--mode", choices=["test", "live"], help="of shops and couriers; default: DISPATCH_MODE")
    simulated = add(
        "simulate", _simulate, "rehearse a day (dispatch-scenario/1) by one of four strategies; needs no server"
    )
    simulated.add_argument("file", metavar="FILE")
    simulated.add_argument("--strategy", choices=["live", "insertion", "nearest", "fixed"], default="live")
    simulated.add_argument("--seed", type=int, default=1, metavar="N")
    simulated.add_argument("--out", metavar="RESULT.json", help="write the result there and print its metrics only")
    simulated.add_argument(
        "--couriers", type=int, metavar="N", help="with so many couriers: the file's first, or copies"
    )
    simulated.add_argument("--work", type=float, default=1.0, metavar="TIMES", help="1.3 = 30 %% more requests")
    simulated.add_argument("--curve", metavar="FROM-TO", help="how many couriers keep the target: print the curve")
    simulated.add_argument("--target", type=float, default=0.98, metavar="SHARE", help="of promises kept, for --curve")
    key = add("key", _key, "make an API key and print it once")
    key.add_argument("--scope", required=True, choices=["shop", "operator", "courier"])
    key.add_argument("--mode", choices=["test", "live"], help="default: DISPATCH_MODE")
    key.add_argument("--shop", metavar="ID", help="the shop a shop key belongs to")
    user = add("user", _user, "make a board user, or give one a new password, and print it once")
    user.add_argument("name")
    user.add_argument(
        "--password", action="store_true", help="ask for the password (or read a line) instead of making one"
    )
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code and says on stderr in one sentence what is wrong."""
    from dispatch.domain.errors import DispatchError
    from dispatch.embedded.place import StartError

    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    parser = _parser()
    options, further = parser.parse_known_args(arguments)
    if further and options.command != "demo":
        parser.error(f"unknown argument: {further[0]}")
    options.arguments = further
    try:
        return int(options.run(options))
    except SettingsError as error:
        print(f"dispatch: {error}", file=sys.stderr)
        return 2
    except (StartError, DispatchError) as error:
        print(f"dispatch: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
