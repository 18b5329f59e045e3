"""Ours and torch's own optimizers lie within the same computed bound of the specification."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch

from instep.conformance.bounds import BoundedArithmetic
from instep.conformance.profile import FLOAT_TYPES, grades
from instep.reference import vectorized
from instep.spec import get
from instep.spec.gradients import reads_loss
from meta.exported import TORCH

DTYPES = {"float64": torch.float64, "float32": torch.float32}
# What a lane may be off from the oracle, in bounds: each side of a comparison may use up one.
LIMIT = 2
# What evaluates the loss itself is not within a bound of every lane, see test_lbfgs.py.
PAIRS = {name: cls for name, cls in TORCH.items() if not reads_loss(get(name).body)}


# Torch's own divides by the number of lanes on the host, and raises where a tensor has none.
REFUSE_EMPTY = {"adafactor"}


NOT_EMPTY = ((), (3,), (4, 5), (6, 3), (2, 3, 4))


@pytest.fixture
def accepted(matrices):
    """The shapes that torch's own takes, where they are not those of every problem."""
    return lambda name: {"shapes": NOT_EMPTY} if name in REFUSE_EMPTY else matrices(name)


def worst(parameters, machine) -> float:
    """The largest error over all lanes, in bounds; a lane without rounding must be exact."""
    ratios = [0.0]
    for p, slot in zip(parameters, machine.slots, strict=True):
        error = np.abs(p.detach().double().numpy() - slot.theta.value)
        assert np.all(error[slot.theta.bound == 0] == 0)
        ratios.extend((error / np.where(slot.theta.bound > 0, slot.theta.bound, 1)).ravel())
    return max(ratios)


def narrow(algorithm, cls) -> dict:
    """The states that torch keeps in float32 whatever the parameter's type is: numbers."""
    keys = cls._layout.numbers - {cls._layout.counter}
    return {s.name: FLOAT_TYPES["float32"] for s in algorithm.states if s.key in keys}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PAIRS)
def test_both_are_in_step(
    name, dtype, load_wide, problem, run, interpret, configurations, accepted, monkeypatch
):
    # No lane has a bound of use in a narrower type: torch's own computes in the parameter's too.
    monkeypatch.setattr(torch.Tensor, "bfloat16", lambda x: x.clone())
    algorithm, theirs = get(name), getattr(torch.optim, PAIRS[name])
    ours = load_wide(name, "vectorized")
    task = problem(lr=0.25, **accepted(name))
    profile = grades(dtype, states=narrow(algorithm, ours))[0]
    for keywords, options, numbers in configurations(algorithm, ours):
        arithmetic = BoundedArithmetic(profile)
        machine = interpret(algorithm, task, arithmetic, options=options, hyperparameters=numbers)
        subjects = [(theirs, {}), (ours, {"backend": "eager"}), (load_wide(name, "eager"), {})]
        if ours._has_foreach:
            subjects.append((ours, {"backend": "foreach"}))
        for cls, extra in subjects:
            _, parameters = run(cls, task, dtype=DTYPES[dtype], **keywords, **extra)
            assert worst(parameters, machine) <= LIMIT, (cls, keywords, extra)


@pytest.mark.parametrize("name", PAIRS)
def test_signature_is_torchs_with_a_backend_more(name):
    theirs = inspect.signature(getattr(torch.optim, PAIRS[name])).parameters
    ours = dict(inspect.signature(getattr(vectorized, PAIRS[name])).parameters)
    assert ours.pop("backend").default == "auto"
    assert set(ours) == set(theirs)
    for key, argument in theirs.items():
        assert ours[key].default == argument.default, key
        assert ours[key].kind == argument.kind, key
    positional = [k for k, p in theirs.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert [k for k, p in ours.items() if p.kind is p.POSITIONAL_OR_KEYWORD] == positional


@pytest.mark.parametrize("name", PAIRS)
def test_groups_and_state_have_torchs_keys_types_and_shapes(
    name, problem, run, configurations, accepted
):
    cls = getattr(vectorized, PAIRS[name])
    task = problem(steps=3, pause=False, **accepted(name))
    for keywords, _, _ in configurations(get(name), cls):
        theirs, its = run(getattr(torch.optim, PAIRS[name]), task, dtype=torch.float32, **keywords)
        ours, own = run(cls, task, dtype=torch.float32, **keywords)
        assert ours.param_groups[0].keys() == theirs.param_groups[0].keys()
        for p, q in zip(own, its, strict=True):
            described = [
                {key: describe(x) for key, x in kept.items()}
                for kept in (ours.state[p], theirs.state[q])
            ]
            for key in cls._layout.numbers - {cls._layout.counter}:
                # torch keeps numbers in float32; here they keep their digits.
                described[0][key] = (torch.float32, *described[0][key][1:])
            assert described[0] == described[1], keywords


def describe(x):
    return (x.dtype, x.shape, x.device) if isinstance(x, torch.Tensor) else type(x)


def test_without_momentum_there_is_no_state(problem, run):
    ours, _ = run(vectorized.SGD, problem())
    assert ours.state_dict()["state"] == {}


def test_default_type_decides_the_type_of_the_counter(problem, run):
    torch.set_default_dtype(torch.float64)
    try:
        ours, parameters = run(vectorized.AdamW, problem(steps=1, pause=False))
    finally:
        torch.set_default_dtype(torch.float32)
    assert ours.state[parameters[0]]["step"].dtype == torch.float64
