"""Money and its corrections: payments, complaints, reviews, settlements, repricing, cash of a shift."""

from __future__ import annotations
