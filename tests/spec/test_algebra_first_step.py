"""What a state starts from makes no difference where the first step takes none of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from instep import spec
from instep.spec import ir
from instep.spec.algebra import equal, program
from instep.spec.algebra.first_step import same_after_first_step
from instep.spec.author import (
    absent,
    algorithm,
    counter,
    grad,
    hyper,
    let,
    local,
    ndim,
    otherwise,
    prev,
    repeat,
    state,
    theta,
    total_over_params,
    when,
)
from instep.spec.author import (
    equal as is_equal,
)


def draft(body, *, init=0, scope="parameter", counts="parameter"):
    """An algorithm with one state, whose step is `body(m, t, h)`."""
    with algorithm("draft", "Draft") as made:
        h = hyper("h", 0.5, domain="[0,1)", description="a rate")
        t = counter(scope=counts)
        m = state("m", "m", init=init, scope=scope, shape="scalar" if body is of_all else "like")
        body(m, t, h)
    return program(made.algorithm)


def same(body, **more):
    return same_after_first_step(draft(body, **more), draft(body, init=1, **more))


def update(m):
    let("update", theta, theta - m)


def forgets(m, t, h):
    let("average", m, (1 - 1 / t) * prev(m) + h * grad(theta) / t)
    update(m)


def corrected(m, t, h):
    let("average", m, (h - h**t) / (1 - h**t) * prev(m) + (1 - h) * grad(theta))
    update(m)


def remembers(m, t, h):
    let("average", m, h * prev(m) + (1 - h) * grad(theta))
    update(m)


def in_a_branch(m, t, h):
    with when(h > 0):
        let("average", m, (1 - 1 / t) * prev(m) + grad(theta))
        update(m)


def never_stored(m, t, h):
    with when(t > 1):
        let("average", m, h * prev(m) + grad(theta))
        update(m)


def of_all(m, t, h):
    let("average", m, total_over_params(abs((1 - 1 / t) * prev(m) * h * grad(theta))))
    update(m)


def in_a_loop(m, t, h):
    with repeat(2):
        let("average", m, (1 - 1 / t) * prev(m) + h * grad(theta))
    update(m)


def starts(m, t, h):
    with when(absent(m)):
        let("average", m, grad(theta), form="first")
    with otherwise():
        let("average", m, h * prev(m) + (1 - h) * grad(theta))
    update(m)


def starts_and_forgets_more(m, t, h):
    with when(absent(m)):
        let("average", m, grad(theta), form="first")
    with otherwise():
        let("average", m, h**2 * prev(m) + (1 - h) * grad(theta))
    update(m)


def reads_in_vain(m, t, h):
    x = local("x")
    let("difference", x, grad(theta) - prev(m))
    with when(is_equal(t, 1)):
        let("difference", x, grad(theta), form="first")
    let("last", m, h * grad(theta))
    let("update", theta, theta - x)


def reads_at_times_in_vain(m, t, h):
    x = local("x")
    let("difference", x, grad(theta) - prev(m))
    with when(h > 0):
        let("difference", x, grad(theta), form="other")
    let("last", m, h * grad(theta))
    let("update", theta, theta - x)


def starts_when_counted(m, t, h):
    with when(is_equal(t, 1)):
        let("average", m, grad(theta), form="first")
    with otherwise():
        let("average", m, h * prev(m) + (1 - h) * grad(theta))
    update(m)


@pytest.mark.parametrize("body", [forgets, corrected, starts_when_counted, reads_in_vain])
def test_a_start_that_the_first_step_forgets_makes_no_difference(body):
    assert same(body)


@pytest.mark.parametrize(
    "body", [remembers, never_stored, in_a_branch, in_a_loop, of_all, reads_at_times_in_vain]
)
def test_a_start_that_may_be_read_does(body):
    assert not same(body)


def test_a_parameter_without_the_state_does_not_count():
    def kept(*, init):
        with algorithm("draft", "Draft") as made:
            t, m = counter(), state("m", "m", init=init, when=ndim(theta) > 1)
            with when(ndim(theta) > 1):
                forgets(m, t, 0)
        return program(made.algorithm)

    assert same_after_first_step(kept(init=0), kept(init=1))


def test_steps_of_the_optimizer_are_not_those_of_a_parameter():
    """A parameter may have its first gradient when t is 2."""
    assert not same(forgets, counts="optimizer")


def test_a_state_that_starts_from_the_parameter_is_left_to_others():
    assert same_after_first_step(draft(forgets), draft(forgets))
    assert not same_after_first_step(draft(forgets, init=theta), draft(forgets, init=theta))


def test_what_the_first_step_stores_is_never_missing_later():
    missing, counted = draft(starts, init=None), draft(starts_when_counted, init=None)
    assert same_after_first_step(missing, counted)
    assert same_after_first_step(missing, draft(starts_when_counted, init=1))
    assert not same_after_first_step(missing, draft(remembers))
    assert not same_after_first_step(missing, draft(starts_and_forgets_more, init=None))


def test_whether_a_state_is_missing_is_no_number():
    """With a first value it never is."""

    def asks(m, t, h):
        let("average", m, h * grad(theta))
        with when(absent(m)):
            let("decay", theta, h * theta)
        update(m)

    first = draft(asks, init=None)
    states = tuple(replace(s, init=ir.Const(0)) for s in first.states)
    given = replace(first, algorithm=replace(first.algorithm, states=states))
    assert not same_after_first_step(first, given)


@pytest.mark.parametrize(
    ("dialect", "symbol"),
    [("adafactor/torch", "R"), ("stableadamw/paper", "v"), ("adopt/paper", "v")],
)
def test_catalogued_starts_are_proved(dialect, symbol):
    algorithm = spec.get(dialect)
    changed = tuple(
        replace(s, init=ir.Const(1)) if s.name == symbol else s for s in algorithm.states
    )
    verdict = equal(replace(algorithm, states=changed), algorithm)
    assert verdict.status == "equal"
    assert "The first step of a parameter" in verdict.proof.to_text(width=200)
