"""The second yardstick: by how much random roundings move a whole tensor.

A bound for every lane alone grows in iterated products of matrices, and in global scalars that feed
back, until it is wider than any update. Sixteen runs of the same equations that round at random
show how far correct evaluations really lie apart there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from instep.conformance.bounds import Bounded
from instep.conformance.profile import Profile
from instep.conformance.rounding import RandomRounding
from instep.spec.ir import THETA

if TYPE_CHECKING:
    from instep.conformance.oracle import Oracle

RUNS = 16
# By how much more coarsely blocks round where it is asked what that would change: three bits.
COARSER = 8
Place = tuple[int, Any, Mapping[str, Bounded]]


class Spread:
    """Runs beside an oracle's own, made when somebody asks for them.

    Args:
        profile: where and how coarsely the runs round.
        start: makes an oracle over a number type, before its first step.
    """

    def __init__(self, profile: Profile, start: Callable[[RandomRounding], Oracle]) -> None:
        self.profile, self.start = profile, start
        self._places: dict[int, list[Place]] = {}
        self._runs: list[_Run] = []
        self._coarser: Spread | None = None

    def place(self, t: int, i: int, parameter: Any, states: Mapping[str, Bounded]) -> None:
        """Before step t every run gets this parameter and these states, as the oracle does."""
        self._places.setdefault(t, []).append((i, parameter, states))

    def values(self, symbol: str, t: int, i: int, runs: int = RUNS, coarser: bool = False) -> Any:
        """A quantity of parameter i after step t, one row for each of so many runs.

        With `coarser`, blocks that are narrower than the parameters round more coarsely still.
        """
        if coarser:
            return self._more_coarsely().values(symbol, t, i, runs)
        while len(self._runs) < runs:
            self._runs.append(_Run(self, len(self._runs)))
        with np.errstate(all="ignore"):
            return np.stack([np.asarray(run.after(t)[symbol, i]) for run in self._runs[:runs]])

    def _more_coarsely(self) -> Spread:
        """Runs from the same places."""
        if self._coarser is None:
            self._coarser = Spread(self.profile.coarser(COARSER), self.start)
            self._coarser._places = self._places
        return self._coarser

    def step(self, run: Oracle, t: int) -> dict[tuple[str, int], Any]:
        """Step t of one run; what it holds afterwards, by symbol and parameter."""
        for i, parameter, states in self._places.get(t, ()):
            run.place(i, parameter, {name: run.arithmetic.tensor(x) for name, x in states.items()})
        run.step(t)
        return {
            (name, i): value
            for i, slot in enumerate(run.interpreter.slots)
            for name, value in {**slot.state, THETA: slot.theta}.items()
            if not isinstance(value, list)
        }


class _Run:
    """One run, as far as it was asked for."""

    def __init__(self, spread: Spread, seed: int) -> None:
        self.spread = spread
        self.oracle = spread.start(RandomRounding(spread.profile, seed))
        self.steps: list[dict[tuple[str, int], Any]] = []

    def after(self, t: int) -> dict[tuple[str, int], Any]:
        while len(self.steps) < t:
            self.steps.append(self.spread.step(self.oracle, len(self.steps) + 1))
        return self.steps[t - 1]
