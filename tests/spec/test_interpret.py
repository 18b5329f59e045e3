"""The interpreter's steps, where they are no matter of a single equation."""

from __future__ import annotations

import numpy as np
import pytest

from instep.spec import get
from instep.spec.arithmetic import Float64
from instep.spec.interpret import Interpreter


# One that counts steps for each parameter, and one whose sums go over all that have a gradient.
@pytest.mark.parametrize("name", ["adamw/torch", "prodigy/authors"])
def test_where_no_parameter_has_a_gradient_there_is_no_step(name: str):
    given = [np.array([1.0, -2.0]), np.array([0.5])]
    runner, other = (Interpreter(get(name), Float64(), [np.ones(2), np.ones(1)]) for _ in range(2))
    for gradients in (given, [None, None], given):
        runner.step(gradients)
    for gradients in (given, given):
        other.step(gradients)
    assert runner.count == other.count == 2
    for slot, expected in zip(runner.slots, other.slots, strict=True):
        assert np.array_equal(slot.theta, expected.theta)
        assert slot.count == expected.count
    assert runner.optimizer_state == other.optimizer_state
