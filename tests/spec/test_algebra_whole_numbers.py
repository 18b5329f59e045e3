"""For whole numbers t < T + 1 is t <= T, and for others it is not."""

from __future__ import annotations

import pytest

from instep.spec import ir
from instep.spec.algebra import equal, program
from instep.spec.algebra.whole_numbers import without_ones
from instep.spec.author import algorithm, counter, grad, hyper, let, otherwise, rows, theta, when


def draft(condition, domain="Z[1,inf)"):
    """A step that is smaller where `condition(t, T)` holds."""
    with algorithm("draft", "Draft") as made:
        limit = hyper("limit", 3, name="T", domain=domain, description="a limit")
        t = counter()
        with when(condition(t, limit)):
            let("update", theta, theta - grad(theta) * t / limit, form="early")
        with otherwise():
            let("update", theta, theta - grad(theta))
    return program(made.algorithm)


def moved(condition, **more):
    (branch,) = without_ones(draft(condition, **more)).body
    return branch.condition


@pytest.mark.parametrize(
    ("condition", "op"),
    [
        (lambda t, T: t < T + 1, "<="),
        (lambda t, T: t >= T + 1, ">"),
        (lambda t, T: t <= T - 1, "<"),
        (lambda t, T: t > T - 1, ">="),
        (lambda t, T: t - 1 < T, "<="),
        (lambda t, T: t - 1 >= T, ">"),
        (lambda t, T: t + 1 <= T, "<"),
        (lambda t, T: t + 1 > T, ">="),
    ],
)
def test_one_is_moved_into_the_comparison(condition, op):
    assert moved(condition) == ir.Compare(op, ir.Sym("t"), ir.Sym("T"))


@pytest.mark.parametrize(
    "condition",
    [lambda t, T: t < T - 1, lambda t, T: t < T, lambda t, T: t < T / 2 + 1],
    ids=["another-way", "none", "no-whole-number"],
)
def test_what_is_no_such_comparison_stays(condition):
    (branch,) = draft(condition).body
    assert moved(condition) == branch.condition


def test_lengths_are_whole_and_a_real_hyperparameter_is_not():
    assert moved(lambda t, T: rows(theta) > T - 1).op == ">="
    assert moved(lambda t, T: t < T + 1, domain="[1,inf)").op == "<"


def test_one_step_more_of_a_warm_up_that_is_over_is_the_same():
    verdict = equal(draft(lambda t, T: t < T + 1), draft(lambda t, T: t < T))
    assert verdict.status == "equal"
    real = {"domain": "[1,inf)"}
    other = equal(draft(lambda t, T: t < T + 1, **real), draft(lambda t, T: t < T, **real))
    assert other.status == "different"
