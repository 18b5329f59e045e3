"""One failed check as a block of lines: what was required, where it broke, what it looks like."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rich.text import Text

from instep.conformance.report import notation
from instep.conformance.report.layout import Page, columns
from instep.conformance.report.model import Candidate, Diagnosis, Evidence, Report, Result

FRAMES = 3
# `File "f.py", line 3, in f`, and its source four columns in, which code from a string lacks.
FRAME = re.compile(r'^  File "(.+)", line (\d+), in (.+)(?:\n    (.*))?', re.MULTILINE)
STYLES = {"must": "bold red", "should": "yellow", "info": "cyan"}


@dataclass(frozen=True, slots=True)
class Context:
    """What a block says besides the result: the subject, what it looks like, how to repeat it."""

    subject: str
    diagnosis: Diagnosis | None = None
    reproduce: str = ""

    @classmethod
    def of(cls, result: Result, report: Report) -> Context:
        """The context that a report gives to one of its results."""
        reproduce = f"instep repro {result.id} {report.invocation}" if report.invocation else ""
        if not reproduce and report.reproduction and result in report.failures[:1]:
            reproduce = "report.reproduction is a script that needs torch alone"
        numeric = [r for r in report.failures if r.evidence is not None]
        diagnosis = report.diagnosis if result in numeric[:1] else None
        return cls(report.subject, diagnosis, reproduce)


def block_text(result: Result, context: Context | Report, width: int = 80) -> str:
    """The block of one result as plain text."""
    page = Page(width)
    if isinstance(context, Report):
        context = Context.of(result, context)
    add_block(page, result, context)
    return page.text()


def add_header(page: Page, result: Result) -> None:
    """`FAILED  adamw/numerics/update  [MUST]   equation adamw.denominator`."""
    style = STYLES[result.level]
    name = Text.assemble(
        (result.status.upper(), style), "  ", (result.id, "bold"), f"  [{result.level.upper()}]"
    )
    equation = result.evidence.equation if result.evidence is not None else ""
    page.line(name, *([f"equation {equation}"] if equation else []))


def add_block(page: Page, result: Result, context: Context) -> None:
    """The whole block; rows that have nothing to say are left out."""
    add_header(page, result)
    page.row("requirement", result.requirement)
    evidence = result.evidence
    if evidence is None:
        page.row("subject", context.subject)
    else:
        subject = notation.call(context.subject, evidence.hyperparameters)
        page.row("subject", subject, *([f"parameters {evidence.dtype}"] * bool(evidence.dtype)))
    if result.message:
        page.row("raised" if result.status == "errored" else "found", result.message)
    if result.traceback:
        page.rows("at", _innermost(result.traceback, page.text_width))
    if evidence is not None:
        _add_evidence(page, evidence)
    if context.diagnosis is not None:
        _add_diagnosis(page, context.diagnosis)
    if result.docs:
        page.row("docs", result.docs)
    if context.reproduce:
        page.row("reproduce", context.reproduce)


def _innermost(traceback: str, width: int) -> list[str]:
    """The innermost frames, each `file:line in function` and its line; the JSON keeps all."""
    frames = FRAME.findall(traceback)
    before = notation.many(len(frames) - FRAMES, "frame")
    out = [f"({before} before)"] if len(frames) > FRAMES else []
    for file, line, function, source in frames[-FRAMES:]:
        place = f":{line} in {function}"
        out.append(_end(file, width - len(place)) + place)
        out += ["  " + _start(source.strip(), width - 2)] if source.strip() else []
    return out


def _end(text: str, width: int) -> str:
    return text if len(text) <= width else "..." + text[len(text) - width + 3 :]


def _start(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."


def _add_evidence(page: Page, e: Evidence) -> None:
    place = f"{e.quantity} after step {e.step}"
    if not e.dtype:  # a number of a schedule
        page.row("where", place, f"probe {e.probe}")
    else:
        place += f", parameter {e.parameter}, lane {e.lane} of {e.size}"
        page.row("where", place, f"probe {e.probe}")
        common = f", {e.condition}" if e.condition else ""
        seen = notation.many(e.lanes_seen, "lane")
        page.row("", f"{e.lanes_out:,} of {seen} out of step{common}")
    expected, bound, got = _number_rows(e)
    page.row("expected", expected)
    page.row("+-", bound)
    page.row("got", got, Text(_off(e), style="bold"))
    if e.yardstick != "bound":
        page.row("yardstick", f"{e.yardstick}: of the whole tensor, in runs that round at random")
    if e.first_wrong:
        page.row("first wrong", e.first_wrong)


def _off(e: Evidence) -> str:
    """How far off, in units of what it was measured with."""
    unit = "bounds off" if e.yardstick == "bound" else "spreads off, all lanes together"
    return f"{notation.ratio(e.ratio)} {unit}"


def _number_rows(e: Evidence) -> list[str]:
    """Expected, bound and got, in decimal and in hex, below each other."""
    digits = notation.digits_to_tell(e.expected, e.got)
    shown = ((e.expected, digits), (e.bound, 3), (e.got, digits))
    return columns(
        [(_signed(notation.decimal(x, n)), _signed(notation.hexadecimal(x))) for x, n in shown]
    )


def _signed(number: str) -> str:
    """Room for a sign."""
    return number if number.startswith("-") else f" {number}"


def _add_diagnosis(page: Page, diagnosis: Diagnosis) -> None:
    if not diagnosis.candidates:
        page.row("looks like", str(diagnosis))
        return
    first, *others = diagnosis.candidates
    title = f"{first.kind} {first.name}"
    page.row("looks like", Text.assemble((title, "bold"), *_described(first)))
    page.row("", f"reproduces the numbers to {notation.ratio(first.ratio)} bounds")
    if first.dialect:
        page.row("", f'if that is intended: dialect="{first.dialect}"')
    if others:
        page.row("", f"the same numbers: {', '.join(f'{c.kind} {c.name}' for c in others)}")


def _described(candidate: Candidate) -> list[str]:
    return [f": {candidate.description}"] if candidate.description else []
