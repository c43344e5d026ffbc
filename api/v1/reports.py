"""The figures for the province and the post, each with its definition."""

from __future__ import annotations
