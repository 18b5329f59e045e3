"""Which values a hyperparameter may have, and how a refusal reads."""

from __future__ import annotations

import math

import pytest
import torch

from instep.reference.runtime.intervals import Interval, check_domains


@pytest.mark.parametrize(
    ("interval", "inside", "outside"),
    [
        (Interval(0, 1, "[)"), [0, 0.5], [1, -1e-300, math.nan]),
        (Interval(0, 1, "(]"), [1, 0.5], [0, 1.5]),
        (Interval(-math.inf, math.inf, "()"), [0, -1e308], [math.inf, math.nan]),
        (Interval(1, math.inf, "[)", integer=True), [1, 2.0], [1.5, 0, math.inf]),
    ],
)
def test_members(interval, inside, outside):
    assert all(x in interval for x in inside)
    assert not any(x in interval for x in outside)


def test_text():
    assert str(Interval(0, math.inf, "[)")) == "[0, inf)"
    assert str(Interval(1, 5, "[]", integer=True)) == "an integer in [1, 5]"


def test_tensors_of_one_number_are_numbers():
    check_domains({"lr": torch.tensor([0.5])}, {"lr": Interval(0, 1)})
    with pytest.raises(ValueError, match=r"lr must lie in \[0, 1\], got 2.0"):
        check_domains({"lr": torch.tensor(2.0)}, {"lr": Interval(0, 1)})
