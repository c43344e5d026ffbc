"""Points, commune settings, shop overrides, appointments, trainings."""

from __future__ import annotations

from sqlalchemy import Connection


class Sites:
    """Points, commune settings, shop overrides, appointments, trainings."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection
