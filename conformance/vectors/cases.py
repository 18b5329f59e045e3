"""Which runs of a dialect become vectors: the probes that make mistakes visible."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from instep.conformance.boundaries import beside_boundaries, limits
from instep.conformance.checks.base import Plan
from instep.conformance.checks.numerics import corners, slug
from instep.conformance.checks.options import choice_slug
from instep.conformance.oracle import Model
from instep.conformance.probes import Probe, ProbeFactory
from instep.conformance.vectors.edges import edge
from instep.conformance.vectors.expected import mixes_lanes
from instep.spec.arguments import OptionValue
from instep.spec.gradients import needs_closure
from instep.spec.model import Algorithm
from instep.spec.options import hyperparameters_read, open_choices, resolve

WIDE, SINGLE = "float64", "float32"
_SHAPES: tuple[tuple[int, ...], ...] = ((19,), (2, 3), ())
_FEW: Any = {"shapes": ((19,),), "steps": 5}
_EDGE_STEP = 4
_AT_EDGE = "gradients that bring decisions to their boundary"


@dataclass(frozen=True, slots=True)
class Case:
    """One file: a probe, and what it is there for."""

    name: str
    about: str
    probe: Probe


def reason_against(algorithm: Algorithm) -> str:
    """Why there are no vectors of an algorithm, empty where there are."""
    if algorithm.schedule is not None:
        return "a schedule: it changes hyperparameters, and has no gradients"
    if needs_closure(resolve(algorithm.body, algorithm.option_defaults())):
        return "a step evaluates the loss or further gradients by itself, which no data can hold"
    return ""


def cases(algorithm: Algorithm) -> Iterator[Case]:
    """All cases of a dialect, in a fixed order; what it does not admit is left out."""
    factory = ProbeFactory(algorithm, algorithm.defaults(), algorithm.option_defaults())
    for dtype in (WIDE, SINGLE):
        for name, about, make in _wanted(algorithm, factory, dtype):
            try:
                probe = make()
            except ValueError:
                continue  # no admissible hyperparameters, or no shape
            if probe is not None:
                yield Case(name, about, replace(probe, name=name))


def _wanted(
    algorithm: Algorithm, factory: ProbeFactory, dtype: str
) -> Iterator[tuple[str, str, Callable[[], Probe | None]]]:
    def make(**more: Any) -> Callable[[], Probe]:
        return lambda: factory.make("", **{"dtype": dtype, "shapes": _SHAPES, **more})

    yield "dyadic", "hyperparameters are exact in every type; 12 steps", make()
    defaults = algorithm.defaults()
    yield "defaults", "the dialect's default hyperparameters; 12 steps", make(values=defaults)
    yield "edge", _AT_EDGE, lambda: _edge(factory, dtype, {})
    if dtype == SINGLE:
        return
    for near in (False, True):
        values = factory.fine_values(near=near)
        yield f"fine{'-near' * near}", "hyperparameters of 12 bits", make(values=values, steps=8)
    if algorithm.result == "parameters":  # a function has neither
        yield "changed", "hyperparameters change between steps", lambda: _changed(factory)
        yield "groups", "two groups of parameters", lambda: _grouped(factory)
    yield "pauses", "a parameter without gradient in some steps", lambda: _paused(factory)
    if factory.reduces:
        yield "faint", "all gradients of every other step are small", lambda: _faint(factory)
    yield "constant", "the same gradients in every step", lambda: _constant(factory)
    for symbol in corners(Plan(algorithm)):
        yield f"zero-{slug(symbol)}", f"{symbol} = 0", partial(_zero, factory, symbol)
    for option, value in open_choices(algorithm):
        values = _woken(algorithm, factory, {option: value})
        chosen, name = {option: value}, choice_slug(option, value)
        run = make(options=chosen, values=values, steps=8)
        yield f"option-{name}", f"{option} = {value}", run
        at = partial(_edge, factory, dtype, chosen)
        yield f"edge-{name}", f"{option} = {value}; {_AT_EDGE}", at
    yield from _narrow(algorithm, factory)


def _woken(algorithm: Algorithm, factory: ProbeFactory, chosen: Any) -> dict[str, float]:
    """Fine values for what only this option reads."""
    read = hyperparameters_read(algorithm, {**factory.options, **chosen})
    usual = hyperparameters_read(algorithm, factory.options)
    fine = factory.fine_values()
    return {symbol: fine[symbol] for symbol in sorted(read - usual)}


def _zero(factory: ProbeFactory, symbol: str) -> Probe | None:
    probe = factory.make("", values={symbol: 0.0}, calm=True, **_FEW)
    return probe if probe.hyperparameters[symbol] == 0 else None


def _changed(factory: ProbeFactory) -> Probe | None:
    """The learning rate changes first, all else two steps later."""
    symbols = [h.name for h in factory.algorithm.hyperparameters]
    values = factory.other_values(symbols, whole=True)
    first = {k: v for k, v in values.items() if k == "lr"}
    rest = {k: v for k, v in values.items() if k not in first}
    changes = {t: v for t, v in ((3, first), (5, rest)) if v}
    return factory.make("", shapes=_SHAPES, steps=8, changes=changes) if changes else None


def _grouped(factory: ProbeFactory) -> Probe | None:
    own = [h.name for h in factory.algorithm.hyperparameters if h.scope == "group"]
    values = factory.other_values(own)
    if not values:
        return None
    return factory.make("", shapes=_SHAPES, steps=5, groups=(((1,), values),))


def _paused(factory: ProbeFactory) -> Probe:
    """The second parameter has no gradient at first, nor in the fourth step."""
    probe = factory.make("", shapes=_SHAPES, steps=7)

    def given(t: int, i: int, g: Any) -> Any:
        return None if i == 1 and t in (0, 3) else g

    steps = enumerate(probe.gradients)
    return replace(
        probe, gradients=tuple(tuple(given(t, i, g) for i, g in enumerate(x)) for t, x in steps)
    )


def _faint(factory: ProbeFactory) -> Probe:
    probe = factory.make("", shapes=_SHAPES, steps=6)

    def given(t: int, g: Any) -> Any:
        return np.ldexp(g, -14) if t % 2 else g

    steps = enumerate(probe.gradients)
    return replace(probe, gradients=tuple(tuple(given(t, g) for g in x) for t, x in steps))


def _constant(factory: ProbeFactory) -> Probe:
    probe = factory.make("", shapes=_SHAPES, steps=6, calm=True)
    return replace(probe, gradients=(probe.gradients[0],) * 6, touched=(probe.touched[:1]) * 6)


def _edge(factory: ProbeFactory, dtype: str, options: dict[str, OptionValue]) -> Probe | None:
    more: Any = {"dtype": dtype, "options": options, "steps": 6, "calm": True}
    probe = factory.make("", shapes=((29,),), **more)
    mixed = mixes_lanes(factory.algorithm, probe)
    return edge(factory.algorithm, probe.only(0), _EDGE_STEP, mixed=mixed)


def _narrow(
    algorithm: Algorithm, factory: ProbeFactory
) -> Iterator[tuple[str, str, Callable[[], Probe | None]]]:
    """Hyperparameters that are only compared, just above and just below what they meet."""
    for symbol in limits(algorithm, algorithm.option_defaults()):
        probe = factory.make("", shapes=((6, 4),), steps=3)
        for k, near in enumerate(beside_boundaries(Model(algorithm), probe, symbol, 1)):
            about = f"{symbol} just beside what it is compared with"
            yield f"narrow-{slug(symbol)}-{k + 1}", about, partial(_itself, near)


def _itself(probe: Probe) -> Probe:
    return probe
