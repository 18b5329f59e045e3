"""Points between steps on generated classes: read, moved to, left again, kept in checkpoints."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from instep.reference.generate import load_class
from instep.spec import get
from instep.spec.author import algorithm, grad, hyper, let, prev, state, theta, view

with algorithm("ahead", "Evaluated ahead of where it is trained") as _draft:
    lr, beta = hyper("lr", 0.5), hyper("beta", 0.75)
    z = state("z", "z", init=theta)
    let("base", z, prev(z) - lr * grad(theta))
    let("update", theta, (theta + z) / 2)
    view("eval", theta + beta * (z - theta), inverse=(theta - beta * z) / (1 - beta))
AHEAD = _draft.algorithm
TARGETS = ("eager", "vectorized")


def leaves():
    return [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in ([1.0, -2.0], [3.0])]


def steps(optimizer, parameters, count, start=0):
    for t in range(start, start + count):
        for i, p in enumerate(parameters):
            p.grad = torch.full_like(p, 2.0 ** -(t + i))
        optimizer.step()


def made(spec, target):
    parameters = leaves()
    return load_class(spec, target)(parameters, lr=0.25), parameters


@pytest.mark.parametrize("target", TARGETS)
def test_lookahead_is_evaluated_at_its_slow_weights(target):
    optimizer, parameters = made(get("lookahead(sgd)"), target)
    steps(optimizer, parameters, 7)
    fast = [p.detach().clone() for p in parameters]
    slow = [optimizer.state[p]["slow_buffer"].clone() for p in parameters]
    with optimizer.evaluating():
        assert all(map(torch.equal, parameters, slow))
        assert not any(map(torch.equal, parameters, fast))
    assert all(map(torch.equal, parameters, fast))
    assert all("train_point" not in optimizer.state[p] for p in parameters)


@pytest.mark.parametrize("target", TARGETS)
def test_an_inverse_leads_back_without_a_copy(target):
    optimizer, parameters = made(AHEAD, target)
    steps(optimizer, parameters, 3)
    trained = [p.detach().clone() for p in parameters]
    points = optimizer.view("eval")
    optimizer.eval()
    assert all(map(torch.equal, parameters, points))
    assert all(set(optimizer.state[p]) == {"z"} for p in parameters)
    optimizer.train()
    for p, x in zip(parameters, trained, strict=True):
        assert np.allclose(p.detach(), x, rtol=0, atol=2.0**-50)


@pytest.mark.parametrize("target", TARGETS)
def test_a_step_at_the_point_of_evaluation_is_refused_and_changes_nothing(target):
    optimizer, parameters = made(get("lookahead(sgd)"), target)
    steps(optimizer, parameters, 2)
    optimizer.eval()
    before = [p.detach().clone() for p in parameters], copy.deepcopy(optimizer.state_dict())
    with pytest.raises(RuntimeError, match=r"call train\(\) before step\(\)"):
        optimizer.step()
    assert all(map(torch.equal, parameters, before[0]))
    assert str(optimizer.state_dict()) == str(before[1])


@pytest.mark.parametrize("target", TARGETS)
def test_before_the_first_step_the_point_is_where_training_starts(target):
    optimizer, parameters = made(get("lookahead(sgd)"), target)
    assert all(map(torch.equal, optimizer.view("eval"), parameters))
    optimizer.eval()
    optimizer.train()
    steps(optimizer, parameters, 1)
    assert optimizer.state[parameters[0]]["step"] == 1


@pytest.mark.parametrize("spec", [AHEAD, get("lookahead(sgd)")], ids=lambda s: s.name)
@pytest.mark.parametrize("target", TARGETS)
def test_a_checkpoint_of_the_point_of_evaluation_trains_on(spec, target):
    optimizer, parameters = made(spec, target)
    steps(optimizer, parameters, 4)
    optimizer.eval()
    other, copies = made(spec, target)
    with torch.no_grad():
        for new, old in zip(copies, parameters, strict=True):
            new.copy_(old)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for one, tensors in ((optimizer, parameters), (other, copies)):
        one.train()
        steps(one, tensors, 4, start=4)
    assert all(map(torch.equal, parameters, copies))


def test_eval_and_train_twice_are_eval_and_train():
    optimizer, parameters = made(get("lookahead(sgd)"), "vectorized")
    steps(optimizer, parameters, 4)
    fast = [p.detach().clone() for p in parameters]
    optimizer.eval()
    optimizer.eval()
    optimizer.train()
    optimizer.train()
    assert all(map(torch.equal, parameters, fast))


def test_an_unknown_view_is_an_error_and_others_have_no_eval():
    optimizer, _ = made(get("lookahead(sgd)"), "vectorized")
    with pytest.raises(ValueError, match="LookaheadSGD has no view 'slow'"):
        optimizer.view("slow")
    assert not hasattr(load_class(get("sgd"), "vectorized"), "eval")
