"""The commands that run no subject: list, show, diff."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from instep.conformance.cli import output
from instep.conformance.errors import UsageError

if TYPE_CHECKING:
    from instep.conformance.report.layout import Page
    from instep.spec.model import Algorithm, Dialect

NAME_WIDTH = 24
# `adamw.update`, `file.py.update`, `lookahead(adamw).adamw.update`
_EQUATION = re.compile(r"(?P<owner>.+\.py(?:\(.*\))?|[^.(]+(?:\(.*\))?)\.(?P<equation>[^()/]+)")
CHECK_KEYS = ("id", "level", "requirement")
_CATALOGUES = {"optimizers": "suite", "schedules": "schedules.suite", "traces": "traces.checks"}
as_json = click.option("--json", "as_json", is_flag=True, help="As JSON.")


# ---- list


@click.command("list")
@click.option("--checks", is_flag=True, help="The checks instead of the specifications.")
@click.option("--schedules", is_flag=True, help="Those of learning-rate schedules alone.")
@click.option("--traces", is_flag=True, help="With --checks, those of traces.")
@as_json
def list_(checks: bool, schedules: bool, traces: bool, as_json: bool) -> None:
    """List the specifications and their dialects, or the checks."""
    if traces and (schedules or not checks):
        raise UsageError("--traces goes with --checks, and without --schedules")
    if checks:
        records = check_records("schedules" if schedules else "traces" if traces else "optimizers")
    else:
        records = _spec_records(schedules)
    if as_json:
        output.print_json(records)
        return
    console = output.console()
    page = (_checks_page if checks else _specs_page)(records, console.width)
    if not (checks or schedules):
        _add_wrappers(page)
    output.print_page(page, console)


def _spec_records(schedules: bool) -> list[dict[str, Any]]:
    from instep import spec

    names = spec.schedule_names() if schedules else [*spec.names(), *spec.schedule_names()]
    return [_spec_record(spec.get(name)) for name in names]


def _spec_record(algorithm: Algorithm) -> dict[str, Any]:
    from instep import spec

    return {
        "name": algorithm.name,
        "title": algorithm.title,
        "kind": "algorithm" if algorithm.schedule is None else "schedule",
        "version": algorithm.version,
        "spec": algorithm.spec,
        "default": algorithm.full_name,
        "dialects": [_dialect_record(d) for d in spec.meanings(algorithm)],
    }


def _dialect_record(dialect: Dialect) -> dict[str, Any]:
    return {
        "name": dialect.name,
        "source": dialect.source,
        "note": dialect.note,
        "options": dict(dialect.options),
        "defaults": dict(dialect.defaults),
    }


def check_records(door: str) -> list[dict[str, Any]]:
    """The checks of optimizers, schedules or traces."""
    module = import_module(f"instep.conformance.{_CATALOGUES[door]}")
    return [dict(zip(CHECK_KEYS, check, strict=True)) for check in module.catalogue()]


def _specs_page(records: list[dict[str, Any]], width: int) -> Page:
    """Each name with its dialects; the first dialect is what the name means by itself."""
    from rich.text import Text

    page = _page(width)
    for record in records:
        page.blank()
        identifier = f"{record['name']}@{record['version']}"
        page.line(Text(identifier.ljust(NAME_WIDTH + 2), style="bold") + Text(record["title"]))
        for dialect in record["dialects"]:
            fits = len(dialect["name"]) < NAME_WIDTH
            if not fits:
                page.line(f"  {dialect['name']}")
            page.row(dialect["name"] if fits else "", dialect["source"])
    return page


def _add_wrappers(page: Page) -> None:
    """What takes another algorithm, and so is complete only around one."""
    from instep import spec

    page.blank()
    page.line("Wrappers, around any of them")
    for name in spec.wrappers():
        page.row(f"{name}(adamw)", spec.get(f"{name}(adamw)").title.partition("; around ")[0])


def _checks_page(records: list[dict[str, Any]], width: int) -> Page:
    """Each check once, with the specifications that have it where not all do."""
    specs = list(dict.fromkeys(r["id"].split("/")[0] for r in records))
    having: dict[tuple[str, str, str], list[str]] = {}
    for r in records:
        name, _, rest = r["id"].partition("/")
        having.setdefault((rest, r["level"], r["requirement"]), []).append(name)
    from instep.conformance.report.notation import extent

    page = _page(width)
    page.line(f"Ids are <spec>/<check>; specs: {', '.join(specs)}")
    page.blank()
    for (check, level, requirement), names in having.items():
        limited = [] if names == specs else [f"({extent(names, specs)})"]
        page.line(check, f"[{level.upper()}]", *limited)
        page.row("", requirement)
    return page


def _page(width: int) -> Page:
    from instep.conformance.report.layout import Page

    return Page(width, NAME_WIDTH)


# ---- show, diff


@click.command()
@click.argument("name")
@click.option("--latex", is_flag=True, help="As LaTeX.")
@click.option("--code", metavar="TARGET", help="The generated source: eager or vectorized.")
@click.option("--switches", is_flag=True, help="Keep the constructor's switches as branches.")
@click.option("--ascii", is_flag=True, help="Without characters beyond ASCII.")
def show(name: str, latex: bool, code: str | None, switches: bool, ascii: bool) -> None:
    """Print NAME: an algorithm (adamw, adamw/decay-after, a file) or an equation (adamw.update)."""
    if latex and code is not None:
        raise UsageError("--latex and --code exclude each other")
    ascii = ascii or not _encodable("√θ")
    if _is_equation(name):
        text = _equation(name, latex, ascii)
    elif code is not None:
        text = _source(name, code)
    else:
        text = _algorithm(name, latex, switches, ascii)
    click.echo(text, nl=not text.endswith("\n"))


def _is_equation(name: str) -> bool:
    return not name.endswith(".py") and _EQUATION.fullmatch(name) is not None


def _encodable(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _equation(name: str, latex: bool, ascii: bool) -> str:
    from instep import spec
    from instep.spec import render

    found = _EQUATION.fullmatch(name)
    assert found is not None
    algorithm, equation = spec.get(found["owner"]), found["equation"]
    if latex:
        return render.latex_equation(algorithm, equation)
    return render.text_equation(algorithm, equation, ascii=ascii)


def _algorithm(name: str, latex: bool, switches: bool, ascii: bool) -> str:
    from instep import spec
    from instep.spec import render

    algorithm = spec.get(name)
    keep = render.switches(algorithm) if switches else None
    if latex:
        return render.latex_algorithm(algorithm, keep=keep)
    width = output.console().width
    return render.text_algorithm(algorithm, keep=keep, ascii=ascii, width=width)


def _source(name: str, target: str) -> str:
    from instep import spec
    from instep.reference.generate import GenerateError, generate_source
    from instep.reference.generate.tree import format_source

    try:
        text = generate_source(spec.get(name), target)
    except GenerateError as error:
        raise UsageError(str(error)) from error
    try:
        return format_source(text)
    except GenerateError:  # ruff comes with the extra dev only: the text is valid as it is
        return text


@click.command()
@click.argument("a")
@click.argument("b")
@as_json
def diff(a: str, b: str, as_json: bool) -> None:
    """Say where A and B differ: proved equal, or an input that tells them apart."""
    from instep import spec
    from instep.spec.algebra import difference

    found = difference(spec.get(a), spec.get(b))
    if as_json:
        output.print_json(found.to_json())
    else:
        click.echo(found.to_text(output.console().width).rstrip("\n"))


COMMANDS = (list_, show, diff)
