"""Torch's own schedulers are judged rightly: in step, and what they get wrong is named."""

from __future__ import annotations

import importlib
from functools import cache

import pytest
import torch

from instep import spec
from instep.conformance.schedules.suite import Session, check_scheduler

# What torch 2.13 does not do; conformance/findings has a script for each kind but `errors`.
RESUMED = "construction/last-epoch"
DEFECTS = {
    "cosine-annealing-lr": {RESUMED},
    "cosine-annealing-warm-restarts": {RESUMED, "forms/epoch"},
    "cyclic-lr": {"errors/unchanged"},
    "exponential-lr": {RESUMED},
    "lambda-lr": {"errors/optimizer"},
    "linear-lr": {RESUMED},
    "multiplicative-lr": {RESUMED, "errors/optimizer"},
    "one-cycle-lr": {"errors/unchanged"},
    "polynomial-lr": {RESUMED},
    "swa-lr": {RESUMED, "errors/optimizer", "forms/epoch"},
}
NAMES = [n for n in spec.schedule_names() if spec.get(n).dialect.source.startswith("torch.")]


def theirs(name: str):
    module, _, name = spec.get(name).dialect.source.rpartition(".")
    return getattr(importlib.import_module(module), name)


@cache
def report(name: str):
    torch.set_num_threads(1)
    return check_scheduler(theirs(name), name)


@pytest.mark.parametrize("name", NAMES)
def test_torch_is_in_step(name):
    found = report(name)
    assert found.ok, found.to_text()
    assert found.coverage.ran >= 20
    assert not [r for r in found.results if r.status in ("errored", "insensitive")]
    assert found.diagnosis is None


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_said_against_it_but_what_it_does(name):
    failed = {r.id.partition("/")[2] for r in report(name).failures if r.level == "should"}
    assert failed == DEFECTS.get(name, set())


@pytest.mark.parametrize("name", NAMES)
def test_rates_are_within_two_bounds(name):
    worst = {
        r.id: r.worst for r in report(name).results if r.worst is not None and r.level == "must"
    }
    assert max(worst.values()) <= 2, worst


@pytest.mark.parametrize("name", NAMES)
def test_the_form_that_torch_computes_is_named(name):
    assert report(name).mapping == (f"rates follow the recurrence of {name}",) or (
        name == "cosine-annealing-warm-restarts"
        and report(name).mapping == (f"rates follow the recurrence and the closed form of {name}",)
    )


def test_the_closed_form_that_torch_offers_is_compared():
    offering = {n for n in NAMES if hasattr(theirs(n), "_get_closed_form_lr")}
    assert offering == {
        "constant-lr", "cosine-annealing-lr", "exponential-lr", "linear-lr", "multi-step-lr",
        "polynomial-lr", "step-lr",
    }  # fmt: skip
    for name in offering:
        result = Session(theirs(name), name).run(f"{name}/forms/closed-form")
        assert result.status == "passed"
        assert result.worst is not None
