"""Checks of this repository that no off-the-shelf tool makes; each is a command that `make check` runs."""
