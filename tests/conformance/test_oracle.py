"""The oracle beside a recording: trajectory, lockstep, and what a mutant is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from instep import spec
from instep.conformance.bounded import Bounded
from instep.conformance.observe import Moment, Recording
from instep.conformance.oracle import Model, lockstep, trajectory
from instep.conformance.probes import Probe, ProbeFactory
from instep.conformance.profile import grades
from instep.conformance.verdict import Lanes, Tally
from instep.spec.arithmetic import Float64
from instep.spec.interpret import Interpreter
from instep.spec.model import Algorithm

ADAM, SGD = spec.get("adam"), spec.get("sgd")
PROFILE = grades("float64")[0]
SHAPES = ((7,), (2, 3))


def probe(algorithm: Algorithm, **more: Any) -> Probe:
    factory = ProbeFactory(algorithm, algorithm.defaults(), algorithm.option_defaults())
    return factory.make("x", **{"shapes": SHAPES, "steps": 5, **more})


def record(algorithm: Algorithm, given: Probe, wrong: Any = None) -> Recording:
    """A run in float64; after step 3 something happens to the first parameter's slot."""
    runner = Interpreter(
        algorithm,
        Float64(),
        given.parameters,
        options=given.options,
        hyperparameters=given.hyperparameters,
        groups=given.groups,
    )
    moments = [_moment(runner)]
    for t, gradients in enumerate(given.gradients, start=1):
        runner.set(given.changes.get(t, {}))
        runner.step(gradients)
        if t == 3 and wrong is not None:
            wrong(runner.slots[0])
        moments.append(_moment(runner))
    return Recording(given, moments)


def _moment(runner: Interpreter) -> Moment:
    return Moment(
        [np.array(slot.theta) for slot in runner.slots],
        [{k: np.array(v) for k, v in slot.state.items()} for slot in runner.slots],
    )


def judged(steps: Any) -> Tally:
    tally = Tally(widest=True)
    for lanes in steps:
        for one in lanes:
            tally.add(one)
    return tally


def reader(recording: Recording) -> Any:
    def read(symbol: str, t: int, i: int) -> Bounded | None:
        leaf = recording.moments[t].leaves[i].get(symbol)
        return None if leaf is None else Bounded(leaf)

    return read


@pytest.mark.parametrize("algorithm", [ADAM, SGD], ids=["adam", "sgd"])
def test_a_run_of_the_specification_is_in_step_in_both_modes(algorithm: Algorithm):
    recording = record(algorithm, probe(algorithm))
    states = [s.name for s in algorithm.states]
    assert judged(trajectory(Model(algorithm), recording, PROFILE)).worst <= 1
    tally = judged(lockstep(Model(algorithm), recording, PROFILE, states, reader(recording)))
    assert tally.worst <= 1
    assert {one.quantity for one in tally.history} >= {"theta", states[0]}


def test_states_that_are_kept_flat_are_compared_in_their_shape():
    recording = record(ADAM, probe(ADAM))

    def flat(symbol: str, t: int, i: int) -> Bounded | None:
        leaf = recording.moments[t].leaves[i].get(symbol)
        return None if leaf is None else Bounded(np.ravel(leaf), np.zeros(leaf.size))

    tally = judged(lockstep(Model(ADAM), recording, PROFILE, ["m", "v"], flat))
    assert tally.worst <= 1
    assert {one.quantity for one in tally.history} == {"m", "v", "theta"}


def test_changes_groups_and_missing_gradients_are_followed():
    given = probe(ADAM, changes={3: {"lr": 1 / 32}}, groups=(((1,), {"beta1": 0.5}),))
    missing = tuple(
        tuple(None if t == 2 and i == 0 else g for i, g in enumerate(step))
        for t, step in enumerate(given.gradients)
    )
    given = replace(given, gradients=missing)
    recording = record(ADAM, given)
    assert judged(trajectory(Model(ADAM), recording, PROFILE)).worst <= 1
    for simpler in ({"changes": {}}, {"groups": ()}):
        other = Recording(replace(given, **simpler), recording.moments)
        assert judged(trajectory(Model(ADAM), other, PROFILE)).worst > 1e6


def nudge_theta(slot: Any) -> None:
    slot.theta = slot.theta + 1e-3


def nudge_v(slot: Any) -> None:
    slot.state["v"] = slot.state["v"] * 1.5


@pytest.mark.parametrize(
    ("wrong", "quantity"), [(nudge_theta, "theta"), (nudge_v, "v")], ids=["theta", "v"]
)
def test_a_trajectory_carries_an_error_on_and_lockstep_does_not(wrong: Any, quantity: str):
    """What is wrong after step 3 is where step 4 starts, and from there step 4 is right."""
    recording = record(ADAM, probe(ADAM), wrong)
    carried = judged(trajectory(Model(ADAM), recording, PROFILE))
    first = 3 if quantity == "theta" else 4
    assert {one.step for one, _ in carried.failing} == set(range(first, 6))
    single = judged(lockstep(Model(ADAM), recording, PROFILE, ["m", "v"], reader(recording)))
    assert {(one.step, one.quantity) for one, _ in single.failing} == {(3, quantity)}


def test_a_parameter_that_is_not_the_state_of_the_first_step_is_no_matter():
    """Before the first step there is no state, whatever a constructor has put there."""
    recording = record(ADAM, probe(ADAM))
    for leaves in recording.moments[0].leaves:
        leaves.update(m=np.ones(()), v=np.ones(()))
    tally = judged(lockstep(Model(ADAM), recording, PROFILE, ["m", "v"], reader(recording)))
    assert tally.worst <= 1


def test_an_equation_is_named_with_each_quantity():
    recording = record(ADAM, probe(ADAM))
    steps = lockstep(Model(ADAM), recording, PROFILE, ["m", "v"], reader(recording))
    names = {(one.quantity, one.equation) for one in next(iter(steps))}
    assert names == {("m", "first_moment"), ("v", "second_moment"), ("theta", "update")}


def test_without_a_state_the_parameters_are_still_compared():
    recording = record(SGD, probe(SGD))
    steps = list(lockstep(Model(SGD), recording, PROFILE, [], reader(recording)))
    assert [one.quantity for one in steps[0]] == ["theta", "theta"]


def test_the_change_of_a_parameter_is_what_sensitivity_is_measured_by():
    recording = record(SGD, probe(SGD))
    (first, *_), *_ = trajectory(Model(SGD), recording, PROFILE)
    assert isinstance(first, Lanes)
    moved = recording.moments[1].parameters[0] - recording.moments[0].parameters[0]
    assert np.allclose(first.change, moved)


VALUES: Mapping[str, float] = {"lr": 0.3, "beta1": 0.9}


@pytest.mark.parametrize(
    ("model", "first", "later"),
    [
        (Model(ADAM), VALUES, VALUES),
        (Model(ADAM, frozenset({"lr"})), VALUES, {"beta1": 0.9}),
        (
            Model(ADAM, distort={"lr": lambda x: 2 * x, "eps": lambda x: x}),
            {"lr": 0.6, "beta1": 0.9},
            {"lr": 0.6, "beta1": 0.9},
        ),
    ],
    ids=["plain", "frozen", "distorted"],
)
def test_what_a_model_makes_of_hyperparameters(model: Model, first: dict, later: dict):
    assert model.values(VALUES) == first
    assert model.values(VALUES, later=True) == later


@pytest.mark.parametrize(
    ("model", "given"),
    [
        (Model(ADAM, frozenset({"lr"})), {"changes": {3: {"lr": 1 / 32}}}),
        (Model(ADAM, frozenset({"beta1"})), {"groups": (((1,), {"beta1": 0.5}),)}),
        (Model(ADAM, distort={"eps": lambda x: 2 * x}), {}),
        (Model(ADAM, options={"epsilon": "inside"}), {}),
    ],
    ids=["changes", "groups", "distorted", "options"],
)
def test_a_model_with_a_mistake_leaves_the_specification(model: Model, given: dict):
    recording = record(ADAM, probe(ADAM, **given))
    assert judged(trajectory(model, recording, PROFILE)).worst > 1e3
