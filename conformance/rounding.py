"""A number type that rounds at random: every correct evaluation is as likely as the one computed.

Runs in it measure by how much roundings move a result, where a bound for each lane alone is too
wide to see anything; and they certify that bound, which none of them may leave.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from instep.conformance.bounded import Bounded
from instep.conformance.profile import FLOAT_TYPES, FloatType, Profile
from instep.spec.arithmetic import Float64, lanes_in

_EXACT = ("abs", "sign", "floor", "max", "min")
_WHOLE = ("+", "-", "*")


class Host(np.ndarray[Any, Any]):
    """Host numbers of several runs, one each; a tensor has its runs along its last axis."""


class RandomRounding(Float64):
    """Rounds every result up or down by chance, by at most one unit roundoff of a profile.

    A grid with one bit more than the type has spacing of at most one unit, so that going to either
    neighbour is an error of at most one, and what is exact stays exact. Float64 has no finer grid:
    there a result moves to a neighbour or stays, and stays if it repeats an operand. Arrays are
    tensors, without a shape too; everything else is a host number.

    Args:
        profile: where and how coarsely to round.
        seed: of the coin; -1 rounds everything down, -2 everything up.
        narrow: whether a host number that meets a tensor is rounded to the tensor's type, as a
            bound must allow; torch has it in float32 at least.
    """

    def __init__(self, profile: Profile, seed: int, narrow: bool = False) -> None:
        self.whole, self.seed, self.narrow = profile, seed, narrow
        self.generator = np.random.default_rng(max(seed, 0))
        self.block("")

    def block(self, name: str) -> None:
        """Equations of a block round as coarsely as the profile says of it."""
        self.profile = profile = self.whole.of_block(name)
        self.compute, self.scalar = profile.compute, profile.scalar
        self.unit, self.scalar_unit = profile.unit, profile.scalar_unit

    def entered(self, x: Any) -> Any:
        """A tensor is rounded to the block's type where that is the narrower one."""
        if _is_host(x) or self.profile is self.whole:
            return x
        return self._to_grid(x, self.compute)

    def tensor(self, x: Any) -> Any:
        """An exact float64 tensor; an observed value lies anywhere within its bound."""
        if not isinstance(x, Bounded):
            return np.array(x, dtype=np.float64)
        return np.asarray(x.value + x.bound * self._part(np.shape(x.value)))

    def number(self, x: int | float | Fraction) -> Any:
        """A host number, rounded to the scalar type."""
        return x if isinstance(x, bool) else self._to_grid(np.float64(float(x)), self.scalar)

    def type_eps(self) -> Any:
        """That of the type that parameters have."""
        return np.float64(2 * (self.whole.kept or self.whole.compute).unit)

    def fill(self, like: Any, x: Any) -> Any:
        """Broadcast, rounded to the tensor's type if it was a host number."""
        return super().fill(like, self._met(x))

    def reduced_shape(self, like: Any, over: str) -> Any:
        """Zeros with the reduced axis kept."""
        return np.asarray(super().reduced_shape(like, over))

    def binary(self, op: str, a: Any, b: Any) -> Any:
        """+ - * / ** %, rounded."""
        host = _is_host(a, b)
        if op == "**":
            return self._power(a, b, host)
        if not host:
            a, b = self._met(a), self._met(b)
        exact = super().binary(op, np.float64(a) if host else a, b)
        if host and op in _WHOLE and _whole(a) and _whole(b) and _whole(exact):
            return _like(exact, host)  # counters count
        return self._rounded(exact, host, a, b)

    def negate(self, a: Any) -> Any:
        """Exact."""
        return _like(-a, _is_host(a))

    def call(self, function: str, *arguments: Any) -> Any:
        """The elementwise functions; those that choose or cut are exact."""
        host = _is_host(*arguments)
        if not host:
            arguments = tuple(self._met(x) for x in arguments)
        exact = super().call(function, *arguments)
        if function in _EXACT:
            return _like(exact, host)
        return self._rounded(exact, host, *arguments)

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        """Choice lane by lane."""
        return _like(super().where(condition, a, b), _is_host(a, b, condition))

    def reduce(self, op: str, over: str, x: Any) -> Any:
        """Sums round at every term; a max is exact."""
        if op == "max":
            return np.asarray(self._reduced(op, over, x))
        n = lanes_in(over, self.shape(x))
        squares = self._reduced("sum", over, np.square(x))
        total = self._accumulated(self._reduced("sum", over, x), squares, n)
        return self.binary("/", total, np.float64(n)) if op == "mean" else total

    def fold(self, op: str, parts: Sequence[Any]) -> Any:
        """Left to right, every sum rounded."""
        total = parts[0]
        for part in parts[1:]:
            total = self.binary("+", total, part) if op == "sum" else self.call("max", total, part)
        return total

    def matmul(self, a: Any, b: Any) -> Any:
        """Inner products round as sums do."""
        exact, squares = super().matmul(a, b), super().matmul(np.square(a), np.square(b))
        return self._accumulated(exact, squares, np.shape(a)[-1])

    def store(self, x: Any, state: str) -> Any:
        """Keeping a value in a narrower type rounds it once more."""
        kept = self.profile.kept_type(state)
        return x if kept is None else self._to_grid(x, kept)

    def in_place(self, state: str) -> bool:
        """A state with a type of its own is a tensor of that type, and code works in place."""
        return state in self.profile.states

    def _reduced(self, op: str, over: str, x: Any) -> Any:
        return super().reduce(op, over, x)

    # ---- roundings

    def _met(self, x: Any) -> Any:
        """A host number as it meets a tensor: in its type, or in float32 at least."""
        if not _is_host(x):
            return x
        single = self.compute if self.narrow else FLOAT_TYPES["float32"]
        return self._to_grid(np.float64(x), max(self.compute, single, key=lambda t: t.bits))

    def _power(self, a: Any, b: Any, host: bool) -> Any:
        """As coarse as a product of b factors may be; a tensor's square is one product."""
        if not host and np.ndim(b) == 0 and b == 2:
            return self._rounded(np.square(a), False, a)
        kind, unit = self._kind(host)
        value = np.power(np.float64(a) if host else a, b)
        moved = value * (1 + unit * np.abs(b) * self._part(np.shape(value)))
        return _like(self._to_grid(moved, kind), host)

    def _accumulated(self, exact: Any, squares: Any, n: int) -> Any:
        """A sum of n terms goes astray as a random walk does; it accumulates in float32 at least.

        Args:
            exact: the sum.
            squares: the sum of the terms' squares.
            n: number of terms.
        """
        inner = min(self.unit, FLOAT_TYPES["float32"].unit)
        size = np.maximum(np.abs(exact), np.sqrt(squares)) * math.sqrt(max(n - 1, 0))
        walked = exact + inner * size * self._part(np.shape(exact))
        walked = np.where(np.isinf(exact), exact, walked)
        return np.asarray(self._to_grid(walked, self.compute))

    def _rounded(self, x: Any, host: bool, *operands: Any) -> Any:
        kind, unit = self._kind(host)
        if kind.bits < 53 or not unit:
            return _like(self._to_grid(x, kind), host)
        moved = x + np.spacing(np.abs(x)) * self._neighbour(np.shape(x))
        moved = np.where(np.isinf(x) | (x == 0), x, moved)  # what cancels, cancels exactly
        for operand in operands:
            moved = np.where(np.abs(x) == np.abs(operand), x, moved)
        return _like(moved, host)

    def _kind(self, host: bool) -> tuple[FloatType, float]:
        """Type and unit roundoff of host numbers or of tensors.

        Host numbers in float64 are exact beside narrower tensors: a grid would magnify their error.
        """
        if host:
            exact = self.scalar.bits == 53 > self.compute.bits
            return self.scalar, 0.0 if exact else self.scalar_unit
        return self.compute, self.unit

    def _to_grid(self, x: Any, kind: FloatType) -> Any:
        """To a neighbour on the grid of one more bit; beyond the range to infinity."""
        if kind.bits == 53:
            return x
        smallest = math.frexp(kind.tiny)[1] - 1
        single = np.ndim(x) == 0 and _is_host(x)
        if single and _on_grid(float(x), kind.bits + 1, smallest):  # most of them are
            return x
        exponent = np.frexp(x)[1]
        quantum = np.ldexp(1.0, np.maximum(exponent - (kind.bits + 1), smallest))
        steps = np.divide(x, quantum)
        low = np.floor(steps)
        near = np.where(steps == low, x, (low + self._coin(np.shape(x))) * quantum)
        beyond = np.abs(near) > kind.largest
        return _like(np.where(beyond, np.copysign(math.inf, near), near), _is_host(x))

    def _coin(self, shape: tuple[int, ...]) -> Any:
        """0 or 1."""
        if self.seed < 0:
            return np.full(shape, -1 - self.seed)
        return self.generator.integers(0, 2, shape)

    def _neighbour(self, shape: tuple[int, ...]) -> Any:
        """-1, 0 or 1."""
        if self.seed < 0:
            return self._part(shape)
        return self.generator.integers(-1, 2, shape)

    def _part(self, shape: tuple[int, ...]) -> Any:
        """Between -1 and 1."""
        if self.seed < 0:
            return np.full(shape, 2.0 * (-1 - self.seed) - 1.0)
        return self.generator.uniform(-1, 1, shape)


def _is_host(*values: Any) -> bool:
    for x in values:  # noqa: SIM110 - a generator would cost more than the test
        if isinstance(x, np.ndarray) and not isinstance(x, Host):
            return False
    return True


def _on_grid(x: float, bits: int, smallest: int) -> bool:
    if not math.isfinite(x):
        return True
    exponent = math.frexp(x)[1]
    return math.ldexp(x, -max(exponent - bits, smallest)).is_integer()


def _like(x: Any, host: bool) -> Any:
    """Numpy makes scalars of arrays without a shape; here they are tensors still."""
    if not host:
        return np.asarray(x)
    return np.float64(x) if np.ndim(x) == 0 else np.asarray(x).view(Host)


def _whole(x: Any) -> bool:
    """Whether these are integers of a size that every type holds."""
    return bool(np.all((np.abs(x) <= 256) & (np.floor(x) == x)))
