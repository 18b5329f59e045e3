"""The computed bound: float64 values with a running error bound for the subject's precision.

Each node adds the error of its arguments, propagated to first order, and its own rounding
`u |x| + eta`. A lane of the subject is in step when it lies within two bounds of the value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from instep.conformance.ambiguous import Ambiguous, combined
from instep.conformance.bounded import (
    Array,
    Bounded,
    fits,
    is_unit,
    kept_as,
    spread,
    stays_infinite,
)
from instep.conformance.profile import Profile
from instep.spec.arithmetic import AXES, OPERATORS, axes, lanes_in
from instep.spec.errors import SpecError


class BoundedArithmetic:
    """The number type that the oracle runs on; see `instep.spec.arithmetic.Arithmetic`.

    Args:
        profile: where a correct implementation rounds.

    `ambiguous` counts host branches that the bounds leave open.
    """

    def __init__(self, profile: Profile) -> None:
        self.whole = profile
        self.ambiguous = 0
        self.block("")

    def block(self, name: str) -> None:
        """Equations of a block round as coarsely as the profile says of it."""
        self.profile = profile = self.whole.of_block(name)
        self.unit, self.scalar_unit = profile.unit, profile.scalar_unit
        self.eta = profile.eta
        self.bits, self.scalar_bits = profile.compute.bits, profile.scalar.bits
        self.largest = profile.compute.largest

    # ---- entering

    def tensor(self, x: Any) -> Bounded:
        """An exact float64 tensor; an observed (value, bound) pair is taken as it is."""
        return x if isinstance(x, Bounded) else Bounded(np.array(x, dtype=np.float64))

    def number(self, x: int | float | Fraction) -> Any:
        """A host number: exact where the scalar type holds it."""
        if isinstance(x, bool):
            return x
        value = np.float64(float(x))
        exact = isinstance(x, int) or bool(fits(value, self.scalar_bits))
        if isinstance(x, Fraction):
            exact = exact and Fraction(float(value)) == x
        bound = np.float64(0.0) if exact else self.scalar_unit * abs(value)
        return Bounded(value, bound, host=True)

    def type_eps(self) -> Bounded:
        """Exact: a power of two, twice the unit roundoff of the type that parameters have."""
        kept = self.whole.kept or self.whole.compute
        return Bounded(np.float64(2 * kept.unit), host=True)

    def fill(self, like: Any, x: Any) -> Bounded:
        """Broadcast to `like`'s shape, rounded to the tensor's type if it was a host number."""
        x = self._tensor_of(x) if x.host else x
        shape = np.shape(like.value)
        return Bounded(
            np.broadcast_to(x.value, shape).copy(), np.broadcast_to(x.bound, shape).copy()
        )

    def reduced_shape(self, like: Any, over: str) -> Bounded:
        """Zeros with the reduced axis kept."""
        v = like.value
        return Bounded(np.sum(v, axis=AXES[over], keepdims=True) * 0 if v.ndim > 1 else v * 0)

    def _tensor_of(self, x: Bounded) -> Bounded:
        """A host number as it meets a tensor: rounded to its type, where it may underflow."""
        size = abs(x.value)
        exact = bool(x.bound == 0) and bool(size == math.inf or fits(x.value, self.bits))
        if exact and (size == 0 or size >= self.eta / self.unit):
            return Bounded(x.value, x.bound)
        # A neighbour of a number that fits does not fit: what is known with an error rounds.
        rounding = 0.0 if exact else self.unit * (size + x.bound)
        under = self.eta if size - x.bound < self.eta / self.unit else 0.0
        over = math.inf if math.isfinite(size) and size > self.largest else 0.0
        return Bounded(x.value, x.bound + rounding + under + over)

    def _own(self, a: Any) -> Bounded:
        own: Bounded = a if isinstance(a, Bounded) else self.number(a)
        return own

    def _pair(self, a: Any, b: Any) -> tuple[Bounded, Bounded, bool]:
        a, b = self._own(a), self._own(b)
        if a.host and b.host:
            return a, b, True
        return (self._tensor_of(a) if a.host else a), (self._tensor_of(b) if b.host else b), False

    def _rounded(self, value: Array, bound: Array, host: bool, underflows: Array = None) -> Bounded:
        """Add the operation's own rounding: none on zeros, infinite beyond the range."""
        if host:
            exact = (
                bool(bound == 0) and self.scalar_bits < 53 and bool(fits(value, self.scalar_bits))
            )
            return Bounded(value, bound if exact else bound + self.scalar_unit * abs(value), True)
        size = np.abs(value)
        bound = bound + self.unit * size
        if underflows is not None:
            bound = bound + self.eta * underflows
        if self.largest < 1e300 or not np.isfinite(size).all():
            bound = np.where(size > self.largest, math.inf, bound)
        return Bounded(value, bound)

    # ---- operations

    def binary(self, op: str, a: Any, b: Any) -> Any:
        """+ - * / ** %."""
        a, b = self._own(a), self._own(b)
        if op == "**":
            return self._power(a, b)
        if stays_infinite(op, a, b) or (op != "/" and stays_infinite(op, b, a)):
            return Bounded(OPERATORS[op](a.value, b.value), host=a.host and b.host)
        a, b, host = self._pair(a, b)
        match op:
            case "+" | "-":
                return self._sum(op, a, b, host)
            case "*" | "/":
                result = (self._product if op == "*" else self._quotient)(a, b, host)
                result.signed = (a.signed or b.signed) and a is not b
                return result
            case "%":
                return Bounded(np.remainder(a.value, b.value), a.bound, host)
        raise SpecError(f"bounds: no operator {op}")

    def _sum(self, op: str, a: Bounded, b: Bounded, host: bool) -> Bounded:
        """Adding an exact zero does not round, and adding whole host numbers does not."""
        value = OPERATORS[op](a.value, b.value)
        if host and self._whole(a) and self._whole(b) and self._whole(Bounded(value)):
            return Bounded(value, host=True)
        total = self._rounded(value, a.bound + b.bound, host)
        zero = ((a.value == 0) & (a.bound == 0)) | ((b.value == 0) & (b.bound == 0))
        if np.any(zero):
            total.bound = np.where(zero, a.bound + b.bound, total.bound)
        total.signed = a.signed or b.signed or (op == "-" and bool(np.any(value < total.bound)))
        return total

    def _whole(self, x: Bounded) -> bool:
        """Whether a host number is an integer, and known exactly."""
        exact = bool(x.bound == 0) and bool(abs(x.value) < 2.0**self.scalar_bits)
        return exact and float(x.value).is_integer()

    def _product(self, a: Bounded, b: Bounded, host: bool) -> Bounded:
        value = a.value * b.value
        if host and self._whole(a) and self._whole(b) and self._whole(Bounded(value)):
            return Bounded(value, host=True)
        if is_unit(a) or is_unit(b):
            return Bounded(value, a.bound * np.abs(b.value) + b.bound * np.abs(a.value), host)
        bound = np.abs(a.value) * b.bound + np.abs(b.value) * a.bound + a.bound * b.bound
        # 0 times a number without a bound is 0 times infinity, should that number have overflowed.
        bound = np.where(np.isnan(bound), math.inf, bound)
        return self._rounded(value, bound, host, (a.value != 0) & (b.value != 0))

    def _quotient(self, a: Bounded, b: Bounded, host: bool) -> Bounded:
        value = np.divide(a.value, b.value)
        if host and self._whole(a) and self._whole(b) and self._whole(Bounded(value)):
            return Bounded(value, host=True)
        if is_unit(b):
            return Bounded(value, a.bound, host)
        room = np.abs(b.value) - b.bound
        carried = a.bound + np.abs(value) * b.bound
        bound = np.where(room > 0, np.divide(carried, np.where(room > 0, room, 1.0)), math.inf)
        return self._rounded(value, bound, host, a.value != 0)

    def _power(self, a: Bounded, b: Bounded) -> Bounded:
        if not a.host and np.ndim(b.value) == 0 and b.value == 2 and b.bound == 0:
            return self._product(a, a, False)  # of host numbers even pow(b, 2) may be exp(2 log b)
        host = a.host and b.host
        value = np.power(a.value, b.value)
        unit = self.scalar_unit if host else self.unit
        own = (np.abs(b.value) + 1) * unit * np.abs(value)
        size = np.abs(a.value)
        by_base = spread(lambda x: np.power(x, b.value), size, a.bound, np.abs(value))
        by_exponent = spread(
            lambda y: np.power(size, y), b.value, b.bound, np.abs(value), low=-math.inf
        )
        return Bounded(value, own + by_base + by_exponent, host)

    def negate(self, a: Any) -> Bounded:
        """Exact."""
        return Bounded(-(a := self._own(a)).value, a.bound, a.host)

    def call(self, function: str, *arguments: Any) -> Any:
        """The elementwise functions."""
        if function == "pi":
            return self.number(Fraction(*math.pi.as_integer_ratio()) + Fraction(1, 2**60))
        if function in ("max", "min"):
            return self._extremum(function, *arguments)
        a = self._own(arguments[0])
        match function:
            case "sqrt":
                return self._root(a)
            case "abs":
                return Bounded(np.abs(a.value), a.bound, a.host)
            case "sign":
                open_ = (np.abs(a.value) <= a.bound) & (a.bound > 0)
                return Bounded(np.sign(a.value), np.where(open_, 2.0, 0.0), a.host)
            case "exp" | "log":
                return self._transcendental(function, a)
            case "floor":
                # The integers that the argument may fall to; none but one where it is sharp.
                up = np.floor(a.value + a.bound) - np.floor(a.value)
                down = np.floor(a.value) - np.floor(a.value - a.bound)
                return Bounded(np.floor(a.value), np.maximum(up, down), a.host)
            case "cos":
                moved = np.abs(np.sin(a.value)) * a.bound + a.bound**2 / 2
                return self._rounded(np.cos(a.value), moved, a.host)
        raise SpecError(f"bounds: no function {function}")

    def _extremum(self, function: str, *arguments: Any) -> Bounded:
        """The winner's error, or as far as the error of the other may take that one beyond it."""
        a, b, host = self._pair(*arguments)
        ahead = a.value - b.value if function == "max" else b.value - a.value
        winner = np.where(ahead > 0, a.bound, b.bound)
        other = np.where(ahead > 0, b.bound, a.bound)
        value = np.maximum(a.value, b.value) if function == "max" else np.minimum(a.value, b.value)
        return Bounded(value, np.fmax(winner, other - np.abs(ahead)), host)

    def _root(self, a: Bounded) -> Bounded:
        """sqrt(x) - sqrt(x - e), finite at zero; open where the argument may be negative."""
        value = np.sqrt(a.value)
        low = np.sqrt(np.maximum(a.value - a.bound, 0.0))
        total = value + low
        bound = np.where(
            total > 0, np.divide(a.bound, np.where(total > 0, total, 1.0)), np.sqrt(a.bound)
        )
        negative = (a.value - a.bound < 0) & (a.value != 0)
        bound = np.where(negative, np.maximum(bound, np.sqrt(np.abs(a.value) + a.bound)), bound)
        undefined = a.value < a.bound if a.signed else a.value < 0
        bound = np.where(undefined, math.inf, bound)
        return self._rounded(value, bound, a.host)

    def _transcendental(self, function: str, a: Bounded) -> Bounded:
        of = np.exp if function == "exp" else np.log
        value = of(a.value)
        unit = self.scalar_unit if a.host else self.unit
        low = -math.inf if function == "exp" else 0.0
        carried = spread(of, a.value, a.bound, value, low=low)
        return self._rounded(value, unit * np.abs(value) + carried, a.host)

    def compare(self, op: str, a: Any, b: Any) -> Any:
        """A condition, open where the two sides lie within their bounds of each other."""
        a, b, _ = self._pair(a, b)
        slack = a.bound + b.bound
        open_ = (np.abs(a.value - b.value) <= slack) & (slack > 0)
        return Ambiguous(OPERATORS[op](a.value, b.value), open_)

    def logic(self, op: str, conditions: Sequence[Any]) -> Any:
        """Open where an open operand may decide."""
        return combined(op, conditions)

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        """The hull of both sides on lanes that the bounds leave open."""
        if not isinstance(condition, Ambiguous):
            return a if condition else b
        a, b, host = self._pair(a, b)
        if host and np.ndim(condition.holds) > 0:
            a, b, host = self._tensor_of(a), self._tensor_of(b), False
        value = np.where(condition.holds, a.value, b.value)
        bound = np.where(condition.holds, a.bound, b.bound)
        hull = np.abs(a.value - b.value) + np.maximum(a.bound, b.bound)
        chosen = Bounded(value, np.where(condition.open, hull, bound), host)
        chosen.signed = a.signed or b.signed
        return chosen

    def reduce(self, op: str, over: str, x: Any) -> Bounded:
        """Sum, mean or max; a sum of n terms adds (n-1) u times the sum of their sizes."""
        x = self._own(x)
        shape = np.shape(x.value)
        axis = axes(over, shape)
        keep: Any = {} if axis is None else {"axis": axis, "keepdims": True}
        if op == "max":
            value = np.asarray(np.max(x.value, initial=-math.inf, **keep))
            return Bounded(value, np.asarray(np.max(x.bound, initial=0.0, **keep)))
        n = lanes_in(over, shape)
        size = np.asarray(np.sum(np.abs(x.value), **keep))
        bound = np.asarray(np.sum(x.bound, **keep)) + max(n - 1, 0) * self.unit * size
        total = Bounded(np.asarray(np.sum(x.value, **keep)), bound)
        return self.binary("/", total, n) if op == "mean" else total

    def fold(self, op: str, parts: Sequence[Any]) -> Any:
        """Over parameters, left to right."""
        total = parts[0]
        for part in parts[1:]:
            total = self.binary("+", total, part) if op == "sum" else self.call("max", total, part)
        return total

    def matmul(self, a: Any, b: Any) -> Bounded:
        """Inner products of n terms: n u |a| |b|."""
        n = a.value.shape[-1]
        size_a, size_b = np.abs(a.value), np.abs(b.value)
        carried = size_a @ b.bound + a.bound @ size_b + a.bound @ b.bound
        return Bounded(a.value @ b.value, carried + n * self.unit * (size_a @ size_b))

    def transpose(self, a: Any) -> Bounded:
        """Exact."""
        return Bounded(np.swapaxes(a.value, -1, -2), np.swapaxes(a.bound, -1, -2))

    def shape(self, x: Any) -> tuple[int, ...]:
        """Shape."""
        return tuple(np.shape(x.value))

    # ---- leaving

    def truth(self, condition: Any) -> bool:
        """A scalar condition; counted when the bounds leave it open."""
        if isinstance(condition, Ambiguous):
            self.ambiguous += int(np.any(condition.open))
            return bool(condition.holds)
        return bool(condition)

    def integer(self, x: Any) -> int:
        """A host number as an int."""
        return int(x.value) if isinstance(x, Bounded) else int(x)

    def store(self, x: Any, state: str) -> Any:
        """Keeping a value in a narrower type rounds it once more."""
        kept = self.profile.kept_type(state)
        if kept is None or not isinstance(x, Bounded):
            return x
        return kept_as(x, kept)

    def rewritten(self, before: Any, after: Any) -> Any:
        """What an equation has left exactly as it was rounds where it is written another way.

        An average of two equal numbers is that number as x + c (z - x), but not as (1 - c) x + c z.
        """
        if not isinstance(before, Bounded) or np.shape(before.value) != np.shape(after.value):
            return after
        left = (before.value == after.value) & (before.bound == after.bound)
        rounding = np.where(left, self.unit * np.abs(after.value), 0.0)
        return Bounded(after.value, after.bound + rounding, after.host)

    def in_place(self, state: str) -> bool:
        """A state with a type of its own is a tensor of that type, and code works in place."""
        return state in self.profile.states

    def entered(self, x: Any) -> Any:
        """A tensor is rounded to the block's type where that is the narrower one."""
        if not isinstance(x, Bounded) or x.host or self.profile is self.whole:
            return x
        return kept_as(x, self.profile.compute)
