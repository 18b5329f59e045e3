from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from instep.reference import LAMB, SGD, Adam, AdamW, NovoGrad, Rprop
from instep.reference.runtime import vectorized
from instep.reference.runtime.kernels.launch import is_dense, threads


@pytest.fixture
def launched(monkeypatch):
    """How many parameters each kernel was launched on."""
    sizes: list[int] = []
    original = vectorized.launch

    def counting(kernel, works, call):
        sizes.append(len(works))
        original(kernel, works, call)

    monkeypatch.setattr(vectorized, "launch", counting)
    return sizes


def with_gradient(*shapes, dtype=torch.float32):
    out = [torch.ones(s, dtype=dtype, requires_grad=True) for s in shapes]
    for p in out:
        p.grad = torch.full_like(p, 0.5)
    return out


def test_like_tensors_share_a_launch(launched):
    AdamW(with_gradient(2, 3, (4, 5))).step()
    assert launched == [3]


def test_types_and_step_counts_are_kept_apart(launched):
    wide, narrow = with_gradient(2, 3), with_gradient(4, dtype=torch.bfloat16)
    optimizer = AdamW([*wide, *narrow])
    wide[1].grad = None
    optimizer.step()
    assert sorted(launched) == [1, 1]
    wide[1].grad = torch.full_like(wide[1], 0.5)
    optimizer.step()
    assert sorted(launched) == [1, 1, 1, 1, 1]
    assert [float(optimizer.state[p]["step"]) for p in wide] == [2, 1]


@pytest.mark.parametrize("keywords", [{"foreach": True}, {"fused": False}, {"backend": "eager"}])
def test_no_kernel_is_launched_where_another_form_is_asked_for(keywords, launched):
    AdamW(with_gradient(2), **keywords).step()
    assert launched == []


def test_a_parameter_whose_lanes_are_apart_runs_without(launched):
    whole = torch.ones(4, 6)
    p, q = whole[:, ::2].requires_grad_(), torch.ones(4, 3, requires_grad=True)
    p.grad = q.grad = torch.full((4, 3), 0.5)
    SGD([p, q], lr=0.5).step()
    assert launched == [1]
    assert torch.equal(whole, torch.tensor([0.75, 1.0] * 3).expand(4, 6))


@pytest.mark.parametrize("lay", [lambda x: x.mT, lambda x: x[:1].expand_as(x), lambda x: x[:, ::2]])
def test_a_gradient_may_lie_otherwise_than_its_parameter(lay, launched):
    given = lay(torch.randn(6, 6))
    p = torch.zeros(given.shape, requires_grad=True)
    p.grad = given
    SGD([p], lr=1.0).step()
    assert torch.equal(p, -given)
    assert launched == [1]


def test_channels_last_and_transposed_parameters_keep_their_layout(launched):
    image = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last).requires_grad_()
    matrix = torch.randn(3, 5).t().requires_grad_()
    twins = [x.detach().clone(memory_format=torch.contiguous_format) for x in (image, matrix)]
    strides = [p.stride() for p in (image, matrix)]
    optimizer, other = AdamW([image, matrix]), AdamW(twins)
    for p, twin in zip((image, matrix), twins, strict=True):
        p.grad = twin.grad = torch.ones(p.shape) * torch.arange(1, p.shape[-1] + 1)
    optimizer.step(), other.step()
    assert launched == [2, 2]
    assert [p.stride() for p in (image, matrix)] == strides
    assert [optimizer.state[p]["exp_avg"].stride() for p in (image, matrix)] == strides
    for p, twin in zip((image, matrix), twins, strict=True):
        assert torch.equal(p, twin)
        assert torch.equal(optimizer.state[p]["exp_avg"], other.state[twin]["exp_avg"])


def test_state_that_lies_otherwise_runs_without(launched):
    (p,) = with_gradient((3, 4))
    optimizer = AdamW([p])
    optimizer.step()
    state = optimizer.state[p]
    state["exp_avg"] = state["exp_avg"].t().contiguous().t()
    optimizer.step()
    assert launched == [1]


class Marked(torch.Tensor):
    """Plain memory here; what a subclass holds elsewhere is not to be seen from its address."""


@pytest.mark.parametrize("keywords", [{}, {"fused": True}])
def test_subclasses_of_tensors_run_without(keywords, launched):
    p = torch.ones(4).as_subclass(Marked).requires_grad_()
    p.grad = torch.full((4,), 0.5)
    SGD([p], lr=1.0, **keywords).step()
    q = torch.ones(4, requires_grad=True)
    q.grad = torch.full((4,), 0.5).as_subclass(Marked)
    SGD([q], lr=1.0, **keywords).step()
    assert launched == []
    assert torch.equal(torch.Tensor(p), torch.full((4,), 0.5))
    assert torch.equal(q, torch.full((4,), 0.5))


def test_a_negated_view_is_read_as_what_it_is():
    z = torch.complex(torch.zeros(4), torch.arange(4.0))
    p = torch.zeros(4, requires_grad=True)
    p.grad = z.conj().imag
    assert p.grad.is_neg()
    SGD([p], lr=1.0).step()
    assert torch.equal(p, torch.arange(4.0))


def test_complex_parameters_are_pairs_of_lanes(launched):
    p, q = (torch.full((3,), 1 + 1j).requires_grad_() for _ in range(2))
    p.grad = q.grad = torch.tensor([1 + 2j, -3j, 0j])
    Adam([p], lr=0.5).step()
    Adam([q], lr=0.5, foreach=True).step()
    assert launched == [1]
    assert torch.equal(p, q)


def test_a_step_is_seen_by_autograd():
    """What was saved for a backward pass has been overwritten."""
    (p,) = with_gradient(3)
    optimizer = AdamW([p])
    loss = (p * p).sum()
    before = p._version
    optimizer.step()
    assert p._version > before
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_as_many_threads_as_torch_may_use_change_nothing(count, monkeypatch):
    torch.manual_seed(0)
    start = [torch.randn(n) for n in (40000, 7, 100001, 0, 33)]
    given = [torch.randn_like(x) for x in start]

    def run(threads):
        monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
        ps = [x.clone().requires_grad_() for x in start]
        for p, g in zip(ps, given, strict=True):
            p.grad = g
        Rprop(ps).step()
        return ps

    assert all(map(torch.equal, run(count), run(1)))


@pytest.mark.parametrize("count", [2, 3, 7])
@pytest.mark.parametrize("cls", [LAMB, NovoGrad])
def test_sums_do_not_depend_on_how_they_are_shared_out(cls, count, monkeypatch):
    """Not in the last bit: they are added up by chunks, in order."""
    torch.manual_seed(0)
    start = [torch.randn(n) for n in (4096, 4097, 200000, 0, 1, 33, 12289)]
    given = [torch.randn_like(x) for x in start]

    def run(threads):
        monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
        ps = [x.clone().requires_grad_() for x in start]
        optimizer = cls(ps)
        for _ in range(3):
            for p, g in zip(ps, given, strict=True):
                p.grad = g
            optimizer.step()
        return ps

    assert all(map(torch.equal, run(count), run(1)))


def test_a_sum_is_that_of_its_own_tensor():
    """Beside others of all sizes as alone."""
    torch.manual_seed(0)
    sizes = (5, 4096, 0, 4097, 9000, 1, 8192)
    given = [torch.randn(n) for n in sizes]

    def run(gradients):
        ps = [torch.ones_like(g).requires_grad_() for g in gradients]
        for p, g in zip(ps, gradients, strict=True):
            p.grad = g
        LAMB(ps, lr=0.5).step()
        return ps

    alone = [run([g])[0] for g in given]
    assert all(map(torch.equal, run(given), alone))
    assert not torch.equal(alone[1], alone[3][:4096])


_FORKED = """
import os, torch
from instep.reference import AdamW
torch.set_num_threads(2)
p = torch.zeros(1 << 18, requires_grad=True)
p.grad = torch.ones_like(p)
optimizer = AdamW([p])
optimizer.step()  # starts OpenMP's threads
before = p.detach().numpy().copy()
pid = os.fork()
if pid == 0:
    optimizer.step()
    assert (p.detach().numpy() < before).all()
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_process_steps_on(tmp_path):
    """Torch's own fused step waits for ever for threads that are not there."""
    command = [sys.executable, "-W", "ignore", "-c", _FORKED]
    subprocess.run(command, check=True, timeout=60)


def test_a_thread_for_as_many_lanes_as_are_worth_it(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    assert [threads(n) for n in (0, 10, 65535, 65536, 10**9)] == [1, 1, 1, 2, 8]


@pytest.mark.parametrize(
    ("x", "dense"),
    [
        (torch.zeros(()), True),
        (torch.zeros(0, 3), True),
        (torch.zeros(3, 4).t(), True),
        (torch.zeros(2, 3, 4).permute(1, 2, 0), True),
        (torch.zeros(1, 5).expand(1, 5), True),
        (torch.zeros(1).expand(3), False),
        (torch.zeros(4, 4)[:, :2], False),
        (torch.zeros(6)[::2], False),
    ],
)
def test_dense_is_a_stretch_of_memory_without_holes(x, dense):
    assert is_dense(x) == dense
