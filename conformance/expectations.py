"""Expected failures: known, with a reason; a stale or unknown one is an error of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from instep.conformance.errors import StaleExpectationError
from instep.conformance.report.model import Result


class Expectations:
    """What the user expects to fail.

    Args:
        expected: {check id: reason}.
        ids: ids of the session's checks.

    Raises:
        StaleExpectationError: an id that no check has.
    """

    def __init__(self, expected: Mapping[str, Any], ids: tuple[str, ...]) -> None:
        unknown = sorted(set(expected) - set(ids))
        if unknown:
            raise StaleExpectationError(f"expected failure of unknown check {unknown[0]}")
        self.expected = dict(expected)

    def apply(self, result: Result) -> Result:
        """An expected failure is xfailed; one that passes is xpassed, which is stale."""
        reason = self.expected.get(result.id)
        if reason is None:
            return result
        if result.status in ("failed", "errored"):
            return replace(result, status="xfailed", message=f"{reason} ({result.message})")
        if result.status == "passed":
            return replace(result, status="xpassed", message=f"expected to fail: {reason}")
        return result
