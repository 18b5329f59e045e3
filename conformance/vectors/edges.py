"""Gradients at a boundary: where a comparison, a sign or a maximum is about to turn.

Found by bisection on the decisions of a run. Some lanes come to lie on the boundary itself, where
rounding decides, the others well to both sides of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from instep.conformance.norms import exact
from instep.conformance.oracle import Model, Oracle
from instep.conformance.probes import Probe
from instep.conformance.profile import grades
from instep.spec.arithmetic import Float64
from instep.spec.model import Algorithm

_HALVINGS = 64
_BESIDE = 2.0**-6
# Closer to zero than that, a boundary is zero itself.
_NOTHING = 2.0**-40
_SCALES = tuple(2.0**k for k in range(-24, 9, 2))
_FACTORS = sorted(s * 2.0**k for s in (-1, 1) for k in (6, 3, 1, 0, -1, -3, -6))
Decisions = Callable[[Any], list[Any]]


class Decided(Float64):
    """Floats, and what was decided about them."""

    def __init__(self) -> None:
        self.decisions: list[Any] = []

    def compare(self, op: str, a: Any, b: Any) -> Any:
        """Noted."""
        self.decisions.append(found := super().compare(op, a, b))
        return found

    def call(self, function: str, *arguments: Any) -> Any:
        """A sign, and which of two numbers is the larger, is noted."""
        if function in ("max", "min"):
            self.decisions.append(np.greater(*arguments))
        found = super().call(function, *arguments)
        if function == "sign":
            self.decisions.append(found)
        return found


def edge(algorithm: Algorithm, probe: Probe, step: int, *, mixed: bool) -> Probe | None:
    """The probe with gradients of a step moved to where they decide; None if nothing turns.

    Args:
        algorithm: the spec.
        probe: a run of one parameter.
        step: whose gradients are moved, counted from 1.
        mixed: whether lanes depend on each other: then all move together.
    """
    own = np.asarray(probe.gradients[step - 1][0])

    def decisions(gradient: Any) -> list[Any]:
        return _decisions(algorithm, _with(probe, step, gradient), step)

    found = _common(own, decisions) if mixed else _by_lane(own, decisions)
    if found is None:
        return None
    moved = _with(probe, step, exact(found, probe.dtype))
    return replace(moved, name="edge")


def _with(probe: Probe, step: int, gradient: Any) -> Probe:
    given = list(probe.gradients)
    given[step - 1] = (gradient, *given[step - 1][1:])
    return replace(probe, gradients=tuple(given))


def _decisions(algorithm: Algorithm, probe: Probe, step: int) -> list[Any]:
    """What is decided in the last of some steps."""
    arithmetic = Decided()
    oracle = Oracle(Model(algorithm), probe, grades(probe.dtype)[0], arithmetic)
    for t in range(1, step + 1):
        arithmetic.decisions = []
        oracle.step(t)
    return arithmetic.decisions


def _by_lane(own: Any, decisions: Decisions) -> Any | None:
    """Each lane between two multiples of its gradient that are decided differently."""
    lane = np.arange(own.size).reshape(np.shape(own))
    size = np.where(own == 0, 1.0, np.abs(own))
    found = _brackets(size, lane, decisions)
    if found is None or not found[2].any():
        return None
    low, high, turns = found
    at_low = decisions(np.where(turns, low, own))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        same = ~_differ(at_low, decisions(np.where(turns, middle, own)), lane)
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    low = np.where(np.abs(low) < _NOTHING * size, 0.0, low)
    aside = np.array([0.0, _BESIDE, -_BESIDE])[lane % 3]
    return np.where(turns, low * (1 + aside) + (low == 0) * aside * size, own)


def _brackets(size: Any, lane: Any, decisions: Decisions) -> tuple[Any, Any, Any] | None:
    """(from, to, whether there are any) of each lane; None where decisions are those of a step.

    Which of a lane's boundaries is taken varies from lane to lane.
    """
    low, high, turns = -size, size, np.zeros(np.shape(size), dtype=bool)
    tried = [(f * size, decisions(f * size)) for f in _FACTORS]
    for (a, way_a), (b, way_b) in pairwise(tried):
        if len(way_a) != len(way_b):
            return None
        new = _differ(way_a, way_b, lane) & ~turns & ((lane % 3 > 0) | (a > 0))
        low, high, turns = np.where(new, a, low), np.where(new, b, high), turns | new
    return low, high, turns


def _differ(some: list[Any], others: list[Any], lane: Any) -> Any:
    """The lanes that are decided differently."""
    pairs = zip(some, others, strict=True)
    masks = [np.broadcast_to(np.not_equal(x, y), np.shape(lane)) for x, y in pairs]
    return np.logical_or.reduce([np.zeros(np.shape(lane), dtype=bool), *masks])


def _common(own: Any, decisions: Decisions) -> Any | None:
    """All lanes, scaled to between the first two scales that are decided differently."""
    ways = [_told(decisions(s * own)) for s in _SCALES]
    pair = next((k for k in range(len(ways) - 1) if ways[k] != ways[k + 1]), None)
    if pair is None:
        return None
    low, high = _SCALES[pair], _SCALES[pair + 1]
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if _told(decisions(middle * own)) == ways[pair] else (low, middle)
        )
    return low * own


def _told(decisions: list[Any]) -> list[bytes]:
    return [np.asarray(x).tobytes() for x in decisions]
