"""Corners of the bound: numbers chosen by lane, powers at zero, functions without a bound."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from instep.conformance.ambiguous import Ambiguous
from instep.conformance.bounded import Bounded
from instep.conformance.bounds import BoundedArithmetic
from instep.conformance.profile import grades
from instep.conformance.rounding import RandomRounding
from instep.spec.author import algorithm, grad, holds, hyper, let, local, theta, where
from instep.spec.interpret import Interpreter

OPEN = None  # a condition that the bounds leave open


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


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_a_number_near_one_that_a_tensor_holds_rounds_to_either_side_of_it(dtype: str) -> None:
    """1^0.7 may be a little more than 1 on the host; rounded up, a tensor holds its neighbour."""
    for profile in grades(dtype):
        a = BoundedArithmetic(profile)
        lanes = a.tensor(np.array([1.0, 3.0]))
        near = a.binary("**", a.number(1), a.number(0.7))
        for seed in (-1, -2, 0, 1):
            b = RandomRounding(profile, seed, narrow=True)
            for op in "*/+":
                ours = a.binary(op, lanes, near)
                got = b.binary(op, lanes.value, b.binary("**", b.number(1), b.number(0.7)))
                assert (np.abs(got - ours.value) <= ours.bound).all()


def test_a_lost_number_may_be_as_large_as_the_smallest_that_a_tensor_holds() -> None:
    profile = grades("float16")[2]
    a = BoundedArithmetic(profile)
    none = Bounded(np.float64(0.0), np.float64(2.0**-30), host=True)
    total = a.binary("+", a.tensor(np.zeros(2)), none)
    up = RandomRounding(profile, -2, narrow=True).binary("+", np.zeros(2), 2.0**-30)
    assert (up <= total.bound).all()


@pytest.mark.parametrize("op", ["and", "or", "not"])
def test_a_condition_is_open_only_where_an_open_part_of_it_decides(op: str) -> None:
    a = BoundedArithmetic(grades("float32")[0])
    python = {"and": all, "or": any, "not": lambda parts: not parts[0]}[op]
    for parts in product((True, False, OPEN), repeat=1 if op == "not" else 3):
        results = {
            python(meant)
            for meant in product(*((True, False) if p is OPEN else (p,) for p in parts))
        }
        for truth in (True, False):
            given = [np.array([truth if p is OPEN else p]) for p in parts]
            open_ = [Ambiguous(g, np.array([p is OPEN])) for g, p in zip(given, parts, strict=True)]
            found = a.logic(op, open_)
            assert found.open.tolist() == [len(results) == 2], parts
            assert found.holds.tolist() == [python([bool(g[0]) for g in given])]


def test_a_choice_by_several_conditions_holds_both_sides_where_they_are_open() -> None:
    """Lane by lane, as `where(both, ...)` of a ratio of norms does when rounding may lose one."""
    with algorithm("between", "Steps of two sizes") as draft:
        lr = hyper("lr", 0.3)
        g = local("g")
        inside = holds(grad(theta) * lr > 0.3) & (grad(theta) < 8)
        let("size", g, where(inside, grad(theta), 0))
        let("update", theta, theta - g)
    a = BoundedArithmetic(grades("float32")[1])
    run = Interpreter(draft.algorithm, a, [np.zeros(3)])
    run.step([np.array([1.0, 4.0, 16.0])])
    moved = run.slots[0].theta
    assert moved.value.tolist()[1:] == [-4.0, 0.0]
    assert moved.bound[0] >= 1  # 1 * lr > 0.3 is for rounding to say
    assert moved.bound[1] < 1e-5
    assert moved.bound[2] == 0  # what is not open has decided
    assert a.ambiguous == 0


@np.errstate(all="ignore")
def test_what_is_infinite_on_purpose_is_exact() -> None:
    a = BoundedArithmetic(grades("float64")[0])
    worst, share = a.number(float("inf")), Bounded(np.float64(0.9), np.float64(1e-16), host=True)
    for op, other in (("*", share), ("/", share), ("-", share), ("*", a.number(-2))):
        result = a.binary(op, worst, other)
        assert np.isinf(result.value)
        assert result.bound == 0
    assert not a.compare("<", a.number(3.0), a.binary("*", worst, share)).open
    # What may be zero, or overflowed by itself, is as unknown as before.
    perhaps = Bounded(np.float64(1e-17), np.float64(1e-16), host=True)
    assert a.binary("*", worst, perhaps).bound == np.inf
    assert np.isinf(a.binary("*", a.number(1e300), a.number(1e300)).bound)
