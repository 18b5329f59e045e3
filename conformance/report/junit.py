"""A report as JUnit XML, for the test pages of CI servers."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from instep.conformance.report.block import block_text
from instep.conformance.report.model import Report, Result

# What XML 1.0 cannot hold; a traceback may well carry a terminal's escape sequences.
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_junit(report: Report) -> str:
    """One test suite; only what puts the subject out of step is a failure or an error there."""
    kinds = [_kind(result) for result in report.results]
    suite = ElementTree.Element(
        "testsuite",
        name=_clean(f"{report.subject} with {report.spec}@{report.version}"),
        tests=str(len(kinds)),
        failures=str(kinds.count("failure")),
        errors=str(kinds.count("error")),
        skipped=str(kinds.count("skipped")),
        time=f"{report.seconds:.3f}",
    )
    for result, kind in zip(report.results, kinds, strict=True):
        suite.append(_case(report, result, kind))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _kind(result: Result) -> str:
    """The element that says how a check went, empty for one that counts as passed."""
    match result.status:
        case "failed" | "errored" if result.level != "must":
            return "system-out"
        case "failed" | "xpassed":
            return "failure"
        case "errored":
            return "error"
        case "skipped" | "insensitive" | "xfailed":
            return "skipped"
    return ""


def _case(report: Report, result: Result, kind: str) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase",
        classname=".".join(result.id.split("/")[:-1]),
        name=result.id,
        time=f"{result.seconds:.3f}",
    )
    if kind:
        summary = _clean(f"{result.status}: {result.message or result.requirement}")
        element = ElementTree.SubElement(case, kind)
        if kind != "system-out":
            element.set("message", summary)
        element.text = None if kind == "skipped" else _clean(block_text(result, report))
    return case


def _clean(text: str) -> str:
    return FORBIDDEN.sub("?", text)
