"""The formats in which reports are written, and the endings of files that stand for them."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

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
    module, function, one = _RENDERERS[name]
    render = getattr(importlib.import_module(f"instep.conformance.report.{module}"), function)
    if one:
        (report,) = reports
        return str(render(report))
    return str(render(reports))


# name -> (module, imported when it is needed; function; whether it takes one report)
_RENDERERS = {
    "json": ("json", "to_json", True),
    "run": ("json", "run_to_json", False),
    "junit": ("junit", "to_junit", True),
    "html": ("html", "to_html", False),
    "markdown": ("markdown", "to_markdown", False),
    "badge": ("badge", "to_badge", False),
}
