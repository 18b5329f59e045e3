"""Where rounding may decide a branch either way: every way, each with bounds of its own.

The oracle's hull says how far apart two ways lie; an implementation has to be on one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from instep.conformance.ambiguous import Ambiguous
from instep.conformance.bounded import Bounded
from instep.conformance.bounds import BoundedArithmetic
from instep.conformance.profile import Profile

_SIGNS = (-1.0, 0.0, 1.0)


class Script:
    """Which way to take at each open decision of a run; the first one beyond what is given."""

    def __init__(self, given: Sequence[int] = ()) -> None:
        self.given = tuple(given)
        self.taken: list[int] = []
        self.ways: list[int] = []
        self.several = False  # whether one decision was open on more lanes than one
        self._known: dict[Any, int] = {}

    def begin(self) -> None:
        """A new step: the same numbers may be decided anew."""
        self._known = {}

    def choose(self, key: Any, ways: int, lanes: int) -> int:
        """The way at a decision; the same one wherever the step decides about the same numbers."""
        if key not in self._known:
            k = len(self.taken)
            self.taken.append(self.given[k] if k < len(self.given) else 0)
            self.ways.append(ways)
            self.several = self.several or lanes > 1
            self._known[key] = self.taken[-1]
        return self._known[key]

    def next(self) -> Script | None:
        """The next script in order, None after the last."""
        taken = list(self.taken)
        while taken and taken[-1] + 1 == self.ways[len(taken) - 1]:
            taken.pop()
        return Script([*taken[:-1], taken[-1] + 1]) if taken else None


class Branching(BoundedArithmetic):
    """Bounds along one way through the decisions that they leave open.

    The first way is the one that the values themselves take.
    """

    def __init__(self, profile: Profile, script: Script) -> None:
        super().__init__(profile)
        self.script = script

    def compare(self, op: str, a: Any, b: Any) -> Any:
        """A condition that is open nowhere."""
        found = super().compare(op, a, b)
        if not np.any(found.open):
            return found
        x, y, _ = self._pair(a, b)
        key = (op, np.asarray(x.value).tobytes(), np.asarray(y.value).tobytes())
        other = self.script.choose(key, 2, int(np.sum(found.open)))
        return Ambiguous(np.logical_xor(found.holds, found.open & bool(other)), False)

    def call(self, function: str, *arguments: Any) -> Any:
        """A sign is one of three where its argument may be on either side of zero."""
        found = super().call(function, *arguments)
        if function != "sign" or not np.any(found.bound > 0):
            return found
        open_ = found.bound > 0
        key = ("sign", np.asarray(self._own(arguments[0]).value).tobytes())
        turned = self.script.choose(key, len(_SIGNS), int(np.sum(open_)))
        ways = (found.value + turned + 1) % 3 - 1  # itself, then the other two
        return Bounded(np.where(open_, ways, found.value), np.zeros_like(found.bound), found.host)
