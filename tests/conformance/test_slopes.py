"""Slopes from values: as close as they say, wide at a bend, and no match for a wrong derivative."""

from __future__ import annotations

import math

import pytest
import torch

from instep.conformance.slopes import Slope, extrapolated
from instep.conformance.verdict import OUT_OF_STEP


def slope(function, at, along=1.0):
    one = torch.ones((), dtype=torch.float64)
    return Slope(lambda given: {"y": function(given["x"])}, {"x": at * one}, {"x": along * one},
                 {"y": one})  # fmt: skip


@pytest.mark.parametrize(
    ("function", "at", "expected"),
    [(torch.sin, 0.7, math.cos(0.7)), (torch.sqrt, 0.25, 1.0), (torch.exp, 3.0, math.exp(3.0))],
    ids=["sin", "sqrt", "exp"],
)
def test_both_ways_give_the_derivative(function, at, expected):
    found = slope(function, at)
    value, bound = found.by_values()
    assert abs(value - expected) <= bound < 1e-6
    assert found.by_autograd() == pytest.approx(expected, abs=1e-15)


def test_a_bend_at_the_place_makes_the_bound_wide():
    value, bound = slope(torch.abs, 0.0).by_values()
    assert value == 0
    assert bound >= 2


def test_a_bend_elsewhere_does_not():
    assert slope(torch.abs, 0.5).by_values()[1] < 1e-8


def test_what_autograd_cannot_see_is_out_of_bounds():
    found = slope(lambda x: x * x.detach(), 0.5)
    value, bound = found.by_values()
    assert abs(found.by_autograd() - value) > OUT_OF_STEP * bound


def test_what_does_not_depend_has_no_slope():
    found = slope(lambda x: torch.ones_like(x), 0.5)
    assert found.by_autograd() == found.by_values()[0] == 0


def test_extrapolation_takes_one_power_after_the_other():
    series = [3 + 2 * h + 5 * h**2 for h in (1.0, 0.5, 0.25)]
    assert extrapolated(series, 1) == pytest.approx(3, abs=1e-12)
