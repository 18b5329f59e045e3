"""Which tensor is which state: by value, by transform, by declared scale, else by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from instep import spec
from instep.conformance.mapping import Binding, StateMap, infer_mapping
from instep.conformance.observe import Moment, Recording
from instep.conformance.oracle import Model
from instep.conformance.probes import ProbeFactory
from instep.conformance.profile import FLOAT_TYPES, grades
from instep.spec.arithmetic import Float64
from instep.spec.interpret import Interpreter
from instep.spec.model import Algorithm

ADAM = spec.get("adam")
PROFILE = grades("float64")[-1]
STEPS = 8
Keep = Callable[[Mapping[str, Any], int], Mapping[str, Any]]


def recorded(
    keep: Keep,
    gradients: float = 1.0,
    algorithm: Algorithm = ADAM,
    shapes: tuple[tuple[int, ...], ...] = ((9,), (2, 3)),
) -> Recording:
    """A correct run that shows what `keep` makes of the states after step t."""
    factory = ProbeFactory(algorithm, algorithm.defaults(), algorithm.option_defaults())
    values = {"weight_decay": 0.0} if gradients == 0 else {}
    probe = factory.make("x", shapes=shapes, steps=STEPS, values=values)
    scaled = tuple(tuple(gradients * g for g in step) for step in probe.gradients)
    probe = replace(probe, gradients=scaled)
    runner = Interpreter(
        algorithm,
        Float64(),
        probe.parameters,
        options=probe.options,
        hyperparameters=probe.hyperparameters,
    )
    moments = [Moment([slot.theta for slot in runner.slots], [{} for _ in runner.slots])]
    for t, given in enumerate(probe.gradients, start=1):
        runner.step(given)
        leaves = [{k: np.array(v) for k, v in keep(slot.state, t).items()} for slot in runner.slots]
        moments.append(Moment([np.array(slot.theta) for slot in runner.slots], leaves))
    return Recording(probe, moments)


def inferred(keep: Keep, given: Mapping[str, str] | None = None) -> dict[str, Binding]:
    return infer_mapping(Model(ADAM), recorded(keep), PROFILE, given).bindings


def test_states_are_found_under_any_name():
    found = inferred(lambda s, t: {"a": s["v"], "b": s["m"], "step": t})
    assert found == {"m": Binding("m", "b"), "v": Binding("v", "a")}


def test_the_name_decides_between_equal_tensors():
    found = inferred(lambda s, t: {"copy": s["m"], "exp_avg": s["m"], "exp_avg_sq": s["v"]})
    assert found["m"].path == "exp_avg"


BETA1, BETA2 = 7 / 8, 63 / 64


@pytest.mark.parametrize(
    ("change", "transform", "scale"),
    [
        (lambda v, t: v, "", ""),
        (lambda v, t: -v, "minus", ""),
        (np.sqrt, "square root", ""),
        (lambda v, t: v**2, "square", ""),
        (lambda v, t: np.log(v), "logarithm", ""),
        (lambda v, t: 1 / v, "reciprocal", ""),
        (lambda v, t: v / (1 - BETA2), "", "1/(1 - beta2)"),
        (lambda v, t: v / (1 - BETA2**t), "", "1/(1 - beta2^t)"),
    ],
    ids=["itself", "minus", "root", "square", "log", "reciprocal", "sum", "corrected"],
)
def test_transforms_and_declared_scales_are_recognised(change, transform: str, scale: str):
    def keep(states: Mapping[str, Any], t: int) -> Mapping[str, Any]:
        with np.errstate(all="ignore"):
            changed = change(states["v"]) if change is np.sqrt else change(states["v"], t)
        return {"m": states["m"], "x": changed}

    binding = inferred(keep)["v"]
    assert (binding.path, binding.transform, binding.scale) == ("x", transform, scale)
    assert binding.confirmed


@pytest.mark.parametrize("factor", [2.0, 10.0, 1 + 2.0**-20])
def test_other_factors_are_not_absorbed(factor: float):
    assert "v" not in inferred(lambda s, t: {"m": s["m"], "x": factor * s["v"]})


def test_a_wrong_state_is_found_by_its_name_only():
    binding = inferred(lambda s, t: {"exp_avg": s["m"], "exp_avg_sq": 2 * s["v"]})["v"]
    assert binding == Binding("v", "exp_avg_sq", confirmed=False)
    assert "by name only" in binding.describe()


def test_a_state_that_is_not_there_has_no_binding():
    assert list(inferred(lambda s, t: {"m": s["m"]})) == ["m"]
    assert inferred(lambda s, t: {}) == {}


def test_a_bound_that_is_wider_than_the_state_finds_nothing_by_value():
    """So it is behind Newton-Schulz in bfloat16, where m lies within the bound of V."""
    algorithm = spec.get("adamuon/average")
    profile = grades("float64", blocks={"orthogonalise": FLOAT_TYPES["bfloat16"]})[-1]
    for shapes in (((7, 5),), ((7, 5), (3, 4))):
        recording = recorded(
            lambda s, t: {"m": s["M"], "v": s["V"].ravel()}, algorithm=algorithm, shapes=shapes
        )
        found = infer_mapping(Model(algorithm), recording, profile).bindings
        assert found == {"M": Binding("M", "m"), "V": Binding("V", "v", confirmed=False)}


def test_a_tensor_that_never_changes_is_no_state():
    assert inferred(lambda s, t: {"m": 0 * s["m"], "v": 0 * s["v"] + 1})["m"].confirmed is False


def test_a_tensor_of_another_shape_is_no_state():
    assert inferred(lambda s, t: {"x": np.append(np.ravel(s["m"]), 0.0)}) == {}


def test_a_tensor_that_fits_one_parameter_only_is_no_state():
    def keep(states: Mapping[str, Any], t: int) -> Mapping[str, Any]:
        m = states["m"]
        return {"x": m if m.ndim == 1 else np.append(np.ravel(m), 0.0)}

    assert inferred(keep) == {}


def test_states_that_never_change_cannot_be_told_apart():
    recording = recorded(lambda s, t: {"x": s["m"]}, gradients=0.0)
    assert not np.any(recording.moments[-1].leaves[0]["x"])
    assert infer_mapping(Model(ADAM), recording, PROFILE).bindings == {}


def test_what_the_user_gives_is_taken():
    found = inferred(lambda s, t: {"a": s["m"], "b": s["v"]}, {"exp_avg": "b", "v": "a"})
    assert found == {"m": Binding("m", "b"), "v": Binding("v", "a")}


def test_a_state_is_read_back_through_its_binding():
    recording = recorded(lambda s, t: {"x": np.sqrt(s["v"]), "y": s["m"] / (1 - BETA1**t)})
    plain = recorded(lambda s, t: s)
    states = infer_mapping(Model(ADAM), recording, PROFILE)
    read = states.reader(recording)
    for symbol in ("m", "v"):
        got = read(symbol, 5, 0)
        assert got is not None
        away = np.abs(got.value - plain.moments[5].leaves[0][symbol])
        assert np.all(away <= got.bound)
        assert np.all(got.bound <= 1e-14 * np.abs(got.value))
    assert read("m", 0, 0) is None
    assert read("v_max", 5, 0) is None


def test_bindings_by_name_can_be_left_out_or_confirmed_step_by_step():
    states = StateMap(ADAM, {"m": Binding("m", "a"), "v": Binding("v", "b", confirmed=False)}, 0.0)
    assert not states.all_confirmed
    assert list(states.only_confirmed().bindings) == ["m"]
    confirmed = states.confirm(wrong=set())
    assert confirmed.all_confirmed
    assert "in every single step" in confirmed.bindings["v"].describe()
    assert not states.confirm(wrong={"v"}).all_confirmed


@pytest.mark.parametrize(
    ("binding", "text"),
    [
        (Binding("m", "exp_avg"), "state m is the subject's exp_avg (by value)"),
        (
            Binding("v", "s", "square root"),
            "state v is the subject's s (square root of it, by value)",
        ),
        (
            Binding("v", "s", "", "1/(1 - beta2)"),
            "state v is the subject's s (times 1/(1 - beta2), by value)",
        ),
    ],
)
def test_a_binding_is_described_in_one_line(binding: Binding, text: str):
    assert binding.describe() == text
