"""The conformance suite: is an optimizer in step with its equations?

Names are loaded when they are used (PEP 562): pytest imports this package in every run, through its
plugin. No module of the package may be called like one of them: importing it would hide the name.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from instep.conformance.decorator import conformance
    from instep.conformance.errors import SubjectError, UsageError
    from instep.conformance.report.json import from_json
    from instep.conformance.report.model import OutOfStepError, Report, Result
    from instep.conformance.schedules.suite import check_scheduler
    from instep.conformance.suite import Case, Session, check, conformance_cases
    from instep.conformance.traces.judging import check_trace
    from instep.conformance.traces.recorder import record
    from instep.conformance.vectors.write import write_vectors

_HOMES = {
    "Case": "suite",
    "OutOfStepError": "report.model",
    "Report": "report.model",
    "Result": "report.model",
    "Session": "suite",
    "SubjectError": "errors",
    "UsageError": "errors",
    "check": "suite",
    "check_scheduler": "schedules.suite",
    "check_trace": "traces.judging",
    "conformance": "decorator",
    "conformance_cases": "suite",
    "from_json": "report.json",
    "record": "traces.recorder",
    "write_vectors": "vectors.write",
}

__all__ = [
    "Case",
    "OutOfStepError",
    "Report",
    "Result",
    "Session",
    "SubjectError",
    "UsageError",
    "check",
    "check_scheduler",
    "check_trace",
    "conformance",
    "conformance_cases",
    "from_json",
    "record",
    "write_vectors",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
