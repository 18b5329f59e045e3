"""Expected failures: what excuses, until when, and what is no expectation at all."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from instep.conformance.errors import StaleExpectationError, UsageError
from instep.conformance.expectations import Expectations, expectation
from instep.conformance.report.model import Result

ID = "adamw/state/resume"
TODAY = date.today()


def applied(value, status="failed"):
    return Expectations({ID: value}, (ID,)).apply(Result(ID, "must", status, "it holds", "no"))


@pytest.mark.parametrize(
    ("status", "becomes"),
    [
        ("failed", "xfailed"),
        ("errored", "xfailed"),
        ("passed", "xpassed"),
        ("skipped", "skipped"),
        ("insensitive", "insensitive"),
    ],
)
def test_what_a_status_becomes(status, becomes):
    assert applied("issue 12", status).status == becomes


def test_reason_issue_and_day_are_said():
    written = {"reason": "kept apart", "issue": "#12", "expires": "2999-01-31"}
    assert applied(written).message == "kept apart (#12, until 2999-01-31) (no)"
    assert applied("kept apart").message == "kept apart (no)"


@pytest.mark.parametrize("day", ["2999-01-31", date(2999, 1, 31), datetime(2999, 1, 31, 12)])
def test_a_day_is_written_in_any_of_the_usual_ways(day):
    assert expectation(ID, {"reason": "x", "expires": day}).expires == date(2999, 1, 31)


@pytest.mark.parametrize(("days", "becomes"), [(1, "xfailed"), (0, "xfailed"), (-1, "failed")])
def test_after_its_day_it_excuses_nothing(days, becomes):
    found = applied({"reason": "kept apart", "expires": TODAY + timedelta(days=days)})
    assert found.status == becomes
    assert ("no longer" in found.message) == (becomes == "failed")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (3, "3 is no reason"),
        ("", "say the reason"),
        ({"issue": "#12"}, "say the reason"),
        ({"reason": "kept apart", "until": "2027-01-31"}, "unknown key until"),
        ({"reason": "kept apart", "expires": "soon"}, "expires = 'soon' is no day"),
        ({"reason": "kept apart", "expires": 3}, "expires = 3 is no day"),
    ],
)
def test_what_is_no_expectation_is_refused(value, said):
    with pytest.raises(UsageError, match=f"expected failure of {ID}: {said}"):
        expectation(ID, value)


def test_an_unknown_check_is_stale():
    with pytest.raises(StaleExpectationError, match="unknown check adamw/no/such"):
        Expectations({"adamw/no/such": "issue 12"}, (ID,))
