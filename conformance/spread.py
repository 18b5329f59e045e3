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
        self._runs: list[Oracle] = []
        self._after: list[list[dict[tuple[str, int], Any]]] = []

    def place(self, t: int, i: int, parameter: Any, states: Mapping[str, Bounded]) -> None:
        """Before step t every run gets this parameter and these states, as the oracle does."""
        self._places.setdefault(t, []).append((i, parameter, states))

    def values(self, symbol: str, t: int, i: int) -> Any:
        """A quantity of parameter i after step t, one row per run."""
        if not self._runs:
            self._runs = [self.start(RandomRounding(self.profile, k)) for k in range(RUNS)]
        with np.errstate(all="ignore"):
            while len(self._after) < t:
                self._after.append([self._step(run, len(self._after) + 1) for run in self._runs])
        return np.stack([np.asarray(after[symbol, i]) for after in self._after[t - 1]])

    def _step(self, run: Oracle, t: int) -> dict[tuple[str, int], Any]:
        for i, parameter, states in self._places.get(t, ()):
            run.place(i, parameter, {name: run.arithmetic.tensor(x) for name, x in states.items()})
        run.step(t)
        return {
            (name, i): value
            for i, slot in enumerate(run.interpreter.slots)
            for name, value in {**slot.state, THETA: slot.theta}.items()
            if not isinstance(value, list)
        }
