"""What a check of a scheduler is, what it may use, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from instep.conformance.errors import SubjectError
from instep.conformance.schedules.judge import Judgement, judgements
from instep.conformance.schedules.oracle import Form, forms
from instep.conformance.schedules.probes import Probe, ProbeFactory
from instep.conformance.schedules.subject import Recording, Subject, record
from instep.conformance.verdict import Tally
from instep.spec.model import Algorithm


class Skip(Exception):  # noqa: N818 - a signal, not an error
    """The check does not apply; the message is the reason."""


class Failure(Exception):  # noqa: N818 - a verdict, not an error
    """The requirement is not met.

    Args:
        message: what was observed against what is required.
        judgement: the numbers that show it.
        recording: the run that shows it.
    """

    def __init__(
        self,
        message: str,
        judgement: Judgement | None = None,
        recording: Recording | None = None,
    ) -> None:
        super().__init__(message)
        self.judgement, self.recording = judgement, recording


@dataclass
class Outcome:
    """A check that ran to its end: what it compared, and what it observed."""

    tally: Tally | None = None
    message: str = ""


@dataclass
class Context:
    """One subject, one specification, one base configuration.

    `admissible` are the forms that all runs so far are in step with, `in_step` those runs.
    """

    algorithm: Algorithm
    subject: Subject
    probes: ProbeFactory
    level: str = "quick"
    admissible: list[Form] = field(default_factory=list)
    in_step: list[Recording] = field(default_factory=list)
    _recordings: dict[str, Recording | Exception] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.admissible = self.admissible or forms(self.algorithm)

    def record(self, probe: Probe) -> Recording:
        """The run of a probe, made once; an error of the subject is raised each time."""
        if probe.name not in self._recordings:
            try:
                self._recordings[probe.name] = record(self.subject, probe)
            except SubjectError as error:
                self._recordings[probe.name] = error
        kept = self._recordings[probe.name]
        if isinstance(kept, Exception):
            raise kept
        return kept

    @property
    def base(self) -> Probe:
        """The base probe.

        Raises:
            Skip: the requirements of the specification do not admit it.
        """
        return required(self.probes.make("dyadic"))

    def require(self, probe: Probe | None) -> Outcome:
        """A run that must be in step with a form that all runs before were in step with."""
        recording = self.record(required(probe))
        found = judgements(self.admissible, recording)
        good = [j for j in found if not j.out]
        if not good:
            raise Failure("the rates leave those of the specification", found[0], recording)
        self.admissible = [form for form in self.admissible if any(j.form is form for j in good)]
        self.in_step.append(recording)
        return Outcome(good[0].tally)


def required(probe: Probe | None) -> Probe:
    """The probe, if there is one."""
    if probe is None:
        raise Skip("the requirements of the specification do not admit it")
    return probe


@dataclass(frozen=True)
class Check:
    """One requirement and the code that looks whether it is met.

    Attributes:
        name: `<topic>/<name>`, of [a-z0-9.-] only.
        level: must, should or info.
        requirement: one sentence.
        run: returns an Outcome, or raises Skip or Failure.
        kind: the name with what the specification brings left open, empty where it brings nothing.
    """

    name: str
    level: str
    requirement: str
    run: Callable[[Context], Outcome]
    kind: str = ""
