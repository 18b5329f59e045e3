"""Which algorithm, and which dialect of it, is an unknown optimizer? Names are never looked at.

Every known dialect is held against short runs of the subject, and the few that reproduce them
against all numeric checks. A dialect is named only if it reproduces everything within bounds;
otherwise nothing is known: no guess is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from instep import spec as specs
from instep.conformance import keywords
from instep.conformance.checks.base import Skip
from instep.conformance.checks.hyperparameters import scale_state
from instep.conformance.diagnose import contradicts, reproduces
from instep.conformance.errors import SubjectError, UsageError
from instep.conformance.naming import Keyword, infer_naming, signature
from instep.conformance.observe import Recording
from instep.conformance.oracle import Model
from instep.conformance.shared_runs import SharedRuns
from instep.conformance.subject import Subject, name_of
from instep.conformance.suite import Session
from instep.spec.arguments import OptionValue
from instep.spec.model import Algorithm, Dialect

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Match:
    """A dialect that reproduces every run.

    Attributes:
        name: of the dialect.
        hyperparameters: {spec symbol: subject's keyword}.
        fixed: symbols that the subject cannot set, which agree at their defaults.
        note: what the dialect says of itself.
        other: {keyword: default} of numbers that the dialect knows nothing of.
        failing: numeric checks that it fails nevertheless, at corners that the runs leave out.
        settings: {keyword: value} that make the subject this dialect rather than another one with
            the same equations, where its own defaults do not.
        options: {keyword: value} that the subject has fixed otherwise than the dialect does.
    """

    name: str
    hyperparameters: Mapping[str, str]
    fixed: tuple[str, ...]
    note: str
    other: Mapping[str, Any] = field(default_factory=dict)
    failing: tuple[str, ...] = ()
    settings: Mapping[str, float] = field(default_factory=dict)
    options: Mapping[str, OptionValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Identification:
    """All dialects that a subject is in step with, and how many were tried.

    Attributes:
        subject: how a report calls it.
        matches: those that the subject can be set up as most freely first.
        tried: number of dialects.
        reason: why nothing could be tried, where the subject does not run at all.
    """

    subject: str
    matches: tuple[Match, ...]
    tried: int
    reason: str = ""

    def to_text(self) -> str:
        """A line per match, or that nothing is known."""
        if not self.matches:
            why = self.reason or f"{self.tried} dialects tried"
            return f"{self.subject}: nothing known ({why})\n"
        lines = [f"{self.subject} is in step with"]
        for m in self.matches:
            lines.append(f"  {m.name}  {m.note}".rstrip())
            lines += [f"    {label}: {text}" for label, text in remarks(m)]
        return "\n".join(lines) + "\n"

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "subject": self.subject,
            "tried": self.tried,
            "reason": self.reason,
            "matches": [
                {
                    "name": m.name,
                    "hyperparameters": dict(m.hyperparameters),
                    "fixed": list(m.fixed),
                    "note": m.note,
                    "other": {k: repr(v) for k, v in m.other.items()},
                    "failing": list(m.failing),
                    "settings": dict(m.settings),
                    "options": dict(m.options),
                }
                for m in self.matches
            ],
        }


def remarks(match: Match) -> Iterator[tuple[str, str]]:
    """(label, text) of what there is to say about a match."""
    names = ", ".join(f"{ours} = {theirs}" for ours, theirs in match.hyperparameters.items())
    yield "matched", names or "no hyperparameter"
    if match.fixed:
        yield "cannot set", ", ".join(match.fixed)
    if match.options:
        yield "but with", ", ".join(f"{k} = {v}" for k, v in match.options.items())
    if match.other:
        yield "left alone", ", ".join(f"{k} = {v!r}" for k, v in match.other.items())
    if match.settings:
        text = ", ".join(f"{k} = {v:g}" for k, v in match.settings.items())
        yield "by setting", f"{text}; nothing else tells it from another dialect"
    if match.failing:
        yield "but fails", ", ".join(match.failing)


def identify(
    subject: Any,
    *,
    hyperparameters: Mapping[str, Any] | None = None,
    fixed: Sequence[str] = (),
    rename: Mapping[str, str] | None = None,
    among: Sequence[str] = (),
    progress: Progress | None = None,
) -> Identification:
    """Name the dialects that a subject is in step with.

    Args:
        subject: as for `check`.
        hyperparameters: constructor keywords that certainly run.
        fixed: keywords that must not be varied.
        rename: {spec name: subject name}; names that no alias tells are tried out.
        among: names of the specs to try; all of them if there are none.
        progress: called with (specs done, of how many, name of the next).
    """
    search = _Search(subject, dict(hyperparameters or {}), tuple(fixed), dict(rename or {}))
    algorithms = list(_algorithms(among or specs.names()))
    for k, algorithm in enumerate(algorithms):
        if progress is not None:
            progress(k, len(algorithms), algorithm.name)
        search.try_specification(algorithm)
    if progress is not None:
        progress(len(algorithms), len(algorithms), "")
    reason = "" if search.ran else search.refusal
    return Identification(name_of(subject), search.best(), search.tried, reason)


def _algorithms(names: Sequence[str]) -> Iterator[Algorithm]:
    """Everything that the names mean, each set of equations once, through its first dialect."""
    seen: set[tuple[Dialect, ...]] = set()
    for name in names:
        named = specs.get(name)
        if not named.dialects:
            yield named
        # A name may have meanings with equations of their own: Ranger, with and without centring.
        for dialect in specs.meanings(named):
            algorithm = named if dialect in named.dialects else specs.get(dialect.name)
            if algorithm.dialects not in seen:
                seen.add(algorithm.dialects)
                yield algorithm.bind(algorithm.dialects[0])


def _meanings(algorithm: Algorithm) -> Iterator[Algorithm]:
    """The algorithm through each of its dialects."""
    if not algorithm.dialects:
        yield algorithm
    yield from (algorithm.bind(d) for d in algorithm.dialects)


@dataclass
class _Search:
    """One subject, and what was found so far.

    Attributes:
        tried: dialects that were looked at.
        ran: whether the subject made a step for any specification.
        refusal: what it raised, until it does.
    """

    subject: Any
    hyperparameters: dict[str, Any]
    fixed: tuple[str, ...]
    rename: dict[str, str]
    tried: int = 0
    ran: bool = False
    refusal: str = ""
    matches: list[Match] = field(default_factory=list)
    runs: SharedRuns = field(default_factory=SharedRuns)

    def try_specification(self, algorithm: Algorithm) -> None:
        """Add the dialects of one specification that the subject is in step with."""
        meanings = list(_meanings(algorithm))
        self.tried += len(meanings)
        own = _renames(self.rename, algorithm)
        guesses = keywords.guesses(self.subject, algorithm, own)
        for rename in ({}, *guesses):
            found = [
                match
                for meaning in self._reproducing(algorithm, meanings, {**own, **rename})
                if (match := self._confirmed(meaning, {**own, **rename})) is not None
            ]
            if found:
                self.matches += found
                return

    def _reproducing(
        self, algorithm: Algorithm, meanings: Sequence[Algorithm], rename: Mapping[str, str]
    ) -> Iterator[Algorithm]:
        """The dialects that reproduce the subject's runs."""
        usual = self._session(algorithm, rename)
        for meaning in meanings:
            session = usual
            # Some admit only what others refuse (nesterov needs a momentum), read what others do
            # not, or have other values for what the subject cannot set.
            if session is None or _differs(session, meaning, rename):
                session = self._session(meaning, rename)
            if session is not None and any(
                _reproduced(m, session) for m in _models(meaning, session)
            ):
                yield meaning

    def _session(self, algorithm: Algorithm, rename: Mapping[str, str]) -> Session | None:
        """A session whose subject runs, None if it does not."""
        try:
            session = Session(
                self.subject,
                algorithm,
                hyperparameters=self.hyperparameters,
                fixed=self.fixed,
                rename=rename,
                timeout=20,
            )
            session.context.run, session.explains = self.runs, False
            result = session.run(session.ids[0])
        except (Skip, SubjectError, UsageError, ValueError) as error:
            self.refusal = self.refusal or " ".join(str(error).split())
            return None
        if result.status != "passed":
            self.refusal = self.refusal or result.message
            return None
        self.ran = True
        return session

    def _confirmed(self, meaning: Algorithm, rename: Mapping[str, str]) -> Match | None:
        """The match of a dialect, None if a numeric check of the base configuration fails."""
        session = self._session(meaning, rename)
        if session is None:
            return None
        failing = []
        for id, check in session.checks.items():
            numeric = check.numeric and check.level == "must"
            if numeric and session.run(id).status in ("failed", "errored"):
                if check.name in ("numerics/trajectory", "numerics/defaults"):
                    return None
                failing.append(check.name)
        return _match(meaning, session, tuple(sorted(failing)))

    def best(self) -> tuple[Match, ...]:
        """The matches that fail no check, if there are any, and of those the dialects as they are.

        The freest first, which says most.
        """
        found = [m for m in self.matches if not m.failing] or self.matches
        found = [m for m in found if not m.options] or found
        return tuple(sorted(found, key=_distance))


def _distance(match: Match) -> tuple[int, int, int]:
    """What is left alone, what cannot be set, and what has to be."""
    return len(match.other), len(match.fixed), len(match.settings)


def _renames(rename: Mapping[str, str], algorithm: Algorithm) -> dict[str, str]:
    """The part of `rename` that speaks of this spec's names."""
    known = {h.name for h in algorithm.hyperparameters} | {h.key for h in algorithm.hyperparameters}
    known |= {o.name for o in algorithm.options}
    return {ours: theirs for ours, theirs in rename.items() if ours in known}


def _differs(session: Session, meaning: Algorithm, rename: Mapping[str, str]) -> bool:
    """Whether a dialect reads what was not set, or has other defaults for what cannot be set."""
    ours, theirs = session.base.values, meaning.defaults()
    own = infer_naming(session.subject.factory, meaning, rename)
    if own.hyperparameters.keys() - session.subject.naming.hyperparameters.keys():
        return True
    return any(ours[name] != theirs[name] for name in own.missing)


def _models(meaning: Algorithm, session: Session) -> Iterator[Model]:
    """The dialect as it is, then with the options that the subject has fixed; rest as probed."""
    own = {k: v for k, v in meaning.option_defaults().items() if k in _telling(meaning)}
    yield Model(meaning, options=own)
    if _chosen(meaning, session):
        naming = session.subject.naming
        bound = {k for k, name in naming.options.items() if name in naming.bound}
        yield Model(meaning, options={k: v for k, v in own.items() if k not in bound})


def _telling(meaning: Algorithm) -> set[str]:
    """Options that tell dialects apart."""
    return {name for d in meaning.dialects for name, _ in d.options}


def _chosen(meaning: Algorithm, session: Session) -> dict[str, OptionValue]:
    """{keyword: value} of such options that the subject has fixed otherwise than the dialect."""
    naming, own = session.subject.naming, meaning.option_defaults()
    fixed = {k: name for k, name in naming.options.items() if name in naming.bound}
    given = {k: v for k, v in session.base.options.items() if k in fixed and k in _telling(meaning)}
    return {fixed[k]: v for k, v in given.items() if v != own[k]}


def _reproduced(model: Model, session: Session) -> bool:
    """Whether a model reproduces the run that tells dialects apart, and no other rules it out.

    At the defaults of a product of matrices in bfloat16 no lane can be judged.
    """
    try:
        others = _recordings(session)
        # To save time: most models are ruled out by the first step of a small parameter.
        if contradicts(model, next(others)) or not reproduces(model, session.context.base):
            return False
        return not any(contradicts(model, recording) for recording in others)
    except (Skip, SubjectError, ValueError):
        return False


def _recordings(session: Session) -> Iterator[Recording]:
    """Runs beside the base run: a short one, with default-like and with changing hyperparameters.

    Each is made only when it is asked for. A subject whose groups cannot be changed, or that raises
    once they are, has no last one.
    """
    context = session.context
    probes = context.probes
    yield context.record(probes.make("short", dtype=context.widest, shapes=((67,),), steps=2))
    yield context.record(
        probes.make("defaults", values=probes.base, dtype=context.widest, shapes=((67,),))
    )
    # Changes of decay rates of moments show how a state is kept, not what is computed.
    names = context.subject.naming.hyperparameters
    scales = scale_state(context.algorithm)
    other = probes.other_values(n for n in names if n not in scales)
    if other:
        changes = {4: other}
        changed = probes.make(
            "changed", dtype=context.widest, shapes=((67,),), steps=8, changes=changes
        )
        try:
            run = context.record(changed)
        except (Skip, SubjectError):
            return
        yield run


def _match(meaning: Algorithm, session: Session, failing: tuple[str, ...]) -> Match:
    subject, naming = session.subject, session.subject.naming
    named = {symbol: _shown(keyword) for symbol, keyword in naming.hyperparameters.items()}
    note = meaning.dialect.note if meaning.dialect is not None else ""
    used = {k.name for k in naming.hyperparameters.values()} | set(naming.options.values())
    other = {k: v for k, v in keywords.numbers(subject.factory).items() if k not in used}
    settings = _settings(meaning, subject)
    options = _chosen(meaning, session)
    return Match(meaning.full_name, named, naming.missing, note, other, failing, settings, options)


def _shown(keyword: Keyword) -> str:
    return keyword.name if keyword.index is None else f"{keyword.name}[{keyword.index}]"


def _settings(meaning: Algorithm, subject: Subject) -> dict[str, float]:
    """Values of a dialect that its equations do not tell, where the subject has other defaults."""
    known, _ = signature(subject.factory)
    given = {**{k: v for k, v in known.items() if v is not None}, **subject.naming.bound}
    own, wanted = subject.naming.read(meaning, given), meaning.defaults()
    return {
        _shown(subject.naming.hyperparameters[symbol]): wanted[symbol]
        for symbol in _told_by_value(meaning)
        if symbol in own and own[symbol] != wanted[symbol]
    }


def _told_by_value(meaning: Algorithm) -> list[str]:
    """Symbols whose defaults differ between dialects that have all options in common."""
    options, own = meaning.option_defaults(), meaning.defaults()
    alike = [a for a in _meanings(meaning) if a.option_defaults() == options]
    return [symbol for symbol in own if any(a.defaults()[symbol] != own[symbol] for a in alike)]
