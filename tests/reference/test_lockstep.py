"""Parameters that wait for each other: closures at other points, sums, shared state."""

from __future__ import annotations

import pytest
import torch

LR = 0.25


def quadratic(optimizer, parameters, log=None):
    def closure():
        assert torch.is_grad_enabled()
        optimizer.zero_grad()
        loss = sum((p**2).sum() for p in parameters)
        loss.backward()
        if log is not None:
            log.append([p.detach().clone() for p in parameters])
        return loss

    return closure


def leaves(*values):
    return [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in values]


def test_a_closure_may_reuse_the_memory_of_its_gradients(load):
    p, q = leaves([1.0], [1.0])
    one, two = (load("heun", "eager")([x], lr=LR) for x in (p, q))

    def closure():
        one.zero_grad(set_to_none=False)
        loss = (p**2).sum()
        loss.backward()
        return loss

    for _ in range(2):
        one.step(closure)
        two.step(quadratic(two, [q]))
    assert torch.equal(p, q)


@pytest.mark.parametrize("target", ["eager", "vectorized"])
def test_heun_asks_twice_and_returns_the_first_loss(load, target):
    (p,) = leaves([1.0, 2.0])
    optimizer = load("heun", target)([p], lr=LR)
    log: list = []
    loss = optimizer.step(quadratic(optimizer, [p], log))
    predicted = torch.tensor([0.5, 1.0], dtype=torch.float64)
    assert loss.item() == 5.0
    assert torch.equal(log[0][0], torch.tensor([1.0, 2.0], dtype=torch.float64))
    assert torch.equal(log[1][0], predicted)
    assert len(log) == 2
    assert torch.equal(p, predicted - LR / 2 * (2 * predicted - torch.tensor([2.0, 4.0])))


def test_the_gradient_is_taken_at_the_point_ahead_and_the_parameter_put_back(load):
    (p,) = leaves([1.0])
    optimizer = load("nesterov/paper", "eager")([p], lr=LR, momentum=0.5)
    log: list = []
    for _ in range(2):
        optimizer.step(quadratic(optimizer, [p], log))
    assert [x[0].item() for x in log] == [1.0, 0.5 - 0.5 * 0.5]
    assert optimizer.state[p]["momentum_buffer"].item() == 0.5 * 0.5 + LR * 2 * 0.25
    assert p.item() == 0.5 - 0.375


def test_without_a_closure_nothing_happens(load):
    (p,) = leaves([1.0])
    optimizer = load("nesterov/paper", "eager")([p])
    with pytest.raises(TypeError, match="step\\(\\) needs a closure"):
        optimizer.step()


def test_a_closure_that_raises_leaves_everything_as_it_was(load):
    p, q = leaves([1.0], [2.0])
    optimizer = load("heun", "eager")([p, q], lr=LR)
    inner = quadratic(optimizer, [p, q])
    calls: list = []

    def closure():
        calls.append(p.item())
        if len(calls) == 2:
            raise FloatingPointError("no loss here")
        return inner()

    with pytest.raises(FloatingPointError):
        optimizer.step(closure)
    assert calls == [1.0, 0.5]
    assert (p.item(), q.item()) == (1.0, 2.0)
    assert not optimizer.state


def test_a_parameter_that_the_loss_does_not_reach_is_left_alone(load):
    p, q = leaves([1.0], [2.0])
    optimizer = load("nesterov/paper", "eager")([p, q], lr=LR)
    optimizer.step(quadratic(optimizer, [p]))
    assert q.item() == 2.0
    assert q not in optimizer.state
    assert p.item() == 0.5


def test_state_of_the_whole_optimizer_is_kept_once_and_survives_a_checkpoint(load):
    def run(steps, state=None, start=((1.0, 2.0), (3.0,))):
        parameters = leaves(*map(list, start))
        groups = [{"params": [p]} for p in parameters]
        optimizer = load("prodigy", "eager")(groups, use_bias_correction=True)
        if state is not None:
            optimizer.load_state_dict(state)
        for _ in range(steps):
            for p in parameters:
                p.grad = 2 * p.detach()
            optimizer.step()
        return parameters, optimizer

    parameters, optimizer = run(5)
    first, second = (optimizer.state[p] for p in parameters)
    assert first["k"] == 5
    assert first["d"] > 1e-6
    assert first.keys() - second.keys() == {"k", "d", "d_max", "d_numerator"}
    assert not second.keys() - first.keys()
    middle, half = run(3)
    resumed, _ = run(2, half.state_dict(), [tuple(p.tolist()) for p in middle])
    assert all(torch.equal(p, q) for p, q in zip(parameters, resumed, strict=True))


def test_shared_state_that_no_option_asks_for_is_not_kept(load):
    p, q = leaves([1.0], [2.0])
    optimizer = load("prodigy", "eager")([p, q])
    p.grad, q.grad = p.detach(), q.detach()
    optimizer.step()
    assert "d" in optimizer.state[p]
    assert "k" not in optimizer.state[p]


@pytest.mark.parametrize("target", ["eager", "vectorized"])
def test_groups_agree_in_what_belongs_to_the_whole_optimizer(load, target):
    p, q = leaves([1.0], [2.0])
    cls = load("prodigy", target)
    groups = [{"params": [p]}, {"params": [q], "weight_decay": 0.5, "decouple": False}]
    for key, value in {"lr": 0.5, "betas": (0.5, 0.5), "use_bias_correction": True}.items():
        with pytest.raises(ValueError, match=f"{key} is one for all parameter groups: one says"):
            cls([groups[0], {**groups[1], key: value}])
    optimizer = cls(groups)
    optimizer.param_groups[1]["lr"] = 0.0
    p.grad, q.grad = p.detach(), q.detach()
    with pytest.raises(ValueError, match=r"lr is one .*: one says 1.0, another 0.0"):
        optimizer.step()
    assert not optimizer.state
    assert (p.item(), q.item()) == (1.0, 2.0)
    for group in optimizer.param_groups:
        group["lr"] = torch.tensor(0.5)
    optimizer.step()
    assert (p != 1.0).item()


def test_waiting_for_different_things_is_an_error(own_steps):
    p, q = leaves([1.0], [2.0])
    with pytest.raises(RuntimeError, match="wait for different things at once: Gradient, Sum"):
        own_steps([p, q]).step(lambda: None)


@pytest.fixture
def own_steps():
    from instep.reference.runtime.lockstep import Gradient, LockstepOptimizer, Sum

    class Torn(LockstepOptimizer):
        _closure = True

        def __init__(self, params):
            super().__init__(params, {})

        def _steps(self, theta, state, shared, group):
            yield Gradient(theta) if theta.item() == 1 else Sum(theta)
            return theta

    return Torn
