"""The number type that rounds at random: by how much, what stays exact, what a tensor is."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from instep.conformance.bounded import Bounded
from instep.conformance.bounds import BoundedArithmetic
from instep.conformance.profile import FLOAT_TYPES, Profile, grades
from instep.conformance.rounding import RandomRounding

SINGLE, DOUBLE = grades("float32")[1], grades("float64")[0]
SEEDS = (-1, -2, 0, 1)
X = np.random.default_rng(1).uniform(1, 4, 1000)


def kept(value):
    """Whether it is a tensor still."""
    return isinstance(value, np.ndarray)


@pytest.mark.parametrize("profile", [SINGLE, DOUBLE], ids=lambda p: p.name)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_result_moves_by_at_most_a_unit(profile: Profile, seed: int):
    away = np.abs(RandomRounding(profile, seed).binary("*", X, X) - X * X) / (X * X)
    assert 0.9 * profile.unit < away.max() <= profile.unit


@pytest.mark.parametrize("profile", [SINGLE, DOUBLE], ids=lambda p: p.name)
def test_what_repeats_an_operand_is_exact(profile: Profile):
    a = RandomRounding(profile, 0)
    x = np.array(np.float32(X), dtype=np.float64).reshape(40, 25)
    zero, one = np.zeros_like(x), np.ones_like(x)
    for value in (
        *(a.binary("+", x, zero), a.binary("*", x, one), a.binary("/", x, one)),
        *(a.call("max", x, zero), -a.negate(x), a.call("abs", x)),
    ):
        assert np.array_equal(value, x)


def test_the_same_seed_rounds_the_same_way_and_another_does_not():
    first, again, other = (RandomRounding(SINGLE, k).binary("/", X, 3.0) for k in (5, 5, 6))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_beyond_the_range_is_infinity():
    half = RandomRounding(grades("float16")[1], 0)
    x = np.array([300.0, -300.0, 1.0])
    assert half.binary("*", x, np.array([300.0])).tolist() == [np.inf, -np.inf, 300.0]


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
def test_the_type_is_the_one_that_parameters_have(dtype: str):
    for profile in grades(dtype):
        eps = RandomRounding(profile, 0).type_eps()
        assert eps == BoundedArithmetic(profile).type_eps().value
        assert eps == torch.finfo(getattr(torch, dtype)).eps


def test_tensors_without_a_shape_round_as_tensors():
    coarse = Profile("", FLOAT_TYPES["bfloat16"], FLOAT_TYPES["float64"])
    a = RandomRounding(coarse, 0)
    x = a.tensor(1.7)
    results = [
        *(a.binary("*", x, x), a.binary("**", x, 2), a.binary("**", x, 3), a.negate(x)),
        *(a.call("sqrt", x), a.call("sign", x), a.reduce("sum", "all", X), a.fill(x, 0.1)),
        *(a.where(True, x, x), a.store(x, "theta"), a.reduced_shape(x, "rows")),
    ]
    assert all(map(kept, results))
    assert abs(results[0] / 1.7**2 - 1) > 1e-5
    host = a.binary("*", a.number(1.7), a.number(1.7))
    assert not kept(host)
    assert abs(host / 1.7**2 - 1) < 1e-15


@pytest.mark.parametrize(("dtype", "least", "most"), [("float32", 2, 40), ("bfloat16", 0.2, 1)])
def test_sums_go_astray_as_random_walks_do_and_accumulate_in_float32(dtype, least, most):
    profile = grades(dtype)[1]
    x = np.random.default_rng(2).uniform(-1, 1, (64, 4096))
    a = RandomRounding(profile, 3)
    exact = x.sum(axis=-1, keepdims=True)
    size = np.maximum(np.abs(exact), np.sqrt(np.square(x).sum(axis=-1, keepdims=True)))
    away = np.abs(a.reduce("sum", "rows", x) - exact) / size
    assert least * profile.unit < away.max() < most * np.sqrt(4096) * profile.unit
    product = np.abs(a.matmul(x, x.T) - x @ x.T)
    assert 0 < product.max() <= 4096 * profile.unit * (np.abs(x) @ np.abs(x.T)).max()


def test_an_observed_value_lies_anywhere_within_its_bound():
    read = Bounded(np.zeros(500), np.full(500, 0.25))
    found = RandomRounding(SINGLE, 0).tensor(read)
    assert -0.25 <= found.min() < -0.2
    assert 0.2 < found.max() <= 0.25


def test_state_kept_in_a_narrower_type_is_rounded_to_it():
    narrow = Profile("", FLOAT_TYPES["float64"], FLOAT_TYPES["float64"], FLOAT_TYPES["bfloat16"])
    away = np.abs(RandomRounding(narrow, 0).store(X, "m") / X - 1)
    assert 2**-10 < away.max() <= 2**-8


@pytest.mark.parametrize("profile", [SINGLE, DOUBLE], ids=lambda p: p.name)
@pytest.mark.parametrize("seed", SEEDS)
def test_infinities_and_what_cancels_are_exact(profile: Profile, seed: int):
    rounding = RandomRounding(profile, seed)
    x = rounding.tensor([np.inf, 0.125, -np.inf])
    with np.errstate(invalid="ignore"):
        scaled = rounding.binary("*", x, rounding.tensor([1.5] * 3))
        assert np.array_equal(scaled[::2], x[::2])
        assert rounding.binary("-", x, x)[1] == 0
        assert rounding.reduce("sum", "all", np.abs(x)) == np.inf
