"""Which opening hours hold for a site: the operator's own calendar of that id, a built-in one, or both in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dispatch.domain.hours import Calendar

if TYPE_CHECKING:
    from dispatch.flows.recording import Scene
    from dispatch.store import Session


def calendar_of(session: Session, scene: Scene, mode: str, profile: str, fallback: str = "OSS-DEFAULT") -> Calendar:
    """The calendar of an hours profile; an unknown profile is read as `fallback`.

    What the operator says of a built-in calendar holds from his first dated week on; before it the built-in one does.
    """
    shipped = scene.book.calendars.get(profile)
    kept = session.network.calendar(mode, profile)
    if not kept:
        return shipped or scene.book.calendars[fallback]
    own = Calendar.from_bodies(profile, kept, scene.book.holidays)
    return shipped.followed_by(own) if shipped is not None else own
