from __future__ import annotations

import dataclasses
from xml.etree import ElementTree

import pytest

from instep.conformance.report.junit import to_junit


def test_it_is_xml_and_its_counts_hold(any_report):
    (suite,) = ElementTree.fromstring(to_junit(any_report))
    cases = list(suite)
    assert [case.get("name") for case in cases] == [r.id for r in any_report.results]
    assert int(suite.get("tests")) == len(cases)
    for element, count in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        assert int(suite.get(count)) == sum(case.find(element) is not None for case in cases)


def test_it_fails_exactly_where_the_report_is_out_of_step(any_report):
    (suite,) = ElementTree.fromstring(to_junit(any_report))
    broken = int(suite.get("failures")) + int(suite.get("errors")) - any_report.count("xpassed")
    assert (broken == 0) == any_report.ok


@pytest.mark.parametrize(
    ("kind", "name", "element"),
    [
        ("failing", "adamw/numerics/update", "failure"),
        ("errored", "adamw/groups/added", "error"),
        ("poor", "adamw/numerics/float16", "system-out"),
        ("skipped", "adamw/sparse/equal-dense", "skipped"),
        ("insensitive", "adamw/numerics/bfloat16", "skipped"),
        ("expectations", "adamw/groups/lr", "skipped"),
        ("expectations", "adamw/groups/added", "failure"),
        ("passing", "adamw/numerics/update", None),
    ],
)
def test_each_status_has_its_element(reports, kind, name, element):
    (suite,) = ElementTree.fromstring(to_junit(reports[kind]))
    (case,) = [case for case in suite if case.get("name") == name]
    assert [inner.tag for inner in case] == ([element] if element else [])


def test_a_failure_carries_the_block(reports):
    (suite,) = ElementTree.fromstring(to_junit(reports["failing"]))
    failure = suite.find("testcase/failure")
    assert "7.0e5 bounds off" in failure.text
    assert failure.get("message") == "failed: the denominator is sqrt(v_hat) + eps"


def test_what_xml_cannot_hold_is_replaced(reports):
    errored = reports["errored"].results[0]
    loud = dataclasses.replace(errored, message="\x1b[31mred\x00")
    report = dataclasses.replace(reports["errored"], results=(loud,))
    (suite,) = ElementTree.fromstring(to_junit(report))
    assert suite.find("testcase/error").get("message") == "errored: ?[31mred?"
