"""From lanes to a verdict: ratios to the bound, what was too coarse to see, how bad the worst is.

The thresholds were decided from what correct and wrong implementations measured: unstable but
    correct orders of evaluation stay below 404 bounds, wrong algebra starts at 6.8e3 in float32 and
    1e10 in float64.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np

IN_STEP, LOOSE, OUT_OF_STEP = 2.0, 32.0, 1024.0
SENSITIVITY = 1 / 8


class Severity(IntEnum):
    """How a lane compares: within 2 bounds, within 32, beyond, or a different algorithm."""

    IN_STEP = 0
    LOOSE = 1
    POOR = 2
    OUT = 3


@dataclass(slots=True)
class Lanes:
    """One quantity of one parameter after one step: the subject's numbers and the oracle's."""

    step: int
    parameter: int
    quantity: str
    equation: str
    got: Any
    expected: Any
    bound: Any
    change: Any

    def ratio(self) -> Any:
        """|got - expected| / bound; 0 where equal, inf where a NaN or an exact lane differs."""
        same = (self.got == self.expected) | (np.isnan(self.got) & np.isnan(self.expected))
        away = np.abs(self.got - self.expected)
        quotient = np.divide(away, self.bound)
        return np.where(same, 0.0, np.where(np.isnan(quotient), math.inf, quotient))

    def sensitivity(self) -> Any:
        """2 bounds over the size of the change; 0 where the oracle is exact."""
        quotient = np.divide(2 * self.bound, np.abs(self.change))
        return np.where(self.bound == 0, 0.0, np.where(np.isnan(quotient), math.inf, quotient))

    def excluded(self) -> Any:
        """Lanes where the oracle itself may overflow, divide by zero or be undefined."""
        return ~np.isfinite(self.bound) | ~np.isfinite(self.expected)


@dataclass
class Worst:
    """The lane that is furthest off, in its context."""

    lanes: Lanes
    lane: int
    ratio: float


@dataclass
class Tally:
    """What a run showed.

    Attributes:
        widest: whether this is the widest type that the subject supports, where algebra is judged.
        limit: bounds beyond which a lane of the widest type is another algorithm.
        worst: largest ratio over the lanes that count.
        severity: of the worst lane.
        first: the worst lane of the first step in which any lane is as bad as `severity` ends up.
        seen, excluded, insensitive: numbers of lanes.
        sharpest: smallest sensitivity of a lane that counts.
        failing: quantities with lanes out of step, and which lanes.
        history: everything that was counted.
    """

    widest: bool
    limit: float = OUT_OF_STEP
    worst: float = 0.0
    severity: Severity = Severity.IN_STEP
    first: Worst | None = None
    lanes_out: int = 0
    seen: int = 0
    excluded: int = 0
    insensitive: int = 0
    sharpest: float = math.inf
    failing: list[tuple[Lanes, Any]] = field(default_factory=list)
    history: list[Lanes] = field(default_factory=list)

    @property
    def blind(self) -> bool:
        """Whether no lane could have shown an error."""
        return self.seen == 0

    def add(self, lanes: Lanes) -> Severity:
        """Count one quantity; returns the severity of its worst lane."""
        self.history.append(lanes)
        with np.errstate(all="ignore"):
            ratio, sensitivity, excluded = lanes.ratio(), lanes.sensitivity(), lanes.excluded()
            dull = (sensitivity > SENSITIVITY) & ~excluded
            counts = ~excluded & ~dull
            self.excluded += int(np.sum(excluded))
            self.insensitive += int(np.sum(dull))
            number = int(np.sum(counts))
            self.seen += number
            if number == 0:
                return Severity.IN_STEP
            self.sharpest = min(
                self.sharpest, float(np.min(np.where(counts, sensitivity, math.inf)))
            )
            ratio = np.where(counts, ratio, 0.0)
            return self._judge(lanes, ratio)

    def _judge(self, lanes: Lanes, ratio: Any) -> Severity:
        worst = float(np.max(ratio))
        self.worst = max(self.worst, worst)
        if worst <= IN_STEP:
            return Severity.IN_STEP
        out = self._out(lanes, ratio)
        if np.any(out):
            severity = Severity.OUT
            self.failing.append((lanes, out))
        else:
            severity = Severity.LOOSE if worst <= LOOSE else Severity.POOR
        if severity > self.severity:
            where = np.where(out, ratio, 0.0) if severity is Severity.OUT else ratio
            lane = int(np.argmax(where))
            self.severity = severity
            self.first = Worst(lanes, lane, float(np.ravel(where)[lane]))
            self.lanes_out = (
                int(np.sum(out)) if severity is Severity.OUT else int(np.sum(ratio > 2))
            )
        return severity

    def _out(self, lanes: Lanes, ratio: Any) -> Any:
        """Lanes that no correct algebra explains."""
        if self.widest:
            return ratio > self.limit
        away = np.abs(lanes.got - lanes.expected)
        mangled = ~(away <= SENSITIVITY * np.abs(lanes.change))
        return (ratio > LOOSE) & mangled
