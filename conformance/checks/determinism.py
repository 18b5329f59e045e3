"""Determinism: the same run twice gives the same bits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from instep.conformance.checks.base import Check, Failure, Outcome, Plan
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
        pairs = zip(first.moments[t].parameters, second.moments[t].parameters, strict=True)
        for i, (a, b) in enumerate(pairs):
            if not np.array_equal(a, b, equal_nan=True):
                raise Failure(f"parameter {i} differs between two identical runs in step {t}")
    return Outcome()
