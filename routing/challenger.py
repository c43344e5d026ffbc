"""Another engine challenges our plans in a process of its own: its better plan is taken, our mistakes are logged.

The engine is OR-Tools' routing model, started from the plan and only descending. It is loaded in the child alone, and
it shares no search with the kernel. The child is a program of its own (no fork): it has none of the caller's
connections or threads. What it answers is read as strictly as a file and judged by `check` before anyone sees it.
"""

from __future__ import annotations

import json
import logging
import math
import os
import pickle
import select
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from routing.check import Verdict, Violation, check
from routing.cost import Evaluation, evaluate, routes, warm_places
from routing.engines import Limits
from routing.errors import RoutingError
from routing.explain import explain
from routing.formats.native import read_plan, write_plan
from routing.legs import Legs
from routing.model import Number, Plan, Problem
from routing.reading import Shape, load, nullable, number, text
from routing.view import View

_ANSWER = "challenge-answer/1"
_ENGINE = "or_tools"
_ROOT = Path(__file__).resolve().parents[1]
_START_S = 30.0  # more time for a child that has yet to load its engine
_END_S = 1.0  # between a child's last word and its end
_LOOK_S = 1.0  # between two looks of an idle child whether its parent lives
_REASONS_S = 0.2  # at least, for saying why requests are left out
_NICER = 5  # the ticks of the caller come first
_LONGEST_ANSWER = 2**24  # bytes
_ROUNDING = 1e-9

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Challenge:
    """What the child is asked: better `plan` within `seconds`; after `most_s` it ends itself."""

    problem: Problem
    plan: Plan
    seconds: float
    most_s: float
    seed: int


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the child found: the evaluator's total of the given plan (None: undriveable), and a better plan's text."""

    evaluated: Number | None
    plan: str | None = None
    refusal: str | None = None  # why the engine could not even begin
    too_large: str | None = None


_READ_ANSWER = Shape(
    _Answer,
    {"evaluated": (nullable(number), "the evaluator's total of the given plan")},
    {"plan": nullable(text), "refusal": nullable(text), "too_large": nullable(text)},
)


class Challenger:
    """One child process and at most one challenge in flight; used by one thread, closed by `close` or `with`.

    `better_by` is how much cheaper a plan must be, as a share of what the given plan costs without its unserved
    requests: couriers are not disturbed for less. `grace_s` is how long the child may overrun before it is killed.
    The child starts with the first challenge, stays for the next ones, is replaced when it has died, and ends with
    its parent. A process forked from the caller needs a Challenger of its own.
    """

    def __init__(self, *, better_by: float = 0.001, grace_s: float = 2.0, seed: int = 1) -> None:
        self.better_by, self.grace_s, self.seed = better_by, grace_s, seed
        self._process: subprocess.Popen[bytes] | None = None
        self._question: IO[bytes] | None = None
        self._challenge: _Challenge | None = None
        self._until = 0.0
        self._heard = b""

    def __enter__(self) -> Challenger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def busy(self) -> bool:
        """Whether a challenge is in flight, or answered and not yet asked for by `result`."""
        return self._challenge is not None

    @property
    def pid(self) -> int | None:
        """The child's process id, None while there is none."""
        return self._process.pid if self._process else None

    def challenge(self, problem: Problem, plan: Plan, seconds: float) -> Plan | None:
        """Wait for a better plan, at most `seconds`, the grace and a first start; None when there is none.

        `plan` is a plan of this very problem; `submit` and `result` do the same without waiting.
        Raises RoutingError when `seconds` is not above 0 or another challenge is in flight.
        """
        if self.busy:
            raise RoutingError("busy", "another challenge is in flight; ask for its result first")
        return self.result(math.inf) if self.submit(problem, plan, seconds) else None

    def submit(self, problem: Problem, plan: Plan, seconds: float) -> bool:
        """Ask for a plan better than `plan` within `seconds` of search, without waiting; say whether it is under way.

        Refused (False) while another challenge is in flight: its child would have to be killed and loaded anew, and a
        better plan a tick later is worth no less. Also False, and logged, when no child can be started.
        Raises RoutingError when `seconds` is not above 0.
        """
        if not seconds > 0:
            raise RoutingError("bad_value", "must be above 0", "seconds")
        if self.busy:
            return False
        asked = _Challenge(problem, plan, seconds, seconds + self.grace_s, self.seed)
        try:
            start_s = self._tend()
            self._ask(asked)
        except OSError as error:
            log.error("the challenger cannot be asked: %s", error)
            self.close()
            return False
        self._challenge, self._until = asked, time.monotonic() + start_s + asked.most_s
        return True

    def result(self, wait_s: float = 0.0) -> Plan | None:
        """Return the better plan when it has come, once; None when there is none, or none yet (`busy` tells which).

        Moved stops are counted against the plan that was given. Waits `wait_s` at most. Kills a child that overruns.
        """
        asked, process = self._challenge, self._process
        if asked is None or process is None:
            return None
        whole = self._hear(process, min(time.monotonic() + wait_s, self._until))
        if not whole and time.monotonic() < self._until:
            return None
        self._challenge = None
        if not whole:
            log.error("the challenger overran its %.1f s and is killed", asked.seconds)
        elif not self._heard:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_END_S)
            log.error("the challenger ended in the middle of a challenge, code %s", process.returncode)
        else:
            try:
                return self._judged(asked, _READ_ANSWER(load(self._heard, _ANSWER), ""))
            except RoutingError as error:
                log.error("the challenger gave an answer that cannot be read: %s", error)
        self.close()
        return None

    def close(self) -> None:
        """End the child and forget what was asked; a later challenge starts a new one."""
        self._challenge = None
        if self._process:
            with self._process as process:
                process.kill()
            self._process = None
        if self._question:
            self._question.close()
            self._question = None

    def _tend(self) -> float:
        """See that a child runs; return the seconds a new one may take to start."""
        if self._process:
            code = self._process.poll()
            if code is None:
                return 0.0
            log.error("the challenger ended between two challenges, code %s", code)
            self.close()
        # A file, because a pipe would keep the caller waiting until the child has read a large problem.
        self._question = tempfile.TemporaryFile()  # noqa: SIM115 — it lives as long as the child
        number = self._question.fileno()
        self._process = subprocess.Popen(
            _command(number),
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            pass_fds=(number,),
            start_new_session=True,  # Ctrl-C is for the caller, who then closes us
        )
        return _START_S

    def _ask(self, asked: _Challenge) -> None:
        assert self._process and self._process.stdin and self._question
        self._heard = b""
        self._question.seek(0)
        self._question.truncate()
        pickle.dump(asked, self._question, pickle.HIGHEST_PROTOCOL)  # JSON of large matrices would take a second
        self._question.flush()
        self._process.stdin.write(b"?")

    def _hear(self, process: subprocess.Popen[bytes], until: float) -> bool:
        """Read what has come until the line is whole or the child has ended (then nothing is heard); False: not yet."""
        assert process.stdout
        poll = select.poll()
        poll.register(process.stdout, select.POLLIN)
        while not self._heard.endswith(b"\n") and len(self._heard) < _LONGEST_ANSWER:
            if not poll.poll(1000 * max(0.0, until - time.monotonic())):
                return False
            chunk = os.read(process.stdout.fileno(), 2**20)
            if not chunk:
                self._heard = b""
                break
            self._heard += chunk
        return True

    def _judged(self, asked: _Challenge, answer: _Answer) -> Plan | None:
        """Return the plan of an answer if it passes the check and is worth it; log every mistake, whosever it is."""
        problem, legs = asked.problem, Legs(asked.problem)
        given = _examined(asked, answer, legs)
        if answer.refusal:
            log.error("%s refuses the plan in force of %r: %s", _ENGINE, problem.name, answer.refusal)
        if answer.too_large:
            log.warning("no challenge of %r: %s", problem.name, answer.too_large)
        if answer.plan is None:
            return None
        plan = read_plan(answer.plan)
        verdict = check(problem, plan, asked.plan, legs)
        if not verdict.ok:
            log.error("the challenger's plan of %r does not pass: %s", problem.name, verdict.violations[:3])
            return None
        priority = {request.id: request.priority for request in problem.requests}
        left_out = sum(problem.weights.unserved * priority.get(entry.request, 0) for entry in asked.plan.unserved)
        saved = given.cost.total - verdict.cost.total
        if _driveable(given) and saved <= self.better_by * abs(given.cost.total - left_out):
            return None
        log.info("challenger of %r: total %s instead of %s", problem.name, verdict.cost.total, given.cost.total)
        return plan


def _examined(asked: _Challenge, answer: _Answer, legs: Legs) -> Verdict:
    """Judge the given plan itself, and log where its own words, its rows and the evaluator differ."""
    plan = asked.plan
    given = check(asked.problem, plan, plan, legs)
    faults = [fault for fault in given.violations if not _counts_moves(asked, fault, given.cost.total)]
    evaluated = answer.evaluated
    real = given.cost.total
    if faults or evaluated is None or not math.isclose(evaluated, real, rel_tol=_ROUNDING, abs_tol=_ROUNDING):
        log.error(
            "the plan in force of %r by %s is wrong: it states total %s, its rows give %s, the evaluator %s; %s",
            asked.problem.name,
            plan.engine,
            plan.cost.total,
            real,
            "cannot drive it" if evaluated is None else evaluated,
            faults[:3],
        )
    return given


def _counts_moves(asked: _Challenge, fault: Violation, real: Number) -> bool:
    """Say whether a stated total differs by moved stops only: it was counted against the plan before it."""
    price, over = asked.problem.weights.moved_stop, asked.plan.cost.total - real
    if fault.where != "cost.total" or not price:
        return False
    moves = round(over / price)
    rows = sum(len(route.stops) for route in asked.plan.routes)
    return 0 <= moves <= rows and math.isclose(moves * price, over, abs_tol=_ROUNDING * max(1, abs(real)))


def _driveable(verdict: Verdict) -> bool:
    return all(violation.code == "wrong_cost" for violation in verdict.violations)


def _command(question: int) -> list[str]:
    """Return what starts the child; `question` is the number of the open file it reads the challenges from."""
    # Not `-m`: the package imports this module, which would then be loaded twice.
    code = "import sys; from routing.challenger import serve; serve(int(sys.argv[1]), int(sys.argv[2]))"
    return [sys.executable, "-c", code, str(os.getpid()), str(question)]


def serve(parent: int, question: int) -> None:
    """Be the child: answer each byte on stdin with one line on stdout, until process `parent` is gone.

    A challenge stands in the open file `question` (descriptor) as a pickled `_Challenge`; an answer is one JSON
    object, the plan in it a `routing-plan/1` text. What goes wrong here ends the process and is told on stderr.
    """
    from routing.engines import or_tools  # noqa: F401 — loaded before the first challenge, never by the caller

    os.nice(_NICER)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    with suppress(BrokenPipeError):
        while os.getppid() == parent:
            if not select.select([0], [], [], _LOOK_S)[0]:
                continue
            if not os.read(0, 1):
                break
            with open(question, "rb", closefd=False) as file:
                file.seek(0)
                asked: _Challenge = pickle.load(file)
            signal.setitimer(signal.ITIMER_REAL, asked.most_s)  # it ends us also where the parent cannot
            answers.write(json.dumps({"format": _ANSWER, **_answered(asked)}) + "\n")
            answers.flush()
            signal.setitimer(signal.ITIMER_REAL, 0)


def _answered(asked: _Challenge) -> dict[str, Any]:
    """Evaluate the given plan anew and let OR-Tools descend from it; return the fields of an `_Answer`."""
    from routing.engines import or_tools

    until = time.monotonic() + asked.seconds
    view = View(asked.problem)
    places, start = warm_places(view, asked.plan), view.sequences_of(asked.plan)
    limits = Limits(
        should_stop=lambda: time.monotonic() >= until,
        interruptible=False,
        remaining_s=lambda: until - time.monotonic(),
        seed=asked.seed,
        iterations=None,
        found=lambda total: None,
    )
    known = evaluate(view, start, places)
    total = known.cost.total if isinstance(known, Evaluation) else None
    try:
        orders = or_tools.improve(view, start, places, limits, guided=False)
    except RoutingError as error:
        return {"evaluated": total, "too_large" if error.code == "too_large" else "refusal": str(error)}
    found = evaluate(view, orders, places)
    if not isinstance(found, Evaluation) or (total is not None and found.cost.total >= total):
        return {"evaluated": total}
    until = max(until, time.monotonic() + _REASONS_S)  # should_stop looks at it
    reasons = explain(view, orders, found.unserved, places, limits.should_stop)
    made = routes(view, found)
    plan = Plan(asked.problem.name, _ENGINE, asked.seed, asked.seconds, made, reasons, found.cost)
    return {"evaluated": total, "plan": write_plan(plan)}
