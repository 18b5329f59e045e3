"""What `instep check --trace FILE` does in place of running a subject."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from instep.conformance.cli import options
from instep.conformance.configuration import configured_suite
from instep.conformance.errors import UsageError

if TYPE_CHECKING:
    from instep.conformance.report.model import Report

# Options that say how a subject is run: a trace is not.
_OF_SUBJECTS = (
    "fixed",
    "lacks",
    "implementations",
    "level",
    "timeout",
    "isolate",
    "expect_failure",
)


def judged(subject: str | None, file: str | None, given: Mapping[str, Any]) -> Report:
    """The report of a trace.

    Raises:
        UsageError: a subject too, no specification, or an option that a trace has no use for.
    """
    if file is None or subject is not None:
        raise UsageError("what is to be judged? Name a subject, or give --trace FILE")
    from instep.conformance.traces.judging import check_trace

    for name in _OF_SUBJECTS:
        if given.get(name):
            raise UsageError(f"--{name.replace('_', '-')} is for subjects that can be run")
    if not given["spec"]:
        raise UsageError("which specification? Give --spec; `instep list` prints the names")
    assigned = options.pairs(given["assigned"], "--set")
    return check_trace(
        file,
        given["spec"],
        hyperparameters={k: options.literal(v) for k, v in assigned.items()},
        rename=options.pairs(given["rename"], "--rename"),
        state=options.pairs(given["state"], "--state"),
        dialect=given["dialect"],
        profile=options.pairs(given["profile"], "--profile"),
        suite=given["suite"] or configured_suite(Path.cwd()),
    )
