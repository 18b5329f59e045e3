"""Reductions over units: all axes but the first; a vector is one unit."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import torch

from instep.conformance.bounds import BoundedArithmetic
from instep.conformance.profile import grades
from instep.reference.runtime.work import unit_axes, unit_size
from instep.spec.algebra.numeric import NumericDomain
from instep.spec.arithmetic import Exact, Float64, axes, lanes_in, shape_query

EXACTLY = NumericDomain(mpmath.mp, lambda point: point)
SHAPES = ((), (5,), (4, 3), (4, 3, 2), (4, 3, 2, 5))


def expected(x):
    """The sum of every unit, spelled out."""
    if x.ndim < 2:
        return np.asarray(x.sum())
    sums = [row.sum() for row in x]
    return np.array(sums).reshape(len(sums), *[1] * (x.ndim - 1))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_number_type_sums_units(shape):
    x = np.arange(1.0, 1 + np.prod(shape)).reshape(shape)
    assert np.array_equal(Float64().reduce("sum", "units", x), expected(x))
    bounded = BoundedArithmetic(grades("float64")[0])
    found = bounded.reduce("sum", "units", bounded.tensor(x))
    assert np.array_equal(found.value, expected(x))
    n = lanes_in("units", shape)
    assert np.allclose(found.bound, (n - 1) * 2.0**-52 * expected(x), rtol=1e-12, atol=0)
    with mpmath.workdps(30):
        exact = Exact().reduce("sum", "units", Exact().tensor(x))
    assert np.array_equal(np.asarray(exact, dtype=float), expected(x))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_generated_code_sums_the_same_axes(shape):
    x = torch.arange(1.0, 1 + int(np.prod(shape))).reshape(shape)
    got = x.sum(dim=unit_axes(x), keepdim=True).numpy()
    assert np.array_equal(np.broadcast_to(got, shape), np.broadcast_to(expected(x.numpy()), shape))


def test_axes_of_every_reduction():
    assert axes("all", (4, 3)) is None
    assert axes("rows", (4, 3)) == (-1,)
    assert axes("units", (4, 3, 2)) == (1, 2)
    assert [lanes_in(over, (4, 3, 2)) for over in ("all", "rows", "cols", "units")] == [24, 2, 3, 6]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_everybody_agrees_how_many_lanes_a_unit_has(shape):
    x = np.arange(1.0, 1 + np.prod(shape)).reshape(shape)
    size = x[0].size if x.ndim > 1 else x.size
    assert shape_query("unit_size", shape) == size
    assert unit_size(torch.as_tensor(x)) == size
    assert EXACTLY.call("unit_size", (x,)) == size
    assert np.sum(x) / size == pytest.approx(np.sum(Float64().reduce("mean", "units", x)))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_everybody_finds_the_largest_lane(shape):
    x = -np.arange(1.0, 1 + np.prod(shape)).reshape(shape)[..., ::-1] if shape else np.array(-1.0)
    assert Float64().reduce("max", "all", x) == -1
    bounded = BoundedArithmetic(grades("float32")[0])
    found = bounded.reduce("max", "all", bounded.tensor(x))
    assert (found.value, found.bound) == (-1, 0)
    assert Exact().reduce("max", "all", Exact().tensor(x)) == -1
    assert EXACTLY.reduce("max", "all", x) == -1
