"""Rehearsal: a day that was, or might be, run through by one of four strategies against a simulated clock."""

from dispatch.rehearsal.result import simulate
from dispatch.rehearsal.scenario import Scenario, read
from dispatch.rehearsal.strategies import STRATEGIES

__all__ = ["STRATEGIES", "Scenario", "read", "simulate"]
