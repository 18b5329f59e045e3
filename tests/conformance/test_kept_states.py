"""When a state is rounded: where it is assigned if it has a type of its own, else at a step's end.

A subject in place is in step with a bound only if what reads the state after its assignment is
bounded with the rounding in it; and a bound is as tight as may be only if nothing rounds twice.
"""

from __future__ import annotations

import numpy as np
import pytest

from instep.conformance.bounds import BoundedArithmetic
from instep.conformance.profile import FLOAT_TYPES, Profile
from instep.conformance.rounding import RandomRounding
from instep.spec.author import algorithm, grad, let, state, theta
from instep.spec.interpret import Interpreter

WIDE, HALF = FLOAT_TYPES["float64"], FLOAT_TYPES["float16"]
AT_ONCE = Profile("m is a float16 tensor", WIDE, WIDE, states={"m": HALF})
LATE = Profile("everything is kept in float16", WIDE, WIDE, HALF)
X = np.random.default_rng(1).uniform(1, 4, 100)
ROUNDING = HALF.unit * X + HALF.tiny


def stepped(arithmetic):
    """Where one step along a state leads: the slot, after m = X and theta = 0 - m."""
    with algorithm("along", "A step along a state") as draft:
        m = state("m", "m", description="the gradient, kept")
        let("kept", m, grad(theta))
        let("update", theta, theta - m)
    run = Interpreter(draft.algorithm, arithmetic, [np.zeros_like(X)])
    run.step([X])
    return run.slots[0]


@pytest.mark.parametrize("kind", [BoundedArithmetic, lambda profile: RandomRounding(profile, 0)])
def test_states_with_a_type_of_their_own_are_kept_in_place(kind):
    assert kind(AT_ONCE).in_place("m")
    assert not kind(AT_ONCE).in_place("v")
    assert not kind(LATE).in_place("m")


def test_a_bound_holds_what_reads_a_rounded_state():
    slot = stepped(BoundedArithmetic(AT_ONCE))
    assert (np.abs(slot.theta.value + X.astype(np.float16)) <= slot.theta.bound).all()
    assert np.array_equal(slot.state["m"].bound, ROUNDING)


def test_a_bound_of_what_reads_a_state_that_is_rounded_later_is_none_the_wider():
    slot = stepped(BoundedArithmetic(LATE))
    assert (slot.theta.bound <= ROUNDING * (1 + 2**-20)).all()
    assert np.array_equal(slot.state["m"].bound, ROUNDING)


@pytest.mark.parametrize("seed", [-1, -2, 0, 1])
def test_what_rounds_at_random_reads_the_rounded_state(seed: int):
    slot = stepped(RandomRounding(AT_ONCE, seed))
    assert not np.array_equal(slot.state["m"], X)
    assert np.array_equal(slot.theta, -slot.state["m"])


def test_what_rounds_at_random_at_the_end_reads_the_state_as_it_was():
    slot = stepped(RandomRounding(LATE, -1))
    assert (slot.state["m"] < X).all()
    assert (-slot.theta > X).all()
