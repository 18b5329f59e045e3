"""From lanes to a verdict: ratios to the bound, what was too coarse to see, how bad the worst is.

The thresholds were decided from what correct and wrong implementations measured: unstable but
    correct orders of evaluation stay below 404 bounds, wrong algebra starts at 6.8e3 in float32 and
    1e10 in float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np

from instep.conformance.spread import COARSER

IN_STEP, LOOSE, OUT_OF_STEP = 2.0, 32.0, 1024.0
SENSITIVITY = 1 / 8
# Runs that acquit already, and runs that condemn what is far away, of all those that are made.
FEWEST, FEW = 2, 4
# A spread that grows twice as much as its roundings is one of a leap.
LEAP = 2 * COARSER
BOUND, SPREAD = "bound", "norm-wise spread"


class Severity(IntEnum):
    """How a lane compares: within 2 bounds, within 32, beyond, or a different algorithm."""

    IN_STEP = 0
    LOOSE = 1
    POOR = 2
    OUT = 3


@dataclass(slots=True)
class Lanes:
    """One quantity of one parameter after one step: the subject's numbers and the oracle's.

    `runs` are the same quantity in evaluations that round at random, one row each.
    """

    step: int
    parameter: int
    quantity: str
    equation: str
    got: Any
    expected: Any
    bound: Any
    change: Any
    runs: Callable[..., Any] | None = None

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

    def telling(self) -> Any:
        """Lanes that have to move, by far more than their bound."""
        with np.errstate(all="ignore"):
            return ~self.excluded() & (self.change != 0) & (self.sensitivity() <= SENSITIVITY)

    def wild(self, ratio: Any) -> Any:
        """Lanes off by an eighth of what they should be, far beyond any bound.

        These count however little they should have moved.
        """
        away = np.abs(self.got - self.expected)
        return (ratio > OUT_OF_STEP) & (away > SENSITIVITY * np.abs(self.expected))

    def norms(self) -> Norms | None:
        """The whole tensor against the spread of the runs, None where there is none to compare.

        More runs only widen the spread, and by little: where two acquit, or a few are far away, no
        others are made.
        """
        if self.runs is None:
            return None
        for number in (FEWEST, FEW):
            few = self._norms(self.runs(runs=number))
            if few is not None and self._sure(few, number):
                return few
        return self._norms(self.runs())

    def leaps(self, norms: Norms) -> bool:
        """Whether coarser roundings move the tensor out of all proportion.

        So they do near a discontinuity, where a sign may turn in the subject but not in the runs.
        """
        if self.runs is None:
            return False
        coarser = self._norms(self.runs(runs=FEW, coarser=True))
        return coarser is not None and coarser.spread > LEAP * norms.spread

    def _sure(self, norms: Norms, number: int) -> bool:
        """Whether more runs than so many would say the same."""
        if norms.ratio <= IN_STEP or norms.sensitivity > SENSITIVITY:
            return True
        everywhere = np.array_equal(norms.whole, np.isfinite(self.expected))
        return number >= FEW and norms.ratio > LOOSE and everywhere

    def _norms(self, runs: Any) -> Norms | None:
        if runs is None:
            return None
        whole = np.isfinite(self.expected) & np.isfinite(runs).all(axis=0)
        # Where rounding alone makes most lanes undefined, it may do so to the others as well.
        if 2 * np.sum(whole) < np.size(whole) or not np.any(whole):
            return None
        spread = max(_norm((run - self.expected)[whole]) for run in runs)
        away = self.got - self.expected
        return Norms(_norm(away[whole]), spread, _norm(self.change[whole]), whole)


@dataclass(frozen=True, slots=True)
class Norms:
    """A tensor as a whole, in Frobenius norm: its distance, the spread of runs, the change.

    `whole` are the lanes that it has in every run.
    """

    away: float
    spread: float
    change: float
    whole: Any

    @property
    def ratio(self) -> float:
        """The distance in spreads; inf where the runs agree and the subject does not."""
        return 0.0 if self.away == 0 else self.away / self.spread if self.spread else math.inf

    @property
    def sensitivity(self) -> float:
        """2 spreads over the size of the change."""
        return 2 * self.spread / self.change if self.change else math.inf


def _norm(x: Any) -> float:
    """Euclidean norm that neither overflows nor underflows; inf where a lane is no number."""
    largest = float(np.max(np.abs(x), initial=0.0))
    if not 0 < largest < math.inf:
        return largest if largest == 0 else math.inf
    return largest * float(np.linalg.norm(np.ravel(x) / largest))


@dataclass
class Worst:
    """The lane that is furthest off, in its context; `spread` where the whole tensor is judged."""

    lanes: Lanes
    lane: int
    ratio: float
    spread: float | None = None

    @property
    def yardstick(self) -> str:
        """What the ratio is in units of."""
        return BOUND if self.spread is None else SPREAD


@dataclass
class Tally:
    """What a run showed.

    Attributes:
        widest: whether this is the widest type that the subject supports, where algebra is judged.
        limit: bounds beyond which a lane of the widest type is another algorithm.
        coarse: whether a block of equations is computed in a narrower type than the parameters. It
            drowns what the widest type shows elsewhere, and what exceeds its spread twice over, by
            an eighth of the update, is no rounding, unless a few more would make it leap.
        worst: largest ratio over the lanes that count.
        severity: of the worst lane.
        first: the worst lane of the first step in which any lane is as bad as `severity` ends up.
        seen, excluded, insensitive: numbers of lanes.
        sharpest: smallest sensitivity of a lane that counts.
        whole: lanes seen of tensors that were judged as a whole, by the spread of runs.
        failing: quantities with lanes out of step, and which lanes.
        history: everything that was counted.
        steps: {step: largest ratio there}, of steps in which a lane counted.
    """

    widest: bool
    limit: float = OUT_OF_STEP
    coarse: bool = False
    worst: float = 0.0
    severity: Severity = Severity.IN_STEP
    first: Worst | None = None
    lanes_out: int = 0
    seen: int = 0
    excluded: int = 0
    insensitive: int = 0
    sharpest: float = math.inf
    whole: int = 0
    failing: list[tuple[Lanes, Any]] = field(default_factory=list)
    history: list[Lanes] = field(default_factory=list)
    steps: dict[int, float] = field(default_factory=dict)

    @property
    def by_step(self) -> tuple[float, ...]:
        """The largest ratio after each step, not a number where no lane counted."""
        return tuple(self.steps.get(t, math.nan) for t in range(1, max(self.steps, default=0) + 1))

    @property
    def counted(self) -> tuple[int, int, int]:
        """Lanes compared, left out because no bound holds, and too coarse to show anything."""
        return self.seen, self.excluded, self.insensitive

    @property
    def blind(self) -> bool:
        """Whether no lane could have shown an error."""
        return self.seen == 0

    @property
    def yardstick(self) -> str:
        """What judged: bounds lane by lane, the spread of whole tensors, or both."""
        if self.blind:
            return ""
        used = [BOUND] * (self.seen > self.whole) + [SPREAD] * (self.whole > 0)
        return " and ".join(used)

    def only(self, quantities: Collection[str]) -> Tally:
        """The part that speaks of some quantities."""
        part = Tally(self.widest, self.limit, self.coarse)
        for lanes in self.history:
            if lanes.quantity in quantities:
                part.add(lanes)
        return part

    def add(self, lanes: Lanes) -> Severity:
        """Count one quantity; returns the severity of its worst lane."""
        self.history.append(lanes)
        with np.errstate(all="ignore"):
            ratio, sensitivity, excluded = lanes.ratio(), lanes.sensitivity(), lanes.excluded()
            dull = (sensitivity > SENSITIVITY) & ~excluded & ~lanes.wild(ratio)
            counts = ~excluded & ~dull
            self.excluded += int(np.sum(excluded))
            self.insensitive += int(np.sum(dull))
            severity = Severity.IN_STEP
            if np.any(counts):
                self._saw(int(np.sum(counts)), float(np.min(sensitivity[counts])))
                severity = self._judge(lanes, np.where(counts, ratio, 0.0))
            moving = np.isfinite(lanes.expected) & (lanes.change != 0)
            if 2 * np.sum(counts & moving) < np.sum(moving):
                severity = max(severity, self._whole(lanes, excluded, dull))
            return severity

    def _saw(self, number: int, sensitivity: float) -> None:
        self.seen += number
        self.sharpest = min(self.sharpest, sensitivity)

    def _reached(self, step: int, ratio: float) -> None:
        self.worst = max(self.worst, ratio)
        self.steps[step] = max(self.steps.get(step, 0.0), ratio)

    def _judge(self, lanes: Lanes, ratio: Any) -> Severity:
        """Lane by lane, in bounds."""
        worst = float(np.max(ratio))
        self._reached(lanes.step, worst)
        if worst <= IN_STEP:
            return Severity.IN_STEP
        away = np.abs(lanes.got - lanes.expected)
        out = self._out(ratio, ~(away <= SENSITIVITY * np.abs(lanes.change)))
        if np.any(out):
            ratio = np.where(out, ratio, 0.0)
        lane = int(np.argmax(ratio))
        found = Worst(lanes, lane, float(np.ravel(ratio)[lane]))
        return self._note(found, out if np.any(out) else ratio > IN_STEP, bool(np.any(out)))

    def _whole(self, lanes: Lanes, excluded: Any, dull: Any) -> Severity:
        """The tensor as a whole, in spreads, where bounds are too wide for most of its lanes."""
        norms = lanes.norms()
        if norms is None or norms.sensitivity > SENSITIVITY:
            return Severity.IN_STEP
        left_out, unseen = excluded & norms.whole, dull & norms.whole
        self.excluded -= int(np.sum(left_out))
        self.insensitive -= int(np.sum(unseen))
        self.whole += int(np.sum(left_out | unseen))
        self._saw(int(np.sum(left_out | unseen)), norms.sensitivity)
        self._reached(lanes.step, norms.ratio)
        if norms.ratio <= IN_STEP:
            return Severity.IN_STEP
        mangled = not norms.away <= SENSITIVITY * norms.change
        lane = int(np.argmax(np.where(norms.whole, np.abs(lanes.got - lanes.expected), 0.0)))
        found = Worst(lanes, lane, norms.ratio, norms.spread)
        out = bool(self._out(norms.ratio, mangled))
        if self.coarse:
            out = mangled and norms.ratio > 2 * IN_STEP and not lanes.leaps(norms)
        return self._note(found, norms.whole, out)

    def _note(self, found: Worst, where: Any, out: bool) -> Severity:
        """Remember what is not in step; the first of the worst kind is what a report shows."""
        severity = Severity.LOOSE if found.ratio <= LOOSE else Severity.POOR
        if out:
            severity = Severity.OUT
            self.failing.append((found.lanes, where))
        if severity > self.severity:
            self.severity, self.first, self.lanes_out = severity, found, int(np.sum(where))
        return severity

    def _out(self, ratio: Any, mangled: Any) -> Any:
        """What no correct algebra explains."""
        return ratio > self.limit if self.widest else (ratio > LOOSE) & mangled
