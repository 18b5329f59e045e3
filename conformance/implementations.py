"""Variants that the constructor's own flags switch: each must be in step all the same."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from instep.conformance.checks.base import Check, Failure, Outcome, Skip
from instep.conformance.checks.numerics import slug

if TYPE_CHECKING:
    from instep.conformance.context import Context
    from instep.conformance.subject import Subject

Judge = Callable[[Any], Any]


def variants(subject: Subject, judge: Judge) -> Iterator[Check]:
    """A check per flag that the spec does not know, flipped.

    Args:
        subject: the subject as constructed.
        judge: (factory) -> Report, under the same keywords but without variants.
    """
    for flag, default in subject.naming.booleans.items():
        if flag in subject.naming.bound or flag in subject.given:
            continue
        value = not default
        yield Check(
            f"implementations/{slug(flag)}",
            "must",
            f"with {flag}={value} the subject is in step all the same",
            functools.partial(_variant, subject, judge, flag, value),
        )


def _variant(subject: Subject, judge: Judge, flag: str, value: bool, context: Context) -> Outcome:
    report = judge(functools.partial(subject.factory, **{flag: value}))
    results = {r.id.split("/", 1)[1]: r for r in report.results}
    base = results["construction/base"]
    if base.status == "errored":
        raise Skip(f"it refuses {flag}={value}: {base.message}")
    wrong = [r for r in report.failures if r.level == "must"]
    if wrong:
        ids = ", ".join(r.id for r in wrong[:3])
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise Failure(f"{ids}{more} failed: {wrong[0].message}")
    return Outcome(message=f"{report.coverage.ran} checks ran")
