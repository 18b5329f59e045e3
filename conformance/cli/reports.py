"""Options that say where a report is written, and the end of every command that makes one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from instep.conformance.cli import output
from instep.conformance.cli.exits import Exit, StopError
from instep.conformance.report import formats
from instep.conformance.report.model import Report

F = TypeVar("F", bound=Callable[..., Any])

# Format: what its option says.
WRITTEN = {
    "json": "Write the report as JSON; - is stdout.",
    "junit": "Write the report as JUnit XML.",
    "html": "Write the report as an HTML page with plots (needs instep[html]).",
    "markdown": "Write the report as markdown.",
    "badge": "Write a badge, as JSON for shields.io.",
}


def report_options(function: F) -> F:
    """Add `--json F` and its like, `--floor` and `--every`."""
    for name, text in reversed(WRITTEN.items()):
        function = click.option(f"--{name}", _keyword(name), metavar="F", help=text)(function)
    every = click.option("--every", is_flag=True, help="Also print a line for each check.")
    return every(function)


def _keyword(name: str) -> str:
    return f"{name}_file"


def wanted(given: dict[str, Any]) -> dict[str, str]:
    """Take what `report_options` added out of a command's arguments: {format: file}.

    Raises:
        UsageError: a file or a format that cannot be written, said before the work starts.
    """
    files = {name: given.pop(_keyword(name)) for name in WRITTEN}
    files = {name: file for name, file in files.items() if file is not None}
    for name, file in files.items():
        formats.require(name)
        output.require_writable(file)
    return files


def finish(report: Report, files: Mapping[str, str], *, every: bool, floor: int) -> int:
    """Write and print a report as asked; the exit code."""
    for name, file in files.items():
        output.write(file, formats.rendered(name, [report]))
    if output.STDOUT not in files.values():
        _print(report, every)
    return _judge(report, floor)


def _print(report: Report, every: bool) -> None:
    from instep.conformance.report.terminal import print_report

    print_report(report, output.console(), every=every)


def _judge(report: Report, floor: int) -> int:
    """The exit code; a wrong optimizer outweighs a stale expectation, and that a short run."""
    if not report.ok:
        return Exit.OUT_OF_STEP
    stale = [r.id for r in report.results if r.status == "xpassed"]
    if stale:
        text = f"{', '.join(stale)}: expected to fail, and passes; take it off the list"
        raise StopError(text, Exit.EXPECTATIONS)
    if report.coverage.ran < floor:
        text = f"only {report.coverage.ran} checks ran, and the floor is {floor}"
        raise StopError(text, Exit.FLOOR)
    return Exit.OK
