"""Whatever changes between two steps, a step does what it would without a memory."""

from __future__ import annotations

import copy
import gc
import weakref

import pytest
import torch

from instep.reference import SGD, AdamW, NAdam, RAdam
from instep.reference.runtime.kernels.bundle import Bundle

SHAPES = ((3, 4), (5,), (), (2, 3))


@pytest.fixture
def bundled(monkeypatch):
    """How many parameters each bundle was launched on."""
    sizes: list[int] = []
    original = Bundle.launch

    def counting(self, call, numbers):
        sizes.append(len(self.parameters))
        original(self, call, numbers)

    monkeypatch.setattr(Bundle, "launch", counting)
    return sizes


def parameters(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(s, generator=generator).requires_grad_() for s in SHAPES]


def give(optimizer, step):
    generator = torch.Generator().manual_seed(100 + step)
    for group in optimizer.param_groups:
        for p in group["params"]:
            p.grad = torch.randn(p.shape, generator=generator).to(p.dtype)


def run(cls, change, *, forget, **keywords):
    optimizer = cls(parameters(), **keywords)
    for step in range(7):
        give(optimizer, step)
        if step == 4:
            optimizer = change(optimizer) or optimizer
        if forget:
            optimizer._bundles = {}
        optimizer.step()
    return optimizer


def everything(optimizer):
    own = [p for group in optimizer.param_groups for p in group["params"]]
    kept = [x for p in own for _, x in sorted(optimizer.state.get(p, {}).items())]
    return [*own, *kept]


@pytest.mark.parametrize("cls", [AdamW, RAdam, NAdam])
def test_steps_after_the_first_are_bundled(cls, bundled):
    run(cls, lambda _: None, forget=False)
    assert bundled == [4] * (5 if cls is RAdam else 6)  # RAdam decides otherwise in its sixth step


def test_momentum_is_bundled_once_its_buffers_are_there(bundled):
    run(SGD, lambda _: None, forget=False, momentum=0.5)
    assert bundled == [4] * 5


def data_replaced(optimizer):
    p = optimizer.param_groups[0]["params"][0]
    p.data = p.data * 2


def data_transposed(optimizer):
    p = optimizer.param_groups[0]["params"][0]
    p.data = p.data.t().contiguous().t()


def gradient_missing(optimizer):
    optimizer.param_groups[0]["params"][1].grad = None


def gradients_missing(optimizer):
    optimizer.zero_grad()


def gradient_strided(optimizer):
    p = optimizer.param_groups[0]["params"][0]
    p.grad = torch.arange(12.0).reshape(4, 3).t()


def gradient_expanded(optimizer):
    p = optimizer.param_groups[0]["params"][0]
    p.grad = torch.tensor(2.0).expand(3, 4)


def gradient_negated(optimizer):
    p = optimizer.param_groups[0]["params"][1]
    p.grad = torch.complex(torch.zeros(5), torch.arange(5.0)).conj().imag


def state_replaced(optimizer):
    p = optimizer.param_groups[0]["params"][0]
    state = optimizer.state[p]
    state["exp_avg"] = torch.ones_like(state["exp_avg"])


def state_swapped(optimizer):
    p = optimizer.param_groups[0]["params"][0]
    state = optimizer.state[p]
    state["exp_avg"].data = torch.ones_like(state["exp_avg"])


def state_dict_replaced(optimizer):
    p = optimizer.param_groups[0]["params"][2]
    optimizer.state[p] = {key: value.clone() + 1 for key, value in optimizer.state[p].items()}


def state_cleared(optimizer):
    optimizer.state.clear()


def one_state_gone(optimizer):
    del optimizer.state[optimizer.param_groups[0]["params"][3]]


def count_changed(optimizer):
    optimizer.state[optimizer.param_groups[0]["params"][1]]["step"] += 2


def counts_near_their_end(optimizer):
    for p in optimizer.param_groups[0]["params"]:
        optimizer.state[p]["step"].fill_(2.0**24)


def counts_replaced(optimizer):
    for p in optimizer.param_groups[0]["params"]:
        optimizer.state[p]["step"] = torch.tensor(9.0, dtype=torch.float64)


def rate_changed(optimizer):
    optimizer.param_groups[0]["lr"] = 0.25


def maximized(optimizer):
    optimizer.param_groups[0]["maximize"] = True


def amsgrad_on(optimizer):
    optimizer.param_groups[0]["amsgrad"] = True


def foreach_on(optimizer):
    optimizer.param_groups[0]["foreach"] = True


def group_added(optimizer):
    optimizer.add_param_group({"params": [torch.ones(3, requires_grad=True)], "lr": 0.5})
    give(optimizer, 50)


def parameter_exchanged(optimizer):
    """Another tensor of the same value, as a 0-d one compares equal."""
    old = optimizer.param_groups[0]["params"][2]
    new = old.detach().clone().requires_grad_()
    new.grad = old.grad
    optimizer.param_groups[0]["params"][2] = new


def checkpoint_loaded(optimizer):
    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))


def copied(optimizer):
    twin = copy.deepcopy(optimizer)
    optimizer.zero_grad()
    give(twin, 60)
    return twin


def checkpoint_in_halves(optimizer):
    for p in optimizer.param_groups[0]["params"]:
        p.data = p.data.to(torch.float64)
    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    give(optimizer, 70)


CHANGES = [
    data_replaced, data_transposed, gradient_missing, gradients_missing, gradient_strided,
    gradient_expanded, gradient_negated, state_replaced, state_swapped, state_dict_replaced,
    state_cleared, one_state_gone, count_changed, counts_near_their_end, counts_replaced,
    rate_changed, maximized, amsgrad_on, foreach_on, group_added, parameter_exchanged,
    checkpoint_loaded, copied, checkpoint_in_halves,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda f: f.__name__)
def test_a_change_between_steps_is_seen(change):
    remembering, forgetting = (run(AdamW, change, forget=f) for f in (False, True))
    mine, theirs = everything(remembering), everything(forgetting)
    assert len(mine) == len(theirs)
    assert all(torch.equal(a, b) and a.dtype == b.dtype for a, b in zip(mine, theirs, strict=True))


def test_a_change_does_change_something():
    """Or the test above would see nothing."""
    plain = everything(run(AdamW, lambda _: None, forget=False))
    silent = {checkpoint_loaded, foreach_on}
    for change in set(CHANGES) - silent:
        other = everything(run(AdamW, change, forget=False))
        assert len(other) != len(plain) or not all(map(torch.equal, plain, other)), change.__name__


def test_a_refusal_in_one_group_leaves_those_that_were_ready():
    first, second = parameters(), [torch.ones(3, requires_grad=True)]
    optimizer = AdamW([{"params": first}, {"params": second}])
    for step in range(3):
        give(optimizer, step)
        optimizer.step()
    before = [p.detach().clone() for p in first]
    give(optimizer, 3)
    second[0].grad = torch.ones(3).to_sparse()
    with pytest.raises(RuntimeError, match="sparse"):
        optimizer.step()
    assert all(map(torch.equal, first, before))


def test_gradients_are_not_kept_alive():
    optimizer = AdamW(parameters())
    for step in range(3):
        give(optimizer, step)
        optimizer.step()
    alive = [weakref.ref(p.grad) for p in optimizer.param_groups[0]["params"]]
    optimizer.zero_grad()
    gc.collect()
    assert not any(ref() is not None for ref in alive)


def test_groups_have_bundles_of_their_own(bundled):
    one, two = parameters(), parameters(1)
    optimizer = AdamW([{"params": one}, {"params": two, "lr": 0.5}])
    for step in range(3):
        give(optimizer, step)
        optimizer.step()
    assert bundled == [4, 4] * 2


def test_bundles_do_not_travel():
    optimizer = run(AdamW, lambda _: None, forget=False)
    assert optimizer._bundles
    assert not copy.deepcopy(optimizer)._bundles
    optimizer.load_state_dict(optimizer.state_dict())
    assert not optimizer._bundles
