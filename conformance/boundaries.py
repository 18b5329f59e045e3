"""Limits at a boundary: values so near to what they are compared with that rounding them shows.

A hyperparameter that equations only compare (a limit on a cosine, a tolerance) shows nothing of its
last digits, unless a quantity of the run lies between it and what they are rounded to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np

from instep.conformance.oracle import Model, Oracle
from instep.conformance.probes import Probe
from instep.conformance.profile import grades
from instep.spec import ir
from instep.spec.arguments import OptionValue
from instep.spec.arithmetic import Float64
from instep.spec.model import Algorithm
from instep.spec.options import hyperparameters_read, live_states, resolve

# Where decisions are looked for: powers of two, narrow around the usual value and far from it.
_POWERS = sorted({k / 2 for k in range(-8, 9)} | {2.0 * k for k in range(-12, 13)})
_HALVINGS = 24
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
        for statement in ir.statements(body):
            if ir.assigned((statement,)) & heard and isinstance(statement, ir.Let | ir.Push):
                heard.update(_computed_with(statement.value))
    read = hyperparameters_read(algorithm, options) - heard
    return [h.name for h in algorithm.hyperparameters if h.name in read and not h.domain.integer]


def _computed_with(expr: ir.Expr) -> Iterator[str]:
    """Names that a value is made of, those that only choose it aside."""
    if isinstance(expr, ir.Where):
        yield from _computed_with(expr.then)
        yield from _computed_with(expr.otherwise)
        return
    if isinstance(expr, ir.Sym | ir.Prev | ir.At):
        yield expr.name
    for child in ir.children(expr):
        yield from _computed_with(child)


def beside_boundaries(model: Model, probe: Probe, symbol: str, count: int) -> Iterator[Probe]:
    """The run with values just above and just below some of the decisions that show.

    Half precision takes one of either pair to the other side.

    Args:
        model: what decides.
        probe: the run, with the value from which on others are tried.
        symbol: the hyperparameter, one of `limits`.
        count: how many decisions at most, the nearest first.
    """
    start, domain = probe.hyperparameters[symbol], model.algorithm.hyperparameter(symbol).domain

    def with_value(value: float) -> Probe:
        values = {**probe.hyperparameters, symbol: value}
        return replace(probe, name=f"{probe.name}={value!r}", hyperparameters=values)

    @cache
    def way(value: float) -> bytes:
        return _parameters(model, with_value(value))

    tried = [v for power in _POWERS if domain.contains(v := start * 2.0**power)]
    apart = [(low, high) for low, high in pairwise(tried) if way(low) != way(high)]
    for low, high in sorted(apart, key=lambda pair: abs(np.log(pair[0] * pair[1] / start**2))):
        if not count:
            return
        boundary = _boundary(way, low, high)
        value, mirrored = _beside(boundary)
        if abs(value - boundary) > _APART * boundary and way(value) != way(mirrored):
            yield from (with_value(value), with_value(mirrored))
            count -= 1


def _boundary(way: Callable[[float], bytes], low: float, high: float) -> float:
    """Where, between two values, the way begins to differ from the one at the lower value."""
    below = way(low)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if way(middle) == below else (low, middle)
    return (low + high) / 2


def _beside(boundary: float) -> tuple[float, float]:
    """Numbers of single precision on both sides; half precision takes the first to the other."""
    down = float(np.float16(boundary))
    down = down if down <= boundary else float(np.nextafter(np.float16(down), np.float16(0)))
    up = float(np.nextafter(np.float16(down), np.float16(np.inf)))
    value = (boundary + (down + up) / 2) / 2
    return float(np.float32(value)), float(np.float32(2 * boundary - value))


def _parameters(model: Model, probe: Probe) -> bytes:
    """The parameters after every step: of a limit, they show decisions and nothing else."""
    oracle, out = Oracle(model, probe, grades(probe.dtype)[0], Float64()), []
    for t in range(1, probe.steps + 1):
        oracle.step(t)
        out += [np.asarray(slot.theta).tobytes() for slot in oracle.interpreter.slots]
    return b"".join(out)
