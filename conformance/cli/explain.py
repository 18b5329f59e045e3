"""The command that says what one check requires: explain."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from instep.conformance.cli import output
from instep.conformance.cli.catalogue import CHECK_KEYS, as_json, check_records
from instep.conformance.errors import UsageError

if TYPE_CHECKING:
    from instep.spec.model import Algorithm

MEANING = {
    "must": "the subject is out of step when it fails",
    "should": "a failure is reported, and the subject stays in step",
    "info": "a remark; the subject stays in step",
}


@click.command()
@click.argument("id")
@as_json
def explain(id: str, as_json: bool) -> None:
    """Say what check ID requires: adamw/numerics/defaults, or numerics/defaults of every spec."""
    found = [r for r in _of_one_spec(id) if r["id"] == id][:1] or _in_catalogues(id)
    if as_json:
        output.print_json(found)
        return
    from instep.conformance.report.layout import Page

    console = output.console()
    page = Page(console.width)
    first = found[0]
    page.line(id, f"[{first['level'].upper()}]")
    page.row("requirement", first["requirement"])
    page.row("level", MEANING[first["level"]])
    if len(found) > 1:
        page.row("specs", ", ".join(r["id"].partition("/")[0] for r in found))
    output.print_page(page, console)


def _in_catalogues(id: str) -> list[dict[str, Any]]:
    """Checks of that id, or of that id in all specifications.

    Raises:
        UsageError: there is none.
    """
    records = [r for door in ("optimizers", "schedules", "traces") for r in check_records(door)]
    found = [r for r in records if r["id"] == id or r["id"].partition("/")[2] == id]
    if not found:
        raise UsageError(_unknown_check(id, [r["id"] for r in records]))
    return found


def _of_one_spec(id: str) -> Iterator[dict[str, Any]]:
    """Checks of the specification that an id begins with, also of what no catalogue lists.

    Those are dialects, wrappers, joined schedules, and flags of a constructor.
    """
    from instep import spec
    from instep.conformance.ids import named

    owner, _, rest = id.partition("/")
    algorithm = named(owner)
    if algorithm is None:
        return
    meant = [spec.get(d.name) for d in spec.meanings(algorithm)] or [algorithm]
    for name, level, requirement in (*(c for one in meant for c in _checks(one)), *_flags(rest)):
        values = (f"{owner}/{name}", level, requirement)
        yield dict(zip(CHECK_KEYS, values, strict=True))


def _checks(algorithm: Algorithm) -> Iterator[tuple[str, str, str]]:
    from instep.conformance.checks import collect
    from instep.conformance.checks.base import Plan
    from instep.conformance.schedules.probes import ProbeFactory
    from instep.conformance.schedules.suite import every
    from instep.conformance.traces.checks import every as of_traces

    if algorithm.schedule is not None:
        known = every(ProbeFactory(algorithm))
        yield from ((c.name, c.level, c.requirement) for c in known)
        return
    yield from ((c.name, c.level, c.requirement) for c in collect(Plan(algorithm, "full")))
    yield from ((c.name, c.level, c.requirement) for c in of_traces(algorithm))


def _flags(name: str) -> Iterator[tuple[str, str, str]]:
    """The check of a constructor's own flag, which no specification knows."""
    from instep.conformance.implementations import described

    topic, _, flag = name.partition("/")
    if topic == "implementations" and flag:
        yield described(flag)


def _unknown_check(id: str, known: list[str]) -> str:
    names = [*known, *(k.partition("/")[2] for k in known)]
    near = list(dict.fromkeys(difflib.get_close_matches(id, names, n=3)))
    hint = f"nearest: {', '.join(near)}" if near else "`instep list --checks` prints all"
    return f"there is no check {id!r}; {hint}"


COMMANDS = (explain,)
