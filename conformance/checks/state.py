"""State: a run that is saved and resumed continues bit for bit."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch

from instep.conformance.checks.base import Check, Failure, Outcome, Plan, Skip
from instep.conformance.subject import Run

if TYPE_CHECKING:
    from instep.conformance.context import Context
    from instep.conformance.observe import Recording


def checks(plan: Plan) -> Iterator[Check]:
    """Saving and loading."""
    yield Check(
        "state/resume",
        "must",
        "a run resumed from state_dict() continues bit for bit, from every step",
        _resume,
    )
    yield Check(
        "state/pure",
        "must",
        "state_dict() changes nothing, and describes the same state each time",
        _pure,
    )


def _resume(context: Context) -> Outcome:
    probe = context.probes.make("resume", dtype="float32", shapes=((37,), (5, 3)), steps=7)
    whole = context.record(probe)
    # A run of long steps has few of them; what has no step left to make is no run to resume.
    usual = (1, 2, 5) if context.plan.thorough else (1, 4)
    stops = [stop for stop in usual if stop < probe.steps]
    if not stops:
        raise Skip("a run has a single step, after which there is nothing to resume")
    for stop in stops:
        _resume_at(context, whole, stop)
    return Outcome()


def _resume_at(context: Context, whole: Recording, stop: int) -> None:
    first = Run(context.subject, whole.probe)
    for _ in range(stop):
        first.step()
    saved = copy.deepcopy(_state_dict(first))
    second = Run(context.subject, whole.probe)
    with torch.no_grad():
        for new, old in zip(second.parameters, first.parameters, strict=True):
            new.copy_(old)
    _load(second, saved)
    second.skip_to(stop)
    for t in range(stop + 1, whole.probe.steps + 1):
        second.step()
        for i, got in enumerate(second.recording.moments[-1].parameters):
            if not np.array_equal(got, whole.moments[t].parameters[i], equal_nan=True):
                raise Failure(
                    f"resumed after step {stop}, parameter {i} differs from the uninterrupted run "
                    f"in step {t}"
                )


def _pure(context: Context) -> Outcome:
    probe = context.probes.make("resume", dtype="float32", shapes=((37,), (5, 3)), steps=7)
    attempt = Run(context.subject, probe)
    steps = min(3, probe.steps)
    for _ in range(steps):
        attempt.step()
        once = copy.deepcopy(_state_dict(attempt))
        if not _same(once, _state_dict(attempt)):
            raise Failure("two calls of state_dict() without a step between them differ")
    whole = context.record(probe)
    for i, got in enumerate(attempt.recording.moments[-1].parameters):
        if not np.array_equal(got, whole.moments[steps].parameters[i], equal_nan=True):
            raise Failure("calling state_dict() changed the run")
    return Outcome()


def _state_dict(attempt: Run) -> object:
    method = getattr(attempt.optimizer, "state_dict", None)
    if not callable(method) or not callable(getattr(attempt.optimizer, "load_state_dict", None)):
        raise Skip("the subject has no state_dict() and load_state_dict()")
    try:
        return method()
    except Exception as error:
        raise Failure(f"state_dict() raised {type(error).__name__}: {error}") from error


def _load(attempt: Run, saved: object) -> None:
    try:
        attempt.optimizer.load_state_dict(saved)
    except Exception as error:
        raise Failure(f"load_state_dict() raised {type(error).__name__}: {error}") from error


def _same(a: object, b: object) -> bool:
    """Equality of nested containers that may hold tensors."""
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        return (
            a.dtype == b.dtype
            and a.shape == b.shape
            and torch.equal(a.nan_to_num(), b.nan_to_num())
        )
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)
