"""Relations between two runs that need no number from a specification, only its symmetries.

A relation is asked of a subject only where the specification has it on the very probe; it then
holds bit for bit, or as far as the bounds of both runs together allow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from instep.conformance.bounded import Bounded
from instep.conformance.bounds import BoundedArithmetic
from instep.conformance.observe import Recording, different
from instep.conformance.oracle import Oracle
from instep.conformance.probes import Probe
from instep.conformance.verdict import Lanes, Tally
from instep.spec import ir

if TYPE_CHECKING:
    from instep.conformance.context import Context


@dataclass(frozen=True, slots=True)
class Image:
    """Where the parameters of the second run should be, as seen from the first: a linear map."""

    factor: float = 1.0
    shift: float = 0.0
    transpose: bool = False

    def __call__(self, x: Any) -> Any:
        """The value in the first run that belongs to one in the second."""
        moved = (np.asarray(x) - self.shift) * self.factor
        return moved.T if self.transpose else moved

    def bound(self, x: Any) -> Any:
        """What becomes of a bound on the error."""
        wide = np.asarray(x) * abs(self.factor)
        return wide.T if self.transpose else wide


def bitwise(first: Recording, second: Recording, image: Image) -> bool:
    """Whether the second run is the image of the first; 0 is -0."""
    return all(
        different(one.parameters, list(map(image, other.parameters))) is None
        for one, other in zip(first.moments, second.moments, strict=True)
    )


@dataclass(frozen=True, slots=True)
class Pair:
    """One parameter after one step, in both runs of the specification."""

    step: int
    parameter: int
    before: Any
    first: Bounded
    second: Bounded


class Twins:
    """Both runs of what the subject should compute, beside each other.

    Args:
        context: whose model to run.
        first: a probe.
        second: its twin.
        image: how they belong together.
    """

    def __init__(self, context: Context, first: Probe, second: Probe, image: Image) -> None:
        self.image = image
        profile = context.profiles(first.dtype)[-1]
        runs = [
            Oracle(context.model, p, profile, BoundedArithmetic(profile)) for p in (first, second)
        ]
        self.pairs = list(_pairs(runs, first.steps))

    @property
    def related(self) -> bool:
        """Whether the specification has the relation, within bounds."""
        with np.errstate(all="ignore"):
            return all(bool(np.all(self._related(pair))) for pair in self.pairs)

    def _related(self, pair: Pair) -> Any:
        away = np.abs(pair.first.value - self.image(pair.second.value))
        return (away <= self._bound(pair)) | ~np.isfinite(away)

    def _bound(self, pair: Pair) -> Any:
        bound = pair.first.bound + self.image.bound(pair.second.bound)
        return np.where(np.isfinite(bound), bound, np.inf)

    def tally(self, first: Recording, second: Recording, *, widest: bool) -> Tally:
        """The subject's first run against the image of its second."""
        tally = Tally(widest)
        for pair in self.pairs:
            got = first.moments[pair.step].parameters[pair.parameter]
            other = self.image(second.moments[pair.step].parameters[pair.parameter])
            change = np.asarray(pair.first.value) - pair.before
            shape = np.shape(got)
            bound = np.broadcast_to(self._bound(pair), shape)
            change = np.broadcast_to(change, shape)
            tally.add(Lanes(pair.step, pair.parameter, ir.THETA, "", got, other, bound, change))
        return tally


def _pairs(runs: list[Oracle], steps: int) -> Iterator[Pair]:
    slots = [run.interpreter.slots for run in runs]
    for t in range(1, steps + 1):
        before = [np.asarray(slot.theta.value) for slot in slots[0]]
        with np.errstate(all="ignore"):
            for run in runs:
                run.step(t)
        for i, (a, b) in enumerate(zip(*slots, strict=True)):
            yield Pair(t, i, before[i], a.theta, b.theta)
