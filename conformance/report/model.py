"""What a check says: results, the evidence of a failure, the diagnosis, and what was not seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LEVELS = ("must", "should", "info")
OUT_OF_STEP, NOT_JUDGED, IN_STEP = "OUT OF STEP", "NOT JUDGED", "IN STEP"
VERDICTS = (OUT_OF_STEP, NOT_JUDGED, IN_STEP)  # the worst first
STATUSES = ("passed", "failed", "errored", "skipped", "xfailed", "xpassed", "insensitive")


@dataclass(frozen=True, slots=True)
class Evidence:
    """One lane that shows a numeric failure.

    Attributes:
        equation: `adamw.denominator`, the equation that the diagnosis holds responsible, or the one
            that defines the quantity.
        quantity: state symbol, or `theta` for the parameter.
        probe: name of the probe.
        dtype: type of the parameters, empty for a number of a schedule.
        step: counted from 1.
        parameter: index of the parameter.
        lane: flat index in it.
        size: lanes of that parameter.
        lanes_out: lanes out of step at that step, over all parameters.
        lanes_seen: lanes that could have shown it.
        condition: what the lanes have in common, or empty.
        expected, bound, got: the lane's numbers; under the norm-wise spread, `bound` is that of the
            whole tensor and the lane the one that is furthest off.
        ratio: |got - expected| / bound, of the lane or in the norm of the whole tensor.
        first_wrong: the first wrong quantity in data-flow order, in words.
        hyperparameters: as the subject was constructed, in its own names.
        yardstick: what the ratio is measured in, `bound` or `norm-wise spread`.
    """

    equation: str
    quantity: str
    probe: str
    dtype: str
    step: int
    parameter: int
    lane: int
    size: int
    lanes_out: int
    lanes_seen: int
    condition: str
    expected: float
    bound: float
    got: float
    ratio: float
    first_wrong: str
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    yardstick: str = "bound"


@dataclass(frozen=True, slots=True)
class Candidate:
    """What reproduces the subject's numbers: a named dialect, other options, or a mutant."""

    kind: str
    name: str
    description: str
    equation: str
    ratio: float
    dialect: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the subject computes instead: all that reproduces it, the likeliest first."""

    candidates: tuple[Candidate, ...]
    searched: int

    def __str__(self) -> str:
        if not self.candidates:
            return f"nothing known reproduces these numbers ({self.searched} candidates tried)"
        first = self.candidates[0]
        text = f"{first.kind} {first.name}: {first.description}".rstrip(": ")
        rest = ", ".join(c.name for c in self.candidates[1:])
        return f"{text} (also: {rest})" if rest else text


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one check.

    `sensitivity` is 2 bounds over the update, the smallest relative error that the check could see;
    `yardstick` says what it measured with, `worst` how far off the worst lane was, and `by_step`
    the worst of every step, not a number where none could be judged; `lanes` were compared,
    `excluded` have no bound and `insensitive` are too coarse to show anything; `consequence_of`
    names the failed check that explains this one.
    """

    id: str
    level: str
    status: str
    requirement: str
    message: str = ""
    sensitivity: float | None = None
    evidence: Evidence | None = None
    consequence_of: str = ""
    traceback: str = ""
    seconds: float = 0.0
    worst: float | None = None
    docs: str = ""
    yardstick: str = ""
    by_step: tuple[float, ...] = ()
    lanes: int = 0
    excluded: int = 0
    insensitive: int = 0


@dataclass(frozen=True, slots=True)
class Coverage:
    """What ran, what did not and why, and what this run could not have seen.

    `newer` are names of checks that are left out because they are newer than the suite, `gone` of
    those that the suite has and that exist no more.
    """

    expected: int
    ran: int
    skipped: tuple[tuple[str, str], ...] = ()
    unseen: tuple[str, ...] = ()
    lanes: int = 0
    excluded: int = 0
    insensitive: int = 0
    newer: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


class OutOfStepError(AssertionError):
    """Raised by `Report.raise_for_failures`; the message is the report."""


@dataclass(frozen=True)
class Report:
    """The verdict on a subject.

    Attributes:
        subject: how the subject is called.
        spec: public name and dialect it was held against (`adamw/torch`), and version.
        level: `quick` or `full`.
        results: one per check, in order.
        diagnosis: what the subject computes instead, None while it is in step.
        coverage: what ran and what could not be seen.
        mapping: how hyperparameters and states were matched, one line each.
        grades: the strictest precision profile that fits, by parameter type.
        configuration: the base configuration, in the subject's names.
        environment: versions of instep, torch, numpy, python, and the platform.
        reproduction: a self-contained script for the first failure, or empty.
        seconds: how long the checks took.
        accepted: the dialect that is in step, when any was accepted.
        suite: the name under which the checks were frozen, or `latest`.
        invocation: options that name subject and spec, `--subject m:A --spec adamw`.
    """

    subject: str
    spec: str
    version: int
    level: str
    results: tuple[Result, ...]
    diagnosis: Diagnosis | None
    coverage: Coverage
    mapping: tuple[str, ...] = ()
    grades: Mapping[str, str] = field(default_factory=dict)
    configuration: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    reproduction: str = ""
    seconds: float = 0.0
    accepted: str = ""
    suite: str = "latest"
    invocation: str = ""

    @property
    def ok(self) -> bool:
        """No MUST check failed or errored."""
        return not any(
            r.level == "must" and r.status in ("failed", "errored") for r in self.results
        )

    @property
    def failures(self) -> tuple[Result, ...]:
        """Failed and errored checks of every level, causes before consequences."""
        bad = [r for r in self.results if r.status in ("failed", "errored")]
        return tuple(sorted(bad, key=lambda r: (LEVELS.index(r.level), bool(r.consequence_of))))

    @property
    def checks(self) -> str:
        """Which checks were asked for: the level, and the suite if it is a frozen one."""
        return f"level {self.level}" + (f" of suite {self.suite}" if self.suite != "latest" else "")

    @property
    def verdict(self) -> str:
        """One of VERDICTS; a run in which no MUST check passed has judged nothing."""
        if not self.ok:
            return OUT_OF_STEP
        decided = any(r.level == "must" and r.status == "passed" for r in self.results)
        return IN_STEP if decided else NOT_JUDGED

    @property
    def dialect(self) -> str:
        """What it was held against: the dialect that was accepted, where any was."""
        return self.accepted or self.spec

    @property
    def against(self) -> str:
        """The same with the version of the specification: `adamw/torch@1`."""
        return f"{self.dialect}@{self.version}"

    def count(self, status: str, level: str | None = None) -> int:
        """How many checks have a status, of a level or of all."""
        return sum(r.status == status and level in (None, r.level) for r in self.results)

    def to_json(self) -> str:
        """The report as JSON; what JSON cannot hold is a string, evidence carries hex floats."""
        from instep.conformance.report.json import to_json

        return to_json(self)

    def to_html(self) -> str:
        """The report as one HTML page with plots, which needs nothing else.

        Raises:
            UsageError: matplotlib is not installed.
        """
        from instep.conformance.report.html import to_html

        return to_html([self])

    def to_markdown(self) -> str:
        """The report as markdown, for a pull request or the summary of a CI job."""
        from instep.conformance.report.markdown import to_markdown

        return to_markdown([self])

    def to_text(self, width: int = 80) -> str:
        """The report as plain text, as the terminal shows it."""
        from instep.conformance.report.terminal import to_text

        return to_text(self, width)

    def raise_for_failures(self) -> None:
        """Raise OutOfStepError with the report if it is not ok."""
        if not self.ok:
            raise OutOfStepError(self.to_text())
