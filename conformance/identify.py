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
from instep.conformance.subject import Subject, name_of
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
    keywords = {"hyperparameters": hyperparameters, "fixed": fixed}
    for algorithm in _algorithms():
        own = _renames(rename or {}, algorithm)
        usual = _attempt(subject, algorithm, {**keywords, "rename": own})
        for meaning in _meanings(algorithm):
            tried += 1
            # Some dialects admit only what others refuse (nesterov needs a momentum).
            runs = usual or _attempt(subject, meaning, {**keywords, "rename": own})
            if runs is not None and all(reproduces(_model(meaning), r) for r in runs[1]):
                matches.append(_match(meaning, runs[0].subject))
    return Identification(name_of(subject), tuple(_most_specific(matches)), tried)


def _attempt(
    subject: Any, algorithm: Algorithm, keywords: dict[str, Any]
) -> tuple[Session, list[Recording]] | None:
    """The subject's runs on the probes of one dialect, None if it does not run on them."""
    try:
        session = Session(subject, algorithm, **keywords)
        return session, list(_recordings(session))
    except (Skip, SubjectError, UsageError):
        return None


def _algorithms() -> Iterator[Algorithm]:
    """Each specification once, through its first dialect."""
    seen: set[str] = set()
    for name in specs.names():
        algorithm = specs.get(name)
        if algorithm.spec not in seen:
            seen.add(algorithm.spec)
            first = algorithm.dialects[0] if algorithm.dialects else None
            yield algorithm.bind(first) if first is not None else algorithm


def _meanings(algorithm: Algorithm) -> Iterator[Algorithm]:
    """The algorithm through each of its dialects."""
    if not algorithm.dialects:
        yield algorithm
    yield from (algorithm.bind(d) for d in algorithm.dialects)


def _model(meaning: Algorithm) -> Model:
    """A dialect's own value of the options that tell dialects apart; the rest as probed."""
    telling = {name for d in meaning.dialects for name, _ in d.options}
    options = {k: v for k, v in meaning.option_defaults().items() if k in telling}
    return Model(meaning, options=options)


def _renames(rename: Mapping[str, str], algorithm: Algorithm) -> dict[str, str]:
    """The part of `rename` that speaks of this spec's names."""
    known = {h.name for h in algorithm.hyperparameters} | {h.key for h in algorithm.hyperparameters}
    known |= {o.name for o in algorithm.options}
    return {ours: theirs for ours, theirs in rename.items() if ours in known}


def _recordings(session: Session) -> Iterator[Recording]:
    """Runs that tell dialects apart: dyadic, default-like and changing hyperparameters."""
    context = session.context
    if session.run(session.ids[0]).status != "passed":
        raise Skip("it does not run")
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


def _match(meaning: Algorithm, subject: Subject) -> Match:
    naming = subject.naming
    keywords = {
        symbol: k.name if k.index is None else f"{k.name}[{k.index}]"
        for symbol, k in naming.hyperparameters.items()
    }
    note = meaning.dialect.note if meaning.dialect is not None else ""
    return Match(meaning.full_name, keywords, naming.missing, note)


def _most_specific(matches: list[Match]) -> list[Match]:
    """Specs whose hyperparameters the subject can all set, before those that degenerate to it."""
    return sorted(matches, key=lambda m: len(m.fixed))
