"""Construction: the base configuration must run before anything else can be said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from instep.conformance.checks.base import Check, Outcome, Plan
from instep.conformance.errors import SubjectError
from instep.conformance.subject import Run

if TYPE_CHECKING:
    from instep.conformance.context import Context


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
    try:
        Run(subject, probe).finish()
    except SubjectError:
        subject.requires_grad = False
        try:
            Run(subject, probe).finish()
        except SubjectError:
            subject.requires_grad = True
            Run(subject, probe).finish()
        return Outcome(message="it runs on parameters that require no gradient only")
    return Outcome()
