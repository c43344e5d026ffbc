"""Small real processes in the places of web, worker, clock, relay, migrate: `python -m tests.embedded.stand_ins NAME`.

`serve` runs the true process tree around them; its web is gunicorn with the true configuration and a tiny application.
"""

from __future__ import annotations

import os
import signal
import sys

# The heavy imports stand where they are used: most stand-ins only wait, and many are started.
HERE = (sys.executable, "-m", "tests.embedded.stand_ins")
COMMANDS = {
    "migrate": (*HERE, "migrate"),
    "web": (sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", f"{HERE[2]}:app"),
    **{name: (*HERE, name) for name in ("worker", "clock", "relay")},
}


def app(environ, start_response):
    """Answers 200 to everything once the table that `migrate` makes can be read."""
    import psycopg

    with psycopg.connect(os.environ["DISPATCH_DATABASE_URL"]) as connection:
        rows = connection.execute("SELECT count(*) FROM kept").fetchone()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(rows).encode()]


def migrate() -> None:
    """Makes one table, and says the first operator where it was not there."""
    if os.environ.get("STAND_IN_FAULT") == "migrate":
        sys.exit("the stand-in was told to fail")
    import psycopg

    with psycopg.connect(os.environ["DISPATCH_DATABASE_URL"]) as connection:
        first = connection.execute("SELECT to_regclass('kept')").fetchone() == (None,)
        connection.execute("CREATE TABLE IF NOT EXISTS kept (word text)")
    if first:
        print("FIRST_OPERATOR điều phối viên pass-word")


def stay(name: str) -> None:
    """Lives until a signal ends it, unless told to fail."""
    if os.environ.get("STAND_IN_FAULT") == name:
        sys.exit("the stand-in was told to fail")
    signal.pause()


def tree() -> int:
    """Runs `serve` around the stand-ins."""
    from dispatch.embedded.place import StartError
    from dispatch.embedded.serve import serve
    from dispatch.settings import load

    try:
        return serve(load(), COMMANDS, ready_within_s=60)
    except StartError as error:
        sys.exit(f"StartError: {error}")


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        sys.exit(tree())
    elif sys.argv[1] == "migrate":
        migrate()
    else:
        stay(sys.argv[1])
