"""Construction: the base configuration must run before anything else can be said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from instep.conformance.bounds import BoundedArithmetic
from instep.conformance.checks.base import Check, Outcome, Plan
from instep.conformance.errors import SubjectError
from instep.conformance.oracle import Model, Oracle
from instep.conformance.subject import ConstructionError, Run
from instep.spec.conditions import violated

if TYPE_CHECKING:
    from instep.conformance.context import Context
    from instep.conformance.probes import Probe
    from instep.conformance.subject import Subject

_HINT = (
    "rename={spec name: your name} maps hyperparameters that are called otherwise, "
    "hyperparameters={your name: value} sets what the spec does not know"
)


def checks(plan: Plan) -> Iterator[Check]:
    """The one check of this topic."""
    yield Check(
        "construction/base",
        "must",
        "the subject is constructed and makes a step with the base configuration",
        _base,
    )


def _base(context: Context) -> Outcome:
    probe = context.probes.make(
        "base", values=context.probes.base, dtype="float32", shapes=((5,),), steps=1
    )
    subject = context.subject
    message = ""
    try:
        Run(subject, probe).finish()
    except ConstructionError as error:
        raise ConstructionError(f"{error}; {_HINT}") from error.__cause__
    except SubjectError:
        if not _primed(context, probe):
            _without_grad(subject, probe)
            message = "it runs on parameters that require no gradient only"
    else:
        _primed(context, probe)
    if subject.primed:
        message = "it finds the first gradient of a step in p.grad: closure(), then step(closure)"
    refused = _restrict(context)
    if refused:
        message = f"{message}; " if message else message
        message += f"only the base value of {', '.join(refused)} is accepted"
    return Outcome(message=message)


def _primed(context: Context, probe: Probe) -> bool:
    """Switch `primed` on for a subject that leaves the first evaluation to its caller.

    It then raises without p.grad, or calls the closure once less than the algorithm evaluates.
    """
    subject = context.subject
    if not probe.closure:
        return False
    profile = context.profiles(probe.dtype)[-1]
    arithmetic = BoundedArithmetic(profile)
    oracle = Oracle(Model(context.algorithm), probe, profile, arithmetic)
    with np.errstate(all="ignore"):
        oracle.step(1)
    if arithmetic.ambiguous:  # rounding decides how many evaluations there are
        return False
    attempt = Run(subject, probe)
    try:
        attempt.finish()
        left_out = len(oracle.points) - len(attempt.recording.calls[0])
    except SubjectError:
        left_out = 1
    if left_out != 1 or len(oracle.points) < 2:
        return False
    subject.primed = True
    try:
        Run(subject, probe).finish()
    except SubjectError:
        subject.primed = False
    return subject.primed


def _without_grad(subject: Subject, probe: Probe) -> None:
    """Try leaves that require no gradient; if that fails too, raise what came first."""
    subject.requires_grad = False
    try:
        Run(subject, probe).finish()
    except SubjectError:
        subject.requires_grad = True
        Run(subject, probe).finish()


def _restrict(context: Context) -> list[str]:
    """Fix the hyperparameters whose probe value the constructor refuses; returns them."""
    probes, algorithm = context.probes, context.algorithm
    if _accepts(context, probes.probe_values()):
        return []
    accepted, refused = dict(probes.base), []
    for h in algorithm.hyperparameters:
        trial = {**accepted, h.name: probes.probe_values()[h.name]}
        if violated(algorithm, trial, probes.options) or _accepts(context, trial):
            accepted = trial
        else:
            probes.fix(h.name)
            refused.append(h.name)
    return refused


def _accepts(context: Context, values: dict[str, float]) -> bool:
    chosen = context.probes.admissible(values, context.probes.options)
    try:
        parameter = context.subject.parameter()
        context.subject.build([parameter], chosen or values, context.probes.options)
    except ConstructionError:
        return False
    return True
