"""What the operator keeps about places: points, communes, a shop's own rule parameters, trainings."""

from __future__ import annotations
