"""Complex parameters, autograd through a step, capturable steps, gradient scaling, tensor lr."""

from __future__ import annotations

import pytest
import torch

from instep import reference
from instep.reference import SGD, Adam, AdamP, AdamW, eager
from instep.spec import get
from meta.exported import EXPORTED, probes

F64 = {"dtype": torch.float64}
LEAF = torch.ones(1, 1, requires_grad=True)


def rand(*shape, **keywords):
    return torch.rand(
        *shape, generator=torch.Generator().manual_seed(sum(shape)), **F64, **keywords
    )


# ---- complex parameters are their real and imaginary parts


@pytest.mark.parametrize("backend", ["foreach", "eager", "reference"])
@pytest.mark.parametrize(
    ("name", "keywords"),
    [("SGD", {"momentum": 0.5, "nesterov": True}), ("AdamW", {"amsgrad": True})],
)
def test_complex_equals_its_two_real_parts(name, keywords, backend):
    cls = getattr(eager, name) if backend == "reference" else {"SGD": SGD, "AdamW": AdamW}[name]
    more = {} if backend == "reference" else {"backend": backend}
    start = torch.complex(rand(5), rand(6)[1:])
    whole = start.clone().requires_grad_()
    parts = torch.view_as_real(start).clone().requires_grad_()
    one, two = cls([whole], lr=0.25, **keywords, **more), cls([parts], lr=0.25, **keywords, **more)
    for step in range(4):
        whole.grad = torch.complex(rand(5 + step)[:5] - 0.5, rand(7 + step)[:5] - 0.5)
        parts.grad = torch.view_as_real(whole.grad.clone())
        one.step(), two.step()
        assert torch.equal(torch.view_as_real(whole), parts)
    for key, value in one.state[whole].items():
        expected = two.state[parts][key]
        assert torch.equal(torch.view_as_real(value) if value.is_complex() else value, expected)
        assert value.is_complex() == (key != "step")


# ---- differentiable


def through_adamw(p, g, lr, beta1, beta2, decay, m, v):
    p = p.clone()
    p.grad = g
    optimizer = AdamW(
        [p], lr=lr, betas=(beta1, beta2), weight_decay=decay, amsgrad=True, differentiable=True
    )
    state = {"exp_avg": m.clone(), "exp_avg_sq": v.clone(), "max_exp_avg_sq": v * 0.5}
    optimizer.state[p] = {"step": torch.tensor(2.0), **state}
    optimizer.step()
    return (p, *(x for x in optimizer.state[p].values() if x.requires_grad))


def through_sgd(p, g, lr, momentum, decay, b):
    p = p.clone()
    p.grad = g
    optimizer = SGD([p], lr=lr, momentum=momentum, weight_decay=decay, differentiable=True)
    optimizer.state[p] = {"momentum_buffer": b.clone()}
    optimizer.step()
    return p, optimizer.state[p]["momentum_buffer"]


def leaf(value):
    return torch.tensor(value, **F64, requires_grad=True)


def test_gradients_run_through_a_step_of_adamw():
    tensors = [rand(n, requires_grad=True) for n in (4, 4)]
    numbers = [leaf(0.25), leaf(0.75), leaf(0.875), leaf(0.125)]
    states = [rand(4, requires_grad=True) for _ in range(2)]
    results = through_adamw(*tensors, *numbers, *states)
    assert len(results) == 4
    assert torch.autograd.gradcheck(through_adamw, (*tensors, *numbers, *states))


def test_gradients_run_through_a_step_of_sgd():
    tensors = [rand(n, requires_grad=True) for n in (4, 4)]
    assert torch.autograd.gradcheck(
        through_sgd, (*tensors, leaf(0.25), leaf(0.5), leaf(0.125), rand(4, requires_grad=True))
    )


def test_differentiable_refuses_leaves_before_anything_changes():
    p = torch.ones(3, requires_grad=True)
    q = torch.ones(3, requires_grad=True).clone()
    p.grad, q.grad = torch.ones(3), torch.ones(3)
    optimizer = AdamW([q, p], differentiable=True)
    with pytest.raises(RuntimeError, match="give it clones, not leaves"):
        optimizer.step()
    assert torch.equal(q, torch.ones(3))
    assert not optimizer.state


def test_differentiable_refuses_a_counter_in_the_graph():
    q = torch.ones(3, requires_grad=True).clone()
    q.grad = torch.ones(3)
    optimizer = AdamW([q], differentiable=True)
    optimizer.state[q]["step"] = torch.tensor(1.0, requires_grad=True)
    with pytest.raises(RuntimeError, match="step counter must not require a gradient"):
        optimizer.step()


# ---- capturable: no number leaves the device


@pytest.fixture
def no_host(monkeypatch):
    """Reading a number out of a tensor fails, as it does while a graph is captured."""

    def forbidden(*_):
        raise AssertionError("a number was read on the host")

    def arm():
        for method in ("item", "__float__", "__bool__", "__int__", "tolist"):
            monkeypatch.setattr(torch.Tensor, method, forbidden)
        return monkeypatch.undo

    return arm


@pytest.mark.parametrize("amsgrad", [False, True])
def test_capturable_reads_nothing_on_the_host(amsgrad, no_host):
    p, q = (torch.ones(3, **F64, requires_grad=True) for _ in range(2))
    p.grad, q.grad = rand(3) - 0.5, rand(3) - 0.5
    lr = torch.tensor(0.25, **F64)
    captured = Adam([p], lr=lr, capturable=True, amsgrad=amsgrad, weight_decay=0.125)
    plain = eager.Adam([q], lr=0.25, amsgrad=amsgrad, weight_decay=0.125)
    for rate in (0.25, 0.5, 0.125):
        lr.fill_(rate)
        plain.param_groups[0]["lr"] = rate
        disarm = no_host()
        captured.step()
        disarm()
        plain.step()
    assert torch.equal(p, q)
    assert captured.state[p]["step"].item() == 3
    assert captured.param_groups[0]["lr"] is lr


CAPTURABLE = [
    name
    for name, cls in EXPORTED.items()
    if "capturable" in getattr(reference, cls)([LEAF]).defaults
]


@pytest.mark.parametrize("name", CAPTURABLE)
def test_no_branch_of_a_captured_step_needs_the_host(name, no_host):
    """What the step decides is selected: both sides of a threshold are crossed."""
    values, shape = probes(get(name)), (1, 3) if get(name).shapes else (3,)
    p, q = (torch.ones(shape, **F64, requires_grad=True) for _ in range(2))
    captured = getattr(reference, EXPORTED[name])([p], **values, capturable=True)
    plain = getattr(eager, EXPORTED[name])([q], **values)
    for step in range(8):
        p.grad = rand(3 + step)[:3].reshape(shape) - 0.5
        q.grad = p.grad.clone()
        disarm = no_host()
        captured.step()
        disarm()
        plain.step()
        assert torch.allclose(p, q, rtol=1e-14, atol=0)


@pytest.mark.parametrize("capturable", [False, True])
def test_a_graph_may_be_captured_only_around_a_counter_on_the_device(capturable, monkeypatch):
    class Stream:
        def is_capturing(self):
            return True

    p = torch.ones(3, requires_grad=True)
    p.grad = torch.ones(3)
    optimizer = Adam([p], capturable=capturable)
    cuda = torch.device("cuda")
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda **_: cuda)
    monkeypatch.setattr(torch.accelerator, "current_stream", Stream)
    if capturable:
        optimizer.step()
        return
    with pytest.raises(RuntimeError, match="graph capture of step"):
        optimizer.step()
    assert not optimizer.state


# ---- tensor hyperparameters


@pytest.mark.parametrize("backend", ["auto", "foreach", "eager"])
@pytest.mark.parametrize("shape", [(), (1,)])
def test_tensor_hyperparameters_equal_numbers(backend, shape):
    p, q = (torch.ones(3, requires_grad=True) for _ in range(2))
    p.grad, q.grad = torch.full((3,), 0.5), torch.full((3,), 0.5)
    lr, betas = torch.full(shape, 0.25), (torch.full(shape, 0.75), torch.full(shape, 0.875))
    one = AdamW([p], lr=lr, betas=betas, backend=backend)
    two = AdamW([q], lr=0.25, betas=(0.75, 0.875), backend=backend)
    for optimizer in (one, two, one, two):
        optimizer.step()
    assert torch.equal(p, q)
    assert one.param_groups[0]["lr"] is lr


# ---- torch.amp.GradScaler


@pytest.fixture(params=[SGD, AdamP])
def fused(request):
    """A class with a kernel of its own, and one that runs without."""

    def make(parameters, **keywords):
        if request.param is SGD:
            return SGD(parameters, fused=True, **keywords)
        with pytest.warns(UserWarning, match="no fused kernel yet"):
            return AdamP(parameters, fused=True, **keywords)

    return make


def test_scaled_gradients_are_unscaled_in_the_step(fused):
    p, q = (torch.ones(3, requires_grad=True) for _ in range(2))
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    one = fused([p])
    two = type(one)([q])
    for _ in range(2):
        one.zero_grad(), two.zero_grad()
        scaler.scale((p**2).sum()).backward()
        (q**2).sum().backward()
        scaled = p.grad.clone()
        scaler.step(one)
        scaler.update()
        two.step()
        assert torch.equal(p.grad, scaled)
    assert torch.equal(p, q)


def test_step_with_infinite_gradients_is_skipped(fused):
    p = torch.ones(3, requires_grad=True)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    optimizer = fused([p])
    scaler.scale((p * torch.inf).sum()).backward()
    scaler.step(optimizer)
    scaler.update()
    assert torch.equal(p, torch.ones(3))
    assert not optimizer.state
    assert scaler.get_scale() == 512
