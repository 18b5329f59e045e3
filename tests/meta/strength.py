"""How strong the suite is: what becomes of every mutant of a specification."""

from __future__ import annotations

import functools
import re
import zlib
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from instep.conformance.checks.base import Check, Failure, Skip
from instep.conformance.errors import SubjectError
from instep.conformance.mutate import Mutant, mutants
from instep.conformance.oracle import Model, trajectory
from instep.conformance.subject import Subject, run
from instep.conformance.suite import Session
from instep.conformance.verdict import Severity, Tally
from instep.spec.algebra import equal
from instep.spec.arguments import OptionValue
from instep.spec.model import Algorithm
from instep.spec.options import live_states, open_choices, resolve
from meta.interpreted import subject

STATUSES = ("killed", "advised", "equivalent", "undecided", "survived")


@dataclass(frozen=True)
class Fate:
    """What became of a mutant.

    Attributes:
        mutant: the mutant.
        algorithm: what it is a mutant of.
        status: killed by a MUST check, or by a SHOULD check only (advised), equivalent or
            undecided; survived is a hole in the suite.
        by: the check that failed, or what was proved or found by the algebra.
    """

    mutant: Mutant
    algorithm: Algorithm
    status: str
    by: str

    def __str__(self) -> str:
        name = self.algorithm.full_name
        return f"{self.status}: {name} {self.mutant.name}: {self.mutant.description} [{self.by}]"

    @property
    def kind(self) -> str:
        """The kind of mistake, without the names of this algorithm's symbols."""
        own = {h.name: "hyperparameter" for h in self.algorithm.hyperparameters}
        own |= {s.name: "state" for s in self.algorithm.states}
        text = "".join(own.get(w, w) for w in re.split(r"(\W+)", self.mutant.kind))
        text = re.sub(r"starts at .*", "starts elsewhere", text)
        return re.sub(r"ignored, .* used instead", "ignored, its default used", text)


class Judge:
    """Decides about mutants of one algorithm.

    The oracle's own run on the first probe is the same for every mutant, so it is made once.
    """

    def __init__(self, algorithm: Algorithm) -> None:
        self.algorithm = algorithm
        session = Session(subject(Model(algorithm)), algorithm)
        base = session.context.base
        self.probes = session.context.probes
        self.prefix, self.probe = session.prefix, base.probe
        profile = session.context.profiles(base.probe.dtype)[-1]
        self.expected = list(trajectory(session.context.model, base, profile))
        factory, self._options_seen = _with_options_seen(Model(algorithm))
        self._right, self._found = Session(factory, algorithm), dict[str, tuple[bool, bool]]()

    def fate(self, mutant: Mutant) -> Fate:
        """Killed by a check, else proved equivalent, else undecided, else a hole."""
        try:
            by = self._killer(mutant)
        except SubjectError:
            by = f"{self.prefix}/construction/base or the first numeric check, which is errored"
        if by:
            return Fate(mutant, self.algorithm, "killed", by)
        wrong = {*mutant.model.frozen, *(mutant.model.distort or {})}
        status, why = self._of_values(wrong) if wrong else self.of_equations(mutant)
        if status == "equivalent":
            return Fate(mutant, self.algorithm, status, why)
        advice = self._killer(mutant, level="should")
        return Fate(mutant, self.algorithm, *(("advised", advice) if advice else (status, why)))

    def _killer(self, mutant: Mutant, level: str = "must") -> str:
        """The first check of a level that tells.

        Where only an argument leads to the mistake, only checks that give this argument can tell.
        """
        opened = self.opens(mutant)
        if level == "must" and not opened and (by := self.leaves_trajectory(mutant.model)):
            return by
        among = self._giving_options if opened else None
        failing = killers(mutant.model, self.algorithm, level, among)
        return next(filter(self.tells, failing), "")

    def opens(self, mutant: Mutant) -> bool:
        """Whether the mistake stands where only an argument leads."""
        return self._as_constructed(mutant.model) == self._as_constructed(Model(self.algorithm))

    def _as_constructed(self, model: Model) -> Model:
        """What a subject without further arguments computes."""
        options, a = self.algorithm.option_defaults(), model.algorithm
        states = tuple(a.state(name) for name in live_states(a, options))
        return replace(model, algorithm=replace(a, body=resolve(a.body, options), states=states))

    @functools.cached_property
    def _giving_options(self) -> frozenset[str]:
        """Checks whose subject gets other options than those of the dialect."""
        return frozenset(n for n in self._right.checks if self._on_the_specification(n)[1])

    def tells(self, name: str) -> bool:
        """Whether a check passes on the specification itself: only then it tells of a mistake.

        Raises:
            AssertionError: a check that must pass does not.
        """
        passes, _ = self._on_the_specification(name)
        level = self._right.checks[name].level
        assert passes or level != "must", f"{self.algorithm.full_name} itself fails {name}"
        return passes

    def _on_the_specification(self, name: str) -> tuple[bool, bool]:
        """Whether a check passes on what has no mistake, and whether it gives other options."""
        if name not in self._found:
            self._options_seen.clear()
            passes = not fails(self._right.checks[name], self._right)
            own = self.algorithm.option_defaults()
            self._found[name] = passes, any(options != own for options in self._options_seen)
        return self._found[name]

    def of_equations(self, mutant: Mutant) -> tuple[str, str]:
        """With the options of the dialect, and with each that an argument opens."""
        proofs = []
        for opened in [{}, *({name: value} for name, value in open_choices(self.algorithm))]:
            wrong, right = (
                a.with_options(opened) for a in (mutant.model.algorithm, self.algorithm)
            )
            verdict = equal(wrong, right)
            if verdict.proof is None:
                status = "survived" if verdict.status == "different" else "undecided"
                return status, f"{opened or ''} {verdict.to_text()}".strip()
            proofs.append(verdict.proof.steps[-1].text)
        return "equivalent", max(proofs, key=len)

    def _of_values(self, wrong: set[str]) -> tuple[str, str]:
        """Of a mutant that has its equations right, but hyperparameters wrong."""
        if not self.probes.other_values(wrong, whole=True):
            return "equivalent", "no other value is admissible"
        return "survived", "a value is wrong, no equation"

    def leaves_trajectory(self, model: Model) -> str:
        """`numerics/trajectory` where it fails, found without a session."""
        recording = run(Subject(subject(model), self.algorithm), self.probe)
        tally = Tally(widest=True)
        for moment, step in zip(recording.moments[1:], self.expected, strict=True):
            for lanes in step:
                tally.add(replace(lanes, got=moment.parameters[lanes.parameter]))
            if tally.severity is Severity.OUT:
                return f"{self.prefix}/numerics/trajectory"
        return ""


def _with_options_seen(model: Model) -> tuple[Any, list[dict[str, OptionValue]]]:
    """The subject of a model, and a list that gets the options of each that is constructed."""
    construct, seen = subject(model), []

    @functools.wraps(construct)
    def noting(params: Any, **keywords: Any) -> Any:
        optimizer = construct(params, **keywords)
        seen.append(optimizer.options)
        return optimizer

    return noting, seen


def killer(model: Model, algorithm: Algorithm) -> str:
    """The first check that must pass and fails on a subject that computes `model`, or nothing."""
    return next(killers(model, algorithm), "")


def killers(
    model: Model, algorithm: Algorithm, level: str = "must", among: Container[str] | None = None
) -> Iterator[str]:
    """The checks of a level that fail on a subject that computes `model`.

    Checks are run as a session runs them, without diagnoses. A step that raises raises here.
    """
    session = Session(subject(model), algorithm)
    for name, check in sorted(session.checks.items(), key=_likely_first):
        if check.level == level and (among is None or name in among) and fails(check, session):
            yield name


def _likely_first(item: tuple[str, Check]) -> int:
    """What catches the mutants that a trajectory does not show comes first, to save time."""
    order = ("options", "groups", "gradients", "hyperparameters")
    topic = item[1].name.split("/")[0]
    return order.index(topic) if topic in order else len(order)


def fails(check: Check, session: Session) -> bool:
    """Whether a check fails, run as its session would run it."""
    try:
        outcome = check.run(session.context)
    except Skip:
        return False
    except Failure:
        return True
    if check.numeric and outcome.recording is not None:
        session.context.in_step.append(outcome.recording)
    return False


def all_mutants(algorithm: Algorithm) -> Iterator[Mutant]:
    """Mutants under the algorithm's own options, then those in branches that its options open."""
    seen = set()
    for opened in [{}, *({name: value} for name, value in open_choices(algorithm))]:
        for m in mutants(algorithm.with_options(opened)):
            # The subject has the mistake whatever its options are.
            closed = replace(m.model.algorithm, options=algorithm.options)
            # Mistakes of one name may stand in different places; one place is seen through many
            # options.
            key = (m.name, m.description, closed.body, closed.states)
            if key not in seen:
                seen.add(key)
                yield replace(m, model=replace(m.model, algorithm=closed))


def sample(found: Iterable[Mutant], share: int) -> list[Mutant]:
    """One mutant in `share`, the same ones every time."""
    return [m for m in found if _by_chance(m) % share == 0]


def few(found: Iterable[Mutant], count: int) -> list[Mutant]:
    """So many mutants by chance, the same ones every time."""
    return sorted(found, key=_by_chance)[:count]


def _by_chance(mutant: Mutant) -> int:
    return zlib.crc32(f"{mutant.name}{mutant.description}".encode())


def table(fates: Iterable[Fate]) -> str:
    """Counts by kind of mistake and by status, the frequent kinds first."""
    kinds: dict[str, Counter[str]] = {}
    for f in fates:
        kinds.setdefault(f.kind, Counter())[f.status] += 1
    rows = sorted(kinds.items(), key=lambda item: (-item[1].total(), item[0]))
    total: Counter[str] = sum((c for _, c in rows), Counter())
    head = f"{'kind of mistake':<68}" + "".join(f"{s:>11}" for s in STATUSES)
    lines = [
        f"{kind:<68}" + "".join(f"{counts[s] or '.':>11}" for s in STATUSES)
        for kind, counts in [*rows, ("all", total)]
    ]
    return "\n".join([head, *lines])
