"""Rows the reports are made of; read only."""

from __future__ import annotations

from sqlalchemy import Connection


class Reporting:
    """Rows the reports are made of; read only."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection
