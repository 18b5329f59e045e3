"""Probes: exact, repeatable, admissible, and sharp enough to see every hyperparameter."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import pytorch_optimizer
import torch

from instep import spec
from instep.conformance.checks.hyperparameters import gated
from instep.conformance.lanes import data
from instep.conformance.norms import exact
from instep.conformance.oracle import Model, Oracle
from instep.conformance.probes import STEPS, Probe, ProbeFactory, dyadic, fine
from instep.conformance.profile import FLOAT_TYPES, Profile, grades
from instep.conformance.suite import Session
from instep.conformance.verdict import LOOSE, OUT_OF_STEP
from instep.spec import ir
from instep.spec.arguments import Domain, Hyperparameter
from instep.spec.conditions import violated
from instep.spec.gradients import reads_loss
from instep.spec.model import Algorithm
from instep.spec.options import resolve

DIALECTS = spec.dialects()
SHAPES = ((131,), (7, 9), ())
PARTS = ("value", "bound")


def factory(algorithm: Algorithm, **more) -> ProbeFactory:
    return ProbeFactory(algorithm, algorithm.defaults(), algorithm.option_defaults(), **more)


@pytest.mark.parametrize("dtype", FLOAT_TYPES)
def test_everything_is_exact_in_its_type(dtype: str):
    parameters, gradients = data(SHAPES, 12, dtype)
    for x in (*parameters, *(g for step in gradients for g in step)):
        assert np.array_equal(exact(x, dtype), x)
        assert np.isfinite(x).all()


def test_the_same_arguments_give_the_same_numbers():
    np.random.seed(1)
    torch.manual_seed(1)
    one = data(SHAPES, 5, "float64")
    np.random.seed(2)
    torch.manual_seed(2)
    other = data(SHAPES, 5, "float64")
    for a, b in zip(one[0], other[0], strict=True):
        assert np.array_equal(a, b)
    for a, b in zip(one[1], other[1], strict=True):
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_a_longer_run_begins_like_a_shorter_one():
    short, long = data(SHAPES, 3, "float32")[1], data(SHAPES, 9, "float32")[1]
    for a, b in zip(short, long, strict=False):
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_lanes_hold_what_makes_a_bug_visible():
    parameters, gradients = data(((400,),), 12, "float64")
    p, g = parameters[0], np.stack([step[0] for step in gradients])
    assert 0.2 < np.mean(p == 0) < 0.3
    sizes = np.abs(g[g != 0])
    assert sizes.min() < 2.0**-28
    assert sizes.max() > 2.0**5
    assert np.any((g == 0).any(axis=0) & (g != 0).any(axis=0))
    steady = (g != 0).all(axis=0)
    signs = np.sign(g[:, steady])
    assert np.any(np.all(signs == signs[0], axis=0))
    assert np.any(np.any(signs != signs[0], axis=0))
    rising = np.abs(g[-1]) > 8 * np.abs(g[0])
    falling = np.abs(g[-1]) * 8 < np.abs(g[0])
    assert rising[steady].any()
    assert falling[steady].any()


def test_algorithms_that_reduce_get_tensors_without_a_size_or_a_slope():
    probe = factory(spec.get("lamb")).make("x", shapes=((7,),), steps=4)
    assert [np.shape(p) for p in probe.parameters] == [(7,), (4, 4), (5,)]
    assert not probe.parameters[1].any()
    assert [step[2].any() for step in probe.gradients] == [False, False, True, True]
    assert all(step[1].any() for step in probe.gradients)
    assert len(factory(spec.get("adam")).make("x", shapes=((7,),)).parameters) == 1


def test_calm_gradients_do_not_pause():
    assert all((g != 0).all() for step in data(SHAPES, 12, "float64", calm=True)[1] for g in step)


@pytest.mark.parametrize(
    ("h", "value"),
    [
        (Hyperparameter("lr", "lr", 1e-3, probe=1 / 16), 1 / 16),
        (Hyperparameter("b", "b", 0.9, domain=Domain.parse("[0,1)")), 7 / 8),
        (Hyperparameter("b2", "b", 0.99, index=1, domain=Domain.parse("[0,1)")), 63 / 64),
        (Hyperparameter("k", "k", 5, domain=Domain.parse("Z[1,inf)")), 5),
        (Hyperparameter("wd", "wd", 0.0, domain=Domain.parse("[0,inf)")), 1 / 8),
        (Hyperparameter("s", "s", -0.8), -1.0),
    ],
)
def test_hyperparameters_are_probed_at_dyadic_values(h: Hyperparameter, value: float):
    assert dyadic(h) == value


@pytest.mark.parametrize("dialect", DIALECTS)
def test_dyadic_values_are_exact_everywhere_and_fine_ones_only_in_float32(dialect: str):
    for h in spec.get(dialect).hyperparameters:
        assert exact(dyadic(h), "bfloat16") == exact(dyadic(h), "float16") == dyadic(h)
        assert h.domain.contains(dyadic(h))
        assert h.domain.contains(fine(h))
        assert exact(fine(h), "float32") == fine(h)
        assert h.domain.integer or exact(fine(h), "float16") != fine(h)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_probes_meet_the_requirements_of_their_options(dialect: str):
    algorithm = spec.get(dialect)
    for option in algorithm.options:
        for value in option.values:
            try:
                probe = factory(algorithm).make("x", options={option.name: value})
            except ValueError:
                assert not factory(algorithm).possible({option.name: value})
            else:
                assert not violated(algorithm, probe.hyperparameters, probe.options)


@pytest.mark.parametrize(
    ("dialect", "beta2", "first"),
    [
        ("radam/torch", 0.999, 6),
        ("radam/paper", 0.999, 5),
        ("radam/torch", 63 / 64, 6),
        ("radam/torch", 0.7502, 8),
        ("radam/torch", 2 / 3, None),
        ("radam/torch", 0.0, None),
    ],
)
def test_a_probe_reaches_rectification_where_there_is_any(dialect: str, beta2: float, first: Any):
    """With averages as short as beta2 = 2/3 makes them no length is above 5."""
    algorithm = spec.get(dialect)
    probe = factory(algorithm).make("x", values={"beta2": beta2}, shapes=((5,),), steps=40)
    oracle, begun = Oracle(Model(algorithm), probe, grades("float64")[0]), None
    for t in range(1, probe.steps + 1):
        oracle.step(t)
        begun = begun or (t if "rectification" in oracle.defined_by.values() else None)
    assert begun == first


def test_as_little_as_possible_is_changed_to_meet_a_requirement():
    probe = factory(spec.get("sgd")).make("x", options={"nesterov": True})
    assert probe.hyperparameters["dampening"] == 0
    assert probe.hyperparameters["momentum"] == 7 / 8


def test_what_is_fixed_is_not_varied():
    algorithm = spec.get("sgd")
    fixed = ProbeFactory(
        algorithm, {**algorithm.defaults(), "lr": 0.3}, algorithm.option_defaults(), ["lr"]
    )
    assert fixed.make("x").hyperparameters["lr"] == 0.3
    assert fixed.other_values(["lr"]) == {}
    with pytest.raises(ValueError, match="no hyperparameters are admissible"):
        ProbeFactory(
            algorithm, algorithm.defaults(), algorithm.option_defaults(), ["momentum"]
        ).make("x", options={"nesterov": True})


@pytest.mark.parametrize("dialect", DIALECTS)
def test_other_values_differ_and_are_admissible_one_by_one_and_together(dialect: str):
    algorithm = spec.get(dialect)
    probes = factory(algorithm)
    own = probes.make("x")
    names = [h.name for h in algorithm.hyperparameters]
    other = probes.other_values(names, whole=True)
    # A requirement may leave one value alone: nesterov takes no dampening.
    conditions = [r.condition for r in algorithm.requirements]
    required = {n.name for c in conditions for n in ir.walk(c) if is_symbol(n)}
    assert set(names) - set(other) <= required
    for chosen in [*({k: v} for k, v in other.items()), other]:
        assert all(own.hyperparameters[k] != v for k, v in chosen.items())
        assert not violated(algorithm, {**own.hyperparameters, **chosen}, own.options)


def test_what_pauses_equations_is_asked_whether_it_exceeds_zero():
    assert gated(spec.get("prodigy/authors")) == {"lr"}
    # It is not asked there, but elsewhere: that nothing pauses has to show.
    assert gated(spec.get("prodigy/running")) == {"lr"}
    assert "weight_decay" not in gated(spec.get("adamw"))


def test_a_learning_rate_of_zero_tells_what_pauses_from_what_runs():
    name = "prodigy/hyperparameters/lr-changed"
    judged = {
        dialect: Session(pytorch_optimizer.Prodigy, dialect).run(name).status
        for dialect in ("prodigy/authors", "prodigy/running")
    }
    assert judged == {"prodigy/authors": "failed", "prodigy/running": "passed"}


def test_a_closure_is_used_where_the_algorithm_asks_for_one():
    assert not factory(spec.get("sgd")).make("x").closure
    probe = factory(spec.get("nesterov/paper")).make("x")
    assert probe.closure
    assert [s.shape for s in probe.slopes] == [p.shape for p in probe.parameters]


def test_a_run_can_be_cut_short():
    probe = factory(spec.get("sgd")).make("x", steps=6)
    assert probe.cut(2).steps == 2
    assert probe.cut(2).parameters is probe.parameters


# ---- observability: every hyperparameter and option moves the result by far more than its bound


def final(algorithm: Algorithm, probe: Probe, profile: Profile) -> tuple[Any, Any]:
    """The last parameters and their bounds, and so of the points that are read between steps."""
    oracle = Oracle(Model(algorithm), probe, profile)
    with np.errstate(all="ignore"):
        for t in range(1, probe.steps + 1):
            oracle.step(t)
    points = [slot.theta for slot in oracle.interpreter.slots]
    for view in algorithm.views:
        points += oracle.interpreter.view(view.name)
    value, bound = (np.concatenate([np.ravel(getattr(x, k)) for x in points]) for k in PARTS)
    return value, bound


def moved(algorithm: Algorithm, one: Probe, other: Probe) -> tuple[float, float]:
    """The largest difference between two runs, in bounds of the strictest and loosest profile."""
    ratios = []
    for profile in grades(one.dtype):
        (a, e), (b, _) = final(algorithm, one, profile), final(algorithm, other, profile)
        with np.errstate(all="ignore"):
            # What is computed exactly has no bound, and any difference from it is seen.
            ratio = np.where(a == b, 0.0, np.abs(a - b) / e)
        usable = np.isfinite(a) & np.isfinite(b) & np.isfinite(e)
        ratios.append(float(np.max(ratio[usable], initial=0.0)))
    return ratios[0], ratios[-1]


def is_seen(ratios: tuple[float, float]) -> bool:
    """Twice what makes a run out of step in float64, under each profile."""
    return ratios[0] > 2 * OUT_OF_STEP and ratios[1] > 2 * LOOSE


# Products of matrices need more than a vector, and a yardstick for the whole of one; what searches
# along lines has no bound but the spread of runs. The certificates of observability have all three.
LANES = [d for d in DIALECTS if not spec.get(d).shapes and not reads_loss(spec.get(d).body)]


@pytest.mark.parametrize("dialect", LANES)
def test_every_hyperparameter_moves_the_result(dialect: str):
    algorithm = spec.get(dialect)
    probes = factory(algorithm)
    base = probes.make("x", shapes=((67,),), steps=6)
    read = {n.name for n in ir.nodes(resolve(algorithm.body, base.options)) if is_symbol(n)}
    names = [h.name for h in algorithm.hyperparameters if h.name in read]

    def shown(changed: dict[str, float], steps: int, changes: dict[int, dict[str, float]]) -> bool:
        one = probes.make("x", shapes=((67,),), steps=steps, changes=changes)
        other = probes.make("x", values=changed, shapes=((67,),), steps=steps, changes=changes)
        return is_seen(moved(algorithm, one, other))

    risen = {"lr": 8 * probes.probe_values().get("lr", 0.0)}
    for name, value in probes.other_values(names).items():
        # Most of them show soon; what weighs rectified steps shows when there have been some, what
        # weighs them by the largest learning rate so far where that rises.
        rises = "lr" in names and name != "lr" and probes.admits(risen)
        runs = product((6, STEPS), ({}, {3: risen}) if rises else ({},))
        assert any(shown({name: value}, steps, changes) for steps, changes in runs), name


def is_symbol(node: ir.Expr) -> bool:
    return isinstance(node, ir.Sym)


@pytest.mark.parametrize("dialect", ["sgd/torch", "adam/paper"])
def test_every_option_moves_the_result(dialect: str):
    algorithm = spec.get(dialect)
    probes = factory(algorithm)
    for option in algorithm.options:
        for value in option.values:
            chosen = {option.name: value}
            if value == option.default or not probes.possible(chosen):
                continue
            other = probes.make("x", options=chosen)
            if not other.closure:
                base = probes.make("x", values=other.hyperparameters)
                assert is_seen(moved(algorithm, base, other)), (option.name, value)


def test_the_epsilon_of_a_type_is_that_of_the_probe():
    """A constructor takes a number: that of float64 would be another one for narrower types."""
    algorithm = spec.get("adafactor")
    factory = ProbeFactory(algorithm, algorithm.defaults(), algorithm.option_defaults())
    for dtype in ("float64", "float32", "bfloat16", "float16"):
        probe = factory.make("defaults", values=algorithm.defaults(), dtype=dtype)
        assert probe.hyperparameters["eps1"] == torch.finfo(getattr(torch, dtype)).eps
