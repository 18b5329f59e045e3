"""Generated schedulers: judged like anybody's, and drop-in for torch's."""

from __future__ import annotations

import copy
import importlib
import inspect

import pytest
import torch
from torch.optim import lr_scheduler

from instep import spec
from instep.conformance.schedules.suite import check_scheduler
from instep.reference import schedules
from instep.reference.generate import tree

EXPORTED = tree.exported_schedules()
NAMES = [a.name for a in EXPORTED]
CHECKPOINTS = {
    "ConstantLR": {},
    "CosineAnnealingLR": {"T_max": 4},
    "CosineAnnealingWarmRestarts": {"T_0": 2, "T_mult": 2},
    "ExponentialLR": {"gamma": 0.75},
    "LinearLR": {},
    "PolynomialLR": {"power": 2.0},
    "StepLR": {"step_size": 3},
}


def ours_and_theirs(name):
    algorithm = spec.get(name)
    ours = getattr(schedules, algorithm.dialect.export)
    module, _, theirs = algorithm.dialect.source.rpartition(".")
    return ours, getattr(importlib.import_module(module), theirs)


def optimizer(*rates):
    groups = [{"params": [torch.nn.Parameter(torch.ones(1))], "lr": r} for r in rates or (0.5,)]
    return torch.optim.SGD(groups, lr=1.0, momentum=0.5)


def step(opt, scheduler, *metric):
    opt.step()
    scheduler.step(*metric)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_at_all_is_said_against_a_generated_scheduler(name):
    report = check_scheduler(ours_and_theirs(name)[0], name)
    assert report.ok
    assert not report.failures, report.to_text()


@pytest.mark.parametrize("name", NAMES)
def test_arguments_are_those_of_torch(name):
    ours, theirs = (
        {k: p.default for k, p in inspect.signature(c).parameters.items()}
        for c in ours_and_theirs(name)
    )
    # Two ways to say total_steps, which torch has besides.
    dropped = {"epochs", "steps_per_epoch"}
    wanted = {k: v for k, v in theirs.items() if k not in dropped}
    if name == "one-cycle-lr":
        wanted["total_steps"] = inspect.Parameter.empty
    assert list(ours) == list(wanted)
    assert ours == wanted


@pytest.mark.parametrize("export", CHECKPOINTS)
@pytest.mark.parametrize("direction", ["theirs into ours", "ours into theirs"])
def test_checkpoints_go_both_ways(export, direction):
    first, second = getattr(schedules, export), getattr(lr_scheduler, export)
    if direction == "theirs into ours":
        first, second = second, first
    a, b = optimizer(0.5, 2.0), optimizer(0.5, 2.0)
    old, new = first(a, **CHECKPOINTS[export]), second(b, **CHECKPOINTS[export])
    for _ in range(3):
        step(a, old)
    b.load_state_dict(copy.deepcopy(a.state_dict()))
    new.load_state_dict(old.state_dict())
    for _ in range(6):
        step(a, old)
        step(b, new)
        assert new.last_epoch == old.last_epoch
        for have, want in zip(new.get_last_lr(), old.get_last_lr(), strict=True):
            # The two may round in another order; `check_scheduler` judges by how much.
            assert f"{have:.12e}" == f"{want:.12e}"


def test_what_lies_outside_its_domain_is_refused_before_anything_changes():
    opt = optimizer()
    before = dict(opt.param_groups[0])
    for wrong in ({"step_size": 0}, {"step_size": 2.5}):
        with pytest.raises(ValueError, match="step_size must lie in an integer in"):
            schedules.StepLR(opt, **wrong)
    with pytest.raises(ValueError, match=r"pct_start [*] total_steps must be more than 1"):
        schedules.OneCycleLR(opt, 0.1, 10, pct_start=0.1)
    with pytest.raises(ValueError, match="mode must be one of min, max, got 'least'"):
        schedules.ReduceLROnPlateau(opt, mode="least")
    assert opt.param_groups[0] == before


def test_a_cycle_ends():
    opt = optimizer()
    scheduler = schedules.OneCycleLR(opt, 0.5, 16, pct_start=0.25)
    for _ in range(15):
        step(opt, scheduler)
    with pytest.raises(ValueError, match="there is no epoch 16"):
        step(opt, scheduler)


def test_momentum_needs_an_optimizer_that_has_it():
    opt = torch.optim.Rprop([torch.nn.Parameter(torch.ones(1))])
    with pytest.raises(ValueError, match="momentum or betas"):
        schedules.OneCycleLR(opt, 0.5, 16)


class Falling:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, epoch):
        return self.factor**epoch


def test_functions_stay_out_of_the_state_and_objects_in():
    opt = optimizer(0.5, 2.0)
    scheduler = schedules.LambdaLR(opt, [Falling(0.5), lambda epoch: 1.0])
    held = scheduler.state_dict()["lr_lambdas"]
    assert held == [{"factor": 0.5}, None]
    other = schedules.LambdaLR(optimizer(0.5, 2.0), [Falling(0.9), lambda epoch: 1.0])
    other.load_state_dict(scheduler.state_dict())
    assert other.lr_lambdas[0].factor == 0.5
    with pytest.raises(ValueError, match="expected 2 functions"):
        schedules.LambdaLR(opt, [Falling(0.5)])
    with pytest.raises(TypeError, match="expected a function of the epoch"):
        schedules.LambdaLR(opt, 0.5)
