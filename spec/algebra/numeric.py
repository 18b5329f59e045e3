"""Numbers for the executor: 50 digits, or intervals of them whose ends are rounded outwards.

A value is a number, an object array of numbers (one parameter) or a tuple of arrays (several
parameters, side by side, so that a reduction over all of them is one more operation).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import reduce
from typing import Any

import mpmath
import numpy as np
from mpmath.ctx_iv import MPIntervalContext

from instep.spec import ir
from instep.spec.algebra.execute import UndefinedError, UnsupportedError
from instep.spec.arithmetic import axes, lanes_in
from instep.spec.model import State

DIGITS = 50
Value = Any

COMPARE = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt,
    "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip

_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def digits_context() -> Any:
    """An mpmath context of its own, of 50 digits; the global one is left alone."""
    context = mpmath.mp.clone()
    context.dps = DIGITS
    return context


def interval_context() -> Any:
    """Interval arithmetic of 60 digits: what it encloses is certain."""
    context = MPIntervalContext()
    context.dps = DIGITS + 10
    return context


class NumericDomain:
    """Arithmetic in an mpmath context; an operation without a value raises UndefinedError."""

    def __init__(self, context: Any, gradient: Callable[[Value], Value]) -> None:
        self.context = context
        self.gradient = gradient
        self.names_lanes = True
        self.zero, self.one = context.mpf(0), context.mpf(1)

    def constant(self, value: ir.Number) -> Value:
        """The nearest number, or the interval around it."""
        if value in (math.inf, -math.inf):
            return self.context.mpf(value)
        exact = Fraction(value)
        number = self.context.mpf(exact.numerator)
        return number if exact.denominator == 1 else number / exact.denominator

    def binary(self, op: str, a: Value, b: Value) -> Value:
        """The operation lane by lane."""
        match op:
            case "+":
                return a + b if _plain(a, b) else _lift(operator.add, a, b)
            case "-":
                return a - b if _plain(a, b) else _lift(operator.sub, a, b)
            case "*":
                return a * b if _plain(a, b) else _lift(operator.mul, a, b)
            case "/":
                return _lift(self._divide, a, b)
            case "**":
                return _lift(self._power, a, b)
            case "%":
                return _lift(self._modulo, a, b)
        raise UnsupportedError(f"unknown operator {op}")

    def _divide(self, a: Value, b: Value) -> Value:
        if self.test("==", b, 0):
            raise UndefinedError("a division by zero")
        return a / b

    def _power(self, a: Value, b: Value) -> Value:
        whole = self._whole(b)
        if whole is None:
            return self._fractional_power(a, b)
        if whole < 0:
            return self._divide(self.one, a**-whole)
        return a**whole if whole else self.one

    def _fractional_power(self, a: Value, b: Value) -> Value:
        if self.test("==", a, 0) and self.test(">", b, 0):
            return self.zero
        if self.test("<=", a, 0):
            raise UndefinedError("a fractional power of a number that is not positive")
        return self.context.exp(b * self.context.log(a))

    def _modulo(self, a: Value, b: Value) -> Value:
        return a - b * self._floor(self._divide(a, b))

    def _whole(self, x: Value) -> int | None:
        """The integer that a number certainly is."""
        low, high = self.ends(x)
        nearest = int(mpmath.nint(low))
        return nearest if low == high == nearest else None

    def _floor(self, x: Value) -> Value:
        first, last = (int(mpmath.floor(end)) for end in self.ends(x))
        if first != last:
            raise UnsupportedError("the floor of an interval across an integer")
        return self.context.mpf(first)

    def ends(self, x: Value) -> tuple[Any, Any]:
        """The smallest and the largest number that a value may stand for."""
        return x, x

    def test(self, op: str, x: Value, y: Value) -> bool:
        """A comparison of two numbers."""
        return bool(COMPARE[op](x, y))

    def negate(self, a: Value) -> Value:
        """Minus a, lane by lane."""
        return _lift(operator.neg, a)

    def call(self, function: str, arguments: tuple[Value, ...]) -> Value:
        """The function lane by lane; shape queries by parameter."""
        if function in ir.SHAPE_FUNCTIONS:
            return self._shape(function, arguments[0])
        if function == "pi":
            return +self.context.pi
        return _lift(getattr(self, f"_{function}"), *arguments)

    def _sqrt(self, x: Value) -> Value:
        if self.test("<", x, 0):
            raise UndefinedError("the root of a negative number")
        return self.context.sqrt(x)

    def _abs(self, x: Value) -> Value:
        return abs(x)

    def _sign(self, x: Value) -> Value:
        return self.context.mpf(self.test(">", x, 0) - self.test("<", x, 0))

    def _max(self, a: Value, b: Value) -> Value:
        return a if self.test(">=", a, b) else b

    def _min(self, a: Value, b: Value) -> Value:
        return a if self.test("<=", a, b) else b

    def _exp(self, x: Value) -> Value:
        return self.context.exp(x)

    def _cos(self, x: Value) -> Value:
        return self.context.cos(x)

    def _log(self, x: Value) -> Value:
        if self.test("<=", x, 0):
            raise UndefinedError("the logarithm of a number that is not positive")
        return self.context.log(x)

    def _shape(self, function: str, x: Value) -> Value:
        if isinstance(x, tuple):
            return tuple(self._shape(function, entry) for entry in x)
        shape = np.shape(x)
        counts = {"ndim": len(shape), "numel": int(np.prod(shape))}
        counts["unit_size"] = lanes_in("units", shape)
        if function not in counts:
            _require_matrix(x)
            counts |= {"rows": shape[-2], "cols": shape[-1]}
        return self.context.mpf(counts[function])

    def reduce(self, op: str, over: ir.Axis, a: Value) -> Value:
        """The reduction of each parameter, or over all of them."""
        if over == "params":
            entries = a if isinstance(a, tuple) else (a,)
            return self._fold(op, [self.reduce(op, "all", x) for x in entries])
        if isinstance(a, tuple):
            return tuple(self.reduce(op, over, x) for x in a)
        array = np.asarray(a, dtype=object)
        if over == "cols":
            _require_matrix(array)
        axis = axes(over, array.shape)
        if op == "max":
            largest = np.frompyfunc(self._max, 2, 1)
            for k in range(array.ndim) if axis is None else axis:
                array = largest.reduce(array, axis=k, keepdims=True)
            return array.item() if axis is None else array
        total = array.sum(axis, keepdims=axis is not None)
        return total if op == "sum" else total / lanes_in(over, array.shape)

    def _fold(self, op: str, values: list[Value]) -> Value:
        if op == "mean":
            raise UnsupportedError("the mean over all parameters")
        return reduce(self._max if op == "max" else operator.add, values)

    def matmul(self, a: Value, b: Value) -> Value:
        """The matrix product, parameter by parameter."""
        _require_matrix(a)
        return _each_parameter(operator.matmul, a, b)

    def transpose(self, a: Value) -> Value:
        """The last two axes swapped, parameter by parameter."""
        _require_matrix(a)
        return _each_parameter(lambda x: np.swapaxes(x, -1, -2), a)

    def loss(self, at: Value) -> Value:
        """Any function of the point will do: the sum of its squares."""
        return self.reduce("sum", "params", self.binary("*", at, at))

    def expand(self, state: State, value: Value, theta: Value) -> Value:
        """The value in every lane of the state's shape."""
        if state.shape == "scalar" or state.scope != "parameter":
            return value
        like = theta
        if state.shape in ("rows", "cols") and _dimensions(theta) > 1:
            like = self.reduce("sum", state.shape, theta)
        elif state.shape == "reduced":
            like = self.reduce("sum", "all", theta)
        return self.binary("+", self.binary("*", like, self.zero), value)

    def compare(self, op: str, a: Value, b: Value) -> Value:
        """The comparison lane by lane."""
        return _lift(lambda x, y: self.test(op, x, y), a, b)

    def logic(self, op: str, operands: tuple[Value, ...]) -> Value:
        """The connective lane by lane."""
        if op == "not":
            return _lift(operator.not_, operands[0])
        combine = {"and": lambda *x: all(x), "or": lambda *x: any(x)}[op]
        return _lift(combine, *operands)

    def where(self, condition: Value, a: Value, b: Value) -> Value:
        """The choice lane by lane."""
        return _lift(lambda c, x, y: x if c else y, condition, a, b)

    def touched(self) -> Value:
        """Whether this step's gradient names the lanes: all of them, or none."""
        return self.names_lanes

    def truth(self, condition: Value) -> bool:
        """The one answer that all parameters give."""
        answers = {bool(x) for x in lanes(condition)}
        if len(answers) > 1:
            raise UnsupportedError("the parameters take different branches")
        return answers.pop()

    def integer(self, a: Value) -> int:
        """The integer that a number certainly is."""
        whole = self._whole(a)
        if whole is None:
            raise UnsupportedError("a number of rounds that is no integer")
        return whole


class IntervalDomain(NumericDomain):
    """Interval arithmetic: a comparison that the ends do not decide raises UnsupportedError."""

    def ends(self, x: Value) -> tuple[Any, Any]:
        """The smallest and largest number enclosed."""
        low, high = self.context.convert(x)._mpi_
        return mpmath.mp.make_mpf(low), mpmath.mp.make_mpf(high)

    def test(self, op: str, x: Value, y: Value) -> bool:
        """What holds for all numbers enclosed; undecided raises UnsupportedError."""
        (a, b), (c, d) = self.ends(x), self.ends(y)
        always = {
            "<": b < c, "<=": b <= c, ">": a > d, ">=": a >= d,
            "==": a == b == c == d, "!=": b < c or a > d,
        }  # fmt: skip
        if always[op] or always[_OPPOSITE[op]]:
            return bool(always[op])
        raise UnsupportedError("the intervals overlap")

    def _max(self, a: Value, b: Value) -> Value:
        return self._hull(max, a, b)

    def _min(self, a: Value, b: Value) -> Value:
        return self._hull(min, a, b)

    def _hull(self, choose: Callable[[Any, Any], Any], a: Value, b: Value) -> Value:
        """Max and min need no decision: they are monotone in both arguments."""
        low, high = (choose(x, y) for x, y in zip(self.ends(a), self.ends(b), strict=True))
        return self.context.make_mpf((low._mpf_, high._mpf_))


def lanes(value: Value) -> Iterator[Any]:
    """The numbers of a value, lane by lane."""
    if isinstance(value, tuple):
        for entry in value:
            yield from lanes(entry)
    elif isinstance(value, np.ndarray):
        yield from value.flat
    else:
        yield value


def _dimensions(value: Value) -> int:
    """Dimensions of an array, the fewest where there are several parameters."""
    entries = value if isinstance(value, tuple) else (value,)
    return min(np.ndim(x) for x in entries)


def _require_matrix(value: Value) -> None:
    if _dimensions(value) < 2:
        raise UnsupportedError("columns of what is no matrix")


def _plain(a: Value, b: Value) -> bool:
    """Whether both are bare numbers; the common case of elementwise algorithms."""
    return not isinstance(a, tuple | np.ndarray) and not isinstance(b, tuple | np.ndarray)


def _each_parameter(function: Callable[..., Value], *values: Value) -> Value:
    """Apply a function of arrays to each parameter; what is no tuple belongs to all of them."""
    count = max((len(v) for v in values if isinstance(v, tuple)), default=0)
    rows = ((v[i] if isinstance(v, tuple) else v for v in values) for i in range(count))
    try:
        return tuple(function(*row) for row in rows) if count else function(*values)
    except ValueError as error:  # numpy's word for shapes that do not fit
        raise UnsupportedError(str(error)) from error


def _lift(function: Callable[..., Value], *values: Value) -> Value:
    """Apply a function of numbers lane by lane."""
    if not any(isinstance(v, tuple | np.ndarray) for v in values):
        return function(*values)

    def lanes(*arrays: Value) -> Value:
        if not any(isinstance(x, np.ndarray) for x in arrays):
            return function(*arrays)
        return np.frompyfunc(function, len(arrays), 1)(*arrays)

    return _each_parameter(lanes, *values)
