"""Generated classes of composed algorithms: what they are called, keep and compute."""

from __future__ import annotations

import ast
import copy

import numpy as np
import pytest
import torch

from instep.reference import Ranger
from instep.reference.generate import generate_source, load_class
from instep.spec import get
from instep.spec.arithmetic import Float64
from instep.spec.interpret import Interpreter

WHOLES = (
    "lookahead(sgd)",
    "lookahead(adamw)",
    "lookahead/calls(adamw)",
    "ranger",
    "clip-grad-norm(adamw)",
    "clip-grad-value(sgd)",
    "agc(sgd)",
    "centralize(lookahead(adam))",
)
SHAPES = ((), (3,), (4, 5), (2, 3, 4))


def gradients(steps=9):
    random = np.random.default_rng(7)
    out = [[random.standard_normal(s) for s in SHAPES] for _ in range(steps)]
    out[2][1] = out[3][1] = None
    return out


def start():
    random = np.random.default_rng(8)
    return [random.standard_normal(s) for s in SHAPES]


def run(optimizer, parameters, given):
    for step in given:
        for p, g in zip(parameters, step, strict=True):
            p.grad = None if g is None else torch.tensor(g)
        optimizer.step()


@pytest.mark.parametrize("target", ["eager", "vectorized"])
@pytest.mark.parametrize("name", WHOLES)
def test_a_composed_class_follows_the_interpreter(name, target):
    whole = get(name)
    parameters = [torch.tensor(x, requires_grad=True) for x in start()]
    run(load_class(whole, target)(parameters), parameters, gradients())
    interpreter = Interpreter(whole, Float64(), start())
    for step in gradients():
        interpreter.step(step)
    for p, slot in zip(parameters, interpreter.slots, strict=True):
        assert np.allclose(p.detach().numpy(), slot.theta, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", WHOLES)
def test_names_of_the_generators_own_are_told_apart(name):
    """A composed equation has dots in its name, a Python name has none."""
    tree = ast.parse(generate_source(get(name), "vectorized"))
    methods = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    body = next(m for m in methods if m.name in ("_foreach_update", "_steps"))
    stored = {n.id for n in ast.walk(body) if isinstance(n, ast.Name)}
    assert not stored & {"_radam", "_adamw", "_sgd", "_adam", "_lookahead"}


def test_ranger_reads_k_and_alpha_from_the_group_in_every_step():
    p = torch.ones(2, dtype=torch.float64, requires_grad=True)
    optimizer = Ranger([p], lr=0.5, k=2, alpha=0.5)
    run(optimizer, [p], [[np.ones(2)]] * 3)
    optimizer.param_groups[0].update(k=4, alpha=0.0)
    slow = optimizer.state[p]["slow_buffer"].clone()
    run(optimizer, [p], [[np.ones(2)]])
    assert torch.equal(p, slow)


def test_slow_weights_start_at_the_first_parameters_and_are_saved():
    one, two = (torch.ones(2, dtype=torch.float64, requires_grad=True) for _ in range(2))
    first = Ranger([one], lr=0.5, k=3)
    run(first, [one], [[np.ones(2)]])
    assert torch.equal(first.state[one]["slow_buffer"], torch.ones(2))
    second = Ranger([two], lr=0.5, k=3)
    with torch.no_grad():
        two.copy_(one)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    for optimizer, p in ((first, one), (second, two)):
        run(optimizer, [p], [[np.ones(2)]] * 4)
    assert torch.equal(one, two)


@pytest.mark.parametrize(("k", "alpha"), [(0, 0.5), (1.5, 0.5), (2, -0.1), (2, 1.5)])
def test_ranger_refuses_what_means_nothing(k, alpha):
    p = torch.ones(2, requires_grad=True)
    with pytest.raises(ValueError, match=r"k|alpha"):
        Ranger([p], k=k, alpha=alpha)
