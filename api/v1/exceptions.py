"""What goes another way: redirect, loss, damage, compensation, reopening, pauses, refused hand-overs."""

from __future__ import annotations
