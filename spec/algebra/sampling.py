"""Scenarios drawn from the domains: boundary values, probes and defaults, all magnitudes.

Every draw is seeded, so that a counterexample is found again.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from instep.spec import ir
from instep.spec.algebra.program import Program, common_domains
from instep.spec.algebra.scenario import Exact, Moment, Scenario
from instep.spec.arguments import Domain
from instep.spec.conditions import misshapen
from instep.spec.options import decide

SHORT, LONG = 4, 13
_PASSED_OVER = 0.1
_ALL_ZERO = 0.08
_UNTOUCHED = 0.3
_SHAPES: tuple[tuple[tuple[int, ...], ...], ...] = (((2, 3),), ((3,),), ((2, 3), (3, 2)))


@dataclass(frozen=True, slots=True)
class Space:
    """Where two programs are compared: hyperparameters, which of them may change, shapes.

    In a `sparse` space some gradients touch nothing.
    """

    domains: Mapping[str, Domain]
    nice: Mapping[str, tuple[Fraction, ...]]
    forced: Mapping[str, Fraction]
    constant: frozenset[str]
    shapes: tuple[tuple[tuple[int, ...], ...], ...]
    sparse: bool = False

    @classmethod
    def of(cls, a: Program, b: Program, constant: Iterable[str] = ()) -> Space:
        """The common space of two programs; `constant` hyperparameters do not change in a run."""
        domains = common_domains(a, b) | {n: _INPUT for p in (a, b) for n in p.algorithm.inputs}
        forced = {k: v for p in (a, b) for k, v in _forced_by(p).items()}
        tensors = a.reads(*_TENSOR_NODES) or b.reads(*_TENSOR_NODES) or _queries_shape(a, b)
        nice = {name: _nice_values(name, domains[name], a, b) for name in domains}
        sparse = a.reads(ir.Touched) or b.reads(ir.Touched)
        shapes = _admitted(a, b) if tensors else ((),)
        return cls(domains, nice, forced, frozenset(constant), shapes, sparse)


def _admitted(*programs: Program) -> tuple[tuple[tuple[int, ...], ...], ...]:
    """Shapes of parameters that every program accepts."""

    def fits(shape: tuple[int, ...]) -> bool:
        return not any(misshapen(p.algorithm, shape) for p in programs)

    together = (tuple(filter(fits, shapes)) for shapes in _SHAPES)
    return tuple(shapes for shapes in together if shapes) or (((2, 2),),)


_INPUT = Domain.parse("(-inf,inf)")
_TENSOR_NODES = (ir.Reduce, ir.MatMul, ir.Transpose)


def scenarios(space: Space, seed: int = 0) -> Iterator[Scenario]:
    """An endless stream: nice values first, then random ones; constant ones before schedules."""
    rng = random.Random(seed)
    for i in range(2):
        nice = {n: values[min(i, len(values) - 1)] for n, values in space.nice.items()}
        yield _scenario(space, rng, {**nice, **space.forced}, LONG, schedule=False)
    while True:
        for i in range(16):
            values = {n: _draw(space, rng, n) for n in space.domains}
            length = LONG if i % 8 == 7 else SHORT
            yield _scenario(space, rng, values, length, schedule=i % 2 == 1)


def _scenario(
    space: Space, rng: random.Random, values: dict[str, Fraction], length: int, *, schedule: bool
) -> Scenario:
    shapes = rng.choice(space.shapes)
    moments: list[Moment] = []
    for _ in range(length):
        if schedule and moments:
            values = values | {n: _draw(space, rng, n) for n in _changing(space, rng)}
        level, slope = _lanes(rng, shapes, _level), _lanes(rng, shapes, _slope)
        present = not schedule or rng.random() > _PASSED_OVER
        touched = not space.sparse or rng.random() > _UNTOUCHED
        moments.append(Moment(values, level, slope, present, touched))
    return Scenario(_lanes(rng, shapes, _position), tuple(moments))


def _changing(space: Space, rng: random.Random) -> list[str]:
    """Hyperparameters that change in this step: usually one, at times several."""
    free = [n for n in space.domains if n not in space.constant]
    return rng.sample(free, min(len(free), rng.choice((0, 1, 1, 2, 4))))


def _draw(space: Space, rng: random.Random, name: str) -> Fraction:
    """A value of a hyperparameter: forced, nice, or anywhere in its domain."""
    if name in space.forced:
        return space.forced[name]
    if space.nice[name] and rng.random() < 0.25:
        return rng.choice(space.nice[name])
    return draw(rng, space.domains[name])


def draw(rng: random.Random, domain: Domain) -> Fraction:
    """A dyadic number of a domain; now and then a closed end of it that is finite, or zero."""
    for end, closed in ((domain.lower, domain.lower_closed), (domain.upper, domain.upper_closed)):
        if closed and math.isfinite(end) and rng.random() < 0.12:
            return Fraction(end)
    low, high = domain.lower > float("-inf"), domain.upper < float("inf")
    if domain.integer:
        return Fraction(domain.lower if low else 0) + rng.randrange(1, 8)
    if low and high:
        return _between(rng, Fraction(domain.lower), Fraction(domain.upper))
    if low or high:
        return (
            Fraction(domain.lower) + _dyadic(rng) if low else Fraction(domain.upper) - _dyadic(rng)
        )
    return rng.choice((Fraction(0), _dyadic(rng), _dyadic(rng), -_dyadic(rng)))


def _between(rng: random.Random, lower: Fraction, upper: Fraction) -> Fraction:
    """Inside an interval, half of the time close to its upper end, as decay rates are."""
    share = Fraction(rng.randrange(1, 64), 64)
    return lower + (upper - lower) * (share if rng.random() < 0.5 else 1 - share / 64)


def _dyadic(rng: random.Random) -> Fraction:
    """A positive number of few bits between 2^-8 and 2^2."""
    return Fraction(rng.randrange(8, 16), 8) * Fraction(2) ** rng.randrange(-8, 2)


def _lanes(rng: random.Random, shapes: tuple[tuple[int, ...], ...], one: Any) -> Exact:
    """Numbers for every lane: a bare one where the programs look at one lane alone."""
    if not shapes:
        return one(rng)
    arrays = []
    if rng.random() < _ALL_ZERO and one is _level:
        return _lanes(rng, shapes, lambda _: Fraction(0))
    for shape in shapes:
        array = np.empty(shape, dtype=object)
        for index in np.ndindex(*shape):
            array[index] = one(rng)
        arrays.append(array)
    return arrays[0] if len(arrays) == 1 else tuple(arrays)


def _level(rng: random.Random) -> Fraction:
    """A gradient: zero at times, else of any magnitude between 2^-30 and 2^6."""
    if rng.random() < 0.08:
        return Fraction(0)
    scale = Fraction(2) ** rng.choice((0, 0, rng.randrange(-30, 7)))
    return Fraction(rng.choice((-1, 1)) * rng.randrange(8, 16), 8) * scale


def _slope(rng: random.Random) -> Fraction:
    return Fraction(rng.choice((-1, 0, 1)) * rng.randrange(8, 16), 16)


def _position(rng: random.Random) -> Fraction:
    return rng.choice(
        (Fraction(0), Fraction(rng.randrange(-32, 33), 16), -_dyadic(rng), _dyadic(rng))
    )


def _nice_values(name: str, domain: Domain, *programs: Program) -> tuple[Fraction, ...]:
    """Probe and default of a hyperparameter, if finite, as far as its domain here admits them."""
    found: list[Fraction] = []
    for program in programs:
        for h in program.algorithm.hyperparameters:
            if h.name == name:
                given = (x for x in (h.probe, h.default) if x is not None)
                found += [Fraction(x) for x in given if math.isfinite(x)]
    inside = [x for x in found if domain.contains(float(x))]
    return tuple(dict.fromkeys(inside)) or (draw(random.Random(0), domain),)


def _queries_shape(*programs: Program) -> bool:
    return any(
        isinstance(n, ir.Call) and n.function in ir.SHAPE_FUNCTIONS
        for p in programs
        for n in ir.nodes(p.body)
    )


def _forced_by(program: Program) -> dict[str, Fraction]:
    """Hyperparameters whose value the requirements leave no choice: no random draw would hit it."""
    out: dict[str, Fraction] = {}
    for requirement in program.requirements:
        out |= _forced(requirement, program)
    return out


def _forced(condition: ir.Expr, program: Program) -> dict[str, Fraction]:
    match condition:
        case ir.Compare("==", ir.Sym(name), ir.Const(value)):
            return {name: Fraction(value)}
        case ir.Logic("and", parts):
            return {k: v for part in parts for k, v in _forced(part, program).items()}
        case ir.Logic("or", parts):
            options = dict(program.options)
            open_parts = [p for p in parts if not (ir.is_static(p) and not decide(p, options))]
            if len(open_parts) == 1 and not ir.is_static(open_parts[0]):
                return _forced(open_parts[0], program)
    return {}
