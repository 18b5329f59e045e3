"""Losses for algorithms that evaluate the gradient themselves, in any number type.

The subject's closure evaluates them in torch, the oracle on values with bounds, and both do so
operation by operation in the same order.

| landscape | loss, with d = x - c | gradient |
|---|---|---|
| bowl | sum of a (d^2 / 2 + sqrt(1 + d^2)) | a d + a d / sqrt(1 + d^2) |
| valley | that, and ((sum of a x)^2 + sum of x^4) / 8 | that, and (sum of a x) a / 4 + x^3 / 2 |
| ridge | what a valley adds, less the bowl | likewise |
| cliff | that of a ridge, and sum of 1 / (e + abs e), e = 4 - x | that, and 2 / (e + abs e)^2 |
| polynomial | sum of a0 + a1 d + a2 d^2 + ... | a1 + 2 a2 d + ... |

No quadratics: methods that differ in where they take their gradients may agree there. A bowl has
other centres in every step. The valley stays as it is, so that what an algorithm learns of its
curvature in one step is true in the next; its lanes depend on one another. On a ridge curvature is
negative until the descent has left it. Beyond a cliff loss and slope are infinite. A polynomial is
whatever a search along a line is to meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from instep.spec.arithmetic import OPERATORS

Evaluation = tuple[Any, list[Any]]


def evaluate(
    arithmetic: Any, landscape: str, points: Sequence[Any], centres: Sequence[Any], slopes: Any
) -> Evaluation:
    """The loss at a point, and its gradient for every parameter.

    Args:
        arithmetic: the number type; see `instep.spec.arithmetic.Arithmetic`.
        landscape: a row of the table above.
        points: the parameters.
        centres: c, arrays of the parameters' shapes.
        slopes: a, likewise; of a polynomial, all coefficients of every lane, stacked.
    """
    a = arithmetic
    if landscape == "polynomial":
        return _polynomials(a, points, [a.tensor(c) for c in centres], slopes)
    loss, gradients = _bowl(a, points, [a.tensor(c) for c in centres], _tensors(a, slopes))
    if landscape == "bowl":
        return loss, gradients
    more, others = _coupled(a, points, _tensors(a, slopes))
    sign = "+" if landscape == "valley" else "-"
    together = [a.binary(sign, h, g) for g, h in zip(gradients, others, strict=True)]
    if landscape != "cliff":
        return a.binary(sign, more, loss), together
    barrier, pushes = _barrier(a, points)
    total = a.binary("+", a.binary(sign, more, loss), barrier)
    return total, [a.binary("+", g, h) for g, h in zip(together, pushes, strict=True)]


def _tensors(a: Any, arrays: Sequence[Any]) -> list[Any]:
    return [a.tensor(x) for x in arrays]


def _bowl(
    a: Any, points: Sequence[Any], centres: Sequence[Any], slopes: Sequence[Any]
) -> Evaluation:
    away = [a.binary("-", x, c) for x, c in zip(points, centres, strict=True)]
    squares = _products(a, away, away)
    roots = [a.call("sqrt", a.binary("+", a.number(1), d)) for d in squares]
    pulls = [a.binary("+", d, a.binary("/", d, r)) for d, r in zip(away, roots, strict=True)]
    halves = [a.binary("/", d, a.number(2)) for d in squares]
    heights = [a.binary("+", h, r) for h, r in zip(halves, roots, strict=True)]
    return _sum(a, _products(a, slopes, heights)), _products(a, slopes, pulls)


def _coupled(a: Any, points: Sequence[Any], slopes: Sequence[Any]) -> Evaluation:
    total = _sum(a, _products(a, slopes, points))
    squares = _products(a, points, points)
    loss = a.binary("+", a.binary("*", total, total), _sum(a, _products(a, squares, squares)))
    pull = a.binary("/", total, a.number(4))
    cubes = [a.binary("/", x, a.number(2)) for x in _products(a, squares, points)]
    pulls = [a.binary("*", s, pull) for s in slopes]
    gradients = [a.binary("+", x, y) for x, y in zip(pulls, cubes, strict=True)]
    return a.binary("/", loss, a.number(8)), gradients


def _barrier(a: Any, points: Sequence[Any]) -> Evaluation:
    left = [a.binary("-", a.number(4), x) for x in points]
    twice = [a.binary("+", e, a.call("abs", e)) for e in left]
    heights = [a.binary("/", a.number(1), e) for e in twice]
    pushes = [a.binary("*", a.number(2), h) for h in _products(a, heights, heights)]
    return _sum(a, heights), pushes


def _polynomials(
    a: Any, points: Sequence[Any], centres: Sequence[Any], slopes: Sequence[Any]
) -> Evaluation:
    away = [a.binary("-", x, c) for x, c in zip(points, centres, strict=True)]
    heights = [_horner(a, d, s) for d, s in zip(away, slopes, strict=True)]
    steeper = [[k * s[k] for k in range(1, len(s))] for s in slopes]
    return _sum(a, heights), [_horner(a, d, s) for d, s in zip(away, steeper, strict=True)]


def _horner(a: Any, x: Any, coefficients: Sequence[Any]) -> Any:
    value = a.tensor(coefficients[-1])
    for c in reversed(coefficients[:-1]):
        value = a.binary("+", a.binary("*", value, x), a.tensor(c))
    return value


def _products(a: Any, xs: Sequence[Any], ys: Sequence[Any]) -> list[Any]:
    return [a.binary("*", x, y) for x, y in zip(xs, ys, strict=True)]


def _sum(a: Any, parts: Sequence[Any]) -> Any:
    return a.fold("sum", [a.reduce("sum", "all", x) for x in parts])


class TorchNumbers:
    """As much of a number type as landscapes ask for, on torch tensors of one type."""

    def __init__(self, dtype: torch.dtype) -> None:
        self.dtype = dtype

    def tensor(self, x: Any) -> torch.Tensor:
        """A copy in the type."""
        return torch.tensor(x).to(self.dtype)

    def number(self, x: float) -> float:
        """A Python number."""
        return x

    def binary(self, op: str, a: Any, b: Any) -> Any:
        """+ - * /."""
        return OPERATORS[op](a, b)

    def call(self, function: str, x: torch.Tensor) -> torch.Tensor:
        """The root, or the absolute value."""
        result: torch.Tensor = getattr(torch, function)(x)
        return result

    def reduce(self, op: str, over: str, x: torch.Tensor) -> torch.Tensor:
        """The sum over all lanes."""
        return x.sum()

    def fold(self, op: str, parts: Sequence[torch.Tensor]) -> torch.Tensor:
        """The sum over parameters, left to right."""
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total
