"""Concrete runs: hyperparameters, start and gradients as exact fractions, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from instep.spec import ir
from instep.spec.algebra.execute import Execution, UndefinedError, UnsupportedError, bound_values
from instep.spec.algebra.numeric import NumericDomain, Value
from instep.spec.algebra.program import Program

# A fraction (one lane), an object array of fractions (one parameter) or a tuple of arrays.
Exact = Any


@dataclass(frozen=True, slots=True)
class Moment:
    """What one step receives.

    The gradient at x is `level + slope * x / (1 + x**2)`, lane by lane: another loss in every step,
    and a bounded gradient, so that no run overflows. Without a gradient the parameter is passed
    over, while the other parameters of the optimizer go on. A gradient that touches nothing is
    sparse, and zero.
    """

    hyperparameters: Mapping[str, Fraction]
    level: Exact
    slope: Exact
    has_gradient: bool = True
    touched: bool = True


@dataclass(frozen=True, slots=True)
class Scenario:
    """A start, and what each step receives."""

    theta: Exact
    moments: tuple[Moment, ...]

    def truncated(self, steps: int) -> Scenario:
        """The first steps alone."""
        return Scenario(self.theta, self.moments[:steps])

    def with_constant(self, name: str) -> Scenario:
        """The same with one hyperparameter kept at its first value."""
        first = self.moments[0].hyperparameters[name]
        kept = (
            replace(m, hyperparameters={**m.hyperparameters, name: first}) for m in self.moments
        )
        return Scenario(self.theta, tuple(kept))

    def with_gradients(self) -> Scenario:
        """The same with a gradient in every step."""
        return Scenario(self.theta, tuple(replace(m, has_gradient=True) for m in self.moments))

    def count(self, program: Program, i: int) -> int:
        """What the program's step counter says in step i + 1."""
        counter = program.algorithm.counter
        if counter is not None and counter.scope == "optimizer":
            return i + counter.start
        return sum(m.has_gradient for m in self.moments[: i + 1])

    @property
    def varying(self) -> tuple[str, ...]:
        """Hyperparameters that change between steps."""
        first = self.moments[0].hyperparameters
        return tuple(
            n for n in first if any(m.hyperparameters[n] != first[n] for m in self.moments)
        )


def gradient(domain: NumericDomain, moment: Moment, x: Value) -> Value:
    """The gradient of one moment's loss at a point."""
    if not moment.touched:
        return domain.binary("*", domain.zero, x)
    level, slope = number(domain, moment.level), number(domain, moment.slope)
    square = domain.binary("+", domain.one, domain.binary("*", x, x))
    return domain.binary("+", level, domain.binary("/", domain.binary("*", slope, x), square))


def number(domain: NumericDomain, exact: Exact) -> Value:
    """Exact fractions as values of a domain."""
    if isinstance(exact, tuple):
        return tuple(number(domain, x) for x in exact)
    if isinstance(exact, np.ndarray):
        return np.frompyfunc(domain.constant, 1, 1)(exact)
    return domain.constant(exact)


def admissible(program: Program, scenario: Scenario, domain: NumericDomain) -> bool:
    """Whether every step's hyperparameters satisfy the program's requirements."""
    for i, moment in enumerate(scenario.moments):
        given = given_values(program, domain, scenario, i)
        if moment.has_gradient and not _admits(program, domain, given):
            return False
    return True


def _admits(program: Program, domain: NumericDomain, given: Mapping[str, Value]) -> bool:
    return Execution(program, domain, given, {}, _bound(program, domain, given)).admissible()


def simulate(
    program: Program, scenario: Scenario, domain: NumericDomain
) -> Iterator[dict[str, Value]]:
    """The parameter and the stored states after each step; nothing in one without a gradient.

    Raises UndefinedError in the step in which a value does not exist, UnsupportedError in one in
    which a binding has none: there it claims nothing.
    """
    stored: dict[str, Value] | None = None
    for i, moment in enumerate(scenario.moments):
        if not moment.has_gradient:
            yield {}
            continue
        given = given_values(program, domain, scenario, i)
        domain.gradient = lambda x, moment=moment: gradient(domain, moment, x)  # type: ignore[misc]
        domain.names_lanes = moment.touched
        bound = _bound(program, domain, given)
        if stored is None:
            first = {ir.THETA: number(domain, scenario.theta)}
            stored = first | Execution(program, domain, given, first, bound).initial()
        stored = Execution(program, domain, given, stored, bound).run()
        yield stored


def _bound(program: Program, domain: NumericDomain, given: Mapping[str, Value]) -> dict[str, Value]:
    try:
        return bound_values(program, domain, given)
    except UndefinedError as error:
        raise UnsupportedError(f"a binding of {program.name} has no value here") from error


def given_values(
    program: Program, domain: NumericDomain, scenario: Scenario, i: int
) -> dict[str, Value]:
    """Free hyperparameters, inputs and the counter of step i + 1."""
    values = scenario.moments[i].hyperparameters
    out = {name: number(domain, value) for name, value in values.items()}
    if program.counter is not None:
        out[program.counter] = domain.constant(scenario.count(program, i))
    return out
