"""Limits are tried just beside what they are compared with."""

from __future__ import annotations

import numpy as np
import pytest

from instep import spec
from instep.conformance.boundaries import beside_boundary, limits
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
def test_a_narrow_value_is_exact_in_single_precision_only(dtype: str) -> None:
    probes = ProbeFactory(ADAMP, {}, ADAMP.option_defaults())
    plain = probes.make("x", dtype=dtype, steps=6)
    narrow = beside_boundary(Model(ADAMP), plain, "delta")
    assert narrow is not None
    value = narrow.hyperparameters["delta"]
    assert float(np.float32(value)) == value != half(value)
    others = {k: v for k, v in narrow.hyperparameters.items() if k != "delta"}
    assert others == {k: v for k, v in plain.hyperparameters.items() if k != "delta"}


def test_where_no_decision_depends_on_the_value_there_is_none() -> None:
    adamw = spec.get("adamw")
    probes = ProbeFactory(adamw, {}, adamw.option_defaults())
    assert beside_boundary(Model(adamw), probes.make("x", steps=2), "eps") is None


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
