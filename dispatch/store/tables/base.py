"""The schema's common ground: the metadata, its naming, the columns that recur."""

from __future__ import annotations

from sqlalchemy import Column, MetaData, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Instant = TIMESTAMP(timezone=True)


def mode() -> Column[str]:
    """The world a row belongs to: live or test."""
    return Column("mode", Text, nullable=False)


def at(name: str, *, nullable: bool = False) -> Column[object]:
    """A column that holds an aware instant."""
    return Column(name, Instant, nullable=nullable)
