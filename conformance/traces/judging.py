"""Judge a trace: the same bounds, report and diagnosis as for a subject that can be run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from instep import spec as specs
from instep.conformance import suites
from instep.conformance.baseline import resolve_spec
from instep.conformance.checks.base import Plan
from instep.conformance.context import Context, Judgement
from instep.conformance.diagnose import Explanation, diagnose, reproduces
from instep.conformance.evidence import evidence
from instep.conformance.ids import prefix
from instep.conformance.mapping import StateMap, infer_mapping
from instep.conformance.measuring import measured, remark
from instep.conformance.observe import Recording
from instep.conformance.oracle import Model
from instep.conformance.probes import ProbeFactory
from instep.conformance.profile import FLOAT_TYPES, ORDER, FloatType
from instep.conformance.report.model import Coverage, Diagnosis, Evidence, Report, Result
from instep.conformance.reporting import environment
from instep.conformance.subject import Subject
from instep.conformance.traces.checks import TRAJECTORY, TraceCheck, checks
from instep.conformance.traces.model import Trace
from instep.conformance.traces.parts import Naming, Part, parts
from instep.conformance.traces.reading import read_trace
from instep.conformance.traces.unseen import unseen
from instep.conformance.verdict import Severity, Tally
from instep.spec.model import Algorithm


class TraceContext(Context):
    """A context whose only run is a recording from elsewhere."""

    def __init__(
        self, plan: Plan, part: Part, state: Mapping[str, str], profile: Mapping[str, str] | None
    ) -> None:
        probe = part.recording.probe
        factory = ProbeFactory(plan.algorithm, probe.hyperparameters, probe.options)
        nobody = Subject(_cannot_run, plan.algorithm)
        super().__init__(plan, nobody, factory, state=state, profile=profile)
        self.recording, self.part = part.recording, part
        self.recording.blocks = self.blocks

    @cached_property
    def base(self) -> Recording:
        """The trace."""
        return self.recording

    @cached_property
    def telling(self) -> list[Recording]:
        """No other run can be made."""
        return []

    @cached_property
    def widest(self) -> str:
        """The trace's type, or single precision for narrower ones: algebra is not judged there."""
        return max(self.recording.probe.dtype, ORDER[1], key=lambda t: FLOAT_TYPES[t].bits)

    @cached_property
    def computed(self) -> list[FloatType]:
        """Any type: nobody saw the steps compute."""
        return sorted(FLOAT_TYPES.values(), key=lambda t: t.bits)

    @cached_property
    def states(self) -> StateMap:
        """Where the trace keeps the spec's states."""
        if self.part.states is not None:
            return self.part.states
        own, profile = Model(self.algorithm), self.profiles(self.recording.probe.dtype)[-1]
        found = infer_mapping(own, self.recording, profile, self.given_state)
        if found.all_confirmed:
            return found
        tally = self._judge_steps(self.recording, own, found).tally
        return found.confirm({lanes.quantity for lanes, _ in tally.failing})

    def states_for(self, recording: Recording) -> StateMap:
        """What a trace from the middle started from is judged in any case."""
        return super().states_for(recording) if self.part.states is None else self.states


def _cannot_run(params: Any, **_: Any) -> Any:
    raise NotImplementedError("a trace cannot be run")


def check_trace(
    trace: Trace | str | Path,
    spec: str | Algorithm,
    *,
    hyperparameters: Mapping[str, Any] | None = None,
    rename: Mapping[str, str] | None = None,
    state: Mapping[str, str] | None = None,
    dialect: str | None = None,
    profile: Mapping[str, str] | None = None,
    suite: str = suites.LATEST,
) -> Report:
    """Judge a trace against a specification.

    Args:
        trace: a trace, or the file that holds one.
        spec: public name, dialect, path of a specification file, or an Algorithm.
        hyperparameters: entries that the trace's groups lack, in its names.
        rename: {spec name: name in the trace's groups}.
        state: {spec state: path in the trace's state}.
        dialect: which meaning of the name; `any` accepts each.
        profile: `{"state": "bfloat16"}` if state is kept in a narrower type.
        suite: which checks there are, by the name under which they were frozen.

    Raises:
        UsageError, SpecError: no trace, or one that this specification cannot judge.
    """
    known = trace if isinstance(trace, Trace) else read_trace(trace)
    naming = Naming(rename or {}, state or {}, hyperparameters or {})

    def judged(algorithm: Algorithm) -> Report:
        return _Judge(known, algorithm, naming, profile, suite).report()

    if dialect == "any":
        return _any_dialect(specs.get(spec), judged)
    return judged(resolve_spec(spec, dialect))


def _any_dialect(algorithm: Algorithm, judged: Callable[[Algorithm], Report]) -> Report:
    """The report of the first dialect that the trace is in step with, else of the default one."""
    meant = [resolve_spec(d.name, None) for d in specs.meanings(algorithm)] or [algorithm]
    reports = []
    for one in [algorithm, *(a for a in meant if a.full_name != algorithm.full_name)]:
        reports.append(judged(one))
        if reports[-1].ok:
            return replace(reports[-1], accepted=one.full_name)
    return reports[0]


class _Judge:
    """One trace against one dialect."""

    def __init__(
        self,
        trace: Trace,
        algorithm: Algorithm,
        naming: Naming,
        profile: Mapping[str, str] | None,
        suite: str,
    ) -> None:
        self.trace, self.algorithm = trace, algorithm
        frozen = suites.load(suite, suites.TRACES)
        plan = Plan(algorithm)
        found = parts(trace, algorithm, naming)
        self.contexts = [TraceContext(plan, p, naming.state, profile) for p in found]
        self.prefix = prefix(algorithm)
        first = found[0].recording.probe
        chosen = algorithm.with_options(first.options)
        known = checks(chosen, begins=any(p.recording.probe.states for p in found))
        self.suite, self.selection = suite, frozen.select(plan, known)
        self.explained: list[tuple[str, Explanation]] = []

    def report(self) -> Report:
        """All checks, as data."""
        started = time.perf_counter()
        results = tuple(self._result(c) for c in self.selection.checks)
        skipped = tuple((r.id, r.message) for r in results if r.status == "skipped")
        counted = zip(*(c.total.counted for c in self.contexts), strict=True)
        seen, excluded, insensitive = map(sum, counted)
        first = self.contexts[0]
        return Report(
            subject=self.trace.subject,
            spec=self.algorithm.full_name,
            version=self.algorithm.version,
            level="quick",
            suite=self.suite,
            results=results,
            diagnosis=self.explained[0][1].diagnosis if self.explained else None,
            coverage=Coverage(
                expected=len(results),
                ran=len(results) - len(skipped),
                skipped=skipped,
                unseen=tuple(self._unseen()),
                lanes=seen,
                excluded=excluded,
                insensitive=insensitive,
                newer=self.selection.newer,
                gone=self.selection.gone,
            ),
            mapping=tuple(dict.fromkeys((self._extent(), *self._notes()))),
            grades={k: v for c in self.contexts for k, v in c.grades.items()},
            configuration=dict(first.recording.arguments),
            environment={
                **environment(),
                **{f"traced {k}": v for k, v in self.trace.environment.items()},
            },
            seconds=time.perf_counter() - started,
        )

    def _extent(self) -> str:
        """How much the trace holds."""
        begun = {n + 1 for c in self.contexts for n in c.recording.probe.begun}
        known = bool(begun) or not any(c.recording.probe.states for c in self.contexts)
        first = " to ".join(str(n) for n in sorted({min(begun), max(begun)})) if begun else "1"
        steps = f"{len(self.trace.steps)} steps" + (f" from {first}" if known else "")
        return f"a trace of {len(self.trace.parameters)} parameters over {steps}"

    def _notes(self) -> Iterator[str]:
        for context in self.contexts:
            yield from _notes(context)

    def _unseen(self) -> Iterator[str]:
        """What the trace would show as well if it were otherwise."""
        yield "gradients, hyperparameters and shapes other than those of the trace"
        if any(p.lanes for p in self.trace.parameters):
            yield "lanes of the parameters that were not recorded"
        if not self.explained:
            yield from unseen(self.algorithm, [c.recording for c in self.contexts])

    def _result(self, check: TraceCheck) -> Result:
        """The first part that is out of step, else all parts."""
        started = time.perf_counter()
        id_ = f"{self.prefix}/{check.name}"
        judged = [(c, check.judge(c)) for c in self.contexts]
        known = [(c, j) for c, j in judged if j is not None]
        if not known:
            why = f"nothing in the trace was recognised as state {check.quantity}"
            return Result(id_, check.level, "skipped", check.requirement, why)
        for context, judgement in known:
            if check.name == TRAJECTORY:
                context.note(context.recording, judgement)
        worst = max(known, key=lambda x: (x[1].tally.severity, x[1].tally.worst))
        result = self._told(id_, check, *worst)
        lanes = [sum(j.tally.counted[k] for _, j in known) for k in range(3)]
        return replace(
            result,
            seconds=time.perf_counter() - started,
            lanes=lanes[0],
            excluded=lanes[1],
            insensitive=lanes[2],
        )

    def _told(
        self, id_: str, check: TraceCheck, context: TraceContext, judgement: Judgement
    ) -> Result:
        tally = judgement.tally
        if tally.severity is Severity.OUT:
            return self._failed(id_, check, context, tally)
        status, message = remark(tally)
        return Result(id_, check.level, status, check.requirement, message, **measured(tally))

    def _failed(self, id_: str, check: TraceCheck, context: TraceContext, tally: Tally) -> Result:
        cause, explanation = self._explain(id_, context)
        candidates = explanation.diagnosis.candidates
        equation = candidates[0].equation if candidates else ""
        shown = None
        if tally.first is not None:
            shown = self._placed(context, evidence(context, tally, context.recording, equation))
        what = f"{check.quantity} is wrong after a step from what was recorded"
        if check.name == TRAJECTORY:
            what = "the parameters leave the trajectory of the equations"
        return Result(
            id_, check.level, "failed", check.requirement, what,
            evidence=shown, consequence_of=cause, **measured(tally),
        )  # fmt: skip

    def _placed(self, context: TraceContext, shown: Evidence) -> Evidence:
        """The same with the trace's own number of the parameter, and of the lane in it."""
        index = context.part.indices[shown.parameter]
        p = self.trace.parameters[index]
        if not p.lanes or shown.size != len(p.lanes):
            return replace(shown, parameter=index)
        return replace(shown, parameter=index, lane=p.lanes[shown.lane], size=p.size)

    def _explain(self, id_: str, context: TraceContext) -> tuple[str, Explanation]:
        """(the earlier failure that this one follows from, what explains it)."""
        for first, known in self.explained:
            if known.model is None or reproduces(known.model, context.recording):
                return first, known
        if self.explained:
            return "", Explanation(Diagnosis((), 0), None)
        runs = [context.recording, *(c.recording for c in self.contexts if c is not context)]
        options = context.recording.probe.options
        self.explained.append((id_, diagnose(self.algorithm.with_options(options), runs)))
        return "", self.explained[-1][1]


def _notes(context: TraceContext) -> Iterator[str]:
    yield from context.part.notes
    bindings = context.states.bindings
    yield from (b.describe() for b in bindings.values())
    for name in context.live_states():
        if name not in bindings and not context.lazy(name):
            yield f"state {name} was not recognised in the trace"
