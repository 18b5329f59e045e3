"""The list form: in step with the specification, in place, one call for tensors that are alike."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from instep.conformance.bounds import BoundedArithmetic
from instep.conformance.profile import grades
from instep.reference import SGD, AdamW
from instep.spec import dialects, get
from instep.spec.arithmetic import Float64

FOREACH = [d for d in dialects() if get(d).result == "parameters"]


@pytest.mark.parametrize("name", FOREACH)
def test_list_form_is_in_step(name, load, problem, run, interpret, configurations):
    algorithm, cls = get(name), load(name, "vectorized")
    if not cls._has_foreach:
        with pytest.raises(ValueError, match="has no form for lists of tensors"):
            cls([torch.zeros(2, 2, requires_grad=True)], backend="foreach")
        return
    task = problem(lr=0.25, shapes=((), (3,), (4, 5), (6, 3), (2, 3, 4)), steps=8)
    for keywords, options, numbers in configurations(algorithm, cls):
        arithmetic = BoundedArithmetic(grades("float64")[0])
        machine = interpret(algorithm, task, arithmetic, options=options, hyperparameters=numbers)
        _, parameters = run(cls, task, backend="foreach", **keywords)
        for p, slot in zip(parameters, machine.slots, strict=True):
            error = np.abs(p.detach().numpy() - slot.theta.value)
            within = (error <= 2 * slot.theta.bound) | ~np.isfinite(slot.theta.bound)
            assert within.all(), keywords


@pytest.mark.parametrize("name", ["lion", "rprop"])
def test_list_form_without_rewrites_is_bit_for_bit(name, load, problem, run, interpret):
    task = problem(lr=0.25)
    machine = interpret(get(name), task, Float64())
    _, parameters = run(load(name, "vectorized"), task, backend="foreach")
    for p, slot in zip(parameters, machine.slots, strict=True):
        assert np.array_equal(p.detach().numpy(), slot.theta)


def test_algorithms_that_wait_run_one_tensor_at_a_time(load):
    cls = load("nesterov/paper", "vectorized")
    with pytest.raises(ValueError, match="no form for lists of tensors; leave foreach out"):
        cls([torch.zeros(2)], foreach=True)
    with pytest.raises(ValueError, match="does not support differentiable=True"):
        cls([torch.zeros(2)], differentiable=True)


@pytest.fixture
def calls(monkeypatch):
    """How many tensors each call of the final fused operation was given."""
    sizes: list[int] = []
    original = torch._foreach_addcdiv_

    def counting(tensors, *rest, **keywords):
        sizes.append(len(tensors))
        return original(tensors, *rest, **keywords)

    monkeypatch.setattr(torch, "_foreach_addcdiv_", counting)
    return sizes


def with_gradient(*shapes, dtype=torch.float32):
    out = [torch.ones(s, dtype=dtype, requires_grad=True) for s in shapes]
    for p in out:
        p.grad = torch.full_like(p, 0.5)
    return out


def test_like_tensors_share_a_call(calls):
    AdamW(with_gradient(2, 3, (4, 5)), foreach=True).step()
    assert calls == [3]


def test_types_and_step_counts_are_kept_apart(calls):
    wide, narrow = with_gradient(2, 3), with_gradient(4, dtype=torch.float64)
    optimizer = AdamW([*wide, *narrow], foreach=True)
    wide[1].grad = None
    optimizer.step()
    assert sorted(calls) == [1, 1]
    calls.clear()
    wide[1].grad = torch.full_like(wide[1], 0.5)
    optimizer.step()
    assert sorted(calls) == [1, 1, 1]
    assert [float(optimizer.state[p]["step"]) for p in wide] == [2, 1]


def test_groups_are_kept_apart(calls):
    first, second = with_gradient(2, 3)
    AdamW([{"params": [first], "lr": 0.0}, {"params": [second]}], foreach=True).step()
    assert calls == [1, 1]
    assert torch.equal(first, torch.ones(2) - 0.0)
    assert not torch.equal(second, torch.ones(3))


@pytest.mark.parametrize("backend", ["auto", "foreach", "eager"])
def test_parameters_and_state_keep_their_memory(backend):
    parameters = with_gradient(2, (3, 4))
    optimizer = AdamW(parameters, amsgrad=True, backend=backend)
    optimizer.step()
    tensors = [*parameters, *(x for p in parameters for x in optimizer.state[p].values())]
    before = [x.data_ptr() for x in tensors]
    optimizer.step()
    after = [*parameters, *(x for p in parameters for x in optimizer.state[p].values())]
    assert all(x is y for x, y in zip(tensors, after, strict=True))
    assert [x.data_ptr() for x in tensors] == before


@pytest.mark.parametrize("backend", ["foreach", "eager"])
@pytest.mark.parametrize(
    "keywords", [{}, {"maximize": True}, {"momentum": 0.5}, {"weight_decay": 0.5}]
)
def test_gradients_are_not_touched(backend, keywords):
    parameters = with_gradient(2, 3)
    optimizer = SGD(parameters, backend=backend, **keywords)
    for _ in range(2):
        versions = [p.grad._version for p in parameters]
        optimizer.step()
        assert [p.grad._version for p in parameters] == versions
    assert all(torch.equal(p.grad, torch.full_like(p, 0.5)) for p in parameters)


@pytest.mark.parametrize("backend", ["foreach", "eager"])
def test_first_buffer_is_not_the_gradient_itself(backend):
    (p,) = with_gradient(3)
    optimizer = SGD([p], momentum=0.5, backend=backend)
    optimizer.step()
    p.grad.zero_()
    assert torch.equal(optimizer.state[p]["momentum_buffer"], torch.full((3,), 0.5))


def test_state_may_be_toggled_on_later():
    (p,) = with_gradient(3)
    optimizer = AdamW([p])
    optimizer.step()
    optimizer.param_groups[0]["amsgrad"] = True
    optimizer.step()
    assert torch.equal(optimizer.state[p]["max_exp_avg_sq"], optimizer.state[p]["exp_avg_sq"])


def test_layout_survives(calls):
    p = torch.ones(2, 3, 4, 5).to(memory_format=torch.channels_last).requires_grad_()
    p.grad = torch.ones_like(p)
    optimizer = AdamW([p])
    optimizer.step()
    assert p.is_contiguous(memory_format=torch.channels_last)
    assert optimizer.state[p]["exp_avg"].stride() == p.stride()
