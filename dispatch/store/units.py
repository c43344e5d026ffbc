"""Communes and links an operator imported: empty tables mean that the packaged map is in force."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from dispatch.domain.places import Commune, Link
from dispatch.store import tables as t

_KEPT = (
    "era", "code", "name", "province_code", "province_name", "district_code", "district_name", "lat", "lng",
    "valid_from", "valid_to", "source",
)  # fmt: skip


class Units:
    """The imported communes of both maps and the links between them."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def put(self, communes: Iterable[Commune], links: Iterable[Link], source: str) -> None:
        """Create or replace communes; the links of every old commune named here replace those it had."""
        rows = [{name: getattr(one, name) for name in _KEPT} for one in communes]
        if rows:
            row = upsert(t.units)
            # A table without points leaves the points another one brought.
            points = {name: func.coalesce(row.excluded[name], t.units.c[name]) for name in ("lat", "lng")}
            others: dict[str, Any] = {name: row.excluded[name] for name in _KEPT[2:] if name not in points}
            self._c.execute(row.on_conflict_do_update(index_elements=["era", "code"], set_=others | points), rows)
        pairs = [{**link._asdict(), "source": source} for link in links]
        if pairs:
            old_codes = {pair["old_code"] for pair in pairs}
            self._c.execute(delete(t.unit_links).where(t.unit_links.c.old_code.in_(old_codes)))
            self._c.execute(insert(t.unit_links), pairs)

    def imported(self) -> tuple[list[Commune], list[Link]]:
        """Everything imported, by code."""
        columns = [t.units.c[name] for name in _KEPT]
        units = self._c.execute(select(*columns).order_by(t.units.c.era, t.units.c.code))
        order = (t.unit_links.c.old_code, t.unit_links.c.new_code)
        links = self._c.execute(select(*order, t.unit_links.c.extent).order_by(*order))
        return [Commune(**row._asdict()) for row in units], [Link(*row) for row in links]
