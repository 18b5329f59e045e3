"""Functions of one number agree with torch's, on floats and on 0-d tensors."""

from __future__ import annotations

import math

import pytest
import torch

from instep.reference.runtime import scalar_math

VALUES = [0.0, -0.0, 1.0, -2.5, 4.0, math.inf, -math.inf, math.nan]


def alike(a, b) -> bool:
    return float(a) == float(b) or (math.isnan(a) and math.isnan(b))


FUNCTIONS = ("sqrt", "exp", "log", "sign", "absolute")
CASES = [(name, value) for name in FUNCTIONS for value in VALUES]
# Torch calls the sign of NaN 0; ours stays NaN, as numpy's does.
CASES = [(name, value) for name, value in CASES if name != "sign" or not math.isnan(value)]


@pytest.mark.parametrize(("name", "value"), CASES)
def test_one_argument(name, value):
    function, tensor = getattr(scalar_math, name), torch.tensor(value, dtype=torch.float64)
    expected = getattr(torch, name)(tensor)
    assert alike(function(value), expected)
    assert isinstance(function(tensor), torch.Tensor)
    assert alike(function(tensor), expected)


def test_floor():
    assert scalar_math.floor(-1.5) == -2.0
    assert scalar_math.floor(torch.tensor(1.5)) == 1.0


@pytest.mark.parametrize("name", ["maximum", "minimum"])
@pytest.mark.parametrize("a", VALUES)
@pytest.mark.parametrize("b", VALUES)
def test_extremes(name, a, b):
    x, y = (torch.tensor(v, dtype=torch.float64) for v in (a, b))
    function = getattr(scalar_math, name)
    expected = getattr(torch, name)(x, y)
    assert alike(function(a, b), expected)
    assert alike(function(x, b), expected)
    assert alike(function(a, y), expected)


def test_where():
    assert scalar_math.where(True, 1.0, 2.0) == 1.0
    chosen = scalar_math.where(torch.tensor(False), 1.0, torch.tensor(2.0))
    assert chosen.item() == 2.0
    assert scalar_math.where(torch.tensor(True), 0.1, 2).item() == 0.1
