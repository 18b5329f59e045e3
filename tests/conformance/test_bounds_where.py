"""A choice between two host numbers on the lanes of a tensor (Rprop's factor)."""

from __future__ import annotations

import numpy as np

from instep.conformance.bounds import BoundedArithmetic
from instep.conformance.profile import grades


def test_two_numbers_by_lane_are_rounded_to_the_tensors_type() -> None:
    a = BoundedArithmetic(grades("float32")[0])
    lanes = a.tensor(np.array([1.0, -1.0, 0.0]))
    chosen = a.where(a.compare(">", lanes, a.number(0)), a.number(1.2), a.number(0.5))
    assert not chosen.host
    assert chosen.value.tolist() == [1.2, 0.5, 0.5]
    assert chosen.bound[0] > 0
    assert chosen.bound[1] == 0  # 0.5 is exact
    product = a.binary("*", chosen, lanes)
    assert product.value.shape == (3,)
