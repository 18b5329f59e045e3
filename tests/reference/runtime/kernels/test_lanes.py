"""What lanes.h adds to C, against torch, bit for bit."""

from __future__ import annotations

import pytest
import torch

from instep.reference import SGD, Adamax, Lion

NARROW = [torch.bfloat16, torch.float16]


def bits(x: torch.Tensor) -> torch.Tensor:
    """The numbers' bits; all that are not numbers are alike, and so are both zeros."""
    known = torch.where(x.isnan(), torch.nan, x + 0)
    return known.view(torch.int16)


@pytest.mark.parametrize("dtype", NARROW)
def test_every_narrow_number_is_read_and_written_as_it_is(dtype):
    every = torch.arange(-(2**15), 2**15).to(torch.int16).view(dtype)
    p = torch.zeros(2**16, dtype=dtype, requires_grad=True)
    p.grad = every.clone()
    SGD([p], lr=1.0, maximize=True).step()
    assert torch.equal(bits(p.detach()), bits(every))


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("scale", [1.0, 2.0**-14, 2.0**-24, 2.0**12, 2.0**15])
def test_sums_are_rounded_once_to_nearest_even(dtype, scale):
    generator = torch.Generator().manual_seed(3)
    a, b = ((torch.randn(2**17, generator=generator) * scale).to(dtype) for _ in range(2))
    b[::3] = (a[::3].float() * 2.0**-8).to(dtype)  # ties
    p = a.clone().requires_grad_()
    p.grad = b.clone()
    SGD([p], lr=1.0, maximize=True).step()
    assert torch.equal(bits(p.detach()), bits((a.float() + b.float()).to(dtype)))


def test_what_is_not_a_number_is_handed_on():
    nan = float("nan")
    p = torch.zeros(4, requires_grad=True)
    p.grad = torch.tensor([nan, 1.0, nan, -2.0])
    optimizer = Adamax([p])
    optimizer.step()
    assert p.isnan().tolist() == [True, False, True, False]
    optimizer.state[p]["exp_inf"][1] = nan
    p.grad = torch.ones(4)
    optimizer.step()
    assert p.isnan().tolist() == [True, True, True, False]


def test_signs_are_torchs():
    p = torch.zeros(6, requires_grad=True)
    p.grad = torch.tensor([-3.0, -0.0, 0.0, 1e-45, 1e30, float("nan")])
    Lion([p], lr=1.0, betas=(0.0, 0.0), weight_decay=0).step()
    assert torch.equal(p.detach(), -torch.sign(p.grad))


@pytest.mark.parametrize("beta", [0.0, 0.25, 0.5, 0.75])
def test_an_average_is_counted_from_its_nearer_end(beta):
    """As torch's lerp does: with a beta of 0 the gradient comes out, whatever was there."""
    p = torch.zeros(3, requires_grad=True)
    optimizer = Lion([p], lr=0.0, betas=(0.5, beta))
    for value in (2.0**100, 3.0):
        p.grad = torch.full((3,), value)
        optimizer.step()
    expected = torch.full((3,), 2.0**100 * (1 - beta)).lerp(p.grad, 1 - beta)
    assert torch.equal(optimizer.state[p]["exp_avg"], expected)
