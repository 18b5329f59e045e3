"""Value and bound, certified: against 50 digits, and against rounding at random."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any

import mpmath
import numpy as np
import pytest

from instep import spec
from instep.conformance.bounds import BoundedArithmetic
from instep.conformance.oracle import Model, Oracle
from instep.conformance.probes import Probe, ProbeFactory
from instep.conformance.profile import FLOAT_TYPES, Profile, grades
from instep.conformance.rounding import RandomRounding
from instep.conformance.spread import Spread
from instep.spec import ir
from instep.spec.arithmetic import Exact, Float64
from instep.spec.gradients import reads_loss
from instep.spec.ir import THETA
from instep.spec.model import Algorithm
from meta.runs import Quantities, run
from sampling import each_dialect

SHAPES = ((41,), (3, 5))
SEEDS = (-1, -2, *range(3))  # all down, all up, by chance


# Data decides there what is computed next: bounds of single lanes say nothing.
BRANCHING = [name for name in spec.dialects() if reads_loss(spec.get(name).body)]
DIALECTS = each_dialect(without=BRANCHING)
FOLDING = [
    name
    for name in spec.dialects()
    if any(isinstance(n, ir.Reduce) and n.over == "params" for n in ir.nodes(spec.get(name).body))
]


def probe(algorithm: Algorithm, values: str, dtype: str, steps: int) -> Probe:
    """A run at dyadic or default hyperparameters, the learning rate changed midway."""
    factory = ProbeFactory(algorithm, algorithm.defaults(), algorithm.option_defaults())
    chosen = {"dyadic": {}, "defaults": algorithm.defaults(), "fine": factory.fine_values()}
    rate = {k: v / 2 for k, v in factory.probe_values().items() if k == "lr"}
    return factory.make(
        values,
        values=chosen[values],
        dtype=dtype,
        shapes=SHAPES,
        steps=steps,
        changes={steps // 2: rate},
    )


def ratios(bounded: Iterable[Quantities], other: Iterable[Quantities]) -> Any:
    """|other - value| over the bound, for every lane of every quantity after every step."""
    out = []
    with np.errstate(all="ignore"):
        for expected, got in zip(bounded, other, strict=True):
            assert expected.keys() == got.keys()
            for key, value in expected.items():
                usable = np.isfinite(value.bound) & np.isfinite(value.value)
                away = np.abs(np.asarray(got[key] - value.value, dtype=np.float64))
                out.append(np.where(away == 0, 0.0, away / value.bound)[usable])
    return np.concatenate(out)


@pytest.mark.parametrize("values", ["dyadic", "defaults", "fine"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_oracle_lies_within_its_own_bound_of_50_digits(dialect: str, values: str):
    algorithm = spec.get(dialect)
    profile = grades("float64")[0]
    assert profile.unit == profile.scalar_unit == 2.0**-52
    given = probe(algorithm, values, "float64", 8)
    with mpmath.workdps(50):
        bounded = run(algorithm, BoundedArithmetic(profile), given)
        found = ratios(bounded, run(algorithm, Exact(), given))
    # It computes at 2^-53, and the bound counts 2^-52: half is what is left for the subject.
    assert found.max() <= 0.5
    assert found.size > 400


def _decided(arithmetic: BoundedArithmetic, steps: Iterable[Quantities]) -> Iterator[Quantities]:
    """Steps until the bounds leave a branch open (RAdam's, at 4.996): from there on runs part."""
    for quantities in steps:
        if arithmetic.ambiguous:
            return
        yield quantities


@pytest.mark.parametrize("values", ["dyadic", "defaults"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_random_rounding_stays_within_the_bound(dialect: str, dtype: str, values: str):
    # Half precision loses an estimate from all parameters with the first step, and with it every
    # branch that follows.
    least = 1 if dtype == "bfloat16" and dialect in FOLDING else 3
    _stays_within(dialect, dtype, values, least)


# Where parameters are summed up float16 has no number as small as the first estimate.
@pytest.mark.parametrize("values", ["dyadic", "defaults"])
@pytest.mark.parametrize("dialect", each_dialect(without=[*BRANCHING, *FOLDING]))
def test_random_rounding_to_float16_stays_within_the_bound(dialect: str, values: str):
    _stays_within(dialect, "float16", values, 3)


def _stays_within(dialect: str, dtype: str, values: str, least: int) -> None:
    algorithm = spec.get(dialect)
    given = probe(algorithm, values, dtype, 6)
    for profile in grades(dtype):
        arithmetic = BoundedArithmetic(profile)
        decided = list(_decided(arithmetic, run(algorithm, arithmetic, given)))
        assert len(decided) >= least
        for seed in SEEDS:
            coarsely = RandomRounding(profile, seed, narrow=True)
            rounded = islice(run(algorithm, coarsely, given), len(decided))
            found = ratios(decided, rounded)
            assert found.max(initial=0.0) <= 1.0, (profile.name, seed)


@pytest.mark.parametrize("dialect", each_dialect(without=set(spec.dialects()) - set(BRANCHING)))
def test_50_digits_lie_within_the_spread_where_data_decides_branches(dialect: str):
    """Bounds of single lanes say nothing there; runs that round at random lie further apart."""
    algorithm, profile = spec.get(dialect), grades("float64")[0]
    given = probe(algorithm, "dyadic", "float64", 3)
    start = partial(Oracle, Model(algorithm), given, profile)
    oracle, spread = start(Float64()), Spread(profile, start)
    with mpmath.workdps(50), np.errstate(all="ignore"):
        exact = start(Exact())
        for t in range(1, given.steps + 1):
            oracle.step(t)
            exact.step(t)
            assert len(oracle.points) == len(exact.points)
            pairs = zip(oracle.interpreter.slots, exact.interpreter.slots, strict=True)
            for i, (near, true) in enumerate(pairs):
                runs = spread.values(THETA, t, i) - near.theta
                apart = max(np.linalg.norm(run) for run in runs)
                away = np.linalg.norm((true.theta - near.theta).astype(np.float64))
                assert 0 < away <= apart


@pytest.mark.parametrize("dialect", ["adamw/torch", "sgd/torch", "nesterov/paper"])
def test_coarser_rounding_leaves_the_bound(dialect: str):
    """The bound is no wider than it must be: half a dozen units of one operation are seen."""
    algorithm = spec.get(dialect)
    given = probe(algorithm, "dyadic", "float32", 6)
    fine, coarse = grades("float32")[0], Profile("", FLOAT_TYPES["float16"], FLOAT_TYPES["float64"])
    bounded = run(algorithm, BoundedArithmetic(fine), given)
    found = ratios(bounded, run(algorithm, RandomRounding(coarse, 0), given))
    assert found.max() > 1024


def test_random_rounding_rounds_by_at_most_a_unit():
    profile = grades("float32")[1]
    x = np.random.default_rng(1).uniform(1, 4, 1000)
    for seed in SEEDS:
        away = np.abs(RandomRounding(profile, seed).binary("*", x, x) - x * x) / (x * x)
        assert 0.9 * profile.unit < away.max() <= profile.unit
