"""Counter days and appointments in rooms of limited capacity."""

from __future__ import annotations
