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
from instep.spec.author import (
    algorithm,
    at,
    grad,
    hyper,
    length,
    let,
    local,
    push,
    repeat,
    state,
    theta,
    where,
)
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


def test_what_reaches_a_parameter_through_entries_is_computed_with() -> None:
    """A number kept in a history, and one in an indexed quantity."""
    with algorithm("own", "Entries") as draft:
        kept, scale, limit = (hyper(x, 0.5, domain="[0,inf)") for x in ("kept", "scale", "limit"))
        h, g, a = state("h", "h", shape="history"), local("g"), local("a")
        let("gradient", g, grad(theta))
        push("remember", h, kept * g, 2)
        with repeat(length(h), variable="i") as i:
            let("scaled", at(a, i), scale * at(h, i))
        let("update", theta, theta - where(g > limit, at(a, 0), g))
    own = draft.algorithm
    assert limits(own, own.option_defaults()) == ["limit"]


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
@pytest.mark.parametrize(
    "dialect", ["sgdp/paper", pytest.param("lbfgs/torch", marks=pytest.mark.slow)]
)
def test_a_limit_in_half_precision_fails_and_the_limit_itself_does_not(
    dialect: str, lacks: tuple[str, ...]
) -> None:
    algorithm = spec.get(dialect)
    for symbol in limits(algorithm, algorithm.option_defaults()):
        for distort, wrong in (({}, False), ({symbol: half}, True)):
            session = Session(subject(Model(algorithm, distort=distort)), algorithm, lacks=lacks)
            name = f"{session.prefix}/numerics/narrow-{symbol.replace('_', '-')}"
            assert fails(session.checks[name], session) == wrong
