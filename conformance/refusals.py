"""Refusals: an exception that leaves everything as it was is none of a subject's faults."""

from __future__ import annotations

from typing import Any

import numpy as np

from instep.conformance.checks.base import Failure, Skip
from instep.conformance.errors import SubjectError
from instep.conformance.observe import Moment, Recording, observe
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
    cause = cause_of(error)
    for i, (old, new) in enumerate(zip(before.parameters, after.parameters, strict=True)):
        if not np.array_equal(old, new, equal_nan=True):
            raise Failure(f"it refuses {what} ({cause}) after parameter {i} has moved")
    for i, (kept, now) in enumerate(zip(before.leaves, after.leaves, strict=True)):
        for path, value in kept.items():
            if path not in now or not _equal(value, now[path]):
                raise Failure(f"it refuses {what} ({cause}) after {path} of parameter {i} changed")


def _equal(a: Any, b: Any) -> bool:
    return np.shape(a) == np.shape(b) and bool(np.array_equal(a, b, equal_nan=True))
