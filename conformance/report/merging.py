"""Reports of single checks put together: what runners make that run each check by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from instep.conformance.report.model import Coverage, Report, Result

T = TypeVar("T")


def merged(parts: Sequence[Report]) -> Report:
    """One report of several of the same subject and specification, in their order.

    Args:
        parts: at least one. They may come from different processes, each of which knows only what
            its own checks found out.
    """
    first = parts[0]
    cause = next((part for part in parts if _explained(part)), None)
    return replace(
        first,
        results=tuple(result for part in parts for result in _linked(part, cause)),
        diagnosis=next((part.diagnosis for part in parts if part.diagnosis is not None), None),
        coverage=_coverage([part.coverage for part in parts]),
        mapping=_union(note for part in parts for note in part.mapping),
        grades={dtype: grade for part in parts for dtype, grade in part.grades.items()},
        reproduction=next((part.reproduction for part in parts if part.reproduction), ""),
        seconds=sum(part.seconds for part in parts),
    )


def _explained(part: Report) -> bool:
    """Whether it has a failure that something known reproduces."""
    known = part.diagnosis is not None and bool(part.diagnosis.candidates)
    return known and any(r.evidence is not None for r in part.failures)


def _linked(part: Report, cause: Report | None) -> Iterator[Result]:
    """The results of a part; what another process explained alike follows from the first of them.

    In one process the second failure would not have been searched for again.
    """
    for result in part.results:
        alike = (
            cause is not None
            and part is not cause
            and result.evidence is not None
            and not result.consequence_of
            and _names(part) == _names(cause)
        )
        first = cause.failures[0].id if cause is not None else ""
        yield replace(result, consequence_of=first) if alike else result


def _names(report: Report) -> list[str]:
    return [c.name for c in report.diagnosis.candidates[:1]] if report.diagnosis else []


def _coverage(parts: Sequence[Coverage]) -> Coverage:
    return Coverage(
        expected=parts[0].expected,
        ran=sum(part.ran for part in parts),
        skipped=tuple(one for part in parts for one in part.skipped),
        unseen=_union(text for part in parts for text in part.unseen),
        lanes=sum(part.lanes for part in parts),
        excluded=sum(part.excluded for part in parts),
        insensitive=sum(part.insensitive for part in parts),
        newer=parts[0].newer,
        gone=parts[0].gone,
    )


def _union(things: Iterable[T]) -> tuple[T, ...]:
    """Each once, in the order in which they first appear."""
    return tuple(dict.fromkeys(things))
