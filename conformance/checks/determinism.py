"""Determinism: the same run twice gives the same bits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from instep.conformance.checks.base import Check, Failure, Outcome, Plan
from instep.conformance.observe import different
from instep.conformance.subject import run

if TYPE_CHECKING:
    from instep.conformance.context import Context


def checks(plan: Plan) -> Iterator[Check]:
    """Run-to-run reproducibility."""
    yield Check(
        "determinism/repeat",
        "must",
        "two runs from the same start with the same gradients agree bit for bit",
        _repeat,
    )


def _repeat(context: Context) -> Outcome:
    probe = context.probes.make("determinism", dtype="float32", steps=5)
    first, second = run(context.subject, probe), run(context.subject, probe)
    for t in range(1, first.steps + 1):
        i = different(first.moments[t].parameters, second.moments[t].parameters)
        if i is not None:
            raise Failure(f"parameter {i} differs between two identical runs in step {t}")
    return Outcome()
