"""What papers say of their algorithms, asked of the equations at 50 digits."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instep.spec import ir, registry
from instep.spec.algebra import program
from instep.spec.algebra.numeric import NumericDomain, digits_context
from instep.spec.algebra.program import Program
from instep.spec.algebra.scenario import Moment, Scenario, simulate

FRACTIONS = st.fractions(-8, 8, max_denominator=64)
SETTINGS = settings(max_examples=60, deadline=None, derandomize=True)


def run(name: str, gradients: Sequence[Any], **values: Any) -> list[dict[str, Any]]:
    """Parameter and state after each step, from 0 and with decay off."""
    made = _program(name)
    known = {
        h.name: 0 if h.key == "weight_decay" else h.default for h in made.algorithm.hyperparameters
    }
    fractions = {n: Fraction(str(x)) for n, x in {**known, **values}.items()}
    moments = tuple(Moment(fractions, Fraction(g), Fraction(0)) for g in gradients)
    domain = NumericDomain(digits_context(), lambda x: x)
    return [dict(step) for step in simulate(made, Scenario(Fraction(0), moments), domain)]


@functools.cache
def _program(name: str) -> Program:
    return program(name)


def path(name: str, gradients: Sequence[Any], **values: Any) -> list[mpmath.mpf]:
    """Where the parameter is after each step."""
    with mpmath.workdps(50):
        return [mpmath.mpf(str(x[ir.THETA])) for x in run(name, gradients, **values)]


@SETTINGS
@given(st.lists(FRACTIONS, min_size=5, max_size=5))
def test_radams_first_phase_is_momentum_with_a_corrected_average(gradients):
    """Below a length of 5 (Algorithm 2, line 12), which beta2 = 0.999 takes five steps to reach."""
    with mpmath.workdps(50):
        average, expected, beta1 = 0, [mpmath.mpf(0)], mpmath.mpf("0.9")
        for t, g in enumerate(gradients, 1):
            average = beta1 * average + (1 - beta1) * mpmath.mpf(g.numerator) / g.denominator
            expected.append(expected[-1] - mpmath.mpf("0.001") * average / (1 - beta1**t))
        got = path("radam", gradients)
        assert all(abs(a - b) < 1e-45 for a, b in zip(got, expected[1:], strict=True))


def test_radams_sixth_step_is_rectified():
    """And much shorter than those before it, which are as long as the learning rate."""
    places = [0, *path("radam", [1] * 6)]
    lengths = [abs(b - a) for a, b in itertools.pairwise(places)]
    assert min(lengths[:5]) > 30 * lengths[5]


@SETTINGS
@given(st.lists(FRACTIONS.filter(bool), min_size=2, max_size=6))
def test_amsgrad_on_the_raw_moment_is_adam_while_it_rises(gradients):
    """It does rise where no gradient is smaller than those before it."""
    rising = list(itertools.accumulate(map(abs, gradients)))
    assert path("amsgrad/torch", rising) == path("adam/paper", rising)


def test_amsgrad_on_the_corrected_moment_is_not():
    """Corrected, the second moment is an average, and falls after one gradient that is large."""
    gradients = [Fraction(1), Fraction(1, 2), Fraction(1, 64)]
    assert path("amsgrad/corrected", gradients) != path("adam/paper", gradients)


@pytest.mark.parametrize("name", ["adam/paper", "adam/eps-hat", "adamax", "lion", "signsgd"])
@SETTINGS
@given(data=st.data())
def test_a_step_is_as_short_as_the_paper_promises(name, data):
    """Adam, section 2.1: lr, or lr (1 - beta1) / sqrt(1 - beta2) where that is larger."""
    gradients = data.draw(st.lists(FRACTIONS, min_size=1, max_size=6))
    places = [mpmath.mpf(0), *path(name, gradients, lr=Fraction(1, 1000))]
    with mpmath.workdps(50):
        steps = [abs(b - a) for a, b in itertools.pairwise(places)]
        assert all(step <= _promised(name) * (1 + mpmath.mpf(10) ** -45) for step in steps)


def _promised(name: str) -> mpmath.mpf:
    lr = mpmath.mpf(1) / 1000
    if registry.get(name).name != "adam":
        return lr
    return lr * max(1, (1 - mpmath.mpf("0.9")) / mpmath.sqrt(1 - mpmath.mpf("0.999")))


def test_adams_steps_come_close_to_what_is_promised():
    """A gradient after many zeros: the bound is no looser than it has to be."""
    gradients = [0] * 400 + [1]
    places = path("adam/paper", gradients, lr=Fraction(1, 1000))
    assert places[-1] < 0
    assert abs(places[-1] - places[-2]) > 0.55 * _promised("adam/paper")
