"""The rules of the trade, pure: no I/O, no wall clock, no randomness without a seed."""
