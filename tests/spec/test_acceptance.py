"""Which gradients a specification takes, and the lanes that sparse ones name."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from instep.spec import dialects, get, ir
from instep.spec.algebra import equal
from instep.spec.arithmetic import Exact, Float64
from instep.spec.conditions import holds
from instep.spec.errors import SpecError
from instep.spec.gradients import accepts_complex, sees_shapes
from instep.spec.interpret import Interpreter

MASKED = """
lr = hyper("lr", 0.5)
let("update", theta, where(touched(theta), theta - lr * grad(theta), theta))
accept(sparse=True)
"""


def test_touched_is_a_condition_on_lanes(load):
    (update,) = load(MASKED).body
    assert update.value.condition == ir.Touched()


@pytest.mark.parametrize("arithmetic", [Float64(), Exact()])
def test_lanes_that_are_not_named_stay(load, arithmetic):
    with mpmath.workdps(30):
        runner = Interpreter(load(MASKED), arithmetic, [np.ones((2, 2)), np.ones(2)])
        gradients = [np.ones((2, 2)), np.array([0.0, 1.0])]
        runner.step(gradients, [np.array([[True], [False]]), np.array([True, False])])
        assert runner.slots[0].theta.tolist() == [[0.5, 0.5], [1, 1]]
        assert runner.slots[1].theta.tolist() == [1, 1]
        runner.step(gradients)
        assert runner.slots[0].theta.tolist() == [[0, 0], [0.5, 0.5]]
        assert runner.slots[1].theta.tolist() == [1, 0.5]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('accept(dense=False)', "neither dense nor sparse gradients are accepted"),
        ('accept(sparse=True); accept(sparse=True)', "is declared twice, first in line"),
        ('accept(sparse=equal(theta, 0))', "sparse= speaks of theta, which is no hyperparameter"),
        ('accept(sparse=True, rows=equal(theta, 0))', "rows= speaks of theta"),
        ('let("more", theta, where(touched(theta), theta, lr))', "touched.. needs accept"),
        ('let("more", theta, where(touched(lr), theta, lr))', "speaks of theta, not of lr"),
        ('let("more", theta, touched(theta))', "a condition is no number"),
        ('accept(sparse=True); with when(touched(theta)): let("a", theta, lr)', "branch on lanes"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_said(load, lines, message):
    body = 'lr = hyper("lr", 0.5)\nlet("update", theta, theta - lr * grad(theta))\n'
    with pytest.raises(SpecError, match=message) as caught:
        load(body + lines.replace("; ", "\n"))
    assert "\n" not in str(caught.value)


def values(algorithm):
    """Probe values, and 0 for what a condition on sparse gradients names."""
    found = {h.name: h.default if h.probe is None else h.probe for h in algorithm.hyperparameters}
    for condition in conditions(algorithm):
        if not isinstance(condition, bool):
            named = {n.name for n in ir.walk(condition) if isinstance(n, ir.Sym)}
            found |= dict.fromkeys(named, 0.0)
    return found


def conditions(algorithm):
    return algorithm.gradients.sparse, algorithm.gradients.rows


def promises_rows(name):
    algorithm = get(name)
    options, given = algorithm.option_defaults(), values(algorithm)
    return all(
        c if isinstance(c, bool) else holds(c, given, options) for c in conditions(algorithm)
    )


PROMISING = [name for name in dialects() if promises_rows(name)]


def test_some_promise_rows():
    assert {"sgd/torch", "adagrad/torch", "sparseadam/torch"} <= set(PROMISING)


@pytest.mark.parametrize("name", PROMISING)
def test_what_a_promise_of_rows_says_is_true(name):
    """Lanes that a sparse gradient does not name keep parameter and state, to the last bit."""
    algorithm = get(name)
    random = np.random.default_rng(0)
    runner = Interpreter(
        algorithm, Float64(), [random.normal(size=8)], hyperparameters=values(algorithm)
    )
    (slot,) = runner.slots
    moved = np.zeros(8, dtype=bool)
    for _ in range(6):
        touched = random.random(8) < 0.5
        before = {ir.THETA: slot.theta, **slot.state}
        runner.step([np.where(touched, random.normal(size=8), 0.0)], [touched])
        for key, old in before.items():
            new = slot.theta if key == ir.THETA else slot.state[key]
            assert np.array_equal(old[~touched], new[~touched]), key
        moved |= slot.theta != before[ir.THETA]
    assert moved.all()


def test_a_mask_is_part_of_the_algebra():
    plain, masked = get("adam/eps-hat"), get("sparseadam/torch")
    assert equal(masked, plain).status == "different"
    assert equal(masked, masked).status == "equal"


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ("grad(theta)", False),
        ("grad(theta) / norm(grad(theta))", False),
        ("grad(theta) * numel(theta)", False),
        ("grad(theta) * largest(abs(grad(theta)))", False),
        ("row_mean(grad(theta))", True),
        ("unit_mean(grad(theta))", True),
        ("grad(theta) * unit_size(theta)", True),
        ("grad(theta) * ndim(theta)", True),
        ("transpose(grad(theta))", True),
        ("matmul(grad(theta), grad(theta))", True),
    ],
)
def test_complex_parameters_mean_nothing_where_axes_are_told_apart(load, value, seen):
    text = f'lr = hyper("lr", 0.5)\nlet("update", theta, theta - lr * {value})\n'
    algorithm = load(text)
    assert sees_shapes(algorithm.body) is seen
    assert accepts_complex(algorithm, algorithm.body) is not seen
    declared = load(text + f"accept(complex={seen})")
    assert accepts_complex(declared, declared.body) is seen
