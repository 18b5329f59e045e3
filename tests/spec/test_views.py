"""Views: points between steps, in the language, on paper and in the interpreter."""

from __future__ import annotations

import numpy as np
import pytest

from instep.spec import render
from instep.spec.arithmetic import Float64
from instep.spec.author import (
    algorithm,
    counter,
    grad,
    hyper,
    let,
    option,
    prev,
    state,
    theta,
    view,
    when,
)
from instep.spec.errors import SpecError
from instep.spec.interpret import Interpreter

with algorithm("averaged", "Gradient descent with an average") as draft:
    lr, beta = hyper("lr", 0.5), hyper("beta", 0.25)
    t, x = counter(), state("x", "average", init=theta)
    let("update", theta, theta - lr * grad(theta))
    let("average", x, prev(x) + beta * (theta - prev(x)))
    view("eval", x, description="the average")
    view("ahead", theta + beta * (x - theta), inverse=(theta - beta * x) / (1 - beta))
    view("steps", t * theta)
AVERAGED = draft.algorithm


def test_a_view_before_the_first_step_reads_initial_values_and_stores_nothing():
    run = Interpreter(AVERAGED, Float64(), [np.array([1.0, 2.0])])
    assert np.array_equal(run.view("eval")[0], [1.0, 2.0])
    assert run.slots[0].state == {}
    assert run.slots[0].count == 0


def test_a_view_reads_what_is_stored_between_steps():
    run = Interpreter(AVERAGED, Float64(), [np.array([1.0]), np.array([2.0])])
    run.step([np.array([1.0]), None])
    assert run.view("eval")[0] == 1 - 0.25 * 0.5
    assert run.view("eval")[1] == 2.0
    assert run.view("ahead")[0] == 0.5 + 0.25 * (0.875 - 0.5)
    assert [float(p[0]) for p in run.view("steps")] == [0.5, 0.0]


def test_the_inverse_leads_back_from_the_point():
    run = Interpreter(AVERAGED, Float64(), [np.array([1.0])])
    run.step([np.array([1.0])])
    stored = run.slots[0].theta
    run.slots[0].theta = run.view("ahead")[0]
    assert run.view("ahead", inverse=True)[0] == stored


def test_a_view_without_inverse_and_an_unknown_one_are_errors():
    run = Interpreter(AVERAGED, Float64(), [np.array([1.0])])
    with pytest.raises(SpecError, match="the view eval has no inverse"):
        run.view("eval", inverse=True)
    with pytest.raises(SpecError, match=r"no view 'slow'; it has \['eval', 'ahead', 'steps'\]"):
        run.view("slow")


def test_views_stand_below_the_loop_with_their_way_back():
    text = render.text_algorithm(AVERAGED, ascii=True)
    below = text.split("between steps")[1]
    assert "theta[eval] = x" in below
    assert "back: theta <- (theta - beta*x)/(1 - beta)" in below
    assert r"\theta^{\mathrm{eval}} = x_t" in render.latex_algorithm(AVERAGED)


def declared(value, inverse=None, name="eval"):
    with algorithm("wrong", "Wrong") as spec:
        rate, switch = hyper("lr", 0.5), option("kept")
        average = state("x", "average", when=switch)
        let("update", theta, theta - rate * grad(theta))
        with when(switch):
            let("average", average, prev(average) + theta)
        view(name, value(average), inverse=inverse)
    return spec


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (lambda x: x, "cannot read x: it is not stored under all options"),
        (lambda x: grad(theta), "a view is read between steps"),
        (lambda x: theta > 0, "expected a number"),
    ],
)
def test_a_view_of_what_is_not_stored_is_refused_with_its_line(value, message):
    with pytest.raises(SpecError, match=rf"test_views.py:\d+: wrong.eval: .*{message}"):
        declared(value)


def test_a_view_needs_a_name_of_its_own():
    with pytest.raises(SpecError, match="a view needs a name of its own"):
        declared(lambda x: theta, name="no name")
