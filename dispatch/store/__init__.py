"""PostgreSQL: the only truth. `Store` hands out transactions, `Session` reaches the aggregates."""

from dispatch.store.session import Session, Store, open_store

__all__ = ["Session", "Store", "open_store"]
