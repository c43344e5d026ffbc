"""Money as it moved, complaints, and shifts whose cash was reconciled."""

from __future__ import annotations

from sqlalchemy import Connection


class Money:
    """Money as it moved, complaints, and shifts whose cash was reconciled."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection
