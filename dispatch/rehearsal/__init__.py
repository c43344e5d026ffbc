"""Rehearsal: a day that was, or might be, run through by one of four strategies against a simulated clock."""

from dispatch.rehearsal.answering import Told, answer, rehearse
from dispatch.rehearsal.result import simulate
from dispatch.rehearsal.scenario import Scenario, read
from dispatch.rehearsal.strategies import STRATEGIES
from dispatch.rehearsal.whatif import WhatIf, changed

__all__ = ["STRATEGIES", "Scenario", "Told", "WhatIf", "answer", "changed", "read", "rehearse", "simulate"]
