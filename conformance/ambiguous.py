"""Conditions that rounding may decide either way."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

Array = Any  # numpy arrays and bools alike


class Ambiguous:
    """A condition, and where the bounds leave it open."""

    __slots__ = ("holds", "open")

    def __init__(self, holds: Array, open_: Array) -> None:
        self.holds, self.open = holds, open_


def combined(op: str, conditions: Sequence[Any]) -> Ambiguous:
    """and, or, not: open where an open operand may decide, no other one having done so."""
    parts = [c if isinstance(c, Ambiguous) else Ambiguous(c, False) for c in conditions]
    if op == "not":
        return Ambiguous(np.logical_not(parts[0].holds), parts[0].open)
    combine = np.logical_and if op == "and" else np.logical_or
    # What may hold, and what must: an open operand may, and need not.
    most = functools.reduce(combine, (np.logical_or(p.holds, p.open) for p in parts))
    least = functools.reduce(
        combine, (np.logical_and(p.holds, np.logical_not(p.open)) for p in parts)
    )
    return Ambiguous(functools.reduce(combine, (p.holds for p in parts)), most != least)
