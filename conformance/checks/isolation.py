"""Isolation: a step touches its own parameters, and nothing spills from one lane to another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from instep.conformance.checks.base import Check, Failure, Outcome, Plan, Skip
from instep.conformance.errors import SubjectError
from instep.conformance.observe import Moment, Recording, different
from instep.conformance.probes import Probe
from instep.conformance.refusals import cause_of, finish
from instep.conformance.structure import couples, elementwise
from instep.conformance.subject import Run, run
from instep.conformance.surroundings import MODES, RESOURCES, Setting, changed, default_dtype, known
from instep.conformance.verdict import Severity
from instep.spec.ir import MatMul, nodes
from instep.spec.options import resolve

if TYPE_CHECKING:
    from instep.conformance.context import Context

_LANES = 67
# {step, from 0: {lane: what its gradient is}}
_POISON = {0: {66: np.nan}, 1: {3: np.nan, 18: -np.inf}, 2: {40: np.inf}}


def checks(plan: Plan) -> Iterator[Check]:
    """Lanes, parameters, and the process around them."""
    if plan.algorithm.result != "parameters":
        return
    yield Check(
        "isolation/lanes",
        "must",
        "a NaN or an infinity in one lane of a gradient changes no other lane",
        _lanes,
    )
    yield Check(
        "isolation/parameters",
        "must",
        "NaN in the gradient of one parameter changes no other parameter",
        _parameters,
    )
    yield Check(
        "isolation/modes",
        "must",
        "construction and steps leave grad mode, default dtype, autocast and the like as they were",
        partial(_surroundings, MODES),
    )
    yield Check(
        "isolation/resources",
        "should",
        "construction and steps draw no global random numbers and set no number of threads",
        partial(_surroundings, RESOURCES),
    )
    yield Check(
        "isolation/default-dtype",
        "must",
        "float32 parameters move the same where torch's default dtype is float64",
        partial(_default_dtype, "float32", torch.float64),
    )
    yield Check(
        "isolation/narrow-default-dtype",
        "should",
        "parameters move the same where torch's default dtype is float16",
        partial(_default_dtype, None, torch.float16),
    )
    yield Check(
        "isolation/autocast",
        "should",
        "parameters move the same inside a block of torch.autocast",
        _autocast,
    )


def _plain(context: Context, name: str, shapes: tuple[tuple[int, ...], ...]) -> Probe:
    probe = context.probes.make(name, dtype=context.widest, shapes=shapes, steps=5)
    if probe.closure or probe.touched:
        raise Skip("the algorithm evaluates the gradient itself, or takes sparse ones alone")
    return probe.only(*range(len(shapes)))


def _lanes(context: Context) -> Outcome:
    if not elementwise(resolve(context.algorithm.body, context.probes.options)):
        raise Skip("the equations mix the lanes of a tensor, or ask for its shape")
    probe = _plain(context, "isolation-lanes", ((_LANES,),))
    if np.shape(probe.parameters[0]) != (_LANES,):
        raise Skip("the spec does not admit vectors")
    gradients = tuple((_poisoned(t, g),) for t, (g,) in enumerate(probe.gradients))
    poisoned = replace(probe, gradients=gradients)
    others = [k for k in range(_LANES) if not any(k in lanes for lanes in _POISON.values())]
    clean, got = context.record(probe), finish(Run(context.subject, poisoned), "NaN in a gradient")
    clean, got = _of_lanes(clean, others), _of_lanes(replace(got, probe=probe), others)
    return _agree(context, got, clean, "NaN or infinity in some lanes takes others elsewhere")


def _poisoned(t: int, g: Any) -> Any:
    out = g.copy()
    for lane, value in _POISON.get(t, {}).items():
        out[lane] = value
    return out


def _of_lanes(recording: Recording, lanes: list[int]) -> Recording:
    """What a run on one vector did to some of its lanes, as if there were no others."""
    probe = recording.probe
    part = replace(
        probe,
        parameters=tuple(p[lanes] for p in probe.parameters),
        gradients=tuple(tuple(g[lanes] for g in step if g is not None) for step in probe.gradients),
    )
    moments = [Moment([p[lanes] for p in m.parameters], [{}], {}) for m in recording.moments]
    return replace(recording, probe=part, moments=moments)


def _parameters(context: Context) -> Outcome:
    if couples(resolve(context.algorithm.body, context.probes.options)):
        raise Skip("what a parameter does depends on the others")
    probe = _plain(context, "isolation-parameters", ((19,), (5, 3)))
    first = np.full_like(probe.parameters[0], np.nan)
    gradients = tuple((first if t in (1, 2) else g, h) for t, (g, h) in enumerate(probe.gradients))
    attempt = Run(context.subject, replace(probe, gradients=gradients))
    got = replace(finish(attempt, "NaN in a gradient"), probe=probe)
    clean = context.record(probe)
    what = "NaN in the gradient of one parameter takes another elsewhere"
    return _agree(context, got.of(1), clean.of(1), what)


def _agree(context: Context, got: Recording, clean: Recording, what: str) -> Outcome:
    """Bit for bit, or else in step."""
    pairs = zip(got.moments, clean.moments, strict=True)
    if all(different(one.parameters, other.parameters) is None for one, other in pairs):
        return Outcome()
    return context.require_without_diagnosis(got, what)


def _surroundings(settings: tuple[Setting, ...], context: Context) -> Outcome:
    probe = context.probes.make(
        "isolation-process", dtype=context.widest, shapes=((5,), (4, 3)), steps=2
    )
    with known(settings):
        before = [s.read() for s in settings]
        attempt = Run(context.subject, probe)
        for t in range(probe.steps + 1):
            found = changed(settings, before)
            if found:
                when = f"step {t}" if t else "construction"
                raise Failure(f"{when} changes {' and '.join(found)}")
            if t < probe.steps:
                attempt.step()
    return Outcome()


def _default_dtype(dtype: str | None, default: torch.dtype, context: Context) -> Outcome:
    """Runs on parameters of a type, or of the widest one, under another default type."""
    shown, kind = str(default).removeprefix("torch."), dtype or context.widest
    probe = context.probes.make("isolation-default", dtype=kind, shapes=((37,), (5, 3)), steps=6)
    usual = context.record(probe)
    what = f"where the default dtype is {shown}"
    try:
        with default_dtype(default):
            got = run(context.subject, probe)
    except SubjectError as error:
        raise Failure(f"{what} it raises: {cause_of(error)}") from error
    got = replace(got, blocks=usual.blocks)
    return _agree(context, got, usual, f"{what} {kind} parameters go elsewhere")


def _autocast(context: Context) -> Outcome:
    """Products of matrices are left out: they are what autocast is there for."""
    if any(isinstance(n, MatMul) for n in nodes(context.algorithm.body)):
        raise Skip("the equations multiply matrices, which autocast does in a narrower type")
    probe = context.probes.make(
        "isolation-autocast", dtype="float32", shapes=((37,), (5, 3)), steps=4
    )
    usual = context.record(probe)
    try:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            got = run(context.subject, probe)
    except SubjectError as error:
        raise Failure(f"inside torch.autocast it raises: {cause_of(error)}") from error
    got = replace(got, blocks=usual.blocks)
    outcome = _agree(context, got, usual, "inside torch.autocast parameters go elsewhere")
    if outcome.tally is not None and outcome.tally.severity >= Severity.POOR:
        raise Failure("inside torch.autocast rounding is worse", outcome.tally)
    return outcome
