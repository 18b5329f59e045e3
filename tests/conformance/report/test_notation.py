from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instep.conformance.report import notation

finite = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2**-4, "2^-4"),
        ((7 / 8, 63 / 64), "(7/8, 63/64)"),
        ((0.9, 0.999), "(0.9, 0.999)"),
        (2.0**-20, "2^-20"),
        (-(2.0**-20), "-2^-20"),
        (0.5, "0.5"),
        (1e-8, "1e-08"),
        (0.1, "0.1"),
        (0.0, "0.0"),
        (1, "1"),
        (True, "True"),
        (None, "None"),
        (math.inf, "inf"),
        ((0.5,), "(0.5,)"),
        ([2**-4], "[2^-4]"),
        ({"a": 2**-4}, "{a: 2^-4}"),
        ("torch", "'torch'"),
    ],
)
def test_hyperparameters_are_short(value, text):
    assert notation.short(value) == text


def value_of(text: str) -> Fraction:
    """Read a short form as a reader would."""
    if "^" in text:
        sign, exponent = (-1 if text.startswith("-") else 1), int(text.split("^")[1])
        return sign * Fraction(2) ** exponent
    return Fraction(text) if "/" in text else Fraction(float(text))


@given(finite)
def test_the_short_form_is_exact(value):
    assert value_of(notation.short(value)) == Fraction(value)


@given(st.integers(-4096, 4096), st.integers(0, 60))
def test_the_short_form_of_dyadic_numbers_is_exact(numerator, exponent):
    value = numerator / 2**exponent
    assert value_of(notation.short(value)) == Fraction(value)


@given(st.floats())
def test_the_hexadecimal_form_is_exact(value):
    text = notation.hexadecimal(value)
    assert text == text.strip()
    back = float.fromhex(text)
    assert back == value or (math.isnan(back) and math.isnan(value))


def test_the_hexadecimal_form_has_no_trailing_zeros():
    assert notation.hexadecimal(-(2.0**-27)) == "-0x1p-27"
    assert notation.hexadecimal(0.0) == "0x0p+0"
    assert notation.hexadecimal(math.nan) == "nan"


@given(finite, finite)
def test_decimals_tell_two_numbers_apart(a, b):
    digits = notation.digits_to_tell(a, b)
    same = notation.decimal(a, digits) == notation.decimal(b, digits)
    assert same == (a == b) or digits == 17
    assert 6 <= digits <= 17


def test_decimals_show_two_digits_of_the_difference():
    digits = notation.digits_to_tell(1.0, 1.0 + 1e-9)
    assert notation.decimal(1.0 + 1e-9, digits) == "1.00000000100"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.934, "0.93"),
        (7.04e5, "7.0e5"),
        (42.4, "42"),
        (9.999, "10"),
        (math.inf, "infinitely many"),
        (math.nan, "nan"),
    ],
)
def test_ratios(value, text):
    assert notation.ratio(value) == text


def test_counts_are_grouped_and_agree_in_number():
    assert notation.many(1, "check") == "1 check"
    assert notation.many(1234567, "lane") == "1 234 567 lanes"


@pytest.mark.parametrize(
    ("having", "text"),
    [
        ("abcd", "all"),
        ("abc", "all but d"),
        ("ab", "a, b only"),
        ("d", "d only"),
    ],
)
def test_who_has_something_is_said_in_the_fewest_words(having, text):
    assert notation.extent(list(having), list("abcd")) == text
