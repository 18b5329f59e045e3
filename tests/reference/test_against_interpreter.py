"""The generated eager text and the interpreter share no code; they agree bit for bit in float64.

Two functions are not part of what was generated and round differently in torch and in numpy: sums,
and the root, which numpy rounds correctly and torch does not where it comes from a vector library.
The root is replaced by numpy's here; algorithms that sum over lanes are held within a bound.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from instep.conformance.bounds import BoundedArithmetic
from instep.conformance.profile import grades
from instep.reference.generate import load_class
from instep.spec import dialects, get, ir
from instep.spec.arithmetic import Float64
from instep.spec.gradients import reads_loss
from instep.spec.options import resolve

OWN = ("prodigy",)
MATRICES = ((4, 5), (6, 3), (3, 3))


def sums(name: str) -> bool:
    algorithm = get(name)
    body = resolve(algorithm.body, algorithm.option_defaults())
    return any(isinstance(node, ir.Reduce | ir.MatMul) for node in ir.nodes(body))


# What branches on data is not within a bound of every lane, see tests/reference/test_lbfgs.py.
BRANCHING = {name for name in dialects() if reads_loss(get(name).body)}
SUMMING = tuple(name for name in dialects() if sums(name) and name not in BRANCHING)
EXACT = (*(n for n in dialects() if not sums(n) and n not in BRANCHING), *OWN)


@pytest.fixture
def rounded_roots(monkeypatch):
    """Roots and powers as numpy rounds them, which differ from torch's in the last place."""
    plain_power = torch.Tensor.__pow__

    def root(x):
        return torch.from_numpy(np.asarray(np.sqrt(x.numpy())))

    def power(x, y):
        if not isinstance(y, float):
            return plain_power(x, y)
        return torch.from_numpy(np.asarray(x.numpy()[()] ** y))

    monkeypatch.setattr(torch, "sqrt", root)
    monkeypatch.setattr(torch.Tensor, "__pow__", power)
    with np.errstate(invalid="ignore"):
        yield


def rate(algorithm):
    """A learning rate for the problem to change midway, where there is one."""
    return 0.25 if any(h.name == "lr" for h in algorithm.hyperparameters) else None


def shapes_of(name):
    return {"shapes": MATRICES} if get(name).shapes else {}


def in_its_own_type(algorithm):
    """The same equations, none of them in a narrower type than the parameter's."""
    return replace(algorithm, blocks=())


@pytest.mark.parametrize("name", EXACT)
def test_eager_equals_interpreter_bit_for_bit(
    name, find, load, problem, run, interpret, configurations, rounded_roots
):
    algorithm, cls = find(name), load(name, "eager")
    closure = getattr(cls, "_closure", False)
    whole = closure or getattr(cls, "_shared_keys", frozenset())
    task = problem(pause=not whole, lr=rate(algorithm))
    cases = configurations(algorithm, cls)
    assert len(cases) >= 2
    for keywords, options, numbers in cases:
        optimizer, parameters = run(cls, task, **keywords)
        machine = interpret(
            algorithm, task, Float64(), closure=closure, options=options, hyperparameters=numbers
        )
        for p, slot in zip(parameters, machine.slots, strict=True):
            assert np.array_equal(p.detach().numpy(), slot.theta, equal_nan=True), keywords
            check_state(algorithm, optimizer.state[p] if slot.state else {}, slot.state)


def check_state(algorithm, got, expected):
    """The state that torch keeps is the interpreter's, under torch's keys."""
    for s in algorithm.states:
        if s.scope == "parameter" and s.name in expected:
            assert np.array_equal(np.asarray(got[s.key]), expected[s.name], equal_nan=True), s.name


@pytest.mark.parametrize("name", SUMMING)
def test_eager_that_sums_is_within_the_bound(name, find, load, problem, run, interpret):
    algorithm, cls = find(name), load(name, "eager")
    if algorithm.narrow:
        cls = load_class(in_its_own_type(algorithm), "eager")
    task = problem(lr=rate(algorithm), steps=6, **shapes_of(name))
    _, parameters = run(cls, task)
    machine = interpret(algorithm, task, BoundedArithmetic(grades("float64")[0]))
    for p, slot in zip(parameters, machine.slots, strict=True):
        error = np.abs(p.detach().numpy() - slot.theta.value)
        assert (error <= 2 * slot.theta.bound).all()
