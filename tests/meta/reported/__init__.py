"""Defects that public issue trackers tell of, each reproduced as a small optimizer.

A family's base is correct and has a method for every quantity; a defect overrides one. What the
reports say is told in our words; where a library's algorithm is not in the catalogue, the defect
is that of the nearest one that is.
"""

from __future__ import annotations

from meta.reported import (
    adam,
    adamw,
    adaptive,
    averages,
    belief,
    closures,
    directions,
    layerwise,
    moments,
    sgd,
    signs,
)
from meta.reported.frame import KINDS, Defect

_FAMILIES = (
    adam,
    adamw,
    sgd,
    signs,
    adaptive,
    moments,
    belief,
    layerwise,
    directions,
    averages,
    closures,
)
CORRECT = tuple(base for family in _FAMILIES for base in family.CORRECT)
REPORTED = tuple(defect for family in _FAMILIES for defect in family.REPORTED)
# No check finds these; `why` says what stands in the way.
UNSEEN = tuple(defect for family in _FAMILIES for defect in family.UNSEEN)

__all__ = ["CORRECT", "KINDS", "REPORTED", "UNSEEN", "Defect"]
