"""The formats in which reports are written, and the endings of files that stand for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from instep.conformance.errors import UsageError
from instep.conformance.report.model import Report

# What a run of several subjects is written as.
ENDINGS = {".badge.json": "badge", ".json": "run", ".html": "html", ".md": "markdown"}


def format_of(path: str) -> str:
    """The format that a file is to have, by its ending.

    Raises:
        UsageError: no format has this ending.
    """
    for ending, name in ENDINGS.items():
        if path.endswith(ending):
            return name
    raise UsageError(f"which format? {path} ends with none of {', '.join(ENDINGS)}")


def require(name: str) -> None:
    """Raise UsageError where a format cannot be written here, before the work that it tells of."""
    if name == "html":
        from instep.conformance.report.plots import require_matplotlib

        require_matplotlib()


def rendered(name: str, reports: Sequence[Report]) -> str:
    """Some reports in a format; json and junit are formats of one."""
    return _RENDERERS[name](reports)


def _json(reports: Sequence[Report]) -> str:
    from instep.conformance.report.json import to_json

    (report,) = reports
    return to_json(report)


def _run(reports: Sequence[Report]) -> str:
    from instep.conformance.report.json import run_to_json

    return run_to_json(reports)


def _junit(reports: Sequence[Report]) -> str:
    from instep.conformance.report.junit import to_junit

    (report,) = reports
    return to_junit(report)


def _html(reports: Sequence[Report]) -> str:
    from instep.conformance.report.html import to_html

    return to_html(reports)


def _markdown(reports: Sequence[Report]) -> str:
    from instep.conformance.report.markdown import to_markdown

    return to_markdown(reports)


def _badge(reports: Sequence[Report]) -> str:
    from instep.conformance.report.badge import to_badge

    return to_badge(reports)


_RENDERERS: Mapping[str, Callable[[Sequence[Report]], str]] = {
    "json": _json,
    "run": _run,
    "junit": _junit,
    "html": _html,
    "markdown": _markdown,
    "badge": _badge,
}
