"""Which signs a polynomial can have, given the ranges of its variables.

Every range is mapped to [0, inf): x in [lo, inf) is lo + u, x in [lo, hi] is (lo + hi u)/(1 + u). A
polynomial whose coefficients then have one sign has that sign everywhere. The test is sufficient,
not necessary: an answer of 'any sign' means that nothing is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import sympy

from instep.spec.arguments import Domain

Poly = Any
Factorise = Callable[[Any], tuple[Fraction, tuple[tuple[Any, int], ...]]]
Signs = frozenset[int]
ANY: Signs = frozenset({-1, 0, 1})
POSITIVE: Signs = frozenset({1})
NONNEGATIVE: Signs = frozenset({0, 1})
ZERO: Signs = frozenset({0})


def times(a: Signs, b: Signs) -> Signs:
    """Possible signs of a product."""
    return frozenset(x * y for x in a for y in b)


def to_power(signs: Signs, n: int) -> Signs:
    """Possible signs of an integer power."""
    return frozenset(s**n if n > 0 else s ** (n % 2 or 2) for s in signs if n > 0 or s)


def of_domain(domain: Domain) -> Signs:
    """Possible signs of a number of a domain."""
    out = {s for s, inside in ((-1, domain.lower < 0), (1, domain.upper > 0)) if inside}
    return frozenset(out | ({0} if domain.contains(0) else set()))


def polynomial_signs(p: Poly, domain_of: Callable[[int], Domain], factors: Factorise) -> Signs:
    """Signs that a polynomial may take.

    `domain_of` gives the range of a variable by its index, `factors` a number and irreducible
    factors.
    """
    if not p:
        return ZERO
    shifted, strict, real = p, set(), set()
    closed_above = []
    for i in sorted(_variables(p)):
        domain = domain_of(i)
        if math.isinf(domain.lower) and math.isinf(domain.upper):
            real.add(i)
            continue
        shifted = _shift(shifted, i, domain)
        if not (domain.lower_closed if math.isfinite(domain.lower) else domain.upper_closed):
            strict.add(i)
        if math.isfinite(domain.lower) and math.isfinite(domain.upper) and domain.upper_closed:
            closed_above.append((i, Fraction(domain.upper)))
    signs = _by_coefficients(shifted, strict, real)
    if signs == ANY:
        signs = _by_squares(shifted, real, factors)
    if 0 not in signs and any(_vanishes(p, i, end, domain_of, factors) for i, end in closed_above):
        signs |= ZERO
    return signs


def _variables(p: Poly) -> set[int]:
    return {i for monomial in p.itermonoms() for i, e in enumerate(monomial) if e}


def _shift(p: Poly, i: int, domain: Domain) -> Poly:
    """A positive multiple of the polynomial with variable i expressed by u >= 0 in its place."""
    u = p.ring.gens[i]
    top = max(m[i] for m in p.itermonoms())
    if math.isinf(domain.upper):
        image, scale = u + sympy.QQ(Fraction(domain.lower)), p.ring.one
    elif math.isinf(domain.lower):
        image, scale = -u + sympy.QQ(Fraction(domain.upper)), p.ring.one
    else:
        image = u * sympy.QQ(Fraction(domain.upper)) + sympy.QQ(Fraction(domain.lower))
        scale = u + 1
    if image == u and scale == 1:
        return p
    out = p.ring.zero
    for monomial, coefficient in p.iterterms():
        rest = p.ring({(*monomial[:i], 0, *monomial[i + 1 :]): coefficient})
        out = out + rest * image ** monomial[i] * scale ** (top - monomial[i])
    return out


def _by_coefficients(p: Poly, strict: set[int], real: set[int]) -> Signs:
    """Signs of a polynomial in variables >= 0 (> 0 in `strict`) and real ones."""
    signs, certain = set(), False
    for monomial, coefficient in p.iterterms():
        present = [(i, e) for i, e in enumerate(monomial) if e]
        if any(e % 2 for i, e in present if i in real):
            return ANY
        signs.add(1 if coefficient > 0 else -1)
        certain = certain or all(i in strict for i, _ in present)
    if len(signs) > 1:
        return ANY
    return frozenset(signs if certain else signs | {0})


def _by_squares(p: Poly, real: set[int], factors: Factorise) -> Signs:
    """The same for polynomials such as u*v + (g + w*x)**2, whose square was multiplied out.

    Variables >= 0 that share no term with an odd power of a real one are set apart; what stands
    beside each of their monomials has to be a number times a square.
    """
    terms = [[(i, e) for i, e in enumerate(m) if e] for m in p.itermonoms()]
    core = {i for term in terms if any(e % 2 for i, e in term if i in real) for i, _ in term} | real
    groups: dict[tuple[int, ...], Poly] = {}
    for monomial, coefficient in p.iterterms():
        apart = tuple(0 if i in core else e for i, e in enumerate(monomial))
        beside = tuple(e if i in core else 0 for i, e in enumerate(monomial))
        groups[apart] = groups.get(apart, p.ring.zero) + p.ring({beside: coefficient})
    signs: Signs = ZERO
    for beside in groups.values():
        number, found = factors(beside)
        if any(k % 2 and (len(f) > 1 or _variables(f) & real) for f, k in found):
            return ANY
        signs |= {1 if number > 0 else -1}
    return ANY if len(signs) > 2 else signs


def _vanishes(
    p: Poly, i: int, end: Fraction, domain_of: Callable[[int], Domain], factors: Factorise
) -> bool:
    """Whether the polynomial may be 0 at a variable's closed upper end, where u is infinite."""
    at_end = p.compose(p.ring.gens[i], p.ring(sympy.QQ(end)))
    return 0 in polynomial_signs(at_end, domain_of, factors)
