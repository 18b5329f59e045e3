"""Limits are tried just beside what they are compared with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from instep import spec
from instep.conformance.boundaries import beside_boundaries, limits
from instep.conformance.oracle import Model
from instep.conformance.probes import ProbeFactory
from instep.conformance.suite import Session
from meta.interpreted import subject
from meta.strength import fails

ADAMP, LBFGS = spec.get("adamp"), spec.get("lbfgs")


def half(x: float) -> float:
    return float(np.float16(x))


def test_what_equations_only_compare_is_a_limit() -> None:
    assert limits(ADAMP, ADAMP.option_defaults()) == ["delta"]
    assert limits(LBFGS, LBFGS.option_defaults()) == ["tolerance_grad", "tolerance_change"]


@pytest.mark.parametrize("name", ["adamw", "asgd", "muon", "rprop"])
def test_what_they_compute_with_and_what_is_whole_is_none(name: str) -> None:
    algorithm = spec.get(name)
    assert limits(algorithm, algorithm.option_defaults()) == []


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_narrow_values_are_exact_in_single_precision_only(dtype: str) -> None:
    probes = ProbeFactory(ADAMP, {}, ADAMP.option_defaults())
    plain = probes.make("x", dtype=dtype, steps=2)
    narrow = list(beside_boundaries(Model(ADAMP), plain, "delta", 2))
    assert len({p.name for p in narrow}) == 4  # runs are known by their names
    for value, mirrored in (narrow[:2], narrow[2:]):
        ends = [p.hyperparameters["delta"] for p in (value, mirrored)]
        assert abs(ends[1] / ends[0] - 1) < 2.0**-10
        assert all(float(np.float32(x)) == x != half(x) for x in ends)
        boundary = sum(ends) / 2
        assert (half(ends[0]) > boundary) != (ends[0] > boundary)
    for p in narrow:
        assert {**p.hyperparameters, "delta": 0} == {**plain.hyperparameters, "delta": 0}


def test_where_no_decision_depends_on_the_value_there_is_none() -> None:
    adamw = spec.get("adamw")
    probe = ProbeFactory(adamw, {}, adamw.option_defaults()).make("x", steps=2)
    still = replace(probe, gradients=tuple(tuple(0 * g for g in step) for step in probe.gradients))
    assert not list(beside_boundaries(Model(adamw), still, "eps", 2))


@pytest.mark.parametrize("lacks", [(), ("float64",)], ids=["float64", "float32"])
@pytest.mark.parametrize("dialect", ["sgdp/paper", "lbfgs/torch"])
def test_a_limit_in_half_precision_fails_and_the_limit_itself_does_not(
    dialect: str, lacks: tuple[str, ...]
) -> None:
    algorithm = spec.get(dialect)
    for symbol in limits(algorithm, algorithm.option_defaults()):
        for distort, wrong in (({}, False), ({symbol: half}, True)):
            session = Session(subject(Model(algorithm, distort=distort)), algorithm, lacks=lacks)
            name = f"{session.prefix}/numerics/narrow-{symbol.replace('_', '-')}"
            assert fails(session.checks[name], session) == wrong
