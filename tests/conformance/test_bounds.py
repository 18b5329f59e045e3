"""Every operation of the bound, against exact arithmetic and against the machine's."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from instep.conformance.ambiguous import Ambiguous
from instep.conformance.bounded import Bounded, fits
from instep.conformance.bounds import BoundedArithmetic
from instep.conformance.profile import FLOAT_TYPES, Profile, grades

FLOAT32 = grades("float32")[0]
PROFILES = {p.name: p for dtype in FLOAT_TYPES for p in grades(dtype)}

# Values and relative errors: far from overflow and underflow, which have tests of their own.
values = st.floats(2.0**-20, 2.0**20).flatmap(lambda x: st.sampled_from([x, -x]))
errors = st.sampled_from([0.0, 0.5]) | st.floats(2.0**-30, 0.5)
within = st.sampled_from([-1.0, 1.0]) | st.floats(-1.0, 1.0)
# First-order terms and the float64 of the oracle itself, both far below what a bound is for.
SLACK = 1 + Fraction(1, 2**20)


def pair(value: float, relative: float) -> Bounded:
    """A tensor of one lane, with an error."""
    return Bounded(np.array([value]), np.array([abs(value) * relative]))


def somewhere(x: Bounded, where: float) -> Fraction:
    """An exact number within the bound of x."""
    return Fraction(float(x.value[0])) + Fraction(float(x.bound[0])) * Fraction(where)


def excess(got: Bounded, exact: Fraction, unit: float, rounding: float) -> Fraction:
    """How far `exact`, rounded once, lies beyond the bound; not positive where the bound holds."""
    assume(math.isfinite(float(got.bound[0])))
    rounded = exact * (1 + Fraction(unit) * Fraction(rounding))
    return abs(rounded - Fraction(float(got.value[0]))) - Fraction(float(got.bound[0])) * SLACK


ARITHMETIC = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}


@pytest.mark.parametrize("op", "+-*/")
@given(values, errors, values, errors, within, within, within)
@example(1.0, 0.0, 3.0, 0.5, 1.0, 1.0, 1.0)
@example(3.0, 0.5, -1.0, 0.0, 1.0, 1.0, 1.0)
@example(1.0, 0.5, 3.0, 0.0, 1.0, 1.0, 1.0)
def test_any_arguments_within_their_bounds_give_a_result_within_its(
    op: str, x: float, dx: float, y: float, dy: float, i: float, j: float, rounding: float
):
    # A rounding of the perturbed result is larger than one of the result: u e is of second order.
    arithmetic = BoundedArithmetic(FLOAT32)
    a, b = pair(x, dx), pair(y, dy)
    got = arithmetic.binary(op, a, b)
    assume(np.isfinite(got.bound[0]))
    exact = ARITHMETIC[op](somewhere(a, i), somewhere(b, j))
    # Nobody rounds a product with 1, or a quotient by it.
    one = [abs(n.value[0]) == 1 and n.bound[0] == 0 for n in (a, b)]
    free = {"*": any(one), "/": one[1]}.get(op, False)
    beyond = excess(got, exact, arithmetic.unit, 0.0 if free else rounding)
    assert beyond <= 2 * arithmetic.unit * got.bound[0]


@given(st.sampled_from("+-*/"), values, values)
def test_exact_arguments_leave_one_rounding(op: str, x: float, y: float):
    got = BoundedArithmetic(FLOAT32).binary(op, pair(x, 0.0), pair(y, 0.0))
    one = abs(got.value[0]) * FLOAT32.unit + FLOAT32.eta
    exact = (op in "*/" and abs(y) == 1) or (op == "*" and abs(x) == 1) or got.value[0] == 0
    assert got.bound[0] == pytest.approx(0.0 if exact else one, rel=1e-12)


@given(st.floats(2.0**-40, 2.0**20), st.floats(0.0, 2.0), within, within)
@example(0.0, 1.0, 0.5, 1.0)
def test_a_root_stays_within_its_bound_down_to_zero(
    x: float, dx: float, where: float, rounding: float
):
    # dx is relative where x is not 0, absolute where it is.
    a = Bounded(np.array([x]), np.array([x * dx if x else dx]))
    exact = somewhere(a, where)
    assume(exact >= 0)
    arithmetic = BoundedArithmetic(FLOAT32)
    got = arithmetic.call("sqrt", a)
    with mpmath.workdps(50):
        root = mpmath.sqrt(mpmath.mpf(exact.numerator) / exact.denominator)
        away = abs(root * (1 + arithmetic.unit * rounding) - got.value[0])
        assert away <= got.bound[0] * (1 + 2.0**-20)


def test_a_root_of_a_negative_number_is_left_out():
    with np.errstate(invalid="ignore"):
        got = BoundedArithmetic(FLOAT32).call("sqrt", Bounded(np.array([-1.0, 1.0]), np.zeros(2)))
    assert list(np.isfinite(got.bound)) == [False, True]


@given(st.sampled_from(["max", "min"]), values, errors, values, errors, within, within)
def test_the_larger_of_two_has_the_error_of_one(
    function: str, x: float, dx: float, y: float, dy: float, i: float, j: float
):
    a, b = pair(x, dx), pair(y, dy)
    got = BoundedArithmetic(FLOAT32).call(function, a, b)
    chosen = {"max": max, "min": min}[function](somewhere(a, i), somewhere(b, j))
    assert excess(got, chosen, 0.0, 0.0) <= 0
    assert got.bound[0] <= max(a.bound[0], b.bound[0])


def test_a_limit_keeps_out_what_lies_beyond_it():
    uncertain, exact = pair(1.0, 0.75), pair(1.5, 0.0)
    arithmetic = BoundedArithmetic(FLOAT32)
    assert arithmetic.call("max", uncertain, exact).bound[0] == 0.25
    assert arithmetic.call("min", exact, uncertain).bound[0] == 0.75
    unlimited = arithmetic.number(math.inf)
    assert arithmetic.call("min", unlimited, uncertain).bound[0] == 0.75


@pytest.mark.parametrize("lanes", [1.0, -2.0])
def test_no_limit_stays_none_whatever_scales_it(lanes: float):
    arithmetic = BoundedArithmetic(FLOAT32)
    unlimited, x = arithmetic.number(math.inf), pair(lanes, 0.5)
    got = arithmetic.binary("*", unlimited, x)
    assert (got.value[0], got.bound[0]) == (lanes * math.inf, 0.0)
    with np.errstate(all="ignore"):
        open_ = arithmetic.binary("*", unlimited, pair(lanes, 1.0))
    assert not math.isfinite(open_.bound[0])


@given(st.sampled_from(["exp", "log"]), st.floats(0.01, 30.0), st.floats(0, 2.0**-20), within)
def test_transcendental_functions_to_first_order(function: str, x: float, dx: float, where: float):
    a = pair(x, dx)
    got = BoundedArithmetic(FLOAT32).call(function, a)
    with mpmath.workdps(50):
        exact = getattr(mpmath, function)(mpmath.mpf(x) + where * a.bound[0])
        assert abs(exact - got.value[0]) <= got.bound[0] * (1 + 2.0**-10)


@given(st.floats(0.5, 1.0), st.integers(1, 40), st.floats(0, 2.0**-20), within)
def test_powers_allow_for_a_running_product(x: float, t: int, dx: float, where: float):
    arithmetic = BoundedArithmetic(grades("float32")[1])
    a = Bounded(np.float64(x), np.float64(x * dx), host=True)
    got = arithmetic.binary("**", a, t)
    power = Fraction(x) + Fraction(float(a.bound)) * Fraction(where)
    power = power**t * (1 + Fraction(arithmetic.scalar_unit)) ** t
    away = abs(power - Fraction(float(got.value)))
    assert away <= Fraction(float(got.bound)) * (1 + Fraction(1, 2**10))
    assert got.host


@given(
    st.sampled_from(["<", "<=", ">", ">="]),
    values,
    errors,
    st.floats(0.4, 2.5),
    errors,
    within,
    within,
)
def test_a_comparison_is_open_where_arguments_within_their_bounds_decide_it(
    op: str, x: float, dx: float, times: float, dy: float, i: float, j: float
):
    arithmetic = BoundedArithmetic(FLOAT32)
    a, b = pair(x, dx), pair(x * times, dy)
    condition = arithmetic.compare(op, a, b)
    compare = {"<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__"}[op]
    truth = getattr(somewhere(a, i), compare)(somewhere(b, j))
    assert condition.open[0] or condition.holds[0] == truth
    # A choice is right on either side of an open condition.
    got = arithmetic.where(condition, pair(1.0, 0.0), pair(5.0, 0.0))
    assert abs(got.value[0] - (1.0 if truth else 5.0)) <= got.bound[0]


@given(st.lists(values, min_size=1, max_size=40), st.lists(within, min_size=40, max_size=40))
def test_a_sum_allows_for_any_order(xs: list[float], roundings: list[float]):
    arithmetic = BoundedArithmetic(FLOAT32)
    got = arithmetic.reduce("sum", "all", Bounded(np.array(xs)))
    total = Fraction(0)
    for x, rounding in zip(xs, [0.0, *roundings], strict=False):
        total = (total + Fraction(x)) * (1 + Fraction(arithmetic.unit) * Fraction(rounding))
    away = abs(total - Fraction(float(got.value)))
    assert away <= Fraction(float(got.bound)) * (1 + Fraction(1, 2**10))


# ---- the machine's own arithmetic: subnormal numbers, overflow, host numbers

NUMPY = {"float32": np.float32, "float16": np.float16}
OPERATIONS = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}


def numbers(dtype: str) -> st.SearchStrategy[float]:
    """Every finite number of a type, subnormal ones included."""
    width = {"float32": 32, "float16": 16}[dtype]
    return st.floats(allow_nan=False, allow_infinity=False, width=width)


@pytest.mark.parametrize("dtype", NUMPY)
@given(st.data())
def test_no_operation_of_the_machine_leaves_its_bound(dtype: str, data: st.DataObject):
    op = data.draw(st.sampled_from("+-*/"))
    x, y = data.draw(numbers(dtype)), data.draw(numbers(dtype))
    own = NUMPY[dtype]
    with np.errstate(all="ignore"):
        got = float(OPERATIONS[op](own(x), own(y)))
        expected = BoundedArithmetic(grades(dtype)[-1]).binary(op, pair(x, 0.0), pair(y, 0.0))
    if not math.isfinite(got):
        assert not math.isfinite(expected.bound[0]) or not math.isfinite(expected.value[0])
    elif math.isfinite(expected.bound[0]):
        assert abs(got - expected.value[0]) <= expected.bound[0]


@pytest.mark.parametrize("dtype", NUMPY)
@given(st.data())
def test_no_root_of_the_machine_leaves_its_bound(dtype: str, data: st.DataObject):
    x = abs(data.draw(numbers(dtype)))
    got = float(np.sqrt(NUMPY[dtype](x)))
    expected = BoundedArithmetic(grades(dtype)[-1]).call("sqrt", pair(x, 0.0))
    assert abs(got - expected.value[0]) <= expected.bound[0]


@pytest.mark.parametrize("dtype", NUMPY)
@given(st.data())
def test_a_host_number_is_rounded_when_it_meets_a_tensor(dtype: str, data: st.DataObject):
    h, x = data.draw(st.floats(1e-12, 1e6)), data.draw(numbers(dtype))
    own = NUMPY[dtype]
    arithmetic = BoundedArithmetic(Profile("", FLOAT_TYPES[dtype], FLOAT_TYPES["float64"]))
    with np.errstate(all="ignore"):
        got = float(own(h) * own(x))
        expected = arithmetic.binary("*", h, pair(x, 0.0))
    if math.isfinite(got) and np.isfinite(expected.bound[0]):
        assert abs(got - expected.value[0]) <= expected.bound[0]


@given(st.floats(2.0**-126, 2.0**127))
def test_host_numbers_are_exact_where_their_type_holds_them(h: float):
    arithmetic = BoundedArithmetic(grades("float32")[1])
    bound = float(arithmetic.number(h).bound)
    assert (bound == 0) == (float(np.float32(h)) == h)
    assert bound in (0.0, 2.0**-24 * h)


def test_underflow_of_a_host_number_is_allowed_for():
    arithmetic = BoundedArithmetic(grades("float16")[1])
    got = arithmetic.binary("+", pair(0.0, 0.0), 1e-8)
    assert abs(float(np.float16(1e-8)) - got.value[0]) <= got.bound[0]


def test_division_by_what_may_be_zero_is_left_out():
    arithmetic = BoundedArithmetic(FLOAT32)
    got = arithmetic.binary("/", pair(1.0, 0.0), pair(1.0, 1.0))
    assert got.bound[0] == math.inf
    with np.errstate(all="ignore"):
        nothing = arithmetic.binary("/", pair(0.0, 0.0), pair(0.0, 0.0))
    assert not math.isfinite(nothing.bound[0])


@pytest.mark.parametrize("op", "+-*/")
@pytest.mark.parametrize("exact", [0.0, 1.0, 3.0])
def test_what_has_no_bound_never_gets_one_back(op: str, exact: float):
    arithmetic = BoundedArithmetic(FLOAT32)
    lost = Bounded(np.array([2.0]), np.array([math.inf]))
    with np.errstate(all="ignore"):
        for a, b in ((lost, pair(exact, 0.0)), (pair(exact, 0.0), lost)):
            assert not math.isfinite(arithmetic.binary(op, a, b).bound[0])


def test_zeros_and_ones_cost_nothing():
    arithmetic = BoundedArithmetic(FLOAT32)
    x, zero, one = pair(0.1, 0.0), pair(0.0, 0.0), pair(1.0, 0.0)
    for got in (
        arithmetic.binary("+", x, zero),
        arithmetic.binary("-", x, zero),
        arithmetic.binary("*", x, one),
        arithmetic.binary("/", x, one),
        arithmetic.binary("*", x, zero),
        arithmetic.negate(x),
        arithmetic.call("abs", x),
    ):
        assert got.bound[0] == 0


@pytest.mark.parametrize("name", PROFILES)
def test_keeping_a_value_in_a_narrower_type_rounds_it_once_more(name: str):
    arithmetic = BoundedArithmetic(PROFILES[name])
    kept = arithmetic.store(pair(0.7, 0.0), "m")
    narrow = PROFILES[name].kept_type("m")
    expected = 0.0 if narrow is None else narrow.unit * 0.7 + narrow.tiny
    assert kept.bound[0] == pytest.approx(expected)


def test_keeping_a_number_of_the_type_itself_does_not_round_it():
    arithmetic = BoundedArithmetic(grades("float64", states={"m": FLOAT_TYPES["float16"]})[0])

    def kept(value: float, relative: float = 0.0) -> float:
        return float(arithmetic.store(pair(value, relative), "m").bound[0])

    assert kept(0.75) == kept(-3.0) == kept(0.0) == kept(2.0**-24) == 0
    assert kept(1 + 2.0**-11) >= 2.0**-11
    assert kept(2.0**-14 + 2.0**-25) >= 2.0**-25
    assert kept(2.0**-26) >= 2.0**-26
    assert kept(0.75, 0.5) > 0.375
    assert kept(2.0**17) == math.inf


def test_a_declared_state_type_is_used_for_that_state_alone():
    profile = grades("float64", states={"m": FLOAT_TYPES["bfloat16"]})[0]
    arithmetic = BoundedArithmetic(profile)
    assert arithmetic.store(pair(0.7, 0.0), "m").bound[0] > 2.0**-10
    assert arithmetic.store(pair(0.7, 0.0), "v").bound[0] == 0


def test_the_profile_fits_numbers_to_significant_bits():
    assert list(fits(np.array([1.0, 1 + 2.0**-23, 1 + 2.0**-24, 0.1]), 24)) == [
        True,
        True,
        False,
        False,
    ]


def test_a_scalar_condition_that_the_bound_leaves_open_is_counted():
    arithmetic = BoundedArithmetic(FLOAT32)
    clear: Any = arithmetic.compare(">", pair(2.0, 0.0), pair(1.0, 0.0))
    close: Any = arithmetic.compare(">", pair(1.1, 0.2), pair(1.0, 0.0))
    assert isinstance(clear, Ambiguous)
    assert arithmetic.truth(clear) is True
    assert arithmetic.ambiguous == 0
    assert arithmetic.truth(close) is True
    assert arithmetic.ambiguous == 1


def test_a_block_in_a_type_of_wider_range_keeps_the_range_of_the_tensor():
    """Of what is said to be in bfloat16, some may be computed in the float16 of the parameter."""
    bfloat16, float16 = FLOAT_TYPES["bfloat16"], FLOAT_TYPES["float16"]
    (*_, loosest) = grades("float16", blocks={"x": bfloat16})
    own = loosest.of_block("x").compute
    assert (own.unit, own.tiny, own.largest) == (bfloat16.unit, float16.tiny, float16.largest)
