"""Alembic's entry: runs the versions on the database that the caller names."""

from alembic import context
from sqlalchemy import create_engine, pool, text

from dispatch.store.session import driver_url
from dispatch.store.tables import metadata

url = context.config.attributes["database_url"]
engine = create_engine(driver_url(url), poolclass=pool.NullPool)

with engine.connect() as connection:
    # Two processes may start at once: the second waits here and then finds nothing left to do.
    connection.execute(text("select pg_advisory_lock(7234001)"))
    connection.commit()
    context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
    connection.execute(text("select pg_advisory_unlock(7234001)"))
    connection.commit()
