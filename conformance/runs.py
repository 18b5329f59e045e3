"""Several runs that round at random in one: each tensor holds all of them along its last axis.

What the interpreter does costs as much for one run as for many. Only where runs take different
branches they must part: then `PartedError` says which of them go which way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from instep.conformance.bounded import Bounded
from instep.conformance.profile import Profile
from instep.conformance.rounding import Host, RandomRounding
from instep.spec.arithmetic import axes


class PartedError(Exception):
    """Some runs go one way and some another.

    Attributes:
        first: which runs go the one way, an array of booleans.
    """

    def __init__(self, first: Any) -> None:
        super().__init__("the runs take different branches")
        self.first = first


class RandomRuns(RandomRounding):
    """As many runs in `RandomRounding` as asked for, side by side.

    Args:
        profile: where and how coarsely to round.
        seed: of the coin that all runs throw, one after the other.
        count: how many.
    """

    def __init__(self, profile: Profile, seed: int, count: int) -> None:
        super().__init__(profile, seed)
        self.count = count

    def tensor(self, x: Any) -> Any:
        """The same tensor in every run; an observed value is anywhere within its bound in each."""
        if not isinstance(x, Bounded):
            return self._repeated(np.array(x, dtype=np.float64))
        value, bound = self._repeated(x.value), self._repeated(x.bound)
        return value + bound * self._part(value.shape)

    def number(self, x: Any) -> Any:
        """A host number; one that must be rounded is so in each run by itself."""
        exact = np.float64(float(x))
        each = self._to_grid(np.full(self.count, exact), self.scalar)
        return exact if np.all(each == exact) else each.view(Host)

    def reduced_shape(self, like: Any, over: str) -> Any:
        """Zeros with the reduced axis kept."""
        return self._reduced("sum", over, like) * 0 if like.ndim > 2 else like * 0

    def compare(self, op: str, a: Any, b: Any) -> Any:
        """A condition, of hosts or of tensors."""
        found = super().compare(op, a, b)
        host = not any(isinstance(x, np.ndarray) and not isinstance(x, Host) for x in (a, b))
        return found if host else np.asarray(found)

    def matmul(self, a: Any, b: Any) -> Any:
        """Inner products round as sums do."""
        return np.moveaxis(super().matmul(_front(a), _front(b)), 0, -1)

    def transpose(self, a: Any) -> Any:
        """Last two axes of every run swapped."""
        return np.swapaxes(a, -2, -3)

    def shape(self, x: Any) -> tuple[int, ...]:
        """Shape in one run."""
        return tuple(np.shape(x)[:-1])

    def truth(self, condition: Any) -> bool:
        """What holds in all runs, or in none.

        Raises:
            PartedError: it holds in some.
        """
        each = np.broadcast_to(condition, (self.count,))
        if each.any() and not each.all():
            raise PartedError(np.array(each))
        return bool(each[0])

    def integer(self, x: Any) -> int:
        """The integer that all runs have.

        Raises:
            PartedError: they differ.
        """
        each = np.broadcast_to(x, (self.count,))
        self.truth(each == each[0])
        return int(each[0])

    def part(self, value: Any, chosen: Any) -> Any:
        """Some of the runs of a tensor, a host number, or a collection of them."""
        if isinstance(value, np.ndarray):
            return value[..., chosen]
        if isinstance(value, Sequence):
            return [self.part(x, chosen) for x in value]
        return value

    def apart(self, value: Any) -> Any:
        """A value with its runs along the first axis."""
        each = value if isinstance(value, np.ndarray) else np.full(self.count, value)
        return np.moveaxis(np.asarray(each), -1, 0)

    def _repeated(self, x: Any) -> Any:
        return np.repeat(np.asarray(x)[..., np.newaxis], self.count, axis=-1)

    def _reduced(self, op: str, over: str, x: Any) -> Any:
        shape = self.shape(x)
        taken = axes(over, shape)
        own = range(len(shape)) if taken is None else [k % len(shape) for k in taken]
        keep = taken is not None
        if op == "max":
            return np.max(x, axis=tuple(own), keepdims=keep, initial=-np.inf)
        return np.sum(x, axis=tuple(own), keepdims=keep)

    def _coin(self, shape: tuple[int, ...]) -> Any:
        return super()._coin(shape or (self.count,))

    def _neighbour(self, shape: tuple[int, ...]) -> Any:
        return super()._neighbour(shape or (self.count,))

    def _part(self, shape: tuple[int, ...]) -> Any:
        return super()._part(shape or (self.count,))


def _front(x: Any) -> Any:
    return np.moveaxis(x, -1, 0)
