"""Which algorithm, and which dialect of it, is an unknown optimizer? Names are never looked at.

For every known spec the subject is run on that spec's probes; a dialect is named only if it
reproduces all of them within bounds. Otherwise nothing is known: no guess is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from instep import spec as specs
from instep.conformance.checks.base import Skip
from instep.conformance.diagnose import reproduces
from instep.conformance.errors import SubjectError, UsageError
from instep.conformance.observe import Recording
from instep.conformance.oracle import Model
from instep.conformance.subject import Subject
from instep.conformance.suite import Session
from instep.spec.model import Algorithm


@dataclass(frozen=True, slots=True)
class Match:
    """A dialect that reproduces every probe.

    Attributes:
        name: of the dialect.
        hyperparameters: {spec symbol: subject's keyword}.
        fixed: symbols that the subject cannot set, which agree at their defaults.
        note: what the dialect says of itself.
    """

    name: str
    hyperparameters: Mapping[str, str]
    fixed: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Identification:
    """All dialects that a subject is in step with, and how many were tried."""

    subject: str
    matches: tuple[Match, ...]
    tried: int

    def to_text(self) -> str:
        """A line per match, or that nothing is known."""
        if not self.matches:
            return f"{self.subject}: nothing known ({self.tried} dialects tried)\n"
        lines = [f"{self.subject} is in step with"]
        for m in self.matches:
            lines.append(f"  {m.name}  {m.note}".rstrip())
            names = ", ".join(f"{ours} = {theirs}" for ours, theirs in m.hyperparameters.items())
            lines.append(f"    hyperparameters: {names or 'none'}")
            if m.fixed:
                lines.append(f"    cannot be set, compared at their defaults: {', '.join(m.fixed)}")
        return "\n".join(lines) + "\n"

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "subject": self.subject,
            "tried": self.tried,
            "matches": [
                {
                    "name": m.name,
                    "hyperparameters": dict(m.hyperparameters),
                    "fixed": list(m.fixed),
                    "note": m.note,
                }
                for m in self.matches
            ],
        }


def identify(
    subject: Any,
    *,
    hyperparameters: Mapping[str, Any] | None = None,
    fixed: Sequence[str] = (),
    rename: Mapping[str, str] | None = None,
) -> Identification:
    """Name the dialects that a subject is in step with.

    Args:
        subject: as for `check`.
        hyperparameters: constructor keywords that certainly run.
        fixed: keywords that must not be varied.
        rename: {spec name: subject name}.
    """
    matches: list[Match] = []
    tried = 0
    for algorithm in _algorithms():
        own = _renames(rename or {}, algorithm)
        try:
            session = Session(
                subject, algorithm, hyperparameters=hyperparameters, fixed=fixed, rename=own
            )
            recordings = list(_recordings(session))
        except (Skip, SubjectError, UsageError):
            tried += len(algorithm.dialects) or 1
            continue
        for name, model, note in _meanings(algorithm):
            tried += 1
            if all(reproduces(model, r) for r in recordings):
                matches.append(_match(name, note, session.subject))
    name = matches_name(subject)
    return Identification(name, tuple(_most_specific(matches)), tried)


def matches_name(subject: Any) -> str:
    """How the subject is called."""
    from instep.conformance.subject import name_of

    return name_of(subject)


def _algorithms() -> Iterator[Algorithm]:
    """Each specification once, through its first dialect."""
    seen: set[str] = set()
    for name in specs.names():
        algorithm = specs.get(name)
        if algorithm.spec not in seen:
            seen.add(algorithm.spec)
            first = algorithm.dialects[0] if algorithm.dialects else None
            yield algorithm.bind(first) if first is not None else algorithm


def _meanings(algorithm: Algorithm) -> Iterator[tuple[str, Model, str]]:
    for d in algorithm.dialects:
        yield d.name, Model(algorithm, options=dict(d.options)), d.note
    if not algorithm.dialects:
        yield algorithm.name, Model(algorithm), ""


def _renames(rename: Mapping[str, str], algorithm: Algorithm) -> dict[str, str]:
    """The part of `rename` that speaks of this spec's names."""
    known = {h.name for h in algorithm.hyperparameters} | {h.key for h in algorithm.hyperparameters}
    known |= {o.name for o in algorithm.options}
    return {ours: theirs for ours, theirs in rename.items() if ours in known}


def _recordings(session: Session) -> Iterator[Recording]:
    """Runs that tell dialects apart: dyadic, default-like and changing hyperparameters."""
    context = session.context
    session.run(session.ids[0])
    yield context.base
    defaults = context.probes.make(
        "defaults", values=context.probes.base, dtype=context.widest, shapes=((67,),)
    )
    yield context.record(defaults)
    other = context.probes.other_values(context.subject.naming.hyperparameters)
    if other:
        changed = context.probes.make(
            "changed", dtype=context.widest, shapes=((67,),), steps=8, changes={4: other}
        )
        try:
            yield context.record(changed)
        except Skip:
            return


def _match(name: str, note: str, subject: Subject) -> Match:
    naming = subject.naming
    keywords = {
        symbol: k.name if k.index is None else f"{k.name}[{k.index}]"
        for symbol, k in naming.hyperparameters.items()
    }
    return Match(name, keywords, naming.missing, note)


def _most_specific(matches: list[Match]) -> list[Match]:
    """Specs whose hyperparameters the subject can all set, before those that degenerate to it."""
    return sorted(matches, key=lambda m: len(m.fixed))
