"""Landscapes: the gradient is that of the loss, in torch and with bounds alike."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
import torch

from instep.conformance.bounds import BoundedArithmetic
from instep.conformance.landscapes import TorchNumbers, evaluate
from instep.conformance.profile import grades
from instep.spec.arithmetic import Exact

SHAPES = ((5,), (2, 3), ())
LANDSCAPES = ("bowl", "valley", "ridge", "cliff", "polynomial")


def slopes_for(landscape: str) -> list[Any]:
    """Curvatures, or of a polynomial the coefficients of all lanes."""
    stacked = [np.stack(x) for x in zip(*map(arrays, range(2, 6)), strict=True)]
    return stacked if landscape == "polynomial" else arrays(2)


def arrays(seed: int) -> list[Any]:
    random = np.random.default_rng(seed)
    return [random.uniform(-2, 2, shape) for shape in SHAPES]


@pytest.mark.parametrize("landscape", LANDSCAPES)
def test_the_gradient_is_that_of_the_loss(landscape: str):
    points = [torch.tensor(x, requires_grad=True) for x in arrays(0)]
    numbers = TorchNumbers(torch.float64)
    loss, gradients = evaluate(numbers, landscape, points, arrays(1), slopes_for(landscape))
    derived = torch.autograd.grad(loss, points)
    for got, expected in zip(gradients, derived, strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-13, atol=0)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("landscape", LANDSCAPES)
def test_torch_stays_within_the_bound_of_50_digits(landscape: str, dtype: str):
    numbers = TorchNumbers(getattr(torch, dtype))
    given = arrays(0), arrays(1), slopes_for(landscape)
    points, centres, slopes = ([np.float32(x) for x in part] for part in given)
    bounded = BoundedArithmetic(grades(dtype)[0])
    loss, gradients = evaluate(
        bounded, landscape, [bounded.tensor(x) for x in points], centres, slopes
    )
    with mpmath.workdps(50):
        exact = Exact()
        truth, slopes_there = evaluate(
            exact, landscape, [exact.tensor(x) for x in points], centres, slopes
        )
    height, found = evaluate(
        numbers, landscape, [numbers.tensor(x) for x in points], centres, slopes
    )
    pairs = [(loss, truth, height), *zip(gradients, slopes_there, found, strict=True)]
    for bound, true, got in pairs:
        exactly = np.asarray(true, dtype=object).astype(np.float64)
        assert (abs(np.asarray(got, dtype=np.float64) - exactly) <= 1.1 * bound.bound).all()


def test_the_lanes_of_a_valley_depend_on_one_another():
    numbers = TorchNumbers(torch.float64)
    points = [numbers.tensor(x) for x in arrays(0)]
    _, before = evaluate(numbers, "valley", points, arrays(1), arrays(2))
    points[0][0] += 1
    _, after = evaluate(numbers, "valley", points, arrays(1), arrays(2))
    assert all((x != y).all() for x, y in zip(before, after, strict=True))
