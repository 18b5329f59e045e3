"""The second yardstick: runs that round at random, where bounds for single lanes see nothing."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from instep import spec
from instep.conformance.bounded import Bounded
from instep.conformance.diagnose import reproduces
from instep.conformance.mutate import mutants
from instep.conformance.observe import Recording
from instep.conformance.oracle import Model, Oracle, lockstep, trajectory
from instep.conformance.probes import Probe, ProbeFactory
from instep.conformance.profile import FLOAT_TYPES, grades
from instep.conformance.spread import RUNS, Spread
from instep.conformance.subject import Subject, run
from instep.conformance.verdict import IN_STEP, SPREAD, Severity, Tally

MUON = spec.get("muon/torch").with_options({"nesterov": False})
KEPT = ["a", "b", "c", "ns_steps", "momentum"]


class Muon(torch.optim.Optimizer):
    """In the parameter's own type, its polynomial in one of two orders; or wrong in one place."""

    def __init__(
        self,
        params: Any,
        lr: float,
        weight_decay: float,
        momentum: float,
        eps: float,
        ns_steps: int,
        ns_coefficients: tuple[float, float, float],
        order: str = "",
        wrong: str = "",
    ) -> None:
        values = {"lr": lr, "weight_decay": weight_decay, "momentum": momentum, "eps": eps}
        super().__init__(params, {**values, "rounds": ns_steps, "polynomial": ns_coefficients})
        self.order, self.wrong = order, wrong

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                m = self.state[p].setdefault("momentum_buffer", torch.zeros_like(p))
                m.mul_(group["momentum"]).add_(p.grad, alpha=1 - group["momentum"])
                tall = p.shape[0] > p.shape[1]
                x = self.orthogonal(m.T if tall else m, group)
                ratio = p.shape[0] / p.shape[1]
                scale = 1.0 if self.wrong == "scale" else max(1, ratio) ** 0.5
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.sub_(group["lr"] * scale * (x.T if tall else x))

    def orthogonal(self, x: torch.Tensor, group: dict[str, Any]) -> torch.Tensor:
        a, b, c = group["polynomial"]
        c = c * 1.01 if self.wrong == "coefficient" else c
        x = x / x.norm().clamp(min=group["eps"])
        for _ in range(group["rounds"]):
            gram = x @ x.T
            if self.order == "outside in":
                x = a * x + b * (gram @ x) + c * (gram @ (gram @ x))
            else:
                x = a * x + (b * gram + c * (gram @ gram)) @ x
        return x


def made(dtype: str, **more: Any) -> Probe:
    factory = ProbeFactory(MUON, MUON.defaults(), MUON.option_defaults(), KEPT)
    return factory.make("x", dtype=dtype, shapes=((13, 11), (7, 9)), **{"steps": 6, **more})


def recorded(dtype: str, **keywords: Any) -> Recording:
    return run(Subject(partial(Muon, **keywords), MUON), made(dtype))


def judged(steps: Any, *, widest: bool = True) -> Tally:
    tally = Tally(widest)
    for lanes in steps:
        for one in lanes:
            tally.add(one)
    return tally


@pytest.mark.parametrize("order", ["", "outside in"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_correct_evaluations_lie_within_two_spreads(dtype: str, order: str):
    for profile in grades(dtype):
        found = judged(trajectory(Model(MUON), recorded(dtype, order=order), profile))
        assert found.worst <= IN_STEP
        assert found.sharpest < 1e-3
        # In float64 with scalars as wide, even the bounds of an iterated product are narrow enough.
        assert (SPREAD in found.yardstick) == (profile.scalar_unit > 2.0**-52 or dtype != "float64")


@pytest.mark.parametrize("wrong", ["scale", "coefficient"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_wrong_ones_are_thousands_of_spreads_away(dtype: str, wrong: str):
    found = judged(trajectory(Model(MUON), recorded(dtype, wrong=wrong), grades(dtype)[0]))
    assert found.severity is Severity.OUT
    assert found.worst > 4096
    assert found.first.yardstick == (SPREAD if dtype == "float32" else "bound")


def test_coarser_runs_start_where_the_others_do_and_round_their_blocks_in_fewer_bits():
    kinds = {"orthogonalise": FLOAT_TYPES["bfloat16"]}
    profile, probe = grades("float64", blocks=kinds)[0], made("float64", steps=2)
    spread = Spread(profile, partial(Oracle, Model(MUON), probe, profile))
    far = probe.parameters[0] + 1
    spread.place(1, 0, far, {})
    exact = Oracle(Model(MUON), probe, grades("float64")[0])
    exact.place(0, far, {})
    exact.step(1)
    expected = exact.interpreter.slots[0].theta.value
    fine, coarse = (
        np.linalg.norm(spread.values("theta", 1, 0, 4, coarser=coarser) - expected)
        for coarser in (False, True)
    )
    assert 4 * fine < coarse < 16 * fine < np.linalg.norm(expected - probe.parameters[0])


@pytest.mark.parametrize(("wrong", "explained"), [("", True), ("scale", False)])
def test_a_candidate_that_only_the_spread_rules_out_explains_nothing(wrong: str, explained: bool):
    recording = recorded("float32", wrong=wrong)
    assert reproduces(Model(MUON), recording) == explained


def test_a_candidate_whose_matrices_do_not_fit_explains_nothing():
    recording = recorded("float64")
    unfit = [m.model for m in mutants(MUON) if "transpose" in m.name]
    assert unfit
    assert not any(reproduces(model, recording) for model in unfit)


def test_in_lockstep_the_runs_start_from_the_subjects_own_state():
    recording = recorded("float32", wrong="scale")

    def read(symbol: str, t: int, i: int) -> Bounded | None:
        leaf = recording.moments[t].leaves[i].get("momentum_buffer")
        return None if leaf is None else Bounded(leaf)

    steps = lockstep(Model(MUON), recording, grades("float32")[0], ["M"], read)
    found = judged(steps)
    assert {lanes.quantity for lanes, _ in found.failing} == {"theta"}
    # Where a parameter is wide its scale is one.
    tall = {i for i, p in enumerate(recording.probe.parameters) if p.shape[0] > p.shape[1]}
    assert 0 in tall
    assert {lanes.parameter for lanes, _ in found.failing} == tall


def test_runs_are_reproducible_and_are_made_only_when_asked_for():
    probe, profile, started = made("float32", steps=2), grades("float32")[0], []

    def start(arithmetic: Any) -> Oracle:
        started.append(arithmetic.count)
        return Oracle(Model(MUON), probe, profile, arithmetic)

    first, again = Spread(profile, start), Spread(profile, start)
    assert started == []
    values = first.values("theta", 2, 1)
    assert started == [RUNS]
    assert values.shape == (RUNS, 7, 9)
    assert np.array_equal(values, again.values("theta", 2, 1))
    assert len({row.tobytes() for row in values}) == RUNS


def test_where_bounds_serve_no_run_is_made():
    adam = spec.get("adam")
    factory = ProbeFactory(adam, adam.defaults(), adam.option_defaults())
    recording = run(Subject(torch.optim.Adam, adam), factory.make("x"))
    tally = Tally(widest=True)
    for lanes in trajectory(Model(adam), recording, grades("float64")[0]):
        for one in lanes:
            one.runs = lambda **few: pytest.fail("runs were made")
            tally.add(one)
    assert tally.seen > 1000
    assert tally.yardstick == "bound"
