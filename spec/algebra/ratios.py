"""Canonical fractions: polynomials over generators, with denominators kept in irreducible factors.

A generator is what is not arithmetic: a symbol, a root, a power with a symbolic exponent, a
gradient at a point. Roots and indicators obey a relation (`s**2 = p`), by which every polynomial is
reduced. Two values are equal wherever both are defined if the numerator of their difference reduces
to 0.

Polynomials are sympy's, over one ring of anonymous generators, handed out as they are needed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import sympy
from sympy.polys.rings import ring

from instep.spec.algebra.execute import UndefinedError, UnsupportedError
from instep.spec.arguments import REALS, Domain

GENERATORS = 48
# Beyond this a polynomial is not factored: sound, only less canonical, and it bounds the time.
LARGEST_FACTORED = 60
LARGEST = 4000
LARGEST_PRODUCT = 60_000

Poly = Any
Factors = tuple[tuple[Poly, int], ...]


@dataclass(frozen=True, slots=True)
class Generator:
    """What one polynomial variable stands for.

    `label` is how it is printed, `lanes` whether it differs lane by lane, `like` whether it has the
    parameter's shape, `leaves` the stored values that it depends on, `radicand` the polynomial
    whose root it is, `everywhere` whether that root exists in every case.
    """

    index: int
    label: sympy.Expr
    domain: Domain
    lanes: bool
    leaves: frozenset[str]
    radicand: Poly | None = None
    like: bool = False
    everywhere: bool = False


@dataclass(frozen=True, slots=True)
class Ratio:
    """A numerator over irreducible factors with exponents."""

    numerator: Poly
    denominator: tuple[tuple[Poly, int], ...] = ()

    @property
    def key(self) -> Hashable:
        """Equal for values of the same canonical form."""
        return (self.numerator, frozenset(self.denominator))


@dataclass
class Ring:
    """The generators of one comparison, and arithmetic on fractions over them."""

    deadline: float = math.inf
    table: list[Generator] = field(default_factory=list)
    keys: dict[Hashable, Generator] = field(default_factory=dict)
    relations: dict[int, tuple[int, Poly]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ring, *self.variables = ring(sympy.symbols(f"x:{GENERATORS}"), sympy.QQ)
        self._factored: dict[Poly, tuple[Fraction, Factors]] = {}

    def check_time(self) -> None:
        """Raise UnsupportedError when the time is up."""
        if time.thread_time() > self.deadline:
            raise UnsupportedError("the time limit is reached")

    # Generators

    def generator(
        self,
        key: Hashable,
        label: sympy.Expr,
        *,
        domain: Domain = REALS,
        lanes: bool = False,
        leaves: Iterable[str] = (),
        radicand: Poly | None = None,
        like: bool = False,
        everywhere: bool = False,
    ) -> Generator:
        """The generator of a key, made when the key is new."""
        if key not in self.keys:
            if len(self.table) == GENERATORS:
                raise UnsupportedError(f"more than {GENERATORS} different quantities")
            index, known = len(self.table), frozenset(leaves)
            made = Generator(index, label, domain, lanes, known, radicand, like, everywhere)
            self.table.append(made)
            self.keys[key] = made
            if everywhere:
                self._factored.clear()  # what was irreducible may be a difference of squares now
        return self.keys[key]

    def has_indicators(self) -> bool:
        """Whether a choice on lanes was kept as a variable."""
        return any(isinstance(k, tuple) and k[0] in ("positive", "part") for k in self.keys)

    def relate(self, generator: Generator, degree: int, value: Poly) -> None:
        """Declare `generator**degree = value`."""
        self.relations[generator.index] = (degree, value)

    def variable(self, generator: Generator) -> Ratio:
        """A generator as a value."""
        return Ratio(self.variables[generator.index])

    def used(self, poly: Poly) -> list[Generator]:
        """The generators in a polynomial."""
        found = {i for monomial in poly.itermonoms() for i, e in enumerate(monomial) if e}
        return [self.table[i] for i in sorted(found)]

    def generators_of(self, x: Ratio) -> list[Generator]:
        """The generators in a fraction, denominators included."""
        found = {
            g.index: g for p in (x.numerator, *(f for f, _ in x.denominator)) for g in self.used(p)
        }
        return list(found.values())

    def leaves_of(self, x: Ratio) -> frozenset[str]:
        """The stored values that a fraction depends on."""
        return frozenset().union(*(g.leaves for g in self.generators_of(x)))

    def has_lanes(self, x: Ratio) -> bool:
        """Whether a fraction differs lane by lane."""
        return any(g.lanes for g in self.generators_of(x))

    # Arithmetic

    def constant(self, value: int | float | Fraction) -> Ratio:
        """A number as a value; floats are taken for the number that they are."""
        exact = Fraction(value)
        return Ratio(self.ring(sympy.QQ(exact.numerator, exact.denominator)))

    def poly(self, p: Poly) -> Ratio:
        """A polynomial as a value, reduced by the relations."""
        return Ratio(self.reduced(p))

    def add(self, a: Ratio, b: Ratio) -> Ratio:
        """The sum over the common denominator."""
        if not a.denominator and not b.denominator:
            return Ratio(a.numerator + b.numerator)
        left, right = dict(a.denominator), dict(b.denominator)
        common = {f: max(left.get(f, 0), right.get(f, 0)) for f in (*left, *right)}
        p = self._missing(a.numerator, common, left) + self._missing(b.numerator, common, right)
        return self._cancelled(p, common)

    def negate(self, a: Ratio) -> Ratio:
        """Minus the fraction."""
        return Ratio(-a.numerator, a.denominator)

    def subtract(self, a: Ratio, b: Ratio) -> Ratio:
        """The difference over the common denominator."""
        return self.add(a, self.negate(b))

    def multiply(self, a: Ratio, b: Ratio) -> Ratio:
        """The product, cancelled."""
        denominator = dict(a.denominator)
        for f, k in b.denominator:
            denominator[f] = denominator.get(f, 0) + k
        return self._cancelled(self._times(a.numerator, b.numerator), denominator)

    def power(self, a: Ratio, n: int) -> Ratio:
        """An integer power; a negative one needs a numerator that is not 0."""
        if n < 0:
            return self.power(self.inverse(a), -n)
        denominator = {f: k * n for f, k in a.denominator}
        return self._cancelled(self._times(self.ring.one, a.numerator, n), denominator)

    def inverse(self, a: Ratio) -> Ratio:
        """1/a; a root in the denominator moves up: 1/s is s/p."""
        if not a.numerator:
            raise UndefinedError("a division by zero")
        coefficient, factors = self.factors(a.numerator)
        p = self.ring(sympy.QQ(coefficient.denominator, coefficient.numerator))
        for f, k in a.denominator:
            p = self._times(p, f, k)
        denominator: dict[Poly, int] = {}
        for f, k in factors:
            root = self._root_of(f)
            if root is None:
                denominator[f] = denominator.get(f, 0) + k
                continue
            degree, radicand = self.relations[root]
            p = self._times(p, f, -k % degree)
            scale, parts = self.factors(radicand ** (-(-k // degree)))
            p = p * sympy.QQ(scale.denominator, scale.numerator)
            for g, e in parts:
                denominator[g] = denominator.get(g, 0) + e
        return self._cancelled(p, denominator)

    def _root_of(self, f: Poly) -> int | None:
        """Index of the root that a factor is, if it is one."""
        if len(f) != 1 or sum(f.LM) != 1:
            return None
        index = next(i for i, e in enumerate(f.LM) if e)
        return index if self.table[index].radicand is not None else None

    def _times(self, p: Poly, f: Poly, k: int = 1) -> Poly:
        """Multiply by a power, refused while it grows beyond what can be handled in time."""
        for _ in range(k):
            self.check_time()
            if len(p) * len(f) > LARGEST_PRODUCT:
                raise UnsupportedError("an expression with too many terms")
            p = p * f
        return p

    def _missing(self, p: Poly, common: Mapping[Poly, int], have: Mapping[Poly, int]) -> Poly:
        for f, k in common.items():
            p = self._times(p, f, k - have.get(f, 0))
        return p

    def _cancelled(self, p: Poly, denominator: Mapping[Poly, int]) -> Ratio:
        """Reduced by the relations, and without the factors that divide the numerator."""
        p = self.reduced(p)
        kept = []
        for f, k in denominator.items():
            while k > 0:
                quotient, rest = p.div(f)
                if rest:
                    break
                p, k = quotient, k - 1
            if k and p:
                kept.append((f, k))
        return Ratio(p, tuple(kept))

    # Canonical forms

    def reduced(self, p: Poly) -> Poly:
        """The polynomial after every relation was applied as often as it can be."""
        if len(p) > LARGEST:
            raise UnsupportedError("an expression with too many terms")
        if not self.relations:
            return p
        while True:
            q = self._reduce_once(p)
            if q is p:
                return p
            p = q

    def _reduce_once(self, p: Poly) -> Poly:
        over = {
            i for m in p.itermonoms() for i, (d, _) in self.relations.items() if m[i] >= d
        }  # fmt: skip
        if not over:
            return p
        index = max(over)
        degree, value = self.relations[index]
        out = self.ring.zero
        for monomial, coefficient in p.iterterms():
            times, rest = divmod(monomial[index], degree)
            lowered = (*monomial[:index], rest, *monomial[index + 1 :])
            term = self.ring({lowered: coefficient})
            out = out + (term * value**times if times else term)
        return out

    def factors(self, p: Poly) -> tuple[Fraction, Factors]:
        """(number, irreducible factors with exponents); leading coefficients are positive."""
        self.check_time()
        if p not in self._factored:
            self._factored[p] = self._factor(p)
        return self._factored[p]

    def _factor(self, p: Poly) -> tuple[Fraction, Factors]:
        number, found = self.plain_factors(p)
        parts: list[tuple[Poly, int]] = []
        for f, k in found:
            scale, irreducible = self._without_roots(f)
            number *= scale**k
            parts += [(g, e * k) for g, e in irreducible]
        return number, _merged(parts)

    def plain_factors(self, p: Poly) -> tuple[Fraction, Factors]:
        """Factors of a polynomial whose variables need not stand for the generators."""
        content = _common_monomial(p)
        single = tuple((self.variables[i], e) for i, e in enumerate(content) if e)
        rest = p.quo_term((content, sympy.QQ(1)))
        number, primitive = self._primitive(rest)
        if primitive == 1:
            return number, single
        if len(primitive) > LARGEST_FACTORED:
            return number, (*single, (primitive, 1))
        found = [(primitive, 1)]
        if not _plainly_irreducible(primitive):
            coefficient, found = primitive.factor_list()
            number *= Fraction(int(coefficient.numerator), int(coefficient.denominator))
        parts = list(single)
        for f, k in found:
            scale, g = self._primitive(f)
            number *= scale**k
            parts.append((g, k))
        return number, _merged(parts)

    def _without_roots(self, f: Poly) -> tuple[Fraction, Factors]:
        """Roots taken out of a factor: `eps*p + s*x` is `s*(eps*s + x)` where s**2 = p."""
        number, f = self._primitive(f)
        for generator in self.used(f) if len(f) > 1 else ():
            if generator.radicand is None or generator.radicand.is_ground:
                continue
            degree, radicand = self.relations[generator.index]
            s = self.variables[generator.index]
            quotient, rest = self.reduced(f * s ** (degree - 1)).div(radicand)
            if not rest:
                scale, factors = self._without_roots(quotient)
                return number * scale, ((s, 1), *factors)
        scale, factors = self._by_roots(f)
        return number * scale, factors

    def _by_roots(self, f: Poly) -> tuple[Fraction, Factors]:
        """Factors that roots bring to light: `p - x**2` is `(s - x)*(s + x)` where s**2 = p."""
        roots = [i for i, (_, p) in self.relations.items() if self._exists(i) and not p.is_ground]
        for chosen in (roots, *([i] for i in roots)) if len(f) > 1 else ():
            number, found = self.plain_factors(self._in_roots(f, chosen))
            if len(found) > 1 and all(len(g) > 1 and self.reduced(g) == g for g, _ in found):
                return number, found
        return Fraction(1), ((f, 1),)

    def _exists(self, index: int) -> bool:
        return self.table[index].everywhere

    def _in_roots(self, f: Poly, roots: Iterable[int]) -> Poly:
        """The polynomial with powers of roots in place of what they are roots of."""
        for index in roots:
            degree, radicand = self.relations[index]
            quotient, rest = f.div(radicand)
            f = quotient * self.variables[index] ** degree + rest
        return f

    def _primitive(self, p: Poly) -> tuple[Fraction, Poly]:
        """(number, polynomial of coprime integer coefficients with a positive lead)."""
        coefficients = list(p.itercoeffs())
        below = math.lcm(*(int(c.denominator) for c in coefficients))
        above = math.gcd(*(int(c.numerator) * (below // int(c.denominator)) for c in coefficients))
        sign = -1 if p.LC < 0 else 1
        return Fraction(sign * above, below), p * sympy.QQ(sign * below, above)

    # Output

    def to_sympy(self, x: Ratio, names: Mapping[Poly, sympy.Symbol] | None = None) -> sympy.Expr:
        """The fraction as a sympy expression in the generators' labels.

        `names` stand for polynomials, wherever one is a factor or a radicand.
        """
        out = self._written(x.numerator, names or {})
        for f, k in x.denominator:
            out = out / self._written(f, names or {}) ** k
        return out

    def _written(self, p: Poly, names: Mapping[Poly, sympy.Symbol]) -> sympy.Expr:
        if p in names:
            return names[p]
        labels = [self._label(g, names) for g in self.table]
        labels += [sympy.Symbol(f"unused{i}") for i in range(len(labels), GENERATORS)]
        return sympy.factor_terms(p.as_expr(*labels))

    def _label(self, generator: Generator, names: Mapping[Poly, sympy.Symbol]) -> sympy.Expr:
        if generator.radicand not in names:
            return generator.label
        return sympy.root(names[generator.radicand], self.relations[generator.index][0])


def _merged(factors: Iterable[tuple[Poly, int]]) -> Factors:
    """Equal factors together."""
    out: dict[Poly, int] = {}
    for f, k in factors:
        out[f] = out.get(f, 0) + k
    return tuple(out.items())


def _common_monomial(p: Poly) -> tuple[int, ...]:
    """The largest monomial that divides every term."""
    return tuple(map(min, zip(*p.itermonoms(), strict=True)))


def _plainly_irreducible(p: Poly) -> bool:
    """Whether some variable occurs once, to the first power: only a monomial could divide."""
    degrees: dict[int, list[int]] = {}
    for monomial in p.itermonoms():
        for i, e in enumerate(monomial):
            if e:
                degrees.setdefault(i, []).append(e)
    return any(found == [1] for found in degrees.values())
