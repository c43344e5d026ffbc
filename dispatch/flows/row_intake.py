"""One batch of rows as requests: each taken in, known from before, or refused with its reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dispatch.domain import charging
from dispatch.domain.errors import Conflict, DispatchError
from dispatch.domain.flaws import Flaw, flaws_of_refusal
from dispatch.domain.sheet_bodies import ImportRow, Key, content_print, read_body
from dispatch.flows import intake

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index
    from dispatch.domain.consignment import RequestBody
    from dispatch.domain.sheets import Row
    from dispatch.flows.recording import Scene
    from dispatch.store import Session
    from dispatch.store.rows import Operation


@dataclass(frozen=True)
class Work:
    """What every row of an import has in common."""

    scene: Scene
    index: Index
    mode: str
    operation_id: str
    actor: str
    shop_id: str | None
    own_shop_id: str | None
    dry_run: bool
    item_prefix: str

    @classmethod
    def of(cls, operation: Operation, scene: Scene, index: Index, item_prefix: str) -> Work:
        """Read from an operation's parameters."""
        params = operation.params
        return cls(
            scene=scene,
            index=index,
            mode=operation.mode,
            operation_id=operation.id,
            actor=operation.owner,
            shop_id=params["shop_id"],
            own_shop_id=params["own_shop_id"],
            dry_run=params["dry_run"],
            item_prefix=item_prefix,
        )


@dataclass(frozen=True)
class _Asked:
    """A row as it was read: a body, or what is wrong with it."""

    row: Row
    shop_id: str | None
    body: RequestBody | None
    flaws: list[Flaw] = field(default_factory=list)
    print: str = ""

    @property
    def reference(self) -> str | None:
        """The natural key within its shop."""
        return None if self.body is None else f"{self.body.kind}:{self.body.external_ref}"

    def ended(
        self,
        status: str,
        request_id: str | None = None,
        errors: list[dict[str, Any]] | None = None,
        told: dict[str, Any] | None = None,
    ) -> ImportRow:
        """What became of it."""
        return ImportRow(
            row=self.row.number,
            status=status,
            shop_id=self.shop_id,
            reference=self.reference,
            print=self.print or None,
            request_id=request_id,
            errors=errors or [],
            told=told or {},
            cells=list(self.row.cells),
        )


def take_rows(session: Session, work: Work, names: tuple[str, ...], rows: list[Row]) -> list[ImportRow]:
    """Take a batch in, or on a dry run only say what would become of it.

    All natural keys are held before the first request is made, in one order: two batches never wait for each other in
    a ring.
    """
    asked = [_read(work, names, row) for row in rows]
    bodies = [(one.shop_id, one.body) for one in asked if one.shop_id is not None and one.body is not None]
    if not work.dry_run:
        for shop_id, kind, external_ref in sorted((shop, body.kind, body.external_ref) for shop, body in bodies):
            intake.hold_reference(session, work.mode, shop_id, kind, external_ref)
    known = session.imports.known(work.mode, {(one.shop_id, one.print) for one in asked if one.shop_id and one.print})
    earlier: dict[Key, tuple[int, str]] = {}
    if work.dry_run:
        keys = {(one.shop_id, one.reference) for one in asked if one.shop_id and one.reference}
        earlier = session.imports.created_before(work.operation_id, keys)
    taken = []
    for one in asked:
        made = _taken(session, work, one, known, earlier)
        if made.status == "created" and made.shop_id and made.reference and made.print:
            earlier[made.shop_id, made.reference] = (made.row, made.print)
        taken.append(made)
    return taken


def lost_row(row: Row) -> ImportRow:
    """A row that failed for a reason nobody knows; the log has it."""
    flaw = Flaw("", "internal_error", "lỗi bên trong hệ thống; gửi lại dòng này", "an inner error; send this row again")
    return _Asked(row, None, None).ended("error", errors=[flaw.to_json()])


def _read(work: Work, names: tuple[str, ...], row: Row) -> _Asked:
    fixed = {} if work.shop_id is None else {"shop_id": work.shop_id}
    read = read_body(names, row, fixed)
    if isinstance(read, list):
        return _Asked(row, work.shop_id, None, read)
    # A row that names another's shop is refused below; it counts as the caller's own.
    return _Asked(row, work.own_shop_id or read.shop_id, read, print=content_print(read))


def _taken(
    session: Session,
    work: Work,
    one: _Asked,
    known: Mapping[Key, str],
    earlier: Mapping[Key, tuple[int, str]],
) -> ImportRow:
    if one.body is None:
        return one.ended("error", errors=[flaw.to_json() for flaw in one.flaws])
    own = work.own_shop_id is None or one.body.shop_id == work.own_shop_id
    before = known.get((one.shop_id or "", one.print)) if own else None
    if before is not None:
        return one.ended("duplicate", before)
    try:
        with session.apart():
            return _try(session, work, one, one.body, earlier)
    except Conflict as error:
        if error.code != "duplicate_external_ref":
            raise
        return _known_reference(session, work, one, one.body, error)
    except DispatchError as error:
        if not error.permanent:
            raise
        return one.ended("error", errors=[flaw.to_json() for flaw in flaws_of_refusal(error)])


def _try(
    session: Session, work: Work, one: _Asked, body: RequestBody, earlier: Mapping[Key, tuple[int, str]]
) -> ImportRow:
    """Make the request, or on a dry run all but make it; raises what would be raised for it anywhere else."""
    if not work.dry_run:
        made = intake.accept(
            *(session, work.scene, work.index, body, work.mode, work.own_shop_id, work.actor, work.item_prefix)
        )
        return one.ended("created", made.id, told=_told(made.quote, made.warnings))
    decided = intake.judge(session, work.scene, work.index, body, work.mode, work.own_shop_id)
    intake.refuse_taken(session, work.mode, decided.shop.id, body)
    row, content = earlier.get((decided.shop.id, one.reference or ""), (0, ""))
    if content:
        same = content == one.print
        return one.ended("duplicate") if same else one.ended("error", errors=[_reference_taken(existing_row=row)])
    return one.ended("created", told=_told(decided.quote.to_json(), decided.warnings))


def _told(quote: dict[str, Any], warnings: list[str]) -> dict[str, Any]:
    return {
        "postage_total": quote["postage_total"],
        "payable_by_citizen": quote["payable_by_citizen"],
        "warnings": warnings,
    }


def _known_reference(session: Session, work: Work, one: _Asked, body: RequestBody, error: Conflict) -> ImportRow:
    """A row whose natural key has a request, made by another way or in this very file: the same, or another's."""
    existing_id = str(error.extra["existing_id"])
    existing = session.consignments.get(work.mode, existing_id)
    assert existing is not None
    content = charging.body_of(existing)
    if content.officer is not None and body.officer is not None and body.officer.at is None:
        # The instant of the officer's word was filled in when the request was made.
        content = content.model_copy(update={"officer": content.officer.model_copy(update={"at": None})})
    if content_print(content) == one.print:
        return one.ended("duplicate", existing_id)
    return one.ended("error", errors=[_reference_taken(existing_id=existing_id)])


def _reference_taken(**which: Any) -> dict[str, Any]:
    flaw = Flaw(
        "/external_ref",
        "duplicate_external_ref",
        "mã tham chiếu này đã có yêu cầu cùng loại với nội dung khác",
        "a request of this kind with other content has this reference already",
    )
    return {**flaw.to_json(), **which}
