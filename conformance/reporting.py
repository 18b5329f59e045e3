"""From a session whose checks ran to the report."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import numpy as np
import torch

from instep.conformance.checks.numerics import slug
from instep.conformance.report.model import Coverage, Report, Result
from instep.conformance.repro import script

if TYPE_CHECKING:
    from instep.conformance.suite import Session


def build_report(session: Session, results: Sequence[Result], seconds: float) -> Report:
    """Everything that the session knows, as data."""
    algorithm = session.plan.algorithm
    base = session.base
    return Report(
        subject=session.subject.name,
        spec=algorithm.full_name,
        version=algorithm.version,
        level=session.plan.level,
        suite=session.suite,
        results=tuple(results),
        diagnosis=session.diagnosis,
        coverage=_coverage(session, results),
        mapping=_mapping(session),
        grades=session.context.grades,
        configuration=session.subject.arguments(base.values, base.options),
        environment=environment(),
        reproduction=_reproduction(session, results),
        seconds=seconds,
    )


def _coverage(session: Session, results: Sequence[Result]) -> Coverage:
    skipped = tuple((r.id, r.message) for r in results if r.status == "skipped")
    return Coverage(
        expected=len(session.ids),
        ran=len(results) - len(skipped),
        skipped=skipped,
        unseen=tuple(_unseen(session, results)),
        lanes=sum(r.lanes for r in results),
        excluded=sum(r.excluded for r in results),
        insensitive=sum(r.insensitive for r in results),
        newer=session.selection.newer,
        gone=session.selection.gone,
    )


def _unseen(session: Session, results: Sequence[Result]) -> Iterator[str]:
    """What this run could not have seen."""
    algorithm, naming, base = session.plan.algorithm, session.subject.naming, session.base
    for symbol in naming.missing:
        yield f"{symbol} cannot be set: only its value {base.values[symbol]:g} was compared"
    fixed = session.context.probes.fixed
    for symbol in sorted(fixed & {h.name for h in algorithm.hyperparameters}):
        if symbol not in {*naming.missing, *naming.idle}:
            yield f"{symbol} is fixed: only {base.values[symbol]:g} was compared"
    for option in algorithm.options:
        absent = option.name not in naming.options and option.name not in algorithm.pinned
        if option.argument is not None and absent:
            key = option.argument.key
            yield f"the constructor has no {key}: only {option.default} was compared"
    judged = {id.split("/", 1)[1] for id in session.ids}
    left = [f for f in naming.booleans if f"implementations/{slug(f)}" not in judged]
    if left:
        yield f"other settings of the constructor's flags {', '.join(left)}"
    for r in results:
        if r.status == "insensitive":
            yield f"{r.id} was too coarse to show anything"


def _mapping(session: Session) -> tuple[str, ...]:
    context = session.context
    notes = list(session.subject.naming.notes)
    if context.has_base:
        states = context.states
        notes += [b.describe() for b in states.bindings.values()]
        notes += [
            f"state {name} was not recognised among the subject's tensors"
            for name in context.live_states()
            if name not in states.bindings and not context.lazy(name)
        ]
    return tuple(notes)


def _reproduction(session: Session, results: Sequence[Result]) -> str:
    first = next((r for r in results if r.evidence is not None and not r.consequence_of), None)
    return "" if first is None else script(session, first)


def environment() -> dict[str, str]:
    """Versions and platform."""
    try:
        own = version("instep")
    except PackageNotFoundError:
        own = "unknown"
    return {
        "instep": own,
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
    }
