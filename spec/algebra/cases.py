"""Case distinctions, made when they are needed.

A symbolic run that meets a sign which nothing decides raises `SplitError`; the run is repeated once
for each sign that is possible. What holds in a case is its `Facts`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations
from typing import TypeVar

from instep.spec.algebra.execute import UnsupportedError
from instep.spec.algebra.ratios import Poly, Ratio, Ring
from instep.spec.algebra.signs import (
    ANY,
    POSITIVE,
    ZERO,
    Signs,
    of_domain,
    polynomial_signs,
    times,
    to_power,
)  # fmt: skip
from instep.spec.arguments import Domain

LARGEST_NUMBER_OF_CASES = 400
MOST_FACTS_ADDED = 3
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Facts:
    """Signs of polynomials that a case assumes, and variables that it fixes."""

    signs: Mapping[Poly, int] = field(default_factory=dict)
    values: Mapping[int, Fraction] = field(default_factory=dict)
    lanes: bool = False

    @property
    def zeros(self) -> list[Poly]:
        """Polynomials that are 0 in this case."""
        return [p for p, sign in self.signs.items() if sign == 0]

    def with_sign(self, p: Poly, sign: int, *, lanes: bool) -> Facts:
        """The case in which a polynomial also has this sign."""
        values = dict(self.values)
        if sign == 0:
            values |= _solved(p)
        return Facts({**self.signs, p: sign}, values, self.lanes or lanes)

    def describe(self, ring: Ring) -> tuple[str, ...]:
        """The assumptions as text, in the order in which they were made."""
        relation = {0: "=", 1: ">", -1: "<"}
        return tuple(f"{ring.to_sympy(Ratio(p))} {relation[s]} 0" for p, s in self.signs.items())


class SplitError(Exception):
    """A sign on which the run depends; `signs` are those that are possible."""

    def __init__(self, poly: Poly, signs: Signs, *, lanes: bool) -> None:
        super().__init__("a case distinction")
        self.poly, self.signs, self.lanes = poly, signs, lanes


@dataclass
class Context:
    """What is known in one case: the ring's generators with their ranges, and the facts."""

    ring: Ring
    facts: Facts = field(default_factory=Facts)
    _known: dict[Poly, Signs] = field(default_factory=dict, repr=False)

    def domain_of(self, index: int) -> Domain:
        """Range of a generator under the facts."""
        generator = self.ring.table[index]
        if generator.radicand is not None:
            open_below = self.signs_of_poly(generator.radicand) == POSITIVE
            return Domain(0.0, float("inf"), not open_below, False)
        domain = generator.domain
        if domain.lower == 0 and self.facts.signs.get(self.ring.variables[index]) == 1:
            return Domain(0.0, domain.upper, False, domain.upper_closed)
        return domain

    def signs_of_poly(self, p: Poly) -> Signs:
        """Signs that a polynomial may have in this case."""
        if p not in self._known:
            self._known[p] = self._signs_of_poly(p)
        return self._known[p]

    def _signs_of_poly(self, p: Poly) -> Signs:
        if not p:
            return ZERO
        number, factors = self.ring.factors(p)
        whole = polynomial_signs(p, self.domain_of, self.ring.plain_factors)
        product: Signs = frozenset({1 if number > 0 else -1})
        for f, k in factors:
            product = times(product, to_power(self.signs_of_factor(f), k))
        return whole & product if whole & product else product

    def signs_of_factor(self, f: Poly) -> Signs:
        """Signs that an irreducible polynomial may have in this case."""
        if f in self.facts.signs:
            return frozenset({self.facts.signs[f]})
        if len(f) == 1 and sum(f.LM) == 1:
            signs = of_domain(self.domain_of(next(i for i, e in enumerate(f.LM) if e)))
        else:
            signs = polynomial_signs(f, self.domain_of, self.ring.plain_factors)
        return self._by_equal_ones(f, signs) if len(signs) > 1 else signs

    def _by_equal_ones(self, f: Poly, signs: Signs) -> Signs:
        """What is known of f from polynomials that are equal to it in this case: t = T > 0."""
        for zero in filter(self._is_plain, self.facts.zeros):
            for same in (f + zero, f - zero):
                known = polynomial_signs(same, self.domain_of, self.ring.plain_factors)
                signs = signs & known or signs
        return signs

    def _is_plain(self, p: Poly) -> bool:
        """Whether no roots are in it, whose signs would be asked for in turn."""
        used = {i for m in p.itermonoms() for i, e in enumerate(m) if e}
        return all(self.ring.table[i].radicand is None for i in used)

    def signs_of(self, x: Ratio) -> Signs:
        """Signs that a fraction may have in this case, where it is defined."""
        out = self.signs_of_poly(x.numerator)
        for f, k in x.denominator:
            out = times(out, to_power(self.signs_of_factor(f) - ZERO or ANY - ZERO, -k))
        return out

    def sign(self, x: Ratio) -> int:
        """The sign of a fraction; asks for a case distinction where it is not known."""
        signs = self.signs_of(x)
        if len(signs) == 1:
            return next(iter(signs))
        for f, _ in (*self.ring.factors(x.numerator)[1], *x.denominator):
            self.split(f)
        raise UnsupportedError("a sign that no case distinction decides")

    def split(self, f: Poly) -> None:
        """Ask for the cases of an irreducible polynomial's sign, unless it is known."""
        possible = self.signs_of_factor(f)
        if len(possible) > 1:
            raise SplitError(f, possible, lanes=self.ring.has_lanes(Ratio(f)))

    def is_zero(self, x: Ratio) -> bool:
        """Whether a fraction is 0 wherever it is defined."""
        p = x.numerator
        if p and self.facts.zeros:
            p = self.ring.reduced(p.rem(self.facts.zeros))
        return not p


def _contradictory(context: Context, newest: Poly) -> bool:
    """Whether a few facts, the newest among them, add up to what cannot be positive.

    It catches a > b > c > a, and facts that differ by a factor that the ranges decide.
    """
    signs = context.facts.signs
    positive = [p if sign > 0 else -p for p, sign in signs.items() if sign]
    zero = [side for p, sign in signs.items() if not sign for side in (p, -p)]
    for count in range(2, MOST_FACTS_ADDED + 1):
        for chosen in combinations((*positive, *zero), count):
            strict = any(p in positive for p in chosen)
            if strict and (newest in chosen or -newest in chosen):
                total = sum(chosen[1:], chosen[0])
                known = polynomial_signs(total, context.domain_of, context.ring.plain_factors)
                if 1 not in known:
                    return True
    return False


def _solved(p: Poly) -> dict[int, Fraction]:
    """The variable that `p = 0` fixes, where p is linear in one variable alone."""
    variables = {i for m in p.itermonoms() for i, e in enumerate(m) if e}
    if len(variables) != 1 or max(sum(m) for m in p.itermonoms()) != 1:
        return {}
    (i,) = variables
    constant = p.coeff(1)
    value = -constant / p.coeff(p.ring.gens[i])
    return {i: Fraction(int(value.numerator), int(value.denominator))}


def each_case(ring: Ring, run: Callable[[Context], T]) -> Iterator[tuple[Context, T]]:
    """Run once per case; raises UnsupportedError when there are too many or the time is up."""
    waiting = [Facts()]
    finished = 0
    while waiting:
        ring.check_time()
        context = Context(ring, waiting.pop())
        try:
            result = run(context)
        except SplitError as split:
            finer = [
                context.facts.with_sign(split.poly, sign, lanes=split.lanes)
                for sign in sorted(split.signs)
            ]
            waiting += [f for f in finer if not _contradictory(Context(ring, f), split.poly)]
            continue
        finished += 1
        if finished + len(waiting) > LARGEST_NUMBER_OF_CASES:
            raise UnsupportedError(f"more than {LARGEST_NUMBER_OF_CASES} cases")
        yield context, result
