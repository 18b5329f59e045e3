"""Kernels: in step with the specification, lane by lane, in every dialect that has one."""

from __future__ import annotations

import numpy as np
import pytest

from instep.conformance.bounds import BoundedArithmetic
from instep.conformance.profile import grades
from instep.reference import vectorized
from instep.reference.generate import load_class, tree
from instep.reference.generate.source import generate_kernel
from instep.reference.runtime.kernels.bundle import Bundle
from instep.reference.runtime.vectorized import VectorizedOptimizer
from instep.spec import dialects, get
from sampling import each_dialect, one_in

MOVING = [d for d in dialects() if get(d).result == "parameters"]
FUSED = [d for d in MOVING if generate_kernel(get(d)) is not None]
EXPORTED = [d for d in FUSED if get(d).dialect and get(d).dialect.export]


@pytest.fixture
def only_kernels(monkeypatch):
    """Nothing runs in another form."""

    def refuse(*_):
        raise AssertionError("ran without its kernel")

    monkeypatch.setattr(VectorizedOptimizer, "_step_singly", refuse)
    return lambda cls: monkeypatch.setattr(cls, "_foreach_update", refuse)


def assert_in_step(name, cls, task, run, interpret, configuration):
    keywords, options, numbers = configuration
    arithmetic = BoundedArithmetic(grades("float64")[0])
    machine = interpret(get(name), task, arithmetic, options=options, hyperparameters=numbers)
    _, parameters = run(cls, task, backend="fused", **keywords)
    for p, slot in zip(parameters, machine.slots, strict=True):
        error = np.abs(p.detach().numpy() - slot.theta.value)
        within = (error <= 2 * slot.theta.bound) | ~np.isfinite(slot.theta.bound)
        assert within.all(), keywords


@pytest.mark.parametrize("name", each_dialect(without=set(dialects()) - set(FUSED)))
def test_every_dialect_is_in_step(name, problem, run, interpret, only_kernels):
    cls = load_class(get(name), "vectorized")
    if not cls._accepts.dense:
        pytest.skip("takes sparse gradients alone, which have no kernel")
    only_kernels(cls)
    task = problem(lr=0.25, shapes=((), (3,), (4, 5), (6, 3), (2, 3, 4)), steps=8)
    assert_in_step(name, cls, task, run, interpret, ({}, {}, {}))


@pytest.mark.parametrize("name", one_in(3, EXPORTED, str))
def test_every_configuration_is_in_step(name, problem, run, interpret, configurations):
    algorithm = get(name)
    cls = getattr(vectorized, algorithm.dialect.export)
    if not cls._accepts.dense:
        pytest.skip("takes sparse gradients alone, which have no kernel")
    task = problem(lr=0.25, shapes=((), (3,), (4, 5)), steps=8, pause=False)
    for configuration in configurations(algorithm, cls):
        assert_in_step(name, cls, task, run, interpret, configuration)


@pytest.mark.parametrize("name", EXPORTED)
def test_the_steps_of_one_run_share_a_bundle(name, problem, run, monkeypatch):
    """What is remembered gives what is looked up, to the last bit."""
    cls = getattr(vectorized, get(name).dialect.export)
    if not cls._accepts.dense:
        pytest.skip("takes sparse gradients alone, which have no kernel")
    task = problem(shapes=((3,), (4, 5)), pause=False)
    _, remembered = run(cls, task)
    monkeypatch.setattr(Bundle, "is_ready", lambda *_: False)
    _, looked_up = run(cls, task)
    for a, b in zip(remembered, looked_up, strict=True):
        assert a.detach().numpy().tobytes() == b.detach().numpy().tobytes()


def test_the_algorithms_without_a_kernel_are_those_that_need_another_kind():
    """Reductions, matrices, loops, closures, one state for all: each has its reason."""
    without = {tree.module_name(a) for a in tree.exported() if generate_kernel(a) is None}
    assert without == {
        "adafactor", "adamp", "adamuon", "dadapt_adam", "heun", "lbfgs", "madgrad", "muon",
        "normuon", "prodigy", "scion", "sgdp",
    }  # fmt: skip
