"""The search for a run on which two programs differ, from the initial state, at 50 digits.

Only states that a run reaches count. What is found at 50 digits is certified by interval
arithmetic: the enclosures of the two values share no point, so a counterexample is never a matter
of rounding.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import mpmath

from instep.spec import ir
from instep.spec.algebra.counterexample import Counterexample, decimal
from instep.spec.algebra.execute import UndefinedError, UnsupportedError
from instep.spec.algebra.numeric import (
    IntervalDomain,
    NumericDomain,
    Value,
    digits_context,
    interval_context,
    lanes,
)  # fmt: skip
from instep.spec.algebra.program import Program
from instep.spec.algebra.sampling import Space, scenarios
from instep.spec.algebra.scenario import Scenario, admissible, simulate

# Two numbers of 50 digits closer than this are not worth an interval computation.
_NOISE = mpmath.mpf(10) ** -38

Quantities = Mapping[str, Value]
# What is compared after a step: pairs of values by name, made of both programs' quantities.
Pairing = Callable[
    [NumericDomain, Scenario, int, Quantities, Quantities], Mapping[str, tuple[Value, Value]]
]


@dataclass
class Search:
    """A search that can go on: a few points before a proof is tried, many after it failed."""

    a: Program
    b: Program
    constant: Iterable[str] = ()
    pairing: Pairing | None = None
    seed: int = 0
    tried: int = 0
    _stream: Iterator[Scenario] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self._stream = scenarios(Space.of(self.a, self.b, self.constant), self.seed)
        self._digits = NumericDomain(digits_context(), lambda x: x)
        self._intervals = IntervalDomain(interval_context(), lambda x: x)

    def run(self, points: int, deadline: float) -> Counterexample | None:
        """Compare about `points` further steps; the first certified difference ends the search."""
        assert self._stream is not None
        enough = self.tried + points
        # Each scenario has several steps; where hardly one is admissible, drawing more is no use.
        for scenario in islice(self._stream, points):
            if self.tried >= enough or time.thread_time() > deadline:
                break
            found = self.difference(scenario)
            if found is not None:
                return self._simplest(found)
        return None

    def difference(self, scenario: Scenario) -> Counterexample | None:
        """The first step of one scenario after which the programs differ, certified."""
        try:
            if not all(admissible(p, scenario, self._digits) for p in (self.a, self.b)):
                return None
            self.tried += len(scenario.moments)
            step = self._first(scenario, self._digits, _apart)
            if step is None:
                return None
            return self._first(scenario.truncated(step.step), self._intervals, _disjoint, step)
        except UnsupportedError:
            return None

    def _simplest(self, found: Counterexample) -> Counterexample:
        """The same difference with as little change between steps as possible."""
        found = self.difference(found.scenario.with_gradients()) or found
        for name in found.scenario.varying:
            found = self.difference(found.scenario.with_constant(name)) or found
        return found

    def _first(
        self,
        scenario: Scenario,
        domain: NumericDomain,
        differ: Callable[[NumericDomain, Value, Value], bool],
        seen: Counterexample | None = None,
    ) -> Counterexample | None:
        runs = (simulate(self.a, scenario, domain), simulate(self.b, scenario, domain))
        for number in range(1, len(scenario.moments) + 1):
            left, right = (_next(run) for run in runs)
            if left is None and right is None:
                return None
            if left is None or right is None:
                side = self.a.name if left is None else self.b.name
                return Counterexample(
                    scenario.truncated(number), number, ir.THETA, undefined_in=side
                )
            if not left and not right:
                continue  # passed over
            try:
                pairs = self._pairs(domain, scenario, number, left, right)
            except UndefinedError:
                return None  # the relation itself has no value here, so it claims nothing
            for name, (x, y) in pairs.items():
                if differ(domain, x, y):
                    return seen or _describe(scenario.truncated(number), number, name, x, y)
        return None

    def _pairs(
        self,
        domain: NumericDomain,
        scenario: Scenario,
        number: int,
        left: Quantities,
        right: Quantities,
    ) -> Mapping[str, tuple[Value, Value]]:
        if self.pairing is None:
            return {ir.THETA: (left[ir.THETA], right[ir.THETA])}
        return self.pairing(domain, scenario, number, left, right)


def same_names(names: Iterable[str]) -> Pairing:
    """Compare the quantities of these names, as far as both programs have stored them."""
    chosen = tuple(names)

    def pairs(
        domain: NumericDomain, scenario: Scenario, number: int, left: Quantities, right: Quantities
    ) -> Mapping[str, tuple[Value, Value]]:
        return {n: (left[n], right[n]) for n in chosen if n in left and n in right}

    return pairs


def _next(run: Iterator[Any]) -> Any:
    """The next step's values, None where they are undefined."""
    try:
        return next(run)
    except UndefinedError:
        return None


def _apart(domain: NumericDomain, x: Value, y: Value) -> bool:
    return any(
        abs(p - q) > _NOISE * max(abs(p), abs(q)) for p, q in zip(lanes(x), lanes(y), strict=True)
    )


def _disjoint(domain: NumericDomain, x: Value, y: Value) -> bool:
    for p, q in zip(lanes(x), lanes(y), strict=True):
        (a, b), (c, d) = domain.ends(p), domain.ends(q)
        if b < c or d < a:
            return True
    return False


def _describe(scenario: Scenario, step: int, name: str, x: Value, y: Value) -> Counterexample:
    """The lane with the largest relative difference, as text of 50 digits."""
    pairs = list(zip(lanes(x), lanes(y), strict=True))
    p, q = max(pairs, key=lambda pair: relative(*pair))
    return Counterexample(scenario, step, name, decimal(p), decimal(q), float(relative(p, q)))


def relative(p: Any, q: Any) -> Any:
    """|p - q| over the larger of the two, 0 where both are 0."""
    largest = max(abs(p), abs(q))
    return abs(p - q) / largest if largest else mpmath.mpf(0)
