"""Which check asks what a test of PyTorch's own optimizers asks, or why none does.

This folder is on the path while mkdocs loads its hooks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from instep.conformance.implementations import FLAGS
from instep.conformance.schedules.suite import catalogue as of_schedules
from instep.conformance.suite import catalogue

Row = dict[str, Any]
_HEAD = """# What PyTorch tests

PyTorch tests its own optimizers and schedulers. Here is what each of these tests asks, and which of
our [checks](checks.md) asks it of anybody's optimizer; of schedulers, which of
[theirs](schedules/index.md#checks). Where none does, or not of all of it, the reason stands beside.
Many a check asks more: it compares with the equations, within computed bounds or bit for bit.

There are {count} tests; checks ask what {asked} of them ask, or part of it. The tests are those of
PyTorch's repository in versions of {years}, some from branches. Those of optimizers for many
machines are not here.
"""


def page() -> str:
    """The page in Markdown."""
    data = _data()
    rows = [row for file in data["files"] for row in file["rows"]]
    asked = [row for row in rows if linked(row)]
    head = _HEAD.format(years=data["versions"], count=_tests(rows), asked=_tests(asked))
    return "\n".join([head, *(line for file in data["files"] for line in _file(file))])


def expanded(pattern: str, *, schedules: bool = False) -> list[str]:
    """The names of checks that are meant; <words> stand for any part of a name."""
    parts = re.split(r"<\w+>", pattern)
    meant = re.compile(r"[a-z0-9.-]+".join(map(re.escape, parts)))
    return [name for name in _names(schedules) if meant.fullmatch(name)]


def linked(row: Row) -> list[str]:
    """The checks of a row, in Markdown."""
    optimizers = (_link(n, f"checks.md#{_first(n).replace('/', '-')}") for n in _of(row, "checks"))
    schedules = (
        _link(n, f"schedules/index.md#{n.partition('/')[0]}") for n in _of(row, "schedules")
    )
    return [*optimizers, *schedules]


@cache
def _names(schedules: bool) -> tuple[str, ...]:
    """Every check's name once, without the specification."""
    ids = [id_ for id_, _, _ in (of_schedules() if schedules else catalogue())]
    flags = [] if schedules else [f"implementations/{flag}" for flag in sorted(FLAGS)]
    return (*dict.fromkeys(id_.partition("/")[2] for id_ in ids), *flags)


def _data() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(
        (Path(__file__).parent / "data" / "torch_tests.json").read_text()
    )
    return loaded


def _tests(rows: list[Row]) -> int:
    return sum(len(row["tests"]) for row in rows)


def _of(row: Row, key: str) -> list[str]:
    named: list[str] = row.get(key, [])
    return named


def _first(pattern: str) -> str:
    return next(iter(expanded(pattern)), pattern)


def _link(name: str, target: str) -> str:
    return f"[{_breakable(name, '/')}]({target})"


def _file(file: dict[str, Any]) -> Iterator[str]:
    yield f"## {file['file']}\n"
    if file["about"]:
        yield f"{file['about']}\n"
    for name, rows in groupby(file["rows"], lambda row: row.get("class", "")):
        if name:
            yield f"### {name}\n"
        yield "| test | asks | check, or why none |\n|---|---|---|"
        yield from map(_row, rows)
        yield ""


def _row(row: Row) -> str:
    case = f": {row['case']}" if "case" in row else ""
    tests = "<br>".join(_breakable(test, "_") for test in row["tests"])
    answer = ["<br>".join(linked(row)), row.get("reason", "")]
    return f"| {tests}{case} | {row['asks']} | {'<br>'.join(filter(None, answer))} |"


def _breakable(name: str, after: str) -> str:
    """A long name in code that may go on in another line after these marks."""
    text = name.replace("<", "&lt;").replace(after, f"{after}<wbr>")
    return f'<code class="long">{text}</code>'
