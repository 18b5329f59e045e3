"""The generated eager text and the interpreter share no code; they agree bit for bit in float64.

What is not part of the generated text rounds differently in torch and in numpy: roots, which numpy
rounds correctly and torch does not where they come from a vector library, powers, numbers divided
by tensors, matrix products, and the order of sums. All of it is replaced by numpy's here. With
torch's own, algorithms that sum over lanes are held within a bound.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from instep.conformance.bounds import BoundedArithmetic
from instep.conformance.profile import grades
from instep.spec import dialects, get, ir
from instep.spec.arithmetic import Float64
from instep.spec.gradients import reads_loss
from instep.spec.options import resolve
from sampling import BY_DEFAULT


def sums(name: str) -> bool:
    algorithm = get(name)
    body = resolve(algorithm.body, algorithm.option_defaults())
    return any(isinstance(node, ir.Reduce | ir.MatMul) for node in ir.nodes(body))


# What branches on data is not within a bound of every lane, see tests/reference/test_lbfgs.py.
BRANCHING = {name for name in dialects() if reads_loss(get(name).body)}
SUMMING = tuple(name for name in dialects() if sums(name) and name not in BRANCHING)
EXACT = [
    pytest.param(n, marks=pytest.mark.slow) if n in SUMMING and n not in BY_DEFAULT else n
    for n in dialects()
    if n not in BRANCHING
]


class RowByRow(Float64):
    """Adds up lanes in one order, whatever the order in which they lie in memory."""

    def reduce(self, op, over, x):
        return super().reduce(op, over, np.array(x, order="C"))


@pytest.fixture
def rounded_as_numpy(monkeypatch):
    """What torch and numpy round differently in the last place, as numpy rounds it."""

    def root(x):
        return torch.from_numpy(np.asarray(np.sqrt(x.numpy())))

    monkeypatch.setattr(torch, "sqrt", root)
    monkeypatch.setattr(torch.Tensor, "__pow__", power(torch.Tensor.__pow__))
    monkeypatch.setattr(torch.Tensor, "__rtruediv__", lambda x, y: torch.full_like(x, y) / x)
    monkeypatch.setattr(torch.Tensor, "__matmul__", product)
    for name in ("sum", "mean"):
        plain = getattr(torch.Tensor, name)
        monkeypatch.setattr(torch.Tensor, name, reduction(plain, getattr(np, name)))
    with np.errstate(invalid="ignore"):
        yield


def power(plain):
    """The method of tensors; integer powers are the same in both."""

    def raise_to(x, y):
        if not isinstance(y, float):
            return plain(x, y)
        return torch.from_numpy(np.asarray(x.numpy()[()] ** y))

    return raise_to


def product(x, y):
    return torch.from_numpy(x.numpy() @ y.numpy())


def reduction(plain, of_numpy):
    """The method of tensors, adding up in numpy's order; a closure's loss stays autograd's."""

    def reduce(x, dim=None, keepdim=False):
        if x.requires_grad:
            return plain(x)
        return torch.from_numpy(np.asarray(of_numpy(x.numpy().copy(), axis=dim, keepdims=keepdim)))

    return reduce


def rate(algorithm):
    """A learning rate for the problem to change midway, where there is one."""
    return 0.25 if any(h.name == "lr" for h in algorithm.hyperparameters) else None


@pytest.mark.filterwarnings("ignore:Mean of empty slice")
@pytest.mark.parametrize("name", EXACT)
def test_eager_equals_interpreter_bit_for_bit(
    name, load_wide, problem, run, interpret, configurations, matrices, rounded_as_numpy
):
    algorithm, cls = get(name), load_wide(name, "eager")
    closure = getattr(cls, "_closure", False)
    whole = closure or getattr(cls, "_shared_keys", frozenset())
    task = problem(pause=not whole, lr=rate(algorithm), **matrices(name))
    cases = configurations(algorithm, cls)
    assert len(cases) >= 2
    for keywords, options, numbers in cases:
        optimizer, parameters = run(cls, task, **keywords)
        machine = interpret(
            algorithm, task, RowByRow(), closure=closure, options=options, hyperparameters=numbers
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
def test_eager_that_sums_is_within_the_bound(name, load_wide, problem, run, interpret, matrices):
    algorithm, cls = get(name), load_wide(name, "eager")
    task = problem(lr=rate(algorithm), steps=6, **matrices(name))
    _, parameters = run(cls, task)
    machine = interpret(algorithm, task, BoundedArithmetic(grades("float64")[0]))
    for p, slot in zip(parameters, machine.slots, strict=True):
        error = np.abs(p.detach().numpy() - slot.theta.value)
        assert (error <= 2 * slot.theta.bound).all()
