"""What does the subject compute instead? Mutants and other schedules that give its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from instep.conformance.report.model import Candidate, Diagnosis
from instep.conformance.schedules.judge import judgements
from instep.conformance.schedules.mutate import mutants
from instep.conformance.schedules.oracle import Form
from instep.conformance.schedules.subject import Recording
from instep.conformance.verdict import IN_STEP
from instep.spec.errors import SpecError
from instep.spec.model import Algorithm


def diagnose(algorithm: Algorithm, recordings: Sequence[Recording]) -> Diagnosis:
    """All mutants that reproduce every run; those of one numeric behaviour stand together."""
    found: list[Candidate] = []
    searched = 0
    for form, candidate in _suspects(algorithm):
        searched += 1
        ratio = _reproduces(form, recordings)
        if ratio is not None:
            found.append(
                Candidate(
                    candidate.kind, candidate.name, candidate.description, candidate.equation, ratio
                )
            )
    return Diagnosis(tuple(found), searched)


def _suspects(algorithm: Algorithm) -> Iterator[tuple[Form, Candidate]]:
    for m in mutants(algorithm):
        equation = f"{algorithm.name}.{m.equation}" if m.equation else ""
        yield m.form, Candidate("mutant", m.name, m.description, equation, 0.0)


def _reproduces(form: Form, recordings: Sequence[Recording]) -> float | None:
    """The worst ratio over all recordings, None as soon as one is off."""
    worst = 0.0
    for recording in recordings:
        try:
            tally = judgements([form], recording)[0].tally
        except SpecError:
            return None
        if tally.worst > IN_STEP or tally.seen < max(tally.excluded, 1):
            return None
        worst = max(worst, tally.worst)
    return worst
