"""Corners of the bound: numbers chosen by lane, powers at zero, functions without a bound."""

from __future__ import annotations

import numpy as np

from instep.conformance.bounds import Bounded, BoundedArithmetic
from instep.conformance.profile import grades


def test_two_numbers_by_lane_are_rounded_to_the_tensors_type() -> None:
    a = BoundedArithmetic(grades("float32")[0])
    lanes = a.tensor(np.array([1.0, -1.0, 0.0]))
    chosen = a.where(a.compare(">", lanes, a.number(0)), a.number(1.2), a.number(0.5))
    assert not chosen.host
    assert chosen.value.tolist() == [1.2, 0.5, 0.5]
    assert chosen.bound[0] > 0
    assert chosen.bound[1] == 0  # 0.5 is exact
    product = a.binary("*", chosen, lanes)
    assert product.value.shape == (3,)


@np.errstate(all="ignore")
def test_a_power_at_zero_keeps_the_error_of_its_base() -> None:
    a = BoundedArithmetic(grades("float32")[0])
    base = Bounded(np.array([0.0, 4.0]), np.array([0.25, 0.0]))
    root = a.binary("**", base, a.number(0.5))
    assert root.bound[0] >= 0.5  # sqrt(0.25)
    assert root.bound[1] <= 4 * 2.0**-24 * 2
    assert a.binary("**", base, a.number(-1)).bound[0] == np.inf


@np.errstate(all="ignore")
def test_functions_of_what_has_no_bound_have_none() -> None:
    a = BoundedArithmetic(grades("float32")[0])
    lost = Bounded(np.array([-800.0, 1.0]), np.array([np.inf, np.inf]))
    assert np.isinf(a.call("exp", lost).bound).all()
    near = Bounded(np.array([1.0, 1.0]), np.array([1.0, 0.5]))
    logarithm = a.call("log", near)
    assert logarithm.bound[0] == np.inf  # log 0 is within reach
    assert abs(np.log(0.5)) <= logarithm.bound[1] < 0.7


@np.errstate(all="ignore")
def test_the_root_of_what_cancellation_may_have_taken_below_zero_is_undefined() -> None:
    a = BoundedArithmetic(grades("float64")[0])
    g = a.tensor(np.array([1.1, 0.0]))
    square = a.binary("**", g, a.number(2))
    difference = a.binary("-", square, square)
    assert np.isinf(a.call("sqrt", difference).bound).tolist() == [True, False]
    clear = a.binary("+", difference, a.number(1))
    assert np.isfinite(a.call("sqrt", clear).bound).all()
    # A sum of squares is never below zero, however wide its bound.
    small = Bounded(np.array([0.0, 1e-300]), np.array([1e-300, 1e-200]))
    assert np.isfinite(a.call("sqrt", small).bound).all()
    again = a.binary("*", difference, difference)
    assert np.isfinite(a.call("sqrt", again).bound).all()
