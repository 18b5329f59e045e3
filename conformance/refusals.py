"""Refusals: an exception that leaves everything as it was is none of a subject's faults."""

from __future__ import annotations

from instep.conformance.checks.base import Failure, Skip
from instep.conformance.errors import SubjectError
from instep.conformance.observe import Moment, Recording, changes, observe
from instep.conformance.subject import Run


class Refused(Skip):
    """The subject does not take what it was given, and left everything as it was."""


def finish(attempt: Run, what: str) -> Recording:
    """All remaining steps.

    Raises:
        Refused: a step raised, and nothing has changed.
        Failure: a step raised, and something has.
    """
    while attempt.recording.steps < attempt.probe.steps:
        try:
            attempt.step()
        except SubjectError as error:
            now = observe(attempt.optimizer, attempt.parameters)
            require_unchanged(attempt.recording.moments[-1], now, what, error)
            raise Refused(f"it refuses {what}: {cause_of(error)}") from error
    return attempt.recording


def cause_of(error: SubjectError) -> str:
    """What the subject itself said, in one line."""
    return " ".join(str(error.__cause__ or error).split())


def require_unchanged(before: Moment, after: Moment, what: str, error: SubjectError) -> None:
    """Raise Failure unless all that there was is still there.

    Zeros that a step prepares are no change.
    """
    changed = next(changes(before, after), None)
    if changed is not None:
        raise Failure(f"it refuses {what} ({cause_of(error)}) after {changed} has changed")
