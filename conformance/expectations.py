"""Expected failures: known, with a reason, maybe an issue, and a day until which they are known.

A stale or unknown expectation is an error of its own; one whose day is over excuses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from instep.conformance.errors import StaleExpectationError, UsageError
from instep.conformance.report.model import Result

KEYS = ("reason", "issue", "expires")


@dataclass(frozen=True, slots=True)
class Expectation:
    """Why a check fails, where that is discussed, and the last day on which it may."""

    reason: str
    issue: str = ""
    expires: date | None = None

    def __str__(self) -> str:
        until = f"until {self.expires.isoformat()}" if self.expires is not None else ""
        more = ", ".join(filter(None, (self.issue, until)))
        return f"{self.reason} ({more})" if more else self.reason

    @property
    def over(self) -> bool:
        """Whether its last day is over."""
        return self.expires is not None and date.today() > self.expires


def expectation(id: str, value: Any) -> Expectation:
    """What a user wrote of an expected failure: a reason, or a mapping with `reason`.

    Raises:
        UsageError: there is no reason, or a key or a day that is none.
    """
    given = {"reason": value} if isinstance(value, str) else value
    if isinstance(given, Expectation):
        return given
    if not isinstance(given, Mapping):
        raise UsageError(f"expected failure of {id}: {value!r} is no reason")
    unknown = sorted(set(given) - set(KEYS))
    if unknown:
        known = ", ".join(KEYS)
        raise UsageError(f"expected failure of {id}: unknown key {unknown[0]}; known: {known}")
    if not str(given.get("reason", "")).strip():
        raise UsageError(f"expected failure of {id}: say the reason")
    expires = _day(id, given.get("expires"))
    return Expectation(str(given["reason"]), str(given.get("issue", "")), expires)


def _day(id: str, value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        line = f"expected failure of {id}: expires = {value!r} is no day like 2027-01-31"
        raise UsageError(line) from None


class Expectations:
    """What the user expects to fail.

    Args:
        expected: {check id: reason, or a mapping of `reason`, `issue` and `expires`}.
        ids: ids of the session's checks.

    Raises:
        StaleExpectationError: an id that no check has.
        UsageError: an expectation without a reason, or with a day that is none.
    """

    def __init__(self, expected: Mapping[str, Any], ids: tuple[str, ...]) -> None:
        unknown = sorted(set(expected) - set(ids))
        if unknown:
            raise StaleExpectationError(f"expected failure of unknown check {unknown[0]}")
        self.expected = {id: expectation(id, value) for id, value in expected.items()}

    def apply(self, result: Result) -> Result:
        """An expected failure is xfailed; one that passes is xpassed, which is stale.

        After its last day it is the failure that it is.
        """
        known = self.expected.get(result.id)
        if known is None:
            return result
        if result.status in ("failed", "errored"):
            if known.over:
                return replace(
                    result, message=f"{result.message}; expected, but no longer: {known}"
                )
            return replace(result, status="xfailed", message=f"{known} ({result.message})")
        if result.status == "passed":
            return replace(result, status="xpassed", message=f"expected to fail: {known}")
        return result
