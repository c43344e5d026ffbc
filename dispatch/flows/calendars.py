"""Which opening hours hold for a site: the operator's own calendar of that id, else a built-in one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dispatch.domain.hours import Calendar
from dispatch.flows.recording import Scene

if TYPE_CHECKING:
    from dispatch.store import Session


def calendar_of(session: Session, scene: Scene, mode: str, profile: str, fallback: str = "OSS-DEFAULT") -> Calendar:
    """The calendar of an hours profile; an unknown profile is read as `fallback`."""
    kept = session.network.calendar(mode, profile)
    if kept:
        return Calendar.from_bodies(profile, kept, scene.book.holidays)
    return scene.book.calendars.get(profile) or scene.book.calendars[fallback]
