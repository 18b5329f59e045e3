from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instep.spec.arguments import Argument, Domain
from instep.spec.errors import SpecError

ends = st.floats(allow_nan=False)


@given(ends, ends, st.booleans(), st.booleans(), st.booleans())
def test_a_domain_reads_back_what_it_prints(lower, upper, left, right, integer):
    lower, upper = min(lower, upper), max(lower, upper)
    domain = Domain(lower, upper, left, right, integer)
    if lower == upper and not (left and right):
        with pytest.raises(SpecError, match="holds no number"):
            Domain.parse(str(domain))
    else:
        assert Domain.parse(str(domain)) == domain


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("[0,1)", [0, 0.5, math.nextafter(1, 0)], [1, -5e-324, math.nan, math.inf]),
        ("(0,inf)", [5e-324, 1e308], [0, math.inf, -1]),
        ("[0, inf]", [0, math.inf], [-1]),
        ("Z[1,inf)", [1, 2.0, 10**9], [0, 1.5, math.nan]),
        ("(-inf,inf)", [-1e308, 0], [math.inf, -math.inf]),
    ],
)
def test_a_domain_contains(text, inside, outside):
    domain = Domain.parse(text)
    assert all(domain.contains(x) for x in inside)
    assert not any(domain.contains(x) for x in outside)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0..1", "not an interval"),
        ("[0,1", "not an interval"),
        ("[0;1]", "not an interval"),
        ("[a,1]", "ends must be numbers"),
        ("[nan,1]", "holds no number"),
        ("[2,1]", "holds no number"),
        ("(1,1]", "holds no number"),
    ],
)
def test_a_domain_that_is_none(text, reason):
    with pytest.raises(SpecError, match=reason) as caught:
        Domain.parse(text)
    assert text in str(caught.value)


def test_an_argument_maps_both_ways_and_tells_true_from_one():
    argument = Argument("amsgrad", ((False, "no"), (True, "raw")))
    assert argument.option_value(True) == "raw"
    assert argument.constructor_value("no") is False
    assert argument.constructor_value("corrected") is None
    with pytest.raises(SpecError, match=r"amsgrad=1 is none of \[False, True\]"):
        argument.option_value(1)
