"""Reports as one HTML page that needs nothing else: no network, no scripts, no other file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from instep.conformance.report import notation, plots
from instep.conformance.report.block import Context
from instep.conformance.report.model import LEVELS, STATUSES, Report, Result

if TYPE_CHECKING:
    import jinja2


def to_html(reports: Sequence[Report]) -> str:
    """All reports on one page, the verdicts first.

    Raises:
        UsageError: matplotlib, which draws the plots, is not installed.
    """
    plots.require_matplotlib()
    template = _environment().get_template("report.html.jinja")
    return template.render(reports=[_view(k, report) for k, report in enumerate(reports)])


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("instep.conformance.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {
        "call": notation.call,
        "decimal": notation.decimal,
        "hexadecimal": notation.hexadecimal,
        "ratio": notation.ratio,
        "relative": notation.relative,
        "many": notation.many,
    }
    return environment


def _view(number: int, report: Report) -> dict[str, Any]:
    """What the template says of one report."""
    seen = [s for s in STATUSES if report.count(s)]
    known = {r.id for r in report.failures}
    following = [r for r in report.failures if r.consequence_of in known]
    return {
        "number": number,
        "report": report,
        "statuses": seen,
        "levels": [(level, [report.count(s, level) for s in seen]) for level in LEVELS],
        "causes": [_failure(r, report) for r in report.failures if r not in following],
        "consequences": [_failure(r, report) for r in following],
        "topics": _topics(report.results),
        "by_step": plots.by_step(report),
        "by_check": plots.by_check(report),
    }


def _failure(result: Result, report: Report) -> dict[str, Any]:
    e = result.evidence
    digits = notation.digits_to_tell(e.expected, e.got) if e is not None else 0
    context = Context.of(result, report)
    # Without a command line to repeat, the page itself has the script.
    reproduce = context.reproduce if report.invocation else ""
    if context.reproduce and not reproduce:
        reproduce = "the script at the end of this report"
    return {
        "result": result,
        "diagnosis": context.diagnosis,
        "reproduce": reproduce,
        "digits": digits,
    }


def _topics(results: Sequence[Result]) -> list[tuple[str, list[Result]]]:
    """Checks by topic, in the order in which topics first appear."""
    topics: dict[str, list[Result]] = {}
    for result in results:
        topics.setdefault(result.id.split("/")[1], []).append(result)
    return list(topics.items())
