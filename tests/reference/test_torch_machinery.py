"""What comes from torch.optim.Optimizer works: hooks, profiling, schedulers, closures, names."""

from __future__ import annotations

import pytest
import torch

from instep.reference import AdamW, eager

CLASSES = [AdamW, eager.AdamW]


@pytest.fixture(params=CLASSES, ids=["vectorized", "eager"])
def optimizer(request):
    p = torch.ones(3, requires_grad=True)
    p.grad = torch.full((3,), 0.5)
    return request.param([p], lr=0.5)


def test_hooks_run_once_in_order(optimizer):
    log = []
    optimizer.register_step_pre_hook(lambda o, args, kwargs: log.append("before"))
    optimizer.register_step_post_hook(lambda o, args, kwargs: log.append("after"))
    optimizer.register_state_dict_post_hook(lambda o, state: log.append("saved"))
    optimizer.register_load_state_dict_post_hook(lambda o: log.append("loaded"))
    optimizer.step()
    optimizer.load_state_dict(optimizer.state_dict())
    assert log == ["before", "after", "saved", "loaded"]


def test_a_load_hook_may_replace_what_is_loaded(optimizer):
    optimizer.step()
    other = optimizer.state_dict()
    other["param_groups"][0]["lr"] = 0.125
    optimizer.register_load_state_dict_pre_hook(lambda o, state: other)
    optimizer.load_state_dict(optimizer.state_dict())
    assert optimizer.param_groups[0]["lr"] == 0.125


def test_the_profiler_sees_the_step_by_name(optimizer):
    with torch.autograd.profiler.profile() as profile:
        optimizer.step()
    assert "Optimizer.step#AdamW.step" in {event.name for event in profile.function_events}


def test_schedulers_change_the_rate_and_the_step_reads_it(optimizer):
    (p,) = optimizer.param_groups[0]["params"]
    q = p.detach().clone().requires_grad_()
    q.grad = p.grad.clone()
    by_hand = type(optimizer)([q], lr=0.5)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    for rate in (0.5, 0.25, 0.125):
        by_hand.param_groups[0]["lr"] = rate
        optimizer.step(), by_hand.step()
        scheduler.step()
        assert torch.equal(p, q)


def test_the_closure_runs_with_gradients_and_its_loss_is_returned(optimizer):
    (p,) = optimizer.param_groups[0]["params"]

    def closure():
        assert torch.is_grad_enabled()
        optimizer.zero_grad()
        loss = (p**2).sum()
        loss.backward()
        return loss

    with torch.no_grad():
        loss = optimizer.step(closure)
        assert not torch.is_grad_enabled()
    assert loss.item() == 3.0
    assert p.grad.tolist() == [2.0, 2.0, 2.0]
    assert optimizer.step() is None


def test_named_parameters_and_groups_added_later(optimizer):
    named = type(optimizer)(torch.nn.Linear(2, 1).named_parameters())
    assert named.param_groups[0]["param_names"] == ["weight", "bias"]
    late = torch.ones(2, requires_grad=True)
    late.grad = torch.ones(2)
    optimizer.add_param_group({"params": [late], "lr": 0.0})
    optimizer.step()
    assert torch.equal(late, torch.ones(2))
    assert optimizer.state[late]["step"] == 1
    assert "lr: 0.0" in repr(optimizer)


def test_an_unknown_class_is_named_with_those_there_are():
    from instep import reference

    with pytest.raises(AttributeError, match=r"no optimizer 'Nobody'; it has .*SGD, .*Adam, "):
        reference.Nobody  # noqa: B018  # the access is what is tested
    with pytest.raises(AttributeError, match="no attribute 'nobody'"):
        reference.nobody  # noqa: B018  # the access is what is tested
