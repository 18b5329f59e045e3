"""State: a run that is saved and resumed continues bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from instep.conformance.checks.base import Check, Failure, Outcome, Plan, Skip
from instep.conformance.resuming import (
    difference,
    go_on,
    load,
    require_same,
    saved_by,
    state_dict_of,
    successor,
)
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
    saved = saved_by(first)
    second = successor(first)
    load(second, saved)
    go_on(second, whole, f"resumed after step {stop}")


def _pure(context: Context) -> Outcome:
    probe = context.probes.make("resume", dtype="float32", shapes=((37,), (5, 3)), steps=7)
    attempt = Run(context.subject, probe)
    steps = min(3, probe.steps)
    # Before the first step too: state may be made up there for want of any.
    for _ in range(steps):
        _require_stable(attempt)
        attempt.step()
    _require_stable(attempt)
    require_same(attempt, context.record(probe), steps, "with state_dict() called at each step")
    return Outcome()


def _require_stable(attempt: Run) -> None:
    once = saved_by(attempt)
    where = difference(once, state_dict_of(attempt))
    if where is not None:
        raise Failure(f"two calls of state_dict() without a step between differ in {where}")
