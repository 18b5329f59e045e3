"""Number types for the interpreter: float64 on numpy, and mpmath at any number of digits.

A number type has two kinds of value: tensors, and host numbers (hyperparameters, the step counter,
what is computed from them alone). The conformance suite adds a type that carries an error bound.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Protocol

import mpmath
import numpy as np

from instep.spec.errors import SpecError

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
    "%": operator.mod,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
AXES: dict[str, int | None] = {"all": None, "rows": -1, "cols": -2}


def axes(over: str, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """Axes of a shape that a reduction takes away; None for all, of which none is kept.

    `units` are the entries of the first axis (a row of weights, a filter); a vector is one unit.
    """
    if over == "units":
        return tuple(range(1, len(shape))) if len(shape) > 1 else None
    axis = AXES[over]
    return None if axis is None else (axis,)


def lanes_in(over: str, shape: tuple[int, ...]) -> int:
    """How many lanes one result of a reduction is made of."""
    taken = axes(over, shape)
    return math.prod(shape if taken is None else (shape[k] for k in taken))


class Arithmetic(Protocol):
    """What the interpreter asks of a number type."""

    def tensor(self, x: Any) -> Any:
        """A tensor from a float array of any shape."""

    def number(self, x: int | float | Fraction) -> Any:
        """A host number; integers stay exact."""

    def type_eps(self) -> Any:
        """The distance from 1 to the next number of the parameter's type, as a host number."""

    def fill(self, like: Any, x: Any) -> Any:
        """A tensor of `like`'s shape that holds `x` (a host number, or a tensor to broadcast)."""

    def reduced_shape(self, like: Any, over: str) -> Any:
        """A tensor of zeros with the axis of a row or column reduction kept at length one."""

    def binary(self, op: str, a: Any, b: Any) -> Any:
        """+ - * / ** %."""

    def negate(self, a: Any) -> Any:
        """Unary minus, exact."""

    def call(self, function: str, *arguments: Any) -> Any:
        """One of the elementwise functions of the IR."""

    def compare(self, op: str, a: Any, b: Any) -> Any:
        """A condition, lane by lane on tensors."""

    def logic(self, op: str, conditions: Sequence[Any]) -> Any:
        """and, or, not of conditions, lane by lane."""

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        """Choice lane by lane."""

    def reduce(self, op: str, over: str, x: Any) -> Any:
        """sum, mean or max over all lanes (a 0-d result), rows, cols or units (axes kept)."""

    def fold(self, op: str, parts: Sequence[Any]) -> Any:
        """A reduction over parameters, of their own reductions."""

    def matmul(self, a: Any, b: Any) -> Any:
        """Matrix product over the last two axes."""

    def transpose(self, a: Any) -> Any:
        """Last two axes swapped."""

    def shape(self, x: Any) -> tuple[int, ...]:
        """Shape of a tensor."""

    def truth(self, condition: Any) -> bool:
        """A scalar condition as a bool."""

    def integer(self, x: Any) -> int:
        """A host number as an int, for loops and indices."""

    def store(self, x: Any, state: str) -> Any:
        """What remains of a value when it is kept as a state (or as the parameter, `theta`)."""

    def in_place(self, state: str) -> bool:
        """Whether a state is kept where it is assigned, not only when the step ends."""

    def block(self, name: str) -> None:
        """What follows belongs to a block of equations with a precision of its own; "" to none."""

    def entered(self, x: Any) -> Any:
        """What remains of a value that comes into the present block from outside of it."""


class Float64:
    """Float64 on numpy: a second evaluator beside the generated code, which runs on torch."""

    def tensor(self, x: Any) -> Any:
        """A float64 copy."""
        return np.array(x, dtype=np.float64)

    def number(self, x: int | float | Fraction) -> Any:
        """A numpy scalar, which divides by zero without raising."""
        return x if isinstance(x, int) else np.float64(float(x))

    def type_eps(self) -> Any:
        """That of float64."""
        return self.number(Fraction(1, 2**52))

    def fill(self, like: Any, x: Any) -> Any:
        """Broadcast to `like`'s shape."""
        return np.broadcast_to(np.asarray(x, dtype=np.float64), like.shape).copy()

    def reduced_shape(self, like: Any, over: str) -> Any:
        """Zeros with the reduced axis kept."""
        return np.sum(like, axis=AXES[over], keepdims=True) * 0 if like.ndim > 1 else like * 0

    def binary(self, op: str, a: Any, b: Any) -> Any:
        """As IEEE says; squares are products."""
        if op == "**" and isinstance(b, int) and b == 2:
            return a * a
        if op in "/**" and isinstance(a, int):
            a = np.float64(a)
        return OPERATORS[op](a, b)

    def negate(self, a: Any) -> Any:
        """Unary minus."""
        return -a

    def call(self, function: str, *arguments: Any) -> Any:
        """Numpy's function; max and min propagate NaN as torch's do."""
        if function == "pi":
            return np.float64(math.pi)
        if function in _NUMPY:
            return _NUMPY[function](*arguments)
        raise SpecError(f"float64: no function {function}")

    def compare(self, op: str, a: Any, b: Any) -> Any:
        """A bool, or an array of them."""
        return OPERATORS[op](a, b)

    def logic(self, op: str, conditions: Sequence[Any]) -> Any:
        """A bool, or an array of them."""
        if op == "not":
            return np.logical_not(conditions[0])
        return functools.reduce(np.logical_and if op == "and" else np.logical_or, conditions)

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        """numpy.where, on scalars too."""
        if isinstance(condition, np.ndarray):
            return np.where(condition, a, b)
        return a if condition else b

    def reduce(self, op: str, over: str, x: Any) -> Any:
        """Over all lanes the result is 0-d, over rows and cols the axis stays."""
        reducer: Any = {"sum": np.sum, "mean": np.mean, "max": _largest}[op]
        axis = axes(over, np.shape(x))
        return np.asarray(reducer(x)) if axis is None else reducer(x, axis=axis, keepdims=True)

    def fold(self, op: str, parts: Sequence[Any]) -> Any:
        """Left to right."""
        total = parts[0]
        for part in parts[1:]:
            total = total + part if op == "sum" else self.call("max", total, part)
        return total

    def matmul(self, a: Any, b: Any) -> Any:
        """Matrix product."""
        return a @ b

    def transpose(self, a: Any) -> Any:
        """Last two axes swapped."""
        return np.swapaxes(a, -1, -2)

    def shape(self, x: Any) -> tuple[int, ...]:
        """Shape."""
        return tuple(np.shape(x))

    def truth(self, condition: Any) -> bool:
        """One condition."""
        return bool(condition)

    def integer(self, x: Any) -> int:
        """One integer."""
        return int(x)

    def store(self, x: Any, state: str) -> Any:
        """Nothing is lost."""
        return x

    def in_place(self, state: str) -> bool:
        """Nothing is lost."""
        return False

    def block(self, name: str) -> None:
        """One precision everywhere."""

    def entered(self, x: Any) -> Any:
        """Nothing is lost."""
        return x


def _of_numbers(host: Callable[[float], float], lanes: Callable[[Any], Any]) -> Callable[..., Any]:
    """The C library's function for one number, as generated code has it; numpy's own may differ.

    Where the library raises, numpy returns what IEEE says.
    """

    def call(x: Any) -> Any:
        if np.ndim(x) > 0:
            return lanes(x)
        try:
            return np.float64(host(x))
        except (OverflowError, ValueError):
            return lanes(x)

    return call


def _largest(x: Any, **axes: Any) -> Any:
    """The maximum; that of nothing is -inf, which no other entry is smaller than."""
    entries = np.asarray(x)
    entries = entries if entries.dtype == object else entries.astype(np.float64, copy=False)
    return np.max(entries, initial=-math.inf, **axes)


def _floor(x: Any) -> Any:
    return math.floor(x) if np.ndim(x) == 0 and np.isfinite(x) else np.floor(x)


_NUMPY: dict[str, Callable[..., Any]] = {
    "sqrt": np.sqrt,
    "abs": np.abs,
    "sign": np.sign,
    "exp": _of_numbers(math.exp, np.exp),
    "log": _of_numbers(math.log, np.log),
    "floor": _floor,
    "cos": np.cos,
    "max": np.maximum,
    "min": np.minimum,
}


class Exact(Float64):
    """Mpmath numbers in object arrays: slow, and right to the working precision of `mpmath.mp`.

    Use inside `mpmath.workdps(50)`; floats enter exactly.
    """

    def tensor(self, x: Any) -> Any:
        """An object array of mpf."""
        return _vectorize(lambda v: mpmath.mpf(float(v)))(np.asarray(x, dtype=np.float64))

    def number(self, x: int | float | Fraction) -> Any:
        """An mpf; fractions are divided at working precision."""
        if isinstance(x, int):
            return x
        if isinstance(x, Fraction):
            return mpmath.mpf(x.numerator) / x.denominator
        return mpmath.mpf(float(x))

    def fill(self, like: Any, x: Any) -> Any:
        """Broadcast to `like`'s shape."""
        return np.broadcast_to(np.asarray(x, dtype=object), like.shape).copy()

    def binary(self, op: str, a: Any, b: Any) -> Any:
        """Division by zero gives infinity or NaN instead of raising."""
        a, b = (x.item() if isinstance(x, np.ndarray) and x.ndim == 0 else x for x in (a, b))
        if op == "/" and not isinstance(a, np.ndarray) and not isinstance(b, np.ndarray):
            return _divide(a, b)
        if op == "/":
            return _vectorize(_divide)(a, b)
        if op == "**" and not isinstance(a, np.ndarray):
            return mpmath.power(a, b)
        return OPERATORS[op](a, b)

    def call(self, function: str, *arguments: Any) -> Any:
        """Mpmath's function, lane by lane."""
        if function == "pi":
            return +mpmath.pi
        if function not in _MPMATH:
            raise SpecError(f"mpmath: no function {function}")
        if any(isinstance(x, np.ndarray) for x in arguments):
            return _vectorize(_MPMATH[function])(*arguments)
        return _MPMATH[function](*arguments)

    def reduce(self, op: str, over: str, x: Any) -> Any:
        """Sum, mean or max in mpf."""
        lanes: Any = np.asarray(x, dtype=object)
        axis = axes(over, lanes.shape)
        keep: Any = {} if axis is None else {"axis": axis, "keepdims": True}
        if op == "max":
            return _objects(np.max(lanes, **keep))
        total = _objects(np.sum(lanes, **keep))
        return total / lanes_in(over, lanes.shape) if op == "mean" else total


def _objects(x: Any) -> Any:
    return np.asarray(x, dtype=np.object_)


def _vectorize(function: Callable[..., Any]) -> Callable[..., Any]:
    def apply(*arguments: Any) -> Any:
        out = np.frompyfunc(function, len(arguments), 1)(*arguments)
        return _objects(out)

    return apply


def _divide(a: Any, b: Any) -> Any:
    if b != 0:
        return mpmath.mpf(a) / b
    if a == 0 or mpmath.isnan(a):
        return mpmath.nan
    return mpmath.sign(a) * mpmath.inf


def _sqrt(x: Any) -> Any:
    return mpmath.sqrt(x) if x >= 0 else mpmath.nan


_MPMATH: dict[str, Callable[..., Any]] = {
    "sqrt": _sqrt,
    "abs": abs,
    "sign": mpmath.sign,
    "exp": mpmath.exp,
    "log": mpmath.log,
    "floor": lambda x: int(mpmath.floor(x)),
    "cos": mpmath.cos,
    "max": lambda a, b: a if a >= b else b,
    "min": lambda a, b: a if a <= b else b,
}


def shape_query(function: str, shape: tuple[int, ...]) -> int:
    """The answer of a shape function for a tensor of this shape."""
    match function:
        case "rows" if len(shape) > 1:
            return shape[-2]
        case "cols" if len(shape) > 0:
            return shape[-1]
        case "rows" | "cols":
            raise SpecError(f"a tensor of {len(shape)} dimensions has no {function}")
        case "unit_size":
            return lanes_in("units", shape)
        case "numel":
            return int(np.prod(shape, dtype=np.int64))
        case _:
            return len(shape)
