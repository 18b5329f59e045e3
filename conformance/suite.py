"""One engine behind every door: a session judges one subject against one spec, check by check."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from instep import spec as specs
from instep.conformance import suites
from instep.conformance.baseline import Baseline, resolve_spec
from instep.conformance.checks import collect
from instep.conformance.checks.base import Check, Failure, Outcome, Plan, Skip
from instep.conformance.context import Context, Unexplained
from instep.conformance.diagnose import Explanation, diagnose, reproduces
from instep.conformance.errors import SubjectError, UsageError
from instep.conformance.evidence import evidence
from instep.conformance.expectations import Expectations
from instep.conformance.ids import prefix
from instep.conformance.implementations import variants
from instep.conformance.limits import limited
from instep.conformance.measuring import measured, remark
from instep.conformance.observe import Recording
from instep.conformance.report.model import Diagnosis, Report, Result
from instep.conformance.reporting import build_report
from instep.conformance.subject import Subject, UnsupportedError
from instep.conformance.surroundings import MODES, THREADS, kept
from instep.spec.model import Algorithm

# Each search costs about a second; a subject with more independent defects has other worries.
_MOST_DIAGNOSES = 3
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Case:
    """One check of a session, for runners of one's own."""

    session: Session
    id: str

    def run(self) -> Result:
        """Run it; the result is computed once."""
        return self.session.run(self.id)


class Session:
    """One subject against one spec; checks run when asked for, each once.

    Args:
        subject: a class, functools.partial or callable `(params, **keywords)` -> object with
            `step`.
        spec: public name, dialect, path of a specification file, or an Algorithm.
        hyperparameters: constructor keywords in the subject's names that certainly run.
        fixed: keywords (or symbols) that must not be varied.
        rename: {spec name: subject name} of hyperparameters and options.
        state: {spec state: path in the subject's state}.
        dialect: which meaning of the name; None for its default one.
        profile: `{"state": "bfloat16"}` if the subject keeps its state in a narrower type.
        lacks: types of parameters that the subject does not have (`float64`, `bfloat16` ...).
        level: `quick` or `full`.
        suite: which checks there are, by the name under which they were frozen.
        implementations: also judge what the constructor's own booleans switch (on at `full`).
        expected_failures: {check id: reason, or {"reason": ..., "issue": ..., "expires": day}}.
        timeout: seconds that one check may take before it counts as errored; 0 for no limit.

    Raises:
        UsageError, SpecError: what was asked for does not exist or does not fit together.
    """

    def __init__(
        self,
        subject: Any,
        spec: str | Algorithm,
        *,
        hyperparameters: Mapping[str, Any] | None = None,
        fixed: Sequence[str] = (),
        rename: Mapping[str, str] | None = None,
        state: Mapping[str, str] | None = None,
        dialect: str | None = None,
        profile: Mapping[str, str] | None = None,
        lacks: Sequence[str] = (),
        level: str = "quick",
        suite: str = suites.LATEST,
        implementations: bool | None = None,
        expected_failures: Mapping[str, Any] | None = None,
        timeout: float = 60,
    ) -> None:
        if level not in ("quick", "full"):
            raise UsageError(f"there is no level {level!r}: it is quick or full")
        frozen = suites.load(suite)
        self._timeout = timeout
        self._keywords: dict[str, Any] = {
            "spec": spec, "hyperparameters": hyperparameters, "fixed": fixed, "rename": rename,
            "state": state, "dialect": dialect, "profile": profile, "lacks": lacks, "level": level,
            "timeout": timeout, "suite": suite,
        }  # fmt: skip
        self.plan = Plan(resolve_spec(spec, dialect), level)
        self.subject = Subject(subject, self.plan.algorithm, rename)
        self.base = Baseline(self.subject, self.plan.algorithm, hyperparameters or {}, fixed)
        self.context = Context(
            self.plan, self.subject, self.base.probes(), state=state, lacks=lacks, profile=profile
        )
        self.prefix = prefix(self.plan.algorithm)
        known = list(collect(self.plan))
        if implementations if implementations is not None else self.plan.thorough:
            known += variants(self.subject, self._judge_variant)
        self.suite, self.selection = suite, frozen.select(self.plan, known)
        self.checks = {f"{self.prefix}/{c.name}": c for c in self.selection.checks}
        self.expectations = Expectations(expected_failures or {}, tuple(self.checks))
        self.explains = True  # whether failures are diagnosed, which takes longer than to find them
        self.recordings: dict[str, Recording] = {}
        self._results: dict[str, Result] = {}
        self._explanations: list[tuple[str, Explanation]] = []

    def _judge_variant(self, factory: Any) -> Report:
        """Judge another constructor under this session's keywords."""
        return Session(factory, **self._keywords, implementations=False).report()

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the checks, in order."""
        return tuple(self.checks)

    def run(self, id: str) -> Result:
        """The result of one check, which leans on those of the base run.

        Raises:
            UsageError: no check has this id.
        """
        if id not in self.checks:
            near = ", ".join(i for i in self.ids if i.split("/")[-1] == id.split("/")[-1])
            raise UsageError(f"no check {id!r}; {near or '`instep list --checks` prints them'}")
        if id not in self._results:
            # What a subject leaves behind is no business of the next check, or of who asks.
            with kept((*MODES, THREADS)):
                self._results[id] = self.expectations.apply(self._run(id))
        return self._results[id]

    def report(self, progress: Progress | None = None) -> Report:
        """Run everything and say it."""
        started = time.perf_counter()
        for k, id in enumerate(self.ids):
            if progress is not None:
                progress(k, len(self.ids), id)
            self.run(id)
        if progress is not None:
            progress(len(self.ids), len(self.ids), "")
        results = [self._results[id] for id in self.ids]
        return build_report(self, results, time.perf_counter() - started)

    def assume(self, result: Result) -> None:
        """Take a result from elsewhere for granted: its check is not run here."""
        self._results[result.id] = result

    def report_of(self, id: str) -> Report:
        """A report of one check alone; `merged` makes a whole one of those of all."""
        result = self.run(id)
        return build_report(self, [result], result.seconds)

    @property
    def diagnosis(self) -> Diagnosis | None:
        """What the subject computes instead, as far as the checks that ran can say."""
        return self._explanations[0][1].diagnosis if self._explanations else None

    def diagnosis_of(self, id: str) -> Diagnosis | None:
        """What was found to explain the failure of one check, None where another explains it."""
        return next((found.diagnosis for of, found in self._explanations if of == id), None)

    # ---- one check

    def _run(self, id: str) -> Result:
        check = self.checks[id]
        started = time.perf_counter()
        blocked = self._blocked(check)
        before = self.context.total.counted
        if blocked is not None:
            result = Result(id, check.level, "skipped", check.requirement, blocked)
        else:
            result = self._attempt(id, check)
        anchor = f"checks/#{check.name.replace('/', '-')}"
        after = self.context.total.counted
        lanes, excluded, insensitive = (b - a for a, b in zip(before, after, strict=True))
        return replace(
            result,
            seconds=time.perf_counter() - started,
            docs=anchor,
            lanes=lanes,
            excluded=excluded,
            insensitive=insensitive,
        )

    def _blocked(self, check: Check) -> str | None:
        """Why a check cannot say anything, given how the base run went."""
        first = f"{self.prefix}/construction/base"
        if check.name == "construction/base":
            return None
        if self.run(first).status == "errored":
            return f"the subject does not run at all: see {first}"
        if not check.numeric:
            self._settle()
        return None

    def _settle(self) -> None:
        """Decide what behaviour is compared with: the spec, or what the subject computes."""
        for name in ("numerics/trajectory", "numerics/defaults"):
            self.run(f"{self.prefix}/{name}")
        for id, explanation in self._explanations[:1]:
            if self.checks[id].numeric:
                self.context.explained_by(id, explanation.model)

    def _attempt(self, id: str, check: Check) -> Result:
        requirement = check.requirement

        def result(status: str, message: str, **more: Any) -> Result:
            return Result(id, check.level, status, requirement, message, **more)

        try:
            with limited(self._timeout):
                outcome = check.run(self.context)
        except (Skip, UnsupportedError) as reason:
            return result("skipped", str(reason))
        except Unexplained as reason:
            return result("failed", str(reason), consequence_of=reason.cause)
        except Failure as failure:
            return self._failed(id, check, failure)
        except SubjectError as error:
            shown = "".join(traceback.format_exception(error.__cause__ or error))
            return result("errored", _one_line(error), traceback=shown)
        return self._passed(id, check, outcome)

    def _passed(self, id: str, check: Check, outcome: Outcome) -> Result:
        tally = outcome.tally
        if check.numeric and outcome.recording is not None:
            self.context.in_step.append(outcome.recording)
        status, message = ("passed", "") if tally is None else remark(tally)
        message = message or outcome.message
        return Result(id, check.level, status, check.requirement, message, **measured(tally))

    def _failed(self, id: str, check: Check, failure: Failure) -> Result:
        cause, equation = "", ""
        recording, tally = failure.recording if self.explains else None, failure.tally
        if recording is not None and tally is not None:
            self.recordings[id] = recording
            cause, explanation = self._explain(id, recording)
            candidates = explanation.diagnosis.candidates
            equation = candidates[0].equation if candidates else ""
        shown = None
        if recording is not None and tally is not None and tally.first is not None:
            shown = evidence(self.context, tally, recording, equation)
        return Result(
            id,
            check.level,
            "failed",
            check.requirement,
            str(failure),
            evidence=shown,
            consequence_of=cause,
            **measured(tally),
        )

    def _explain(self, id: str, recording: Recording) -> tuple[str, Explanation]:
        """(the earlier failure that explains this one, or empty; what explains it)."""
        for first, known in self._explanations:
            unknown_equations = known.model is None and self.checks[first].numeric
            if unknown_equations or (known.model and reproduces(known.model, recording)):
                return first, known
        if len(self._explanations) == _MOST_DIAGNOSES:
            return "", Explanation(Diagnosis((), 0), None)
        known_runs = [recording, *self.context.in_step]
        found = diagnose(self.context.effective, known_runs, self.context.telling)
        self._explanations.append((id, found))
        return "", found


def check(subject: Any, spec: str | Algorithm, **keywords: Any) -> Report:
    """Judge a subject against a spec; the keywords are those of `Session`."""
    if keywords.get("dialect") == "any":
        return _any_dialect(subject, spec, keywords)
    return Session(subject, spec, **keywords).report()


def _any_dialect(subject: Any, spec: str | Algorithm, keywords: Mapping[str, Any]) -> Report:
    """The first dialect that the subject is in step with, else the default one's report."""
    algorithm = specs.get(spec)
    own = [d.name for d in specs.meanings(algorithm)]
    reports = []
    for name in own:
        report = Session(subject, spec, **{**keywords, "dialect": name}).report()
        if report.ok:
            return replace(report, accepted=name)
        reports.append(report)
    return (
        reports[0] if reports else Session(subject, spec, **{**keywords, "dialect": None}).report()
    )


def conformance_cases(subject: Any, spec: str | Algorithm, **keywords: Any) -> Iterator[Case]:
    """The checks of a session as cases, for runners other than pytest."""
    session = Session(subject, spec, **keywords)
    return (Case(session, id) for id in session.ids)


def catalogue(level: str = "full") -> list[tuple[str, str, str]]:
    """(id, level, requirement) of every check of every known spec."""
    out = []
    for name in specs.names():
        plan = Plan(specs.get(name), level)
        out += [(f"{name}/{c.name}", c.level, c.requirement) for c in collect(plan)]
    return out


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


__all__ = ["Case", "Session", "catalogue", "check", "conformance_cases"]
