"""A value with a bound on its error, and when an operation or a type leaves it as it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from instep.conformance.profile import FloatType

Array = Any  # numpy arrays and numpy scalars alike


class Bounded:
    """A value and a bound on the error of any correct evaluation of it.

    `host` numbers are hyperparameters and what is computed from them alone: they round in the
    scalar type, and once more when they meet a tensor.
    """

    __slots__ = ("bound", "host", "signed", "value")

    def __init__(self, value: Array, bound: Array = None, host: bool = False) -> None:
        self.value = value
        self.bound = np.zeros_like(value) if bound is None else bound
        self.host = host
        # Whether cancellation may have taken a lane below zero, so that its root is undefined.
        self.signed = False

    def __repr__(self) -> str:
        return f"Bounded({self.value}, {self.bound})"


def fits(value: Array, bits: int) -> Array:
    """Whether float64 numbers are exact with so many significant bits."""
    if bits >= 53:
        return np.ones(np.shape(value), dtype=bool)
    mantissa, _ = np.frexp(value)
    return np.ldexp(mantissa, bits) % 1 == 0


def kept_as(x: Bounded, kind: FloatType) -> Bounded:
    """A value as a type keeps it: unchanged where it is exact, and one of the type's numbers."""
    there = fits(x.value, kind.bits) & (x.value / kind.tiny % 1 == 0) & (x.bound == 0)
    bound = x.bound + ~there * (kind.unit * np.abs(x.value) + kind.tiny)
    return Bounded(x.value, np.where(np.abs(x.value) > kind.largest, math.inf, bound), x.host)


def is_unit(x: Bounded) -> bool:
    """Exactly one in size: multiplying by it or dividing by it does not round."""
    flat = np.ravel(x.value)
    if flat.size == 0 or abs(flat[0]) != 1:  # decides nearly always, at no cost
        return False
    return bool(np.all(x.bound == 0)) and bool(np.all(np.abs(x.value) == 1))


def stays_infinite(op: str, a: Bounded, b: Bounded) -> bool:
    """Whether a is infinite on purpose (no limit, the best before the first one), and stays so."""
    if not a.host or not np.isinf(a.value) or a.bound != 0 or op == "%":
        return False
    return bool(np.all(np.isfinite(b.value) & ((op in "+-") | (np.abs(b.value) > b.bound))))


def spread(
    of: Callable[[Array], Array], x: Array, bound: Array, value: Array, low: float = 0.0
) -> Array:
    """How far a monotone function moves within a bound of its argument; inf where undefined."""
    up = np.abs(of(x + bound) - value)
    down = np.abs(of(np.maximum(x - bound, low)) - value)
    moved = np.where(bound == 0, 0.0, np.maximum(up, down))
    return np.where(np.isnan(moved), math.inf, moved)
