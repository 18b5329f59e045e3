"""Variants that the constructor's own flags switch: each must be in step all the same."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from instep.conformance.checks.base import Check, Failure, Outcome, Skip
from instep.conformance.checks.numerics import slug

if TYPE_CHECKING:
    from instep.conformance.context import Context
    from instep.conformance.report.model import Report
    from instep.conformance.subject import Subject

Judge = Callable[[Any], "Report"]
# What torch's optimizers call flags that change how a step is computed, and nothing else.
FLAGS = frozenset({"foreach", "fused", "capturable", "differentiable"})


def variants(subject: Subject, judge: Judge) -> Iterator[Check]:
    """A check per flag that the spec does not know, flipped.

    Other flags than torch's may well switch equations that the dialect does not have: what they do
    is told, and no fault.

    Args:
        subject: the subject as constructed.
        judge: (factory) -> Report, under the same keywords but without variants.
    """

    @functools.cache
    def plainly() -> frozenset[str]:
        return _wrong(judge(subject.factory))

    for flag, default in subject.naming.booleans.items():
        if flag in subject.naming.bound or flag in subject.given:
            continue
        value = not default
        yield Check(
            f"implementations/{slug(flag)}",
            _level(flag),
            f"with {flag}={value} the subject does the same",
            functools.partial(_variant, subject, judge, plainly, flag, value),
        )


def described(flag: str) -> tuple[str, str, str]:
    """(name, level, requirement) of the check of a flag that some constructor may have."""
    requirement = f"with {flag} switched the subject does the same"
    return f"implementations/{slug(flag)}", _level(flag), requirement


def _level(flag: str) -> str:
    return "must" if flag in FLAGS else "info"


def _variant(
    subject: Subject,
    judge: Judge,
    plainly: Callable[[], frozenset[str]],
    flag: str,
    value: bool,
    context: Context,
) -> Outcome:
    report = judge(functools.partial(subject.factory, **{flag: value}))
    results = {r.id.split("/", 1)[1]: r for r in report.results}
    base = results["construction/base"]
    if base.status == "errored":
        raise Skip(f"it refuses {flag}={value}: {base.message}")
    wrong = _wrong(report)
    # What is wrong without the flag as well is told there.
    own = wrong - plainly() if wrong else wrong
    if own:
        first = [r for r in report.failures if r.id in own]
        ids = ", ".join(r.id for r in first[:3])
        more = f" and {len(own) - 3} more" if len(own) > 3 else ""
        raise Failure(f"{ids}{more} failed: {first[0].message}")
    return Outcome(message=f"{report.coverage.ran} checks ran")


def _wrong(report: Report) -> frozenset[str]:
    return frozenset(r.id for r in report.failures if r.level == "must")
