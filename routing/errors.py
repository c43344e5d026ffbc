"""The one error of the routing library."""

from __future__ import annotations


class RoutingError(ValueError):
    """A problem, plan or call that cannot be used, said in one sentence.

    `code` is a word for programs, `where` the path of the offending value (`couriers[0].shift`),
    `permanent` says that trying again with the same input fails again (always true here: no network is involved).
    """

    permanent = True

    def __init__(self, code: str, message: str, where: str = "") -> None:
        super().__init__(f"{where}: {message}" if where else message)
        self.code = code
        self.message = message
        self.where = where
