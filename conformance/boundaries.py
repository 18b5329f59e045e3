"""Limits at a boundary: values so near to what they are compared with that rounding them shows.

A hyperparameter that equations only compare (a limit on a cosine, a tolerance) shows nothing of its
last digits, unless a quantity of the run lies between it and what they are rounded to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from instep.conformance.oracle import Model, Oracle
from instep.conformance.probes import Probe
from instep.conformance.profile import grades
from instep.spec import ir
from instep.spec.arguments import OptionValue
from instep.spec.arithmetic import Float64
from instep.spec.model import Algorithm
from instep.spec.options import hyperparameters_read, live_states, resolve

# Where decisions are looked for: a factor of four apart, up to so many either way.
_REACH = 12
_HALVINGS = 34
# A limit is apart from what it is compared with by more than correct runs in single precision are.
_APART = 2.0**-15


def limits(algorithm: Algorithm, options: Mapping[str, OptionValue]) -> list[str]:
    """Hyperparameters that equations compare and never compute with, in their order."""
    body = resolve(algorithm.body, options)
    starts = [s.init for s in algorithm.states if s.init is not None]
    heard = {ir.THETA, *live_states(algorithm, options)}
    heard.update(name for init in starts for name in _computed_with(init))
    size = 0
    while size != len(heard):
        size = len(heard)
        for let in ir.lets(body):
            if let.target.name in heard:
                heard.update(_computed_with(let.value))
    read = hyperparameters_read(algorithm, options) - heard
    return [h.name for h in algorithm.hyperparameters if h.name in read and not h.domain.integer]


def _computed_with(expr: ir.Expr) -> Iterator[str]:
    """Names that a value is made of, those that only choose it aside."""
    if isinstance(expr, ir.Where):
        yield from _computed_with(expr.then)
        yield from _computed_with(expr.otherwise)
        return
    if isinstance(expr, ir.Sym | ir.Prev):
        yield expr.name
    for child in ir.children(expr):
        yield from _computed_with(child)


def beside_boundary(model: Model, probe: Probe, symbol: str) -> Probe | None:
    """The run with a value on one side of a decision, which half precision takes to the other.

    Args:
        model: what decides.
        probe: the run, with the value around which others are tried.
        symbol: the hyperparameter.
    """

    def with_value(value: float) -> Probe:
        return replace(probe, hyperparameters={**probe.hyperparameters, symbol: value})

    def decisions(value: float) -> bytes:
        return _decisions(model, with_value(value))

    start, domain = probe.hyperparameters[symbol], model.algorithm.hyperparameter(symbol).domain
    tried = [v for k in range(-_REACH, _REACH + 1) if domain.contains(v := start * 4.0**k)]
    known = {value: decisions(value) for value in tried}
    nearest = sorted(pairwise(tried), key=lambda pair: abs(np.log(pair[0] * pair[1] / start**2)))
    for low, high in nearest:
        if known[low] != known[high]:
            value = _beside(_boundary(decisions, low, high))
            if value is not None and decisions(value) != decisions(float(np.float16(value))):
                return with_value(value)
    return None


def _boundary(decisions: Callable[[float], bytes], low: float, high: float) -> float:
    """Where, between two values, decisions begin to differ from those at the lower one."""
    below = decisions(low)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if decisions(middle) == below else (low, middle)
    return (low + high) / 2


def _beside(boundary: float) -> float | None:
    """A number of single precision near a boundary, which half precision takes across it."""
    down = float(np.float16(boundary))
    down = down if down <= boundary else float(np.nextafter(np.float16(down), np.float16(0)))
    up = float(np.nextafter(np.float16(down), np.float16(np.inf)))
    value = float(np.float32((boundary + (down + up) / 2) / 2))
    far_enough = abs(value - boundary) > _APART * boundary
    return value if far_enough and np.isfinite(up) else None


def _decisions(model: Model, probe: Probe) -> bytes:
    """The outcomes of all comparisons of a run, one after the other."""
    own = _Listening()
    oracle = Oracle(model, probe, grades(probe.dtype)[0], own)
    for t in range(1, probe.steps + 1):
        oracle.step(t)
    return b"".join(own.heard)


class _Listening(Float64):
    """Float64 that keeps the outcome of every comparison."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def compare(self, op: str, a: Any, b: Any) -> Any:
        """As Float64 does."""
        outcome = super().compare(op, a, b)
        self.heard.append(np.asarray(outcome).tobytes())
        return outcome
