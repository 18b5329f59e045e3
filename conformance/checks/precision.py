"""Precision: the same trajectory in narrower types; what breaks there, what is merely poor."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from instep.conformance.checks.base import Check, Failure, Outcome, Plan, Skip
from instep.conformance.context import narrower_state
from instep.conformance.errors import SubjectError
from instep.conformance.norms import exact
from instep.conformance.profile import ORDER
from instep.conformance.verdict import LOOSE, Severity

if TYPE_CHECKING:
    from instep.conformance.context import Context, Judgement
    from instep.conformance.observe import Recording


def checks(plan: Plan) -> Iterator[Check]:
    """Two per type: not mangled (must), and as accurate as a plain evaluation (should)."""
    for dtype in ORDER if plan.thorough else ORDER[:3]:
        yield Check(
            f"precision/{dtype}",
            "must",
            f"with {dtype} parameters no lane leaves the trajectory by an eighth of its update",
            partial(_not_mangled, dtype),
        )
        yield Check(
            f"precision/{dtype}-accuracy",
            "should",
            f"with {dtype} parameters rounding stays within {LOOSE:g} bounds of a plain evaluation",
            partial(_accurate, dtype),
        )


def _not_mangled(dtype: str, context: Context) -> Outcome:
    recording, judgement = _judged(dtype, context)
    if judgement.tally.severity is Severity.OUT:
        raise Failure(f"{dtype} runs do not follow the equations", judgement.tally, recording)
    return Outcome(judgement.tally, recording)


def _accurate(dtype: str, context: Context) -> Outcome:
    recording, judgement = _judged(dtype, context)
    if judgement.tally.severity >= Severity.POOR:
        message = f"up to {judgement.tally.worst:.3g} bounds off: worse than a plain evaluation"
        raise Failure(message, judgement.tally, recording)
    return Outcome(judgement.tally, recording)


def _judged(dtype: str, context: Context) -> tuple[Recording, Judgement]:
    """A short run in a type: in narrow ones bounds soon outgrow the updates of a long one."""
    steps = 12 if dtype in ORDER[:2] else 4
    probe = context.probes.make(f"narrow-{steps}", dtype=dtype, steps=steps)
    try:
        recording = context.record(probe)
    except SubjectError as error:
        raise Skip(_refusal(dtype, context, error)) from error
    if dtype in context.lacks:
        raise Skip(f"{dtype} is declared to be lacking; it runs, and is not judged")
    if narrower_state(recording, dtype):
        raise Skip(f"it keeps the state of {dtype} parameters in a narrower type")
    judgement = context.judge(recording)
    context.note(recording, judgement)
    return recording, judgement


def _refusal(dtype: str, context: Context, error: SubjectError) -> str:
    """The reason of a skip; a refusal must leave everything as it was, else it is an error."""
    from instep.conformance.observe import to_array
    from instep.conformance.subject import Run

    attempt = Run(context.subject, context.probes.make("refused", dtype=dtype, steps=1))
    try:
        attempt.step()
    except SubjectError:
        before = [exact(p, dtype) for p in attempt.probe.parameters]
        after = [to_array(p) for p in attempt.parameters]
        if all((a == b).all() for a, b in zip(before, after, strict=True)):
            return f"it refuses {dtype}: {error}"
    raise error
