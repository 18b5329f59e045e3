"""Runs are shared where a subject would be given the same, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from instep import spec
from instep.conformance.errors import SubjectError
from instep.conformance.probes import ProbeFactory
from instep.conformance.shared_runs import SharedRuns
from instep.conformance.subject import Subject


class Counting(torch.optim.SGD):
    """Counts how often it is constructed."""

    built = 0

    def __init__(self, params, lr=0.1, momentum=0.0):
        type(self).built += 1
        super().__init__(params, lr, momentum)


class Refusing(Counting):
    def step(self, closure=None):
        raise ValueError("no")


@pytest.fixture(autouse=True)
def _from_none():
    Counting.built = Refusing.built = 0


def probes(name: str) -> ProbeFactory:
    algorithm = spec.get(name)
    fixed = [h.name for h in algorithm.hyperparameters if h.key not in ("lr", "momentum")]
    return ProbeFactory(algorithm, algorithm.defaults(), algorithm.option_defaults(), fixed)


def test_two_specifications_that_give_the_same_share_a_run():
    runs = SharedRuns()
    for name in ("sgd", "sgd/classical"):
        algorithm, probe = spec.get(name), probes(name).make("same", shapes=((5,),), steps=2)
        recording = runs(Subject(Counting, algorithm), probe)
        assert recording.probe is probe
        assert recording.steps == 2
    assert Counting.built == 1


def test_other_values_types_gradients_and_changes_are_other_runs():
    runs, factory = SharedRuns(), probes("sgd")
    subject = Subject(Counting, spec.get("sgd"))
    probe = factory.make("one", shapes=((5,),), steps=2)
    others = [
        probe,
        replace(probe, dtype="float32"),
        replace(probe, gradients=probe.gradients[::-1]),
        replace(probe, hyperparameters={**probe.hyperparameters, "lr": 0.5}),
        replace(probe, changes={2: {"lr": 0.5}}),
        replace(probe, changes={2: {"momentum": 0.5}}),
    ]
    for count, other in enumerate(others, start=1):
        runs(subject, other)
        assert Counting.built == count


def test_what_raises_raises_again_without_another_run():
    runs, subject = SharedRuns(), Subject(Refusing, spec.get("sgd"))
    probe = probes("sgd").make("one", shapes=((5,),), steps=2)
    for _ in range(2):
        with pytest.raises(SubjectError, match="no"):
            runs(subject, probe)
    assert Refusing.built == 1
