"""The probe on which two programs differ most: realistic settings, gradients of every magnitude."""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from instep.spec import ir
from instep.spec.algebra.counterexample import Counterexample, decimal
from instep.spec.algebra.execute import UndefinedError, UnsupportedError
from instep.spec.algebra.falsify import relative
from instep.spec.algebra.numeric import NumericDomain, digits_context, lanes
from instep.spec.algebra.program import Program
from instep.spec.algebra.sampling import Space
from instep.spec.algebra.scenario import Moment, Scenario, admissible, number, simulate

_MAGNITUDES = range(-30, 7, 6)
_STEPS = 8


def largest_difference(a: Program, b: Program) -> Counterexample | None:
    """The probe and step after which the two have moved the parameter most differently.

    The measure is the difference of the two displacements from the start, over the larger of them;
    None where no probe tells the programs apart, or where they need tensors.
    """
    space = Space.of(a, b)
    if space.shapes != ((),):
        return None
    best: Counterexample | None = None
    for scenario in _probes(space):
        found = _worst(a, b, scenario)
        if found is not None and (best is None or found.relative > best.relative):
            best = found
    return best


def _probes(space: Space) -> Iterator[Scenario]:
    """Probe values and defaults; each magnitude of the gradient, with noise on sign and size."""
    rng = random.Random(0)
    for i in range(max(len(v) for v in space.nice.values())):
        values = {n: v[min(i, len(v) - 1)] for n, v in space.nice.items()} | dict(space.forced)
        for exponent in _MAGNITUDES:
            scale = Fraction(2) ** exponent
            moments = tuple(
                Moment(values, scale * Fraction(rng.randrange(-16, 17) or 1, 8), Fraction(0))
                for _ in range(_STEPS)
            )
            yield Scenario(Fraction(1), moments)


def _worst(a: Program, b: Program, scenario: Scenario) -> Counterexample | None:
    domain = NumericDomain(digits_context(), lambda x: x)
    if not all(admissible(p, scenario, domain) for p in (a, b)):
        return None
    start = number(domain, scenario.theta)
    best: Counterexample | None = None
    try:
        runs = zip(simulate(a, scenario, domain), simulate(b, scenario, domain), strict=True)
        for step, (left, right) in enumerate(runs, 1):
            x, y = (_displacement(side[ir.THETA], start) for side in (left, right))
            apart = float(relative(x, y))
            if apart and (best is None or apart > best.relative):
                shown = scenario.truncated(step)
                best = Counterexample(shown, step, "theta - start", decimal(x), decimal(y), apart)
    except (UndefinedError, UnsupportedError):
        return best
    return best


def _displacement(theta: Any, start: Any) -> Any:
    """How far the one lane has moved."""
    return next(lanes(theta)) - next(lanes(start))
