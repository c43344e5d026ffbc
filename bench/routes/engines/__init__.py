"""The engines compared, one a file: `PACKAGE` names what is installed, `solve(case, ask)` returns routes and is timed.

A module may have `prepare()`, called when its process starts; `load(case, ask)`, called before the clock starts, for
what its caller would have at hand already; and `orders(case, found)`, which reads routes out of what `solve` returned.
"""
