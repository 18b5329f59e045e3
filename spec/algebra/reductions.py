"""Sums, means and maxima over lanes as canonical fractions.

A sum is linear: it is taken term by term, and what is the same in every lane moves outside. That
gives equal sums one form however their terms were grouped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy

from instep.spec import ir
from instep.spec.algebra.cases import Context
from instep.spec.algebra.ratios import Poly, Ratio
from instep.spec.arguments import REALS, Domain

if TYPE_CHECKING:
    from instep.spec.algebra.normal import NormalDomain

_NONNEGATIVE = Domain(0.0, float("inf"), True, False)


def reduction(domain: NormalDomain, op: str, over: ir.Axis, x: Ratio) -> Ratio:
    """The sum, mean or maximum of a fraction over an axis."""
    if op == "max":
        return _atom(domain, op, over, x)
    ring = domain.ring
    inside = tuple((f, k) for f, k in x.denominator if _stays(domain, over, f))
    outside = tuple((f, k) for f, k in x.denominator if not _stays(domain, over, f))
    out = ring.constant(0)
    for monomial, coefficient in x.numerator.iterterms():
        kept = [e if _index_stays(domain, over, i) else 0 for i, e in enumerate(monomial)]
        moved = tuple(e - k for e, k in zip(monomial, kept, strict=True))
        term = ring.multiply(Ratio(ring.ring({tuple(kept): 1})), Ratio(ring.ring.one, inside))
        scale = Ratio(ring.ring({moved: coefficient}))
        out = ring.add(out, ring.multiply(scale, _atom(domain, op, over, term)))
    return ring.multiply(out, Ratio(ring.ring.one, outside))


def _index_stays(domain: NormalDomain, over: ir.Axis, index: int) -> bool:
    """Whether a variable may not move out of a reduction; parameters may differ in anything."""
    if over == "params":
        return True
    table = domain.ring.table
    return index < len(table) and table[index].lanes


def _stays(domain: NormalDomain, over: ir.Axis, f: Poly) -> bool:
    return any(_index_stays(domain, over, g.index) for g in domain.ring.used(f))


def _atom(domain: NormalDomain, op: str, over: ir.Axis, x: Ratio) -> Ratio:
    """The reduction of one term, as a generator."""
    ring = domain.ring
    if op == "mean" and x == ring.constant(1):
        return x
    # Without the case's facts: a generator outlives the case in which it was met first.
    negative = -1 in Context(ring).signs_of(x)
    made = ring.generator(
        (op, over, x.key),
        sympy.Function(f"{op}_{over}")(ring.to_sympy(x)),
        domain=REALS if negative else _NONNEGATIVE,
        **domain.about((x,)) | {"lanes": over in ("rows", "cols"), "like": False},
    )
    return domain.value_of(made)
