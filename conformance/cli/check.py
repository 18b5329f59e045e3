"""The commands that run a subject: check, repro, identify."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import click

from instep.conformance.cli import options, output, traces
from instep.conformance.cli.exits import Exit
from instep.conformance.cli.reports import finish, report_options, wanted
from instep.conformance.configuration import Settings
from instep.conformance.errors import UsageError

if TYPE_CHECKING:
    from instep.conformance.identify import Identification
    from instep.conformance.report.model import Report
    from instep.conformance.suite import Session


@click.command()
@click.argument("subject", required=False)
@options.subject_options
@click.option("--trace", metavar="FILE", help="Judge what was recorded, in place of SUBJECT.")
@click.option(
    "--expect-failure", metavar="ID=WHY", multiple=True, help="Check that fails, and why."
)
@click.option("--floor", type=click.IntRange(0), metavar="N", help="Fewest checks that must run.")
@click.option("--isolate", is_flag=True, help="Run in a process beside, which may die or hang.")
@report_options
def check(
    subject: str | None,
    trace: str | None,
    floor: int | None,
    every: bool,
    **given: Any,
) -> int:
    """Judge SUBJECT (module:attribute), or the trace of one, against a specification."""
    files = wanted(given)
    if subject is None or trace is not None:
        report, least = traces.judged(subject, trace, given), 0
    else:
        report, least = _judged(subject, **given)
    return finish(report, files, every=every, floor=least if floor is None else floor)


def _judged(
    subject: str, expect_failure: tuple[str, ...], isolate: bool, **given: Any
) -> tuple[Report, int]:
    """The report, and how many checks have to run."""
    chosen = options.settings(subject, given).overridden(
        expected_failures=options.pairs(expect_failure, "--expect-failure")
    )
    report = _isolated(subject, chosen) if isolate else _run(subject, chosen)
    invocation = options.invocation(subject, given)
    return dataclasses.replace(report, invocation=invocation), chosen.floor


def _run(target: str, chosen: Settings) -> Report:
    if chosen.dialect == "any":
        from instep.conformance.locate import locate
        from instep.conformance.suite import check as check_every_dialect

        return check_every_dialect(locate(target), chosen.spec, **chosen.keywords())
    session = open_session(target, chosen)
    with output.progress_bar() as progress:
        return session.report(progress)


def _isolated(target: str, chosen: Settings) -> Report:
    from instep.conformance.isolated import isolated_report

    if chosen.dialect == "any":
        raise UsageError("--isolate judges one dialect; name it with --dialect")
    with output.progress_bar() as progress:
        return isolated_report(target, chosen, progress)


def open_session(target: str, chosen: Settings) -> Session:
    """A session on the object that a target names."""
    from instep.conformance.locate import locate
    from instep.conformance.suite import Session

    return Session(locate(target), chosen.spec, **chosen.keywords())


@click.command()
@click.argument("id")
@click.option("--subject", required=True, help="module:attribute.")
@options.subject_options
def repro(id: str, subject: str, **given: Any) -> int:
    """Print a script that shows the failure of check ID and needs torch and the subject alone."""
    from instep.conformance.repro import script

    session = open_session(subject, options.settings(subject, given))
    result = session.run(id)
    if result.status not in ("failed", "errored"):
        raise UsageError(f"{id} {result.status}: there is nothing to reproduce")
    text = script(session, result)
    if not text:
        raise UsageError(f"{id} {result.status}, but has no script: see what `instep check` says")
    click.echo(text, nl=not text.endswith("\n"))
    return Exit.OK


@click.command()
@click.argument("subject")
@options.configuration_options
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def identify(subject: str, as_json: bool, **given: Any) -> int:
    """Say which specification and dialect SUBJECT is in step with, if any is known."""
    from instep.conformance.identify import identify as search
    from instep.conformance.locate import locate

    chosen = options.settings(subject, given, spec_needed=False)
    with output.progress_bar() as progress:
        found = search(
            locate(subject),
            hyperparameters=chosen.hyperparameters,
            fixed=chosen.fixed,
            rename=chosen.rename,
            progress=progress,
        )
    if as_json:
        output.print_json(found.to_json())
    else:
        _print_matches(found)
    return Exit.OK if found.matches else Exit.OUT_OF_STEP


def _print_matches(found: Identification) -> None:
    from rich.text import Text

    from instep.conformance.identify import remarks
    from instep.conformance.report.layout import Page

    console = output.console()
    page = Page(console.width)
    tried = found.reason or f"{found.tried} dialects tried"
    what = "in step with" if found.matches else "nothing known"
    page.line(Text.assemble((found.subject, "bold"), f": {what}"), f"({tried})")
    for match in found.matches:
        page.blank()
        page.line(Text(match.name, style="bold green"), hang=2)
        if match.note:
            page.row("", match.note)
        for label, text in remarks(match):
            page.row(label, text)
    output.print_page(page, console)


COMMANDS = (check, repro, identify)
