"""Decisions of the day, as functions over plain state: the running system and the rehearsal call the same ones."""
