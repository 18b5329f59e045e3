"""A failure as a script of its own, with hex floats, that needs torch and the subject alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from instep.conformance.report.model import Result
    from instep.conformance.suite import Session


def script(session: Session, result: Result) -> str:
    """The script of a numeric failure; empty for others."""
    return ""
