"""The canonical forms are held against plain evaluation at 50 digits, on random expressions."""

from __future__ import annotations

import random
from fractions import Fraction
from functools import cache

import mpmath
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from instep.spec import ir
from instep.spec.algebra import parse, program
from instep.spec.algebra.cases import Context, each_case
from instep.spec.algebra.execute import Execution, UndefinedError, UnsupportedError
from instep.spec.algebra.normal import NormalDomain
from instep.spec.algebra.numeric import NumericDomain, digits_context
from instep.spec.algebra.ratios import Ratio, Ring
from instep.spec.algebra.signs import polynomial_signs
from instep.spec.arguments import Domain

DOMAINS = {
    "x": Domain.parse("(-inf,inf)"),
    "y": Domain.parse("(-inf,inf)"),
    "c": Domain.parse("[0,inf)"),
    "p": Domain.parse("(0,inf)"),
    "b": Domain.parse("[0,1)"),
    "d": Domain.parse("[0,1]"),
    "t": Domain.parse("Z[1,inf)"),
}
ANY = program("sgd/torch")


def leaves(domain: NormalDomain) -> dict[str, Ratio]:
    """One variable for each symbol; x, y and c differ lane by lane."""
    return {
        n: domain.leaf(("leaf", n), sympy.Symbol(n), domain=d, lanes=n in "xyc", leaves=(n,))
        for n, d in DOMAINS.items()
    }


def canonical(expr: ir.Expr, context: Context, *, split: bool) -> Ratio | None:
    domain = NormalDomain(context, split)
    given = leaves(domain)
    try:
        return Execution(ANY, domain, given, {}).evaluate(expr)
    except UndefinedError:
        return None


def plain(expr: ir.Expr, point: dict[str, Fraction]) -> object | None:
    domain = NumericDomain(digits_context(), lambda x: x)
    given = {n: domain.constant(v) for n, v in point.items()}
    try:
        return Execution(ANY, domain, given, {}).evaluate(expr)
    except UndefinedError:
        return None


def number(ring: Ring, value: Ratio, point: dict[str, Fraction]) -> object | None:
    """A canonical form at a point; None where it has no value."""
    with mpmath.workdps(60):
        at = [mpmath.mpf(v.numerator) / v.denominator for v in (point[n] for n in DOMAINS)]
        known = {g.index: _function(g.label)(*at) for g in ring.generators_of(value)}
        if any(isinstance(x, mpmath.mpc) for x in known.values()):
            return None

        def poly(p: object) -> object:
            return mpmath.fsum(
                mpmath.mpf(int(c.numerator))
                / int(c.denominator)
                * mpmath.fprod(known[i] ** e for i, e in enumerate(m) if e)
                for m, c in p.iterterms()
            )

        bottom = mpmath.fprod(poly(f) ** k for f, k in value.denominator)
        return poly(value.numerator) / bottom if bottom else None


@cache
def _function(label: sympy.Expr) -> object:
    """A generator's own value; `positive` is the indicator of what is above 0."""
    known = {"positive": lambda x: mpmath.mpf(x > 0)}
    return sympy.lambdify(sympy.symbols(list(DOMAINS)), label, [known, "mpmath"])


def draw(rng: random.Random) -> dict[str, Fraction]:
    """A point of the domains, at times at their ends."""
    out = {}
    for name, domain in DOMAINS.items():
        if domain.integer:
            out[name] = Fraction(rng.randrange(1, 5))
        elif domain.upper == 1:
            out[name] = Fraction(rng.randrange(0, 16 + domain.upper_closed), 16)
        else:
            low = {"x": -8, "y": -8, "c": 0, "p": 1}[name]
            out[name] = Fraction(rng.randrange(low, 9), 4)
    return out


ATOMS = st.one_of(
    st.sampled_from(list(DOMAINS)).map(ir.Sym),
    st.integers(-2, 3).map(ir.Const),
    st.sampled_from(["1 - b", "1 - b**t", "b**t", "b**(t + 1)", "x**2", "c + p"]).map(parse),
)


def grow(inner: st.SearchStrategy[ir.Expr]) -> st.SearchStrategy[ir.Expr]:
    def unary(name: str) -> st.SearchStrategy[ir.Expr]:
        return st.builds(lambda x: ir.Call(name, (x,)), inner)

    compared = st.builds(
        ir.Compare, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), inner, inner
    )
    return st.one_of(
        st.builds(ir.Binary, st.sampled_from(["+", "-", "*", "/"]), inner, inner),
        st.builds(ir.Binary, st.just("**"), inner, st.integers(-2, 3).map(ir.Const)),
        st.builds(ir.Negate, inner),
        unary("sqrt"),
        unary("abs"),
        unary("sign"),
        st.builds(
            lambda f, x, y: ir.Call(f, (x, y)), st.sampled_from(["max", "min"]), inner, inner
        ),
        st.builds(ir.Where, compared, inner, inner),
    )


EXPRESSIONS = st.recursive(ATOMS, grow, max_leaves=7)


@settings(max_examples=250)
@given(EXPRESSIONS, st.booleans(), st.integers(0, 2**16))
def test_a_canonical_form_has_the_value_of_its_expression(expr, split, seed):
    rng, ring = random.Random(seed), Ring()
    try:
        cases = list(each_case(ring, lambda c: canonical(expr, c, split=split)))
    except UnsupportedError:
        return
    for _ in range(8):
        point = draw(rng)
        expected = plain(expr, point)
        if expected is None:
            continue
        holding = [value for context, value in cases if _holds(context, point)]
        assert len(holding) == 1, "exactly one case applies to a point"
        assert holding[0] is not None, "an expression that has a value there was called undefined"
        got = number(ring, holding[0], point)
        if got is not None:
            assert abs(got - expected) <= mpmath.mpf(10) ** -40 * max(1, abs(expected))


def _holds(context: Context, point: dict[str, Fraction]) -> bool:
    """Whether a point satisfies the facts of a case."""
    for p, sign in context.facts.signs.items():
        value = number(context.ring, Ratio(p), point)
        if value is None:
            return False
        tiny = abs(value) < mpmath.mpf(10) ** -40
        if sign != (0 if tiny else int(mpmath.sign(value))):
            return False
    return True


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(-3, 3), st.lists(st.integers(0, 2), min_size=7, max_size=7)),
                min_size=1, max_size=5), st.integers(0, 2**16))  # fmt: skip
def test_no_point_has_a_sign_that_was_ruled_out(terms, seed):
    ring = Ring()
    domain = NormalDomain(Context(ring))
    leaves(domain)
    p = ring.ring.zero
    for coefficient, exponents in terms:
        monomial = (*exponents, *([0] * (len(ring.variables) - 7)))
        p = p + ring.ring({monomial: coefficient})
    if not p:
        return
    by_range = polynomial_signs(p, lambda i: ring.table[i].domain, ring.plain_factors)
    signs = Context(ring).signs_of_poly(p)
    rng = random.Random(seed)
    for _ in range(20):
        value = number(ring, Ratio(p), draw(rng))
        assert int(mpmath.sign(value)) in by_range
        assert int(mpmath.sign(value)) in signs


@settings(max_examples=100)
@given(EXPRESSIONS)
def test_factors_multiply_back(expr):
    ring = Ring()
    try:
        values = [v for _, v in each_case(ring, lambda c: canonical(expr, c, split=False))]
    except UnsupportedError:
        return
    for value in values:
        if value is None or not value.numerator:
            continue
        scale, factors = ring.factors(value.numerator)
        product = ring.ring(sympy.QQ(scale.numerator, scale.denominator))
        for f, k in factors:
            product = product * f**k
        assert ring.reduced(product - value.numerator) == 0


EQUAL = [
    ("sqrt(p*c)", "sqrt(p)*sqrt(c)"),
    ("sqrt(c/(1 - b**t))", "sqrt(c)/sqrt(1 - b**t)"),
    ("x/(sqrt(c/(1 - b**t)) + p)", "x*sqrt(1 - b**t)/(sqrt(c) + p*sqrt(1 - b**t))"),
    ("b**(t + 2)", "b*b**t*b"),
    ("(b**t)**2", "b**(2*t)"),
    ("b*b**(t - 1)", "b**t"),
    ("sqrt(8)", "2*sqrt(2)"),
    ("max(p*x, p*y)", "p*max(y, x)"),
    ("min(x, y)", "x + y - max(x, y)"),
    ("abs(p*x)", "p*abs(x)"),
    ("sqrt(x**2)", "abs(x)"),
    ("max(c, 0)", "c"),
    ("max(sqrt(c), p)", "sqrt(max(c, p**2))"),
    ("max(x, max(y, p))", "max(max(x, y), p)"),
    ("abs(x)", "max(x, -x)"),
    ("(x + y)**2 - (x - y)**2", "4*x*y"),
    ("t**0.3*t**0.3", "(t**0.3)**2"),
]
UNEQUAL = [
    ("sqrt((1 - d)**2)/(1 - d)", "d"),
    ("sqrt(x**2)", "x"),
    ("max(p*x, y)", "p*max(x, y)"),
    ("b**(t - 1)", "b**t"),
    ("sqrt(c + p)", "sqrt(c) + sqrt(p)"),
    ("max(x, y)", "min(x, y)"),
    ("sign(x)*x", "x"),
]


def always_equal(left: str, right: str) -> bool:
    """Whether two expressions have the same form in each case."""
    both = (parse(left), parse(right))

    def differences(context: Context) -> bool:
        values = [canonical(e, context, split=True) for e in both]
        if None in values:
            return values[0] is values[1]
        return context.is_zero(context.ring.subtract(*values))

    return all(same for _, same in each_case(Ring(), differences))


@pytest.mark.parametrize(("left", "right"), EQUAL)
def test_equal_expressions_are_found_equal(left, right):
    assert always_equal(left, right)


@pytest.mark.parametrize(("left", "right"), UNEQUAL)
def test_other_expressions_are_not(left, right):
    assert not always_equal(left, right)


def test_a_closed_end_may_be_a_zero():
    ring = Ring()
    domain = NormalDomain(Context(ring))
    given = leaves(domain)
    one = ring.constant(1)
    assert domain.context.signs_of(ring.subtract(one, given["b"])) == {1}
    assert domain.context.signs_of(ring.subtract(one, given["d"])) == {0, 1}


def test_time_and_size_are_limited():
    ring = Ring(deadline=0.0)
    with pytest.raises(UnsupportedError, match="time limit"):
        list(each_case(ring, lambda c: canonical(parse("x/(y + c)"), c, split=False)))
    with pytest.raises(UnsupportedError, match="too many terms"):
        canonical(parse("(x + y + c + p + b + t)**40"), Context(Ring()), split=False)
