"""The command that judges a learning-rate scheduler: check-scheduler."""

from __future__ import annotations

from typing import Any

import click

from instep.conformance.cli import output
from instep.conformance.cli.options import literal, pairs
from instep.conformance.cli.reports import finish, report_options, wanted
from instep.conformance.configuration import LEVELS, configured


@click.command("check-scheduler")
@click.argument("subject")
@click.option(
    "--spec", required=True, metavar="S", help="Schedule: a name, a file, or chained(A, B)."
)
@click.option(
    "--set",
    "assigned",
    metavar="K=V",
    multiple=True,
    help="Constructor keyword that has this value in every run: --set gamma=0.5.",
)
@click.option("--rename", metavar="A=B", multiple=True, help="The spec's A is called B.")
@click.option("--dialect", metavar="D", help="Dialect of the spec.")
@click.option("--level", type=click.Choice(LEVELS), default="quick", help="quick or full.")
@click.option("--suite", metavar="S", help="Checks as they were frozen: 2026.1, or latest.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    metavar="S",
    help="Seconds that one check may take.",
)
@click.option(
    "--expect-failure", metavar="ID=WHY", multiple=True, help="Check that fails, and why."
)
@click.option(
    "--floor", type=click.IntRange(0), default=1, metavar="N", help="Fewest checks that must run."
)
@report_options
def check_scheduler(
    subject: str,
    spec: str,
    assigned: tuple[str, ...],
    rename: tuple[str, ...],
    expect_failure: tuple[str, ...],
    suite: str | None,
    floor: int,
    every: bool,
    **keywords: Any,
) -> int:
    """Judge SUBJECT (module:attribute), a learning-rate scheduler, against a specification."""
    from instep.conformance.locate import locate
    from instep.conformance.schedules.suite import Session

    files = wanted(keywords)
    given = pairs(assigned, "--set")
    expected = pairs(expect_failure, "--expect-failure")
    renamed = pairs(rename, "--rename")
    session = Session(
        locate(subject),
        spec,
        hyperparameters={k: literal(v) for k, v in given.items()},
        rename=renamed,
        expected_failures=expected,
        suite=suite or configured(subject).suite,
        **keywords,
    )
    with output.progress_bar() as progress:
        report = session.report(progress)
    return finish(report, files, every=every, floor=floor)


COMMANDS = (check_scheduler,)
