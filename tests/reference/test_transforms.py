"""Generated functions on gradients: drop-ins for torch's, and judged as those are."""

from __future__ import annotations

import pytest
import torch

from instep.conformance import check
from instep.reference import agc_, centralize_, clip_grad_norm_, clip_grad_value_


def leaves(dtype=torch.float64):
    made = [torch.nn.Parameter(torch.ones(s, dtype=dtype)) for s in ((3,), (2, 4), ())]
    for k, p in enumerate(made[:2]):
        p.grad = torch.arange(1.0, 1 + p.numel(), dtype=dtype).reshape(p.shape) * (-1) ** k
    return made


@pytest.mark.parametrize("max_norm", [0.5, 100.0])
@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.5])
def test_clip_grad_norm_is_torchs(max_norm, norm_type):
    ours, theirs = leaves(), leaves()
    got = clip_grad_norm_(ours, max_norm, norm_type)
    expected = torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type)
    torch.testing.assert_close(got, expected)
    for a, b in zip(ours[:2], theirs[:2], strict=True):
        torch.testing.assert_close(a.grad, b.grad)
    assert ours[2].grad is None


def test_clip_grad_value_is_torchs_to_the_bit():
    ours, theirs = leaves(), leaves()
    assert clip_grad_value_(ours, 2.5) is None
    torch.nn.utils.clip_grad_value_(theirs, 2.5)
    assert all(torch.equal(a.grad, b.grad) for a, b in zip(ours[:2], theirs[:2], strict=True))


@pytest.mark.parametrize(
    ("function", "spec"),
    [
        (clip_grad_norm_, "clip-grad-norm"),
        (clip_grad_value_, "clip-grad-value"),
        (agc_, "agc"),
        (centralize_, "centralize"),
    ],
)
def test_every_function_is_in_step(function, spec):
    report = check(function, spec)
    assert report.ok, report.to_text()
    assert not [r for r in report.failures if r.level == "should"], report.to_text()


def test_a_single_parameter_and_complex_gradients():
    p = torch.nn.Parameter(torch.ones(2, dtype=torch.complex64))
    p.grad = torch.tensor([3 + 4j, 0])
    assert clip_grad_norm_(p, 1.0).item() == pytest.approx(5.0)
    assert p.grad.abs()[0].item() == pytest.approx(1.0)


def test_bad_arguments_are_refused_before_anything_changes():
    made = leaves()
    before = made[0].grad.clone()
    with pytest.raises(ValueError, match="max_norm"):
        clip_grad_norm_(made, -1.0)
    made[1].grad[0, 0] = float("nan")
    with pytest.raises(RuntimeError, match="the norm of the gradients is infinite or NaN"):
        clip_grad_norm_(made, 1.0, error_if_nonfinite=True)
    assert torch.equal(made[0].grad, before)


def test_nothing_to_clip_is_nothing():
    p = torch.nn.Parameter(torch.ones(2))
    assert clip_grad_norm_([p], 1.0) == 0
    assert clip_grad_value_([p], 1.0) is None
