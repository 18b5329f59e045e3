"""The second yardstick: by how much random roundings move a whole tensor.

A bound for every lane alone grows in iterated products of matrices, and in global scalars that feed
back, until it is wider than any update. Sixteen runs of the same equations that round at random
show how far correct evaluations really lie apart there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from instep.conformance.bounded import Bounded
from instep.conformance.profile import Profile
from instep.conformance.runs import PartedError, RandomRuns
from instep.spec.evaluation import Slot
from instep.spec.ir import THETA

if TYPE_CHECKING:
    from instep.conformance.oracle import Oracle

RUNS = 16
# By how much more coarsely blocks round where it is asked what that would change: three bits.
COARSER = 8
POINT = "point "  # and its number: where the gradient is evaluated
Place = tuple[int, Any, Mapping[str, Bounded]]


class Spread:
    """Runs beside an oracle's own, made when somebody asks for them.

    Args:
        profile: where and how coarsely the runs round.
        start: makes an oracle over a number type, before its first step.
    """

    def __init__(self, profile: Profile, start: Callable[[RandomRuns], Oracle]) -> None:
        self.profile, self.start = profile, start
        self._places: dict[int, list[Place]] = {}
        self._together: list[Together] = []
        self._after: list[list[dict[tuple[str, int], Any]]] = []
        self._seeds = count()
        self._coarser: Spread | None = None

    def place(self, t: int, i: int, parameter: Any, states: Mapping[str, Bounded]) -> None:
        """Before step t every run gets this parameter and these states, as the oracle does."""
        self._places.setdefault(t, []).append((i, parameter, states))

    def values(self, symbol: str, t: int, i: int, runs: int = RUNS, coarser: bool = False) -> Any:
        """A quantity of parameter i after step t, a row for each of so many runs that have it.

        None if none has. With `coarser`, blocks that are narrower than the parameters round more
        coarsely still.
        """
        if coarser:
            return self._more_coarsely().values(symbol, t, i, runs)
        rows = [after[symbol, i] for after in self._until(t) if (symbol, i) in after]
        return np.concatenate(rows)[:runs] if rows else None

    def _more_coarsely(self) -> Spread:
        """Runs from the same places."""
        if self._coarser is None:
            self._coarser = Spread(self.profile.coarser(COARSER), self.start)
            self._coarser._places = self._places
        return self._coarser

    def evaluations(self, t: int) -> set[int]:
        """How often runs evaluate the gradient in step t."""
        return {sum(name.startswith(POINT) and i == 0 for name, i in x) for x in self._until(t)}

    def _until(self, t: int) -> list[dict[tuple[str, int], Any]]:
        if not self._together:
            self._together = [self._begin(RUNS)]
        with np.errstate(all="ignore"):
            while len(self._after) < t:
                self._step(len(self._after) + 1)
        return self._after[t - 1]

    def _begin(self, runs: int) -> Together:
        arithmetic = RandomRuns(self.profile, next(self._seeds), runs)
        return Together(self.start(arithmetic), arithmetic)

    def _step(self, t: int) -> None:
        """Step t of all runs; those that part there take it again, each with its like."""
        waiting, done = list(self._together), []
        while waiting:
            runs = waiting.pop()
            before = runs.kept()
            try:
                runs.step(t, self._places.get(t, ()))
            except PartedError as parted:
                for chosen in (parted.first, ~parted.first):
                    some = self._begin(int(chosen.sum()))
                    some.resume(before, chosen)
                    waiting.append(some)
            else:
                done.append(runs)
        self._together = done
        self._after.append([runs.values() for runs in done])


@dataclass(frozen=True, slots=True)
class Kept:
    """Where runs stand between two steps."""

    slots: list[Slot]
    shared: dict[str, Any]
    hyperparameters: dict[str, Any]
    count: int


@dataclass(frozen=True, slots=True)
class Together:
    """Runs that have taken the same branches so far, as one oracle."""

    oracle: Oracle
    arithmetic: RandomRuns

    def step(self, t: int, places: Iterable[Place]) -> None:
        """Step t, from the places that are given."""
        for i, parameter, states in places:
            own = {name: self.arithmetic.tensor(x) for name, x in states.items()}
            self.oracle.place(i, parameter, own)
        self.oracle.step(t)

    def values(self) -> dict[tuple[str, int], Any]:
        """Points, states and parameters after a step by name and parameter, a row per run."""
        apart, points = self.arithmetic.apart, enumerate(self.oracle.points, start=1)
        asked = {(f"{POINT}{k}", i): apart(x) for k, p in points for i, x in enumerate(p.values)}
        own = self.oracle.interpreter
        slots = ((i, {**slot.state, THETA: slot.theta}) for i, slot in enumerate(own.slots))
        return asked | {
            (name, i): apart(value)
            for i, states in ((0, own.optimizer_state), *slots)
            for name, value in states.items()
            if not isinstance(value, list)
        }

    def kept(self) -> Kept:
        """Where the runs stand, which another step leaves as it is."""
        own = self.oracle.interpreter
        slots = [
            replace(s, state=dict(s.state), hyperparameters=dict(s.hyperparameters))
            for s in own.slots
        ]
        return Kept(slots, dict(own.optimizer_state), dict(own.shared), own.count)

    def resume(self, kept: Kept, chosen: Any) -> None:
        """Stand where some of other runs stood."""

        def part(values: Mapping[str, Any]) -> dict[str, Any]:
            return {name: self.arithmetic.part(x, chosen) for name, x in values.items()}

        own = self.oracle.interpreter
        own.slots = [
            replace(
                s,
                theta=self.arithmetic.part(s.theta, chosen),
                state=part(s.state),
                hyperparameters=dict(s.hyperparameters),
            )
            for s in kept.slots
        ]
        own.optimizer_state, own.count = part(kept.shared), kept.count
        own.shared = dict(kept.hyperparameters)
