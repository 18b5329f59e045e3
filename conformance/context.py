"""What the checks of one session share: subject, recordings, and the oracle that judges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from instep.conformance.checks.base import Failure, Outcome, Plan, Skip
from instep.conformance.errors import SubjectError, UsageError
from instep.conformance.mapping import StateMap, infer_mapping
from instep.conformance.observe import Recording
from instep.conformance.oracle import Model, lockstep, trajectory
from instep.conformance.probes import Probe, ProbeFactory
from instep.conformance.profile import FLOAT_TYPES, ORDER, FloatType, Profile, grades
from instep.conformance.subject import ConstructionError, Subject, UnsupportedError, run
from instep.conformance.types import block_type, computed_in
from instep.conformance.verdict import (
    IN_STEP,
    LOOSE,
    OUT_OF_STEP,
    Lanes,
    Severity,
    Tally,
)
from instep.spec import ir
from instep.spec.model import Algorithm
from instep.spec.options import live_states, silent_states

Compare = Callable[[Profile], Iterable[list[Lanes]]]


class Unexplained(Exception):  # noqa: N818 - a signal, not an error
    """A behaviour cannot be judged, because the equations are out of step in an unknown way."""

    def __init__(self, cause: str) -> None:
        super().__init__(f"cannot be judged: the equations are out of step, see {cause}")
        self.cause = cause


@dataclass
class Judgement:
    """A tally under the verdict's profile, and the strictest profile that fits."""

    tally: Tally
    grade: str


class Context:
    """One subject, one spec, one base configuration.

    Args:
        plan: spec and level.
        subject: the subject.
        factory: makes probes around the base configuration.
        state: {spec state: subject's path}, given by the user.
        lacks: abilities that the subject declares not to have.
    """

    def __init__(
        self,
        plan: Plan,
        subject: Subject,
        factory: ProbeFactory,
        *,
        state: Mapping[str, str] | None = None,
        lacks: Iterable[str] = (),
        profile: Mapping[str, str] | None = None,
    ) -> None:
        self.plan, self.subject, self.probes = plan, subject, factory
        self.given_state = dict(state or {})
        self.lacks = frozenset(lacks)
        self.declared = dict(profile or {})
        _check_declared(self.declared, self.lacks, list(plan.algorithm.narrow))
        self.in_step: list[Recording] = []
        self.grades: dict[str, str] = {}
        self.total = Tally(widest=True)
        self.run: Callable[[Subject, Probe], Recording] = run
        self._judgements: list[tuple[Recording, tuple[object, ...], Judgement]] = []
        self._recordings: dict[tuple[str, str], Recording | Exception] = {}
        self._model = Model(plan.algorithm)
        self._cause = ""
        self._unexplained = False

    @property
    def algorithm(self) -> Algorithm:
        """The spec, seen through the dialect that is checked."""
        return self.plan.algorithm

    def live_states(self) -> tuple[str, ...]:
        """States that exist under the base options."""
        return live_states(self.algorithm, self.probes.options)

    def lazy(self, name: str) -> bool:
        """Whether a state is only created by some configurations (momentum = 0 keeps no buffer)."""
        return self.algorithm.state(name).init is None

    @property
    def model(self) -> Model:
        """What trajectories are held against: the spec, or what the subject was found to compute.

        Raises:
            Unexplained: the subject is out of step and nothing known reproduces it.
        """
        if self._unexplained:
            raise Unexplained(self._cause)
        return self._model

    @property
    def effective(self) -> Algorithm:
        """The algorithm that further failures are compared with."""
        return self._model.algorithm.with_options(self._model.options)

    def explained_by(self, cause: str, model: Model | None) -> None:
        """From here on judge behaviour against this model; None if nothing explains the subject."""
        self._cause = cause
        self._unexplained = model is None
        if model is not None:
            self._model = model

    # ---- running

    def record(self, probe: Probe) -> Recording:
        """Run the subject on a probe, once per probe name and type.

        Raises:
            Skip: the constructor refuses this configuration though it accepts the base one.
            SubjectError: the subject raised in a step.
        """
        key = (probe.name, probe.dtype)
        if key not in self._recordings:
            try:
                recording = self.run(self.subject, probe)
                recording.blocks = self.blocks
                self._recordings[key] = recording
            except (SubjectError, UnsupportedError) as error:
                self._recordings[key] = error
        kept = self._recordings[key]
        if isinstance(kept, ConstructionError | UnsupportedError):
            raise Skip(str(kept)) from kept
        if isinstance(kept, Exception):
            raise kept
        return kept

    @cached_property
    def base(self) -> Recording:
        """The run that everything else leans on: dyadic hyperparameters in the widest type."""
        try:
            return self.record(self.probes.make("dyadic", dtype=self.widest))
        except Skip as reason:
            raise SubjectError(str(reason)) from reason

    @cached_property
    def telling(self) -> list[Recording]:
        """Runs that tell candidates of a diagnosis apart: the learning rate changes midway."""
        symbols = [h.name for h in self.algorithm.hyperparameters if h.key == "lr"]
        changed = self.probes.other_values(symbols, whole=True)
        if not changed:
            return []
        probe = self.probes.make(
            "telling", dtype=self.widest, shapes=((31,),), steps=6, changes={4: changed}
        )
        try:
            return [self.record(probe)]
        except (Skip, SubjectError):
            return []

    @cached_property
    def widest(self) -> str:
        """The widest type that the subject supports: it runs, and keeps its state as wide."""
        for dtype in ORDER[:2]:
            if dtype in self.lacks:
                continue
            try:
                recording = self.record(self.probes.make("dyadic", dtype=dtype))
            except (SubjectError, Skip):
                continue
            if not narrower_state(recording, dtype):
                return dtype
        return ORDER[1]

    # ---- judging

    def judge(self, recording: Recording, *, model: Model | None = None) -> Judgement:
        """Trajectory: the parameters against the oracle's own run."""
        chosen = model or self.model

        def judgement() -> Judgement:
            return self._graded(recording, lambda profile: trajectory(chosen, recording, profile))

        return self._once(recording, (chosen,), judgement)

    def judge_lockstep(self, recording: Recording, *, model: Model | None = None) -> Judgement:
        """Lockstep: every step from the subject's own parameters and states."""
        return self._judge_steps(
            recording, model or Model(self.algorithm), self.states_for(recording)
        )

    def _judge_steps(self, recording: Recording, model: Model, states: StateMap) -> Judgement:
        names, read = list(states.bindings), states.reader(recording)

        def judgement() -> Judgement:
            return self._graded(recording, lambda p: lockstep(model, recording, p, names, read))

        return self._once(recording, (model, states.bindings), judgement)

    def _once(
        self, recording: Recording, against: tuple[object, ...], make: Callable[[], Judgement]
    ) -> Judgement:
        """A judgement of a recording as it stands, made when it is first asked for."""
        against = (*against, recording.steps)
        for known, other, judgement in self._judgements:
            if known is recording and other == against:
                return judgement
        self._judgements.append((recording, against, make()))
        return self._judgements[-1][-1]

    def _graded(self, recording: Recording, compare: Compare) -> Judgement:
        """Profiles from the strictest; the verdict is that of the first that fits, or the last."""
        dtype = recording.probe.dtype
        judgement = None
        widest = dtype == self.widest
        limit = OUT_OF_STEP
        for profile in self.profiles(dtype):
            tally = Tally(widest, limit, coarse=bool(profile.blocks))
            for lanes in compare(profile):
                for one in lanes:
                    tally.add(one)
            judgement = Judgement(tally, profile.name)
            if dtype == ORDER[0] and tally.severity is Severity.OUT:
                # The margin is for unstable orders of tensor operations, which round at 2^-53 here;
                # what float32 scalars do not explain either is no rounding.
                limit = LOOSE
            if tally.worst <= IN_STEP and not tally.blind:
                return judgement
        assert judgement is not None
        return Judgement(judgement.tally, "")

    def profiles(self, dtype: str) -> list[Profile]:
        """Admissible profiles, strictest first, with what the user declared."""
        kept = FLOAT_TYPES.get(self.declared.get("state", ""))
        states = {s.name: kept for s in self.algorithm.states} if kept is not None else {}
        return grades(dtype, states=states, blocks=self.blocks(self.algorithm))

    def blocks(self, algorithm: Algorithm) -> dict[str, FloatType]:
        """Types of an algorithm's blocks: declared, else the narrowest that a step was seen to use.

        The algorithm is the checked one, or another that may be what the subject computes.
        """
        may = algorithm.narrow
        observed = {k: block_type(FLOAT_TYPES[t], self.computed) for k, t in may.items()}
        declared = {k: FLOAT_TYPES[t] for k, t in self.declared.items() if k in may}
        return {k: t for k, t in {**observed, **declared}.items() if t is not None}

    @cached_property
    def computed(self) -> list[FloatType]:
        """Types that a step was seen to compute in, coarsest first; any, where it cannot be run."""
        try:
            probe = self.probes.make("types", dtype="float64", shapes=((7, 5),), steps=1)
            return computed_in(lambda: run(self.subject, probe))
        except (SubjectError, UnsupportedError):
            return sorted(FLOAT_TYPES.values(), key=lambda t: t.bits)

    def require(self, recording: Recording, what: str) -> Outcome:
        """An outcome for a recording that must be in step; raises Failure when it is not."""
        return Outcome(self._follows(recording, what).tally, recording)

    def require_without_diagnosis(self, recording: Recording, what: str) -> Outcome:
        """As `require`, without a search for other equations: they are not to blame.

        For runs that differ from others in how they are made, not in what is computed.
        """
        tally = self.judge(recording).tally
        if tally.severity is Severity.OUT:
            raise Failure(what, tally)
        return Outcome(tally, recording)

    def require_each_step(self, recording: Recording, what: str) -> Outcome:
        """As `require`; what only coarse scalars explain has to hold step by step as well.

        From the subject's own state the errors of earlier steps do not add up, so that they hide
        less of an error in a hyperparameter.
        """
        judgement = self._follows(recording, what)
        if judgement.grade == self.profiles(recording.probe.dtype)[0].name:
            return Outcome(judgement.tally, recording)
        states = self.states.only_confirmed()
        tally = self._judge_steps(recording, self.model, states).tally.only([ir.THETA])
        if tally.severity is Severity.OUT:
            raise Failure(f"{what}, step by step from the subject's own state", tally, recording)
        return Outcome(judgement.tally, recording)

    def _follows(self, recording: Recording, what: str) -> Judgement:
        recording.blocks = self.blocks  # by which a failure is explained
        judgement = self.judge(recording)
        self.note(recording, judgement)
        if judgement.tally.severity is Severity.OUT:
            raise Failure(what, judgement.tally, recording)
        self._require_silent(recording, what)
        return judgement

    def _require_silent(self, recording: Recording, what: str) -> None:
        """What no parameter shows (an average beside them) has to follow its equations as well."""
        silent = silent_states(self.algorithm, recording.probe.options)
        if not silent or (self.has_base and recording is self.base):
            return
        known = [s for s in silent if s in self.states_for(recording).bindings]
        if known:
            tally = self.judge_lockstep(recording, model=self.model).tally.only(known)
            if tally.severity is Severity.OUT:
                raise Failure(what, tally, recording)

    def note(self, recording: Recording, judgement: Judgement) -> None:
        """Count lanes for the report, and keep the loosest grade of a type."""
        for name in ("seen", "excluded", "insensitive"):
            setattr(self.total, name, getattr(self.total, name) + getattr(judgement.tally, name))
        dtype = recording.probe.dtype
        ladder = ["", *(p.name for p in reversed(self.profiles(dtype)))]
        known = self.grades.get(dtype, ladder[-1])
        self.grades[dtype] = min(known, judgement.grade, key=ladder.index)

    @property
    def has_base(self) -> bool:
        """Whether there is a base run to speak of; asking never makes one."""
        return "base" in vars(self)

    @cached_property
    def states(self) -> StateMap:
        """Where the subject keeps the spec's states, from the base run."""
        spec, profile = Model(self.algorithm), self.profiles(self.widest)[-1]
        found = infer_mapping(spec, self.base, profile, self.given_state)
        if found.all_confirmed:
            return found
        # The subject left the trajectory; step by step its states may follow their equations still.
        names, read = list(found.bindings), found.reader(self.base)
        tally = self._graded(self.base, lambda p: lockstep(spec, self.base, p, names, read)).tally
        return found.confirm({lanes.quantity for lanes, _ in tally.failing})

    def states_for(self, recording: Recording) -> StateMap:
        """The bindings to use: those found by name alone only where equations are wrong."""
        in_step = any(r is recording for r in self.in_step) or recording is self.base_in_step
        return self.states.only_confirmed() if in_step else self.states

    @cached_property
    def base_in_step(self) -> Recording | None:
        """The base run, if its parameters follow the spec."""
        judged = self.judge(self.base, model=Model(self.algorithm))
        return None if judged.tally.severity is Severity.OUT else self.base


def _check_declared(
    profile: Mapping[str, str], lacks: frozenset[str], blocks: Sequence[str]
) -> None:
    types, keys = ", ".join(FLOAT_TYPES), ("state", *blocks)
    for key, value in profile.items():
        if key not in keys or value not in FLOAT_TYPES:
            known = " or ".join(f"{name}=T" for name in keys)
            raise UsageError(f"profile {key}={value}: it says {known}, with T one of {types}")
    for name in sorted(lacks - set(FLOAT_TYPES)):
        raise UsageError(f"lacks {name}: what a subject may lack is one of {types}")


def narrower_state(recording: Recording, dtype: str) -> bool:
    """Whether tensors with lanes are kept in a narrower type than the parameters have."""
    last = recording.moments[-1]
    for leaves in last.leaves:
        for path, leaf in leaves.items():
            kept = FLOAT_TYPES.get(last.types.get(path, dtype))
            many = getattr(leaf, "size", 1) > 1
            if kept is not None and many and kept.bits < FLOAT_TYPES[dtype].bits:
                return True
    return False
