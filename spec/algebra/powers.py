"""Roots and powers of canonical fractions.

sqrt(x y) = sqrt(x) sqrt(y) and (x y)**e = x**e y**e hold for factors that are not negative; every
use is recorded with the factors that it relied on.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import sympy

from instep.spec.algebra.cases import Context
from instep.spec.algebra.execute import UndefinedError
from instep.spec.algebra.ratios import Poly, Ratio
from instep.spec.algebra.signs import Signs
from instep.spec.arguments import REALS, Domain

if TYPE_CHECKING:
    from instep.spec.algebra.normal import NormalDomain

_INFINITY = float("inf")
_NONNEGATIVE = Domain(0.0, _INFINITY, True, False)
_POSITIVE = Domain(0.0, _INFINITY, False, False)
# A float such as 0.8 has a denominator of 2**52: no root of that degree is taken apart.
LARGEST_EXPONENT = 64


def root(domain: NormalDomain, x: Ratio, degree: int) -> Ratio:
    """The root of a fraction, factor by factor; UndefinedError where it is certainly negative."""
    ring, context = domain.ring, domain.context
    signs = context.signs_of(x)
    if 1 not in signs and context.sign(x) < 0:
        raise UndefinedError("the root of a negative number")
    if 1 not in signs:
        return ring.constant(0)
    number, factors = ring.factors(x.numerator)
    parts = [*factors, *((f, -k) for f, k in x.denominator)]
    if degree != 2 and any(-1 in context.signs_of_factor(f) for f, _ in parts):
        return domain.opaque("**", (x, ring.constant(Fraction(1, degree))), _NONNEGATIVE)
    out = _root_of_number(domain, abs(number), degree)
    rest = ring.ring(1 if number > 0 else -1)
    for f, k in parts:
        known = context.signs_of_factor(f)
        if -1 in known and 1 not in known:
            f, rest, known = -f, rest * (-1) ** k, frozenset({1})
        whole, over = divmod(k, degree)
        if -1 not in known:
            _record(domain, f, parts)
            out = ring.multiply(out, ring.power(Ratio(f), whole))
            if over:
                out = ring.multiply(out, ring.power(_root_variable(domain, f, degree), over))
        else:
            outside = Ratio(f) if whole % 2 == 0 else domain.call("abs", (Ratio(f),))
            out = ring.multiply(out, ring.power(outside, whole))
            rest = rest * f**over
    return out if rest == 1 else ring.multiply(out, _root_of_rest(domain, rest, degree))


def _record(domain: NormalDomain, f: Poly, parts: list[tuple[Poly, int]]) -> None:
    """A factor whose sign was needed to take it out of a root."""
    if len(parts) > 1:
        strict = 0 not in domain.context.signs_of_factor(f)
        text = f"{domain.ring.to_sympy(Ratio(f))} {'>' if strict else '>='} 0"
        domain.rules[text] = None


def _root_of_rest(domain: NormalDomain, rest: Poly, degree: int) -> Ratio:
    """The root of what may have either sign; that it is not negative is a condition of the step."""
    domain.radicands.add(rest)
    return _root_variable(domain, rest, degree)


def _root_variable(domain: NormalDomain, f: Poly, degree: int) -> Ratio:
    ring = domain.ring
    made = ring.generator(
        ("root", f, degree),
        sympy.root(ring.to_sympy(Ratio(f)), degree),
        domain=_NONNEGATIVE,
        radicand=f,
        everywhere=-1 not in Context(ring).signs_of_poly(f),
        **domain.about((Ratio(f),)),
    )
    ring.relate(made, degree, f)
    return ring.variable(made)


def _root_of_number(domain: NormalDomain, number: Fraction, degree: int) -> Ratio:
    """The root of a positive number, prime by prime."""
    ring = domain.ring
    out = ring.constant(1)
    for prime, k in sympy.factorrat(sympy.Rational(number.numerator, number.denominator)).items():
        whole, over = divmod(int(k), degree)
        out = ring.multiply(out, ring.constant(Fraction(int(prime)) ** whole))
        if over:
            variable = _root_variable(domain, ring.ring(int(prime)), degree)
            out = ring.multiply(out, ring.power(variable, over))
    return out


def power(domain: NormalDomain, base: Ratio, exponent: Ratio) -> Ratio:
    """base**exponent; the exponent may be symbolic, as in beta**t."""
    from instep.spec.algebra.normal import exact

    ring, context = domain.ring, domain.context
    fixed = exact(exponent)
    if fixed is not None:
        return _fixed_power(domain, base, fixed)
    signs = context.signs_of(base)
    if signs == {0}:
        return _power_of_zero(domain, exponent)
    if exponent.denominator or not _factors_are_nonnegative(domain, base):
        return _opaque_power(domain, base, exponent)
    if 0 in signs and not _vanishes_at_zero(context, exponent):
        context.sign(base)
    number, factors = ring.factors(base.numerator)
    out = _power_of_number(domain, number, exponent)
    for f, k in (*factors, *((g, -e) for g, e in base.denominator)):
        out = ring.multiply(out, _power_of_factor(domain, f, k, exponent))
    return out


def _fixed_power(domain: NormalDomain, base: Ratio, exponent: Fraction) -> Ratio:
    """A power with a number in the exponent; one that is no simple fraction stays as it is."""
    ring = domain.ring
    if exponent < 0:
        return domain.inverse(_fixed_power(domain, base, -exponent))
    if max(exponent.numerator, exponent.denominator) > LARGEST_EXPONENT:
        return _opaque_power(domain, base, ring.constant(exponent))
    if exponent == 0:
        return ring.constant(1)
    rooted = base if exponent.denominator == 1 else root(domain, base, exponent.denominator)
    return ring.power(rooted, exponent.numerator)


def _opaque_power(domain: NormalDomain, base: Ratio, exponent: Ratio) -> Ratio:
    positive = Context(domain.ring).signs_of(base) == {1}
    return domain.opaque("**", (base, exponent), _POSITIVE if positive else REALS)


def _factors_are_nonnegative(domain: NormalDomain, base: Ratio) -> bool:
    number, factors = domain.ring.factors(base.numerator)
    parts = (f for f, _ in (*factors, *base.denominator))
    return number > 0 and all(-1 not in domain.context.signs_of_factor(f) for f in parts)


def _power_of_zero(domain: NormalDomain, exponent: Ratio) -> Ratio:
    sign = domain.context.sign(exponent)
    if sign < 0:
        raise UndefinedError("a negative power of zero")
    return domain.ring.constant(0 if sign else 1)


def _vanishes_at_zero(context: Context, exponent: Ratio) -> bool:
    """Whether every term of an exponent is positive: then taking it apart holds for base 0."""
    ring = context.ring
    return all(
        coefficient > 0 and context.signs_of_poly(ring.ring({monomial: 1})) == {1}
        for monomial, coefficient in exponent.numerator.iterterms()
    )


def _power_of_number(domain: NormalDomain, number: Fraction, exponent: Ratio) -> Ratio:
    if number == 1:
        return domain.ring.constant(1)
    label = sympy.Rational(number.numerator, number.denominator)
    below_one = Domain(0.0, 1.0, False, True)
    range_ = below_one if number < 1 else Domain(0.0, _INFINITY, False, False)
    return _terms(domain, number, label, exponent, 1, range_, frozenset({1}))


def _power_of_factor(domain: NormalDomain, f: Poly, k: int, exponent: Ratio) -> Ratio:
    ring = domain.ring
    static = Context(ring)  # a generator outlives the case in which it was met first
    signs = static.signs_of_factor(f)
    below_one = static.signs_of_poly(1 - f)
    unit = -1 not in signs and -1 not in below_one
    open_above = unit and 0 not in below_one
    upper = 1.0 if unit else _INFINITY
    range_ = Domain(0.0, upper, 0 in signs or -1 in signs, unit and not open_above)
    return _terms(domain, f, ring.to_sympy(Ratio(f)), exponent, k, range_, signs)


def _terms(
    domain: NormalDomain,
    base: Poly | Fraction,
    label: sympy.Expr,
    exponent: Ratio,
    times: int,
    range_: Domain,
    signs: Signs,
) -> Ratio:
    """base**(times * exponent), one generator per monomial of the exponent."""
    ring = domain.ring
    out = ring.constant(1)
    for monomial, coefficient in exponent.numerator.iterterms():
        share = Fraction(int(coefficient.numerator), int(coefficient.denominator)) * times
        if not any(monomial):
            out = ring.multiply(out, _plain_power(domain, base, share))
            continue
        mono = ring.ring({monomial: 1})
        growing = Context(ring).signs_of_poly(mono)
        bounded = range_.upper == 1.0 and -1 not in growing
        made = ring.generator(
            ("power", base, monomial, share.denominator),
            label ** (ring.to_sympy(Ratio(mono)) / share.denominator),
            domain=Domain(
                0.0,
                1.0 if bounded else _INFINITY,
                range_.lower_closed,
                bounded and (range_.upper_closed or 0 in growing),
            ),
            **domain.about((Ratio(mono), *(() if isinstance(base, Fraction) else (Ratio(base),)))),
        )
        variable = domain.value_of(made)
        n = share.numerator
        out = ring.multiply(out, ring.power(variable, n))
    return out


def _plain_power(domain: NormalDomain, base: Poly | Fraction, share: Fraction) -> Ratio:
    ring = domain.ring
    value = ring.constant(base) if isinstance(base, Fraction) else Ratio(base)
    return _fixed_power(domain, value, share)
