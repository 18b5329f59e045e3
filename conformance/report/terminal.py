"""A report for the terminal: the verdict, each failure with its evidence, and what was not seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from instep.conformance.report import notation
from instep.conformance.report.block import STYLES, Context, add_block, add_header
from instep.conformance.report.layout import Page
from instep.conformance.report.model import (
    IN_STEP,
    LEVELS,
    NOT_JUDGED,
    OUT_OF_STEP,
    STATUSES,
    Report,
    Result,
)

if TYPE_CHECKING:
    from rich.console import Console

FULL_BLOCKS = 3
WIDEST = 120
MOST_LISTED = 6
VERDICT_STYLES = {OUT_OF_STEP: "bold red", NOT_JUDGED: "bold yellow", IN_STEP: "bold green"}
SELDOM = ("xfailed", "xpassed")


def print_report(report: Report, console: Console, *, every: bool = False) -> None:
    """Write a report to a console, coloured where it has colours."""
    for line in page_of(report, console.width, every=every).lines:
        console.print(line, no_wrap=True, overflow="ignore", crop=False, highlight=False)


def to_text(report: Report, width: int = 80, *, every: bool = False) -> str:
    """The same report as plain text; `every` adds one line for each check."""
    return page_of(report, width, every=every).text()


def page_of(report: Report, width: int, *, every: bool = False) -> Page:
    """Lay a report out for a width in characters."""
    page = Page(min(width, WIDEST))
    _add_headline(page, report)
    _add_failures(page, report)
    page.blank()
    _add_counts(page, report)
    _add_strength(page, report)
    _add_expectations(page, report.results)
    page.blank()
    _add_unseen(page, report)
    page.blank()
    _add_setting(page, report)
    if every:
        _add_every(page, report.results)
    return page


# ---- verdict and failures


def _add_headline(page: Page, report: Report) -> None:
    word = (report.verdict, VERDICT_STYLES[report.verdict])
    subject, against = (report.subject, "bold"), (report.against, "bold")
    page.line(Text.assemble(word, "  ", subject, " with ", against))
    if report.verdict == NOT_JUDGED:
        page.row("", "no check that decides has passed: see what was skipped and insensitive")
    if report.accepted:
        page.row("dialect", f"any was accepted; {report.accepted} is in step")


def _add_failures(page: Page, report: Report) -> None:
    """Causes of MUST failures in full, what follows from them in a line each, then the others."""
    failures = report.failures
    known = {r.id for r in failures}
    causes = [r for r in failures if r.consequence_of not in known]
    full = [r for r in causes if r.level == "must"][:FULL_BLOCKS]
    for cause in full:
        page.blank()
        add_block(page, cause, Context.of(cause, report))
        _add_consequences(page, cause.id, failures)
    for result in causes:
        if result not in full:
            page.blank()
            add_header(page, result)
            page.row("requirement", result.requirement)
            if result.message:
                page.row("found", result.message)
            _add_consequences(page, result.id, failures)


def _add_consequences(page: Page, cause: str, failures: Sequence[Result]) -> None:
    """Also those that follow from a consequence: the chain ends at the cause."""
    by_id = {r.id: r for r in failures}

    def root(result: Result) -> str:
        seen = {result.id}
        while result.consequence_of in by_id and result.consequence_of not in seen:
            result = by_id[result.consequence_of]
            seen.add(result.id)
        return result.id

    follow = [r for r in failures if r.id != cause and root(r) == cause]
    page.rows("follows", [f"{r.id}  [{r.level.upper()}] {r.status}" for r in follow])


# ---- what ran


def _add_counts(page: Page, report: Report) -> None:
    """A table of levels and statuses; statuses that are seldom are left out where they are zero."""
    shown = [s for s in STATUSES if s not in SELDOM or report.count(s)]
    page.row("checks", "".join(_cell(s, s) for s in shown).strip("\n"))
    for level in LEVELS:
        cells = [_count(status, report.count(status, level), level) for status in shown]
        page.row(level.upper(), Text.assemble(*cells))
    c = report.coverage
    page.row("ran", f"{c.ran} of {notation.many(c.expected, 'check')}", *_lanes(report))
    if c.newer:
        page.row("newer", f"{notation.many(len(c.newer), 'check')} than suite {report.suite}")
        page.row("", Text(_listed(c.newer), style="dim"))
    page.rows("gone", [f"{name} of suite {report.suite} exists no more" for name in c.gone])


def _cell(status: str, text: str) -> str:
    return text.rjust(len(status) + 2)


def _count(status: str, count: int, level: str) -> Text:
    loud = count and status in ("failed", "errored", "insensitive", "xpassed")
    style = (STYLES[level] if status != "insensitive" else "yellow") if loud else ""
    return Text(_cell(status, str(count) if count else "-"), style=style)


def _lanes(report: Report) -> Iterable[str]:
    c = report.coverage
    if c.lanes:
        yield f"{notation.many(c.lanes, 'lane')} compared"
    if c.excluded:
        yield f"{c.excluded:,} left out: no bound holds there".replace(",", " ")
    if c.insensitive:
        yield f"{c.insensitive:,} insensitive".replace(",", " ")


def _add_strength(page: Page, report: Report) -> None:
    """How far off the worst lane was, and how small an error would have been seen."""
    passed = [r for r in report.results if r.status == "passed"]
    measured = [(r.worst, r.id) for r in passed if r.worst is not None]
    if measured:
        worst, name = max(measured)
        off = f"{notation.ratio(worst)} bounds off; up to 2 is in step"
        page.row("worst lane", off, f"({name})")
    coarse = [r for r in passed if r.yardstick.endswith("spread")]
    if coarse:
        how = f"norm-wise spread where bounds see nothing, in {notation.many(len(coarse), 'check')}"
        page.row("yardstick", how)
    sharp = sorted((r.sensitivity, r.id) for r in passed if r.sensitivity)
    if sharp:
        page.rows("sensitivity", _sensitivity(sharp))
    grades = [f"{dtype}: {grade or 'no profile fits'}" for dtype, grade in report.grades.items()]
    page.rows("precision", grades)


def _sensitivity(sharp: Sequence[tuple[float, str]]) -> Iterable[str]:
    (least, sharpest), (most, bluntest) = sharp[0], sharp[-1]
    yield f"would see {notation.relative(least)} of an update in {sharpest}"
    if bluntest != sharpest:
        yield f"and {notation.relative(most)} in {bluntest}, the bluntest"


def _add_expectations(page: Page, results: Sequence[Result]) -> None:
    for result in results:
        match result.status:
            case "xfailed":
                page.row("expected", f"{result.id} fails: {result.message}")
            case "xpassed":
                text = f"{result.id} was expected to fail and passes: take it off the list"
                page.row("stale", Text(text, style="bold yellow"))


# ---- what was not seen


def _add_unseen(page: Page, report: Report) -> None:
    """Nothing here is a pass: insensitive and skipped checks, and what no check could have seen."""
    for result in report.results:
        if result.status == "insensitive":
            page.row("insensitive", Text(f"{result.id} neither passed nor failed", style="yellow"))
            page.row("", result.message or "its bound is too wide to see anything")
    for reason, ids in _by_reason(report).items():
        page.row("skipped", reason)
        page.row("", Text(_listed(ids), style="dim"))
    page.rows("not seen", report.coverage.unseen)


def _listed(ids: Sequence[str]) -> str:
    return ", ".join(ids) if len(ids) <= MOST_LISTED else f"{len(ids)} checks; --every lists them"


def _by_reason(report: Report) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for name, reason in report.coverage.skipped:
        out.setdefault(reason, []).append(name)
    return out


def _add_setting(page: Page, report: Report) -> None:
    if report.configuration:
        page.row("constructed", notation.call(report.subject, report.configuration))
    page.rows("matched", report.mapping)
    page.row("time", f"{report.seconds:.1f} s at {report.checks}", *_versions(report))


def _versions(report: Report) -> Iterable[str]:
    if report.environment:
        yield ", ".join(f"{name} {version}" for name, version in report.environment.items())


def _add_every(page: Page, results: Sequence[Result]) -> None:
    page.blank()
    for r in results:
        facts = [f"worst {notation.ratio(r.worst)}"] if r.worst is not None else []
        if r.sensitivity is not None:
            facts.append(f"sees {notation.relative(r.sensitivity)}")
        if r.yardstick.endswith("spread"):
            facts.append(f"by {r.yardstick}")
        page.line(f"{r.status:<12}{r.level.upper():<8}{r.id}", *facts, hang=20)
