"""Which rules hold at a shop: the book of all provinces, with what the operator overrode there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dispatch.domain.rules import Override, PolicyBook

if TYPE_CHECKING:
    from dispatch.flows.recording import Scene
    from dispatch.store import Session


def shop_book(session: Session, scene: Scene, mode: str, shop_id: str) -> PolicyBook:
    """The rules of all provinces with the overrides of one shop (905/UBND-PVHCC 30/3/2020 §2.2: HG-10)."""
    kept = session.sites.overrides(mode, shop_id)
    if not kept:
        return scene.book
    found = tuple(
        Override(
            rule_id=row.rule_id,
            params=row.params,
            reason=row.reason,
            author=row.author,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
        )
        for row in kept
    )
    return replace(scene.book, overrides=found)
