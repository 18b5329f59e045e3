"""Reports as markdown: the verdict, a table of counts, each failure as the terminal shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from instep.conformance.report.block import block_text
from instep.conformance.report.model import LEVELS, STATUSES, Report
from instep.conformance.report.notation import many

# Beyond these a page of failures helps nobody; the other formats have all of them.
MOST_BLOCKS = 10


def to_markdown(reports: Sequence[Report]) -> str:
    """All reports, one below the other."""
    return "\n".join(line for report in reports for line in _lines(report))


def _lines(report: Report) -> Iterator[str]:
    yield f"## {report.verdict}: `{report.subject}` with `{report.against}`\n"
    shown = [s for s in STATUSES if report.count(s)]
    yield f"| | {' | '.join(shown)} |"
    yield "|---|" + "---|" * len(shown)
    for level in LEVELS:
        counts = [report.count(status, level) for status in shown]
        yield f"| {level.upper()} | {' | '.join(str(n or '') for n in counts)} |"
    coverage = report.coverage
    yield f"\n{coverage.ran} of {many(coverage.expected, 'check')} ran at {report.checks}.\n"
    if coverage.newer:
        yield f"{many(len(coverage.newer), 'check')} left out: newer than the suite.\n"
    if coverage.gone:
        yield f"Of the suite, these exist no more: {', '.join(coverage.gone)}.\n"
    yield from _failures(report)
    for text in report.coverage.unseen:
        yield f"- not seen: {text}"
    if report.coverage.unseen:
        yield ""
    yield ", ".join(f"{name} {version}" for name, version in report.environment.items())
    yield ""


def _failures(report: Report) -> Iterator[str]:
    causes = [r for r in report.failures if not r.consequence_of]
    for result in causes[:MOST_BLOCKS]:
        yield f"### `{result.id}`\n"
        yield _fenced(block_text(result, report))
    left = len(causes) - MOST_BLOCKS
    if left > 0:
        yield f"... and {many(left, 'other failure')}.\n"
    following = [r for r in report.failures if r.consequence_of]
    if following:
        names = ", ".join(f"`{r.id}`" for r in following)
        yield f"These follow from them: {names}\n"


def _fenced(text: str) -> str:
    """A block of code, whose fence is longer than any inside: a traceback may quote markdown."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{text.rstrip()}\n{fence}\n"
