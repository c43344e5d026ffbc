"""Who may call: keys, users, sign-ins, remembered answers, the audit trail and heartbeats."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from dispatch.store import tables as t
from dispatch.store.rows import Key, User, record
from dispatch.store.seldom import Seldom


@dataclass(frozen=True, slots=True)
class Remembered:
    """The stored first answer to an idempotent call."""

    fingerprint: str
    status: int
    headers: dict[str, str]
    body: str


# Asked by every call: built once, since building them takes longer than asking.
_LIVE_KEY = select(t.keys, Seldom.version().label("network_version")).where(
    t.keys.c.secret_hash == bindparam("secret_hash"),
    t.keys.c.revoked_at.is_(None),
    or_(t.keys.c.expires_at.is_(None), t.keys.c.expires_at > bindparam("at")),
)
_FREE = select(
    func.pg_try_advisory_xact_lock(func.hashtextextended(bindparam("name"), literal_column("0"))).label("free")
).subquery()
_SAME = and_(*(t.idempotency.c[name] == bindparam(name) for name in ("owner", "route", "key")))
_CLAIM = select(
    _FREE.c.free, *(t.idempotency.c[name] for name in ("fingerprint", "status", "headers", "body"))
).select_from(_FREE.outerjoin(t.idempotency, _SAME))


class Access:
    """Keys, users, sign-ins, remembered answers, audit, heartbeats."""

    def __init__(self, connection: Connection, seldom: Seldom) -> None:
        self._c = connection
        self._seldom = seldom

    # keys
    def add_key(self, key: Key, secret_hash: str, at: datetime) -> bool:
        """Keep a key by the hash of its secret; False where that very secret is known already."""
        row = upsert(t.keys).values(
            id=key.id,
            mode=key.mode,
            scope=key.scope,
            shop_id=key.shop_id,
            courier_id=key.courier_id,
            hint=key.hint,
            secret_hash=secret_hash,
            expires_at=key.expires_at,
            created_at=at,
        )
        kept = self._c.execute(row.on_conflict_do_nothing(index_elements=["secret_hash"]).returning(t.keys.c.id))
        return kept.first() is not None

    def key_by_hash(self, secret_hash: str, at: datetime) -> Key | None:
        """The live key of that secret hash at the real instant `at`; the network's version comes along."""
        found = self._c.execute(_LIVE_KEY, {"secret_hash": secret_hash, "at": at}).first()
        if found is None:
            return None
        self._seldom.begin(found.network_version)
        return record(Key, found)

    def key_by_id(self, key_id: str) -> Key | None:
        """A key by its id, also a revoked one."""
        found = self._c.execute(select(t.keys).where(t.keys.c.id == key_id)).first()
        return None if found is None else record(Key, found)

    def revoke_key(self, mode: str, key_id: str, at: datetime) -> bool:
        """End a key of one world; False where it was not live."""
        c = t.keys.c
        change = update(t.keys).where(c.mode == mode, c.id == key_id, c.revoked_at.is_(None)).values(revoked_at=at)
        return self._c.execute(change).rowcount == 1

    def note_instant(self, key_id: str, at: datetime) -> None:
        """Remember the latest test instant a key has used."""
        self._c.execute(
            update(t.keys)
            .where(t.keys.c.id == key_id, or_(t.keys.c.latest_at.is_(None), t.keys.c.latest_at < at))
            .values(latest_at=at)
        )

    def latest_test_instant(self) -> datetime | None:
        """The latest instant any test key has used: the board's clock of the test world."""
        latest: datetime | None = self._c.execute(
            select(func.max(t.keys.c.latest_at)).where(t.keys.c.mode == "test")
        ).scalar()
        return latest

    # users of the board
    def user(self, name: str) -> User | None:
        """A user by name, locked for this transaction (so that wrong passwords count exactly)."""
        found = self._c.execute(select(t.users).where(t.users.c.name == name).with_for_update()).first()
        return None if found is None else record(User, found)

    def count_users(self) -> int:
        """How many people can sign in."""
        return int(self._c.execute(select(func.count()).select_from(t.users)).scalar_one())

    def put_user(self, user_id: str, name: str, password_hash: str, role: str, at: datetime) -> bool:
        """Create a user; False where the name is taken."""
        row = upsert(t.users).values(id=user_id, name=name, password_hash=password_hash, role=role, created_at=at)
        kept = self._c.execute(row.on_conflict_do_nothing(index_elements=["name"]).returning(t.users.c.id))
        return kept.first() is not None

    def set_password(self, name: str, password_hash: str) -> bool:
        """Change a password, forget wrong tries, end that user's sign-ins; False where nobody has that name."""
        changed = self._c.execute(
            update(t.users)
            .where(t.users.c.name == name)
            .values(password_hash=password_hash, wrong_passwords=0, locked_until=None)
        ).rowcount
        ids = select(t.users.c.id).where(t.users.c.name == name).scalar_subquery()
        self._c.execute(delete(t.sign_ins).where(t.sign_ins.c.user_id == ids))
        return changed == 1

    def note_password_try(self, user_id: str, wrong: int, locked_until: datetime | None) -> None:
        """Keep the count of wrong passwords and until when the user is locked out."""
        self._c.execute(
            update(t.users).where(t.users.c.id == user_id).values(wrong_passwords=wrong, locked_until=locked_until)
        )

    def add_sign_in(self, secret_hash: str, user_id: str, at: datetime, lasts: timedelta) -> None:
        """Begin a sign-in and drop the ones that ended."""
        self._c.execute(delete(t.sign_ins).where(t.sign_ins.c.expires_at < at))
        self._c.execute(
            insert(t.sign_ins).values(secret_hash=secret_hash, user_id=user_id, created_at=at, expires_at=at + lasts)
        )

    def signed_in(self, secret_hash: str, at: datetime) -> User | None:
        """The user of a live sign-in."""
        found = self._c.execute(
            select(t.users)
            .join(t.sign_ins, t.sign_ins.c.user_id == t.users.c.id)
            .where(t.sign_ins.c.secret_hash == secret_hash, t.sign_ins.c.expires_at > at)
        ).first()
        return None if found is None else record(User, found)

    def sign_out(self, secret_hash: str) -> None:
        """End a sign-in."""
        self._c.execute(delete(t.sign_ins).where(t.sign_ins.c.secret_hash == secret_hash))

    # remembered answers
    def claim_answer(self, owner: str, route: str, key: str) -> tuple[bool, Remembered | None]:
        """(whether nobody else is about to answer under this key until the transaction ends, the first answer to it).

        What is committed while this looks may be missed; then `remember` keeps nothing and says so.
        """
        asked = {"owner": owner, "route": route, "key": key, "name": f"idem:{owner}:{route}:{key}"}
        row = self._c.execute(_CLAIM, asked).one()
        kept = None if row.status is None else Remembered(row.fingerprint, row.status, row.headers, row.body)
        return row.free, kept

    def remember(self, answer: dict[str, Any]) -> bool:
        """Keep the first answer in the same transaction as its effect; False where there is one already."""
        row = upsert(t.idempotency).values(**answer).on_conflict_do_nothing().returning(t.idempotency.c.key)
        return self._c.execute(row).first() is not None

    def forget_answers(self, before: datetime) -> int:
        """Drop remembered answers older than `before`; how many went."""
        return self._c.execute(delete(t.idempotency).where(t.idempotency.c.created_at < before)).rowcount

    # audit and heartbeats
    def audit(self, mode: str, at: datetime, actor: str, action: str, target: str, detail: dict[str, Any]) -> None:
        """Append one line of who did what when."""
        self._c.execute(
            insert(t.audit).values(mode=mode, at=at, actor=actor, action=action, target=target, detail=detail)
        )

    def beat(self, name: str, at: datetime, detail: dict[str, Any]) -> None:
        """Say that the process `name` lives."""
        row = upsert(t.heartbeats).values(name=name, at=at, detail=detail)
        self._c.execute(row.on_conflict_do_update(index_elements=["name"], set_={"at": at, "detail": detail}))

    def heartbeats(self) -> dict[str, tuple[datetime, dict[str, Any]]]:
        """When each process was last heard of."""
        return {row.name: (row.at, row.detail) for row in self._c.execute(select(t.heartbeats))}
