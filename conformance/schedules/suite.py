"""One scheduler against one specification: the session, and `check_scheduler`."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

from instep import spec as specs
from instep.conformance import suites
from instep.conformance.baseline import resolve_spec
from instep.conformance.checks.base import Plan
from instep.conformance.errors import SubjectError, UsageError
from instep.conformance.expectations import Expectations
from instep.conformance.ids import prefix
from instep.conformance.limits import limited
from instep.conformance.report.model import Coverage, Diagnosis, Report, Result
from instep.conformance.reporting import environment
from instep.conformance.schedules import (
    behaviour,
    closed_forms,
    groups,
    refusals,
    surroundings,
    values,
)
from instep.conformance.schedules.base import Check, Context, Failure, Outcome, Skip
from instep.conformance.schedules.diagnose import diagnose
from instep.conformance.schedules.judge import Judgement, evidence
from instep.conformance.schedules.probes import ProbeFactory
from instep.conformance.schedules.subject import Recording, Subject
from instep.conformance.verdict import Severity
from instep.spec.arguments import OptionValue
from instep.spec.model import Algorithm

Progress = Callable[[int, int, str], None]
_BASE = "construction/base"


class Session:
    """One scheduler against one specification; checks run when asked for, each once.

    Args:
        subject: a class, functools.partial or callable `(optimizer, **keywords)` -> scheduler.
        spec: public name, dialect or path of a specification of a schedule, or an Algorithm.
        hyperparameters: constructor keywords in the subject's names, the same in every run.
        rename: {spec name: subject name} of hyperparameters, options and lists.
        expected_failures: {check id: reason, or {"reason": ..., "issue": ..., "expires": day}}.
        level: `quick` or `full`.
        suite: which checks there are, by the name under which they were frozen.
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
        rename: Mapping[str, str] | None = None,
        dialect: str | None = None,
        expected_failures: Mapping[str, Any] | None = None,
        level: str = "quick",
        suite: str = suites.LATEST,
        timeout: float = 60,
    ) -> None:
        self.algorithm = resolve_spec(spec, dialect)
        if self.algorithm.schedule is None:
            names = ", ".join(specs.schedule_names())
            raise UsageError(f"{self.algorithm.name} is no schedule; there are {names}")
        if level not in ("quick", "full"):
            raise UsageError(f"there is no level {level!r}: it is quick or full")
        frozen = suites.load(suite, suites.SCHEDULES)
        self._timeout = timeout
        given = dict(hyperparameters or {})
        self.subject = Subject(subject, self.algorithm, rename, given)
        factory = _factory(self.algorithm, self.subject, given)
        self.context = Context(self.algorithm, self.subject, factory, level)
        self.prefix = prefix(self.algorithm)
        plan = Plan(self.algorithm, level)
        self.suite, self.selection = suite, frozen.select(plan, every(factory))
        self.checks = {f"{self.prefix}/{c.name}": c for c in self.selection.checks}
        self.expectations = Expectations(expected_failures or {}, tuple(self.checks))
        self.diagnosis: Diagnosis | None = None
        self._cause = ""
        self._results: dict[str, Result] = {}

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the checks, in order."""
        return tuple(self.checks)

    def run(self, id: str) -> Result:
        """The result of one check.

        Raises:
            UsageError: no check has this id.
        """
        if id not in self.checks:
            raise UsageError(f"no check {id!r}; `instep list --checks --schedules` prints them")
        if id not in self._results:
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
        skipped = tuple((r.id, r.message) for r in results if r.status == "skipped")
        base = self.context.probes.make("dyadic")
        return Report(
            subject=self.subject.name,
            spec=self.algorithm.full_name,
            version=self.algorithm.version,
            level=self.context.level,
            suite=self.suite,
            results=tuple(results),
            diagnosis=self.diagnosis,
            coverage=Coverage(
                expected=len(results),
                ran=len(results) - len(skipped),
                skipped=skipped,
                unseen=tuple(self._unseen()),
                newer=self.selection.newer,
                gone=self.selection.gone,
            ),
            mapping=tuple(self._mapping()),
            configuration={} if base is None else self.subject.arguments(base),
            environment=environment(),
            seconds=time.perf_counter() - started,
        )

    def _unseen(self) -> list[str]:
        """What this run could not have seen."""
        lines = [f"the constructor has no keyword for {s}" for s in self.subject.missing]
        fixed = {**self.context.probes.fixed, **self.context.probes.fixed_options}
        lines += [f"{s} is fixed: only {v} was compared" for s, v in fixed.items()]
        return lines

    def _mapping(self) -> list[str]:
        """Which form the rates follow."""
        if not self.context.in_step or self.diagnosis is not None:
            return []
        names = [form.name for form in self.context.admissible]
        return [f"rates follow the {' and the '.join(names)} of {self.algorithm.name}"]

    # ---- one check

    def _run(self, id: str) -> Result:
        check, started = self.checks[id], time.perf_counter()
        first = f"{self.prefix}/{_BASE}"
        if id != first and self.run(first).status == "errored":
            reason = f"the scheduler does not run at all: see {first}"
            result = Result(id, check.level, "skipped", check.requirement, reason)
        else:
            result = self._attempt(id, check)
        anchor = f"schedules/#{check.name.partition('/')[0]}"
        return replace(result, seconds=time.perf_counter() - started, docs=anchor)

    def _attempt(self, id: str, check: Check) -> Result:
        def result(status: str, message: str, **more: Any) -> Result:
            return Result(id, check.level, status, check.requirement, message, **more)

        try:
            with limited(self._timeout):
                outcome = check.run(self.context)
        except Skip as reason:
            return result("skipped", str(reason))
        except Failure as failure:
            return self._failed(id, failure, result)
        except SubjectError as error:
            shown = "".join(traceback.format_exception(error.__cause__ or error))
            return result("errored", _one_line(error), traceback=shown)
        return _passed(outcome, result)

    def _failed(self, id: str, failure: Failure, result: Callable[..., Result]) -> Result:
        judgement, recording = failure.judgement, failure.recording
        if judgement is None or recording is None:
            return result("failed", str(failure))
        cause = self._explain(id, recording) if recording.moments else ""
        arguments = self.subject.arguments(recording.probe)
        shown = evidence(judgement, recording, arguments)
        candidates = self.diagnosis.candidates if self.diagnosis and not cause else ()
        if candidates and candidates[0].equation:
            shown = replace(shown, equation=candidates[0].equation)
        return result(
            "failed",
            str(failure),
            evidence=shown,
            consequence_of=cause,
            worst=judgement.tally.worst,
        )

    def _explain(self, id: str, recording: Recording) -> str:
        """The earlier failure that explains this one, or empty; the first one is diagnosed."""
        if self._cause:
            return self._cause
        self._cause = id
        self.diagnosis = diagnose(self.algorithm, [recording, *self.context.in_step])
        return ""


def _passed(outcome: Outcome, result: Callable[..., Result]) -> Result:
    tally = outcome.tally
    if tally is None:
        return result("passed", outcome.message)
    if tally.blind:
        return result("insensitive", "no rate could have shown an error", worst=tally.worst)
    message = outcome.message
    if tally.severity > Severity.IN_STEP:
        message = f"{tally.severity.name.lower()}: up to {tally.worst:.3g} bounds off"
    return result("passed", message, worst=tally.worst, sensitivity=tally.sharpest)


def _order(check: Check) -> int:
    """Causes before consequences."""
    topics = ("construction", "numerics", "options", "metrics", "forms")
    topic = check.name.partition("/")[0]
    return 0 if check.name == _BASE else topics.index(topic) + 1 if topic in topics else len(topics)


def _factory(algorithm: Algorithm, subject: Subject, given: Mapping[str, Any]) -> ProbeFactory:
    """Probes that keep what the user fixed, and what the constructor cannot set."""
    fixed: dict[str, float] = {}
    options: dict[str, OptionValue] = {}
    lists: dict[str, tuple[float, ...]] = {}
    assert algorithm.schedule is not None
    for h in algorithm.hyperparameters:
        keyword = subject.keyword(h.name)
        if keyword is None:
            fixed[h.name] = h.default
        elif keyword in given:
            fixed[h.name] = float(given[keyword])
    for option in algorithm.options:
        keyword = subject.keyword(option.name)
        if keyword is None:
            options[option.name] = option.default
        elif keyword in given and option.argument is not None:
            options[option.name] = option.argument.option_value(given[keyword])
    for item in algorithm.schedule.given:
        keyword = subject.keyword(item.name)
        if item.kind == "list" and keyword is not None and keyword in given:
            lists[item.name] = tuple(given[keyword])
    return ProbeFactory(algorithm, fixed, options, lists)


def check_scheduler(subject: Any, spec: str | Algorithm, **keywords: Any) -> Report:
    """Judge a scheduler against the specification of a schedule; keywords as for `Session`."""
    return Session(subject, spec, **keywords).report()


def catalogue() -> list[tuple[str, str, str]]:
    """(id, level, requirement) of every check of every known schedule."""
    out = []
    for name in specs.schedule_names():
        checks = every(ProbeFactory(specs.get(name)))
        out += [(f"{name}/{c.name}", c.level, c.requirement) for c in checks]
    return out


def every(factory: ProbeFactory) -> list[Check]:
    """All checks of a schedule, in the order in which they run."""
    found = (behaviour, refusals, closed_forms, groups, surroundings)
    known = chain(*(module.checks() for module in found), values.checks(factory))
    return sorted(known, key=_order)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


__all__ = ["Judgement", "Session", "catalogue", "check_scheduler", "every"]
