"""From a problem to a checked plan: normalise, improve, judge, explain; whatever fails falls back to insertion."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from routing import engines
from routing.check import check
from routing.cost import Evaluation, WarmPlaces, evaluate, routes, warm_places
from routing.draft import Draft
from routing.engines import Limits
from routing.engines.greedy import improve as insert_all
from routing.errors import RoutingError
from routing.explain import explain
from routing.model import Number, Plan, Problem, Unserved
from routing.timing import Fault
from routing.validate import validate
from routing.view import Sequences, View

Progress = Callable[[float, Number], None]
_REASONS_SHARE = 0.2
_REASON_S = 0.1
_PUBLISH_S = 60e-6  # for each stop: timing, pricing and judging the plan that was found

log = logging.getLogger(__name__)


def solve(
    problem: Problem,
    *,
    engine: str = "search",
    seconds: float = 5.0,
    seed: int = 1,
    warm: Plan | None = None,
    should_stop: Callable[[], bool] | None = None,
    progress: Progress | None = None,
    iterations: int | None = None,
    threads: int = 1,
    reasons: bool = True,
) -> Plan:
    """Return a plan that `check` has passed: every request served or named as unserved with a reason.

    `seconds` bounds the wall clock; with `iterations` the clock is not asked and the result depends on the arguments
    alone. `warm` is the plan in force: it is started from, and moved stops are counted against it. `should_stop` ends
    the search early with the best plan so far, `progress` is told (seconds so far, total) of every better one.
    `threads` is how many cores the engine may use. Without `reasons` nobody asks why a request is left out: its code is
    "out_of_time".
    Raises RoutingError when the problem contradicts itself or the engine does not exist.
    """
    for name, value in (("seconds", seconds), ("iterations", iterations), ("threads", threads)):
        if value is not None and not value > 0:
            raise RoutingError("bad_value", "must be above 0", name)
    validate(problem)
    watch = _Watch(
        seconds, iterations, should_stop or (lambda: False), progress, 2 * _PUBLISH_S * len(problem.requests)
    )
    chosen = engines.load(engine)
    view = View(problem)
    places = warm_places(view, warm)
    limits = Limits(
        watch.over,
        should_stop is not None,
        watch.remaining_s,
        seed,
        iterations,
        watch.found,
        threads,
        watch.keep_for_reasons,
    )
    start = view.sequences_of(warm) if warm else [[] for _ in problem.couriers]
    for orders, name in _attempts(chosen, engine, view, start, places, limits):
        plan = _publish(view, orders, places, name, seed, seconds, watch if reasons else None)
        if plan and (verdict := check(problem, plan, warm, view.legs)).ok:
            return plan
        log.error("%s made a plan that does not pass: %s", name, plan and verdict.violations[:3])
    raise RoutingError("no_plan", "no engine made a plan that passes the check", problem.name)


def _attempts(
    chosen: engines.Engine, engine: str, view: View, start: Sequences, places: WarmPlaces, limits: Limits
) -> Iterator[tuple[Sequences, str]]:
    """Yield the engine's orders, and after them the inserted ones in case the first do not pass."""
    alone = getattr(chosen, "STARTS_EMPTY", False)
    if alone:  # however late it is: it puts something in before it looks at the clock
        found = _try(chosen, engine, view, Draft(view, start, places).sequences(), places, limits)
        if found is not None:
            yield found, engine
    first = insert_all(view, start, places, limits)
    limits.left_out(len(view.problem.requests) - sum(stop % 2 for order in first for stop in order))
    if engine != "greedy" and not alone and not limits.should_stop():
        found = _try(chosen, engine, view, first, places, limits)
        if found is not None:
            yield found, engine
    yield first, "greedy"


def warm(engine: str = "search") -> None:
    """Load an engine now, at process start, so that no request waits for it."""
    prepare = getattr(engines.load(engine), "prepare", None)
    if prepare:
        prepare()


@dataclass(slots=True)
class _Watch:
    """The clock of one call; never asked when the search is bounded by iterations."""

    seconds: float
    iterations: int | None
    stopped: Callable[[], bool]
    progress: Progress | None
    publish_s: float
    reasons_s: float = 0.0
    began: float = 0.0
    best: Number = float("inf")

    def __post_init__(self) -> None:
        self.began = time.monotonic()
        self.publish_s = min(self.publish_s, _REASONS_SHARE * self.seconds)

    def remaining_s(self) -> float | None:
        """Return the seconds left, or None when iterations bound the search."""
        if self.iterations is not None:
            return None
        return self.seconds - self.publish_s - self.reasons_s - (time.monotonic() - self.began)

    def keep_for_reasons(self, left_out: int) -> None:
        """Keep a part of the time for finding out why some requests are left out."""
        self.reasons_s = min(_REASONS_SHARE * self.seconds, left_out * _REASON_S)

    def reasons_over(self) -> Callable[[], bool]:
        """Return the clock of the explanations: what is left, but a tenth of a second at least."""
        least = time.monotonic() + _REASON_S
        until = max(self.began + self.seconds, least)
        return lambda: self.iterations is None and time.monotonic() >= (least if self.stopped() else until)

    def over(self) -> bool:
        """Say whether the search must end."""
        remaining = self.remaining_s()
        return self.stopped() or (remaining is not None and remaining <= 0)

    def found(self, total: Number) -> None:
        """Pass a better total on."""
        if self.progress and total < self.best:
            self.progress(time.monotonic() - self.began, total)
        self.best = min(self.best, total)


def _try(
    chosen: engines.Engine, name: str, view: View, first: Sequences, places: WarmPlaces, limits: Limits
) -> Sequences | None:
    """Return the engine's orders, repaired where they break a limit, or None when it failed or is worse."""
    try:
        orders = chosen.improve(view, first, places, limits)
    except RoutingError as error:
        log.warning("engine %s gave up, the inserted plan stands: %s", name, error)
        return None
    except Exception:
        log.exception("engine %s failed; the inserted plan stands", name)
        return None
    found, known = evaluate(view, orders, places), evaluate(view, first, places)
    if isinstance(found, Fault):
        orders = insert_all(view, orders, places, limits)
        found = evaluate(view, orders, places)
    if isinstance(found, Fault) or isinstance(known, Fault) or _quality(view, found) > _quality(view, known):
        return first
    limits.found(found.cost.total)
    return orders


def _quality(view: View, evaluation: Evaluation) -> tuple[int, Number]:
    """Return what makes one plan better than another: parcels on board or locked that stay behind, then the total."""
    return sum(view.bound[request] is not None for request in evaluation.unserved), evaluation.cost.total


def _publish(
    view: View, orders: Sequences, places: WarmPlaces, engine: str, seed: int, seconds: Number, watch: _Watch | None
) -> Plan | None:
    evaluation = evaluate(view, orders, places)
    if not isinstance(evaluation, Evaluation):
        return None
    if watch:
        reasons = explain(view, orders, evaluation.unserved, places, watch.reasons_over())
    else:
        reasons = tuple(Unserved(view.problem.requests[r].id, "out_of_time") for r in evaluation.unserved)
    return Plan(view.problem.name, engine, seed, seconds, routes(view, evaluation), reasons, evaluation.cost)
