"""What does the subject compute instead? Dialects, options and mutants against recordings.

A candidate must reproduce every recording that is given, those that are in step with the spec
included; all that do are named.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import Any

import numpy as np

from instep.conformance.mutate import mutants
from instep.conformance.observe import Recording
from instep.conformance.oracle import Model, trajectory
from instep.conformance.profile import Profile, grades
from instep.conformance.report.model import Candidate, Diagnosis
from instep.conformance.verdict import IN_STEP, Lanes, Tally
from instep.spec import ir
from instep.spec.arguments import OptionValue
from instep.spec.errors import SpecError
from instep.spec.model import Algorithm
from instep.spec.options import resolve

MOST = 5


# What a profile gives that can judge no run: rounding narrow scalars may explain anything.
_BLIND = math.nan


@dataclass(frozen=True)
class Suspect:
    """A model that might be what the subject computes."""

    candidate: Candidate
    model: Model


@dataclass(frozen=True)
class Explanation:
    """A diagnosis, and the model of its first candidate."""

    diagnosis: Diagnosis
    model: Model | None


def diagnose(
    algorithm: Algorithm, recordings: Sequence[Recording], telling: Sequence[Recording] = ()
) -> Explanation:
    """Search for what reproduces all recordings, the one that must be explained first.

    Args:
        algorithm: the spec that the subject is out of step with.
        recordings: runs of the subject; the first one is out of step.
        telling: runs that tell candidates apart; those that do not reproduce them too are named
            only if no other candidate is found.
    """
    found: list[Suspect] = []
    partly: list[Suspect] = []
    searched = 0
    for generation in _generations(algorithm, recordings[0]):
        for suspect in generation:
            searched += 1
            ratio = _reproduces(suspect.model, recordings)
            if ratio is None:
                continue
            whole = _reproduces(suspect.model, telling) is not None
            (found if whole else partly).append(_with_ratio(suspect, ratio))
            if len(found) == MOST:
                break
        if found:
            break
    best = (found or partly)[:MOST]
    candidates = tuple(s.candidate for s in best)
    return Explanation(Diagnosis(candidates, searched), best[0].model if best else None)


def reproduces(model: Model, recording: Recording) -> bool:
    """Whether a model's trajectory is the recording's, within bounds."""
    return _reproduces(model, [recording]) is not None


def contradicts(model: Model, recording: Recording) -> bool:
    """Whether a recording rules a model out; one that is too coarse to judge by does not."""
    return _best_profile(model, recording) is None


def _generations(algorithm: Algorithm, recording: Recording) -> Iterator[Iterator[Suspect]]:
    """Named dialects, then single options, then mutants, then pairs of options."""
    yield _dialects(algorithm)
    yield _options(algorithm, recording.probe.options, 1)
    yield _mutants(algorithm, recording.probe.options)
    yield _options(algorithm, recording.probe.options, 2)


def _dialects(algorithm: Algorithm) -> Iterator[Suspect]:
    for d in algorithm.dialects:
        if algorithm.dialect is not None and d.name == algorithm.dialect.name:
            continue
        values = {**_neutral(algorithm), **dict(d.options)}
        equation = _first_difference(algorithm, algorithm.option_defaults(), values)
        candidate = Candidate("dialect", d.name, d.note, equation, 0.0, d.name)
        yield Suspect(candidate, Model(algorithm, options=values))


def _neutral(algorithm: Algorithm) -> dict[str, OptionValue]:
    """The first value of every option that the present dialect pins: another's start."""
    return {name: algorithm.option(name).values[0] for name in algorithm.pinned}


def _options(
    algorithm: Algorithm, current: Mapping[str, OptionValue], how_many: int
) -> Iterator[Suspect]:
    for chosen in combinations(algorithm.options, how_many):
        others = [[v for v in o.values if v != current[o.name]] for o in chosen]
        for values in product(*others):
            setting = {o.name: v for o, v in zip(chosen, values, strict=True)}
            text = ", ".join(f"{k}={v}" for k, v in setting.items())
            equation = _first_difference(algorithm, current, setting)
            described = "; ".join(o.description for o in chosen)
            candidate = Candidate("option", text, described, equation, 0.0)
            yield Suspect(candidate, Model(algorithm, options=setting))


def _first_difference(
    algorithm: Algorithm, current: Mapping[str, OptionValue], setting: Mapping[str, OptionValue]
) -> str:
    """The equation that other options change: one that both have, else one that is new."""
    ours = _equations(algorithm, current)
    theirs = _equations(algorithm, {**current, **setting})
    changed = [name for name in ours if name in theirs and ours[name] != theirs[name]]
    lost = [name for name in ours if name not in theirs]
    new = [name for name in theirs if name not in ours]
    return next(iter([*changed, *lost, *new]), "")


def _equations(algorithm: Algorithm, options: Mapping[str, OptionValue]) -> dict[str, list[ir.Let]]:
    """Equations by name under some options, in order."""
    out: dict[str, list[ir.Let]] = {}
    for let in ir.lets(resolve(algorithm.body, options)):
        out.setdefault(let.equation, []).append(let)
    return out


def _mutants(algorithm: Algorithm, options: Mapping[str, OptionValue]) -> Iterator[Suspect]:
    for m in mutants(algorithm.with_options(options)):
        yield Suspect(Candidate("mutant", m.name, m.description, m.equation, 0.0), m.model)


def _reproduces(model: Model, recordings: Sequence[Recording]) -> float | None:
    """The worst ratio over all recordings, None as soon as a lane is out."""
    worst = 0.0
    for recording in recordings:
        ratio = _best_profile(model, recording)
        if ratio is None or math.isnan(ratio):
            return None
        worst = max(worst, ratio)
    return worst


def _best_profile(model: Model, recording: Recording) -> float | None:
    """The ratio under the strictest profile that fits; the loosest that sees anything decides.

    None where a lane is out, not a number where no profile can judge most lanes.
    """
    ratio: float | None = _BLIND
    profiles = list(grades(recording.probe.dtype, blocks=recording.blocks(model.algorithm)))
    while profiles and ratio is not None and math.isnan(ratio):
        ratio = _within(model, recording, profiles.pop())
    if ratio is None or math.isnan(ratio):
        return ratio
    stricter = (_within(model, recording, p) for p in profiles)
    return next((r for r in stricter if r is not None and not math.isnan(r)), ratio)


def _within(model: Model, recording: Recording, profile: Profile) -> float | None:
    """The worst ratio, None where a lane is out, not a number where most cannot be judged."""
    tally, judged = Tally(widest=True), 0
    steps: Iterator[list[Any]] = trajectory(model, recording, profile)
    try:
        for lanes in steps:
            before = tally.seen - tally.excluded
            for one in lanes:
                tally.add(one)
            judged += tally.seen - tally.excluded > before
            if tally.worst > IN_STEP or any(map(_rules_out, lanes)):
                return None
    except (SpecError, ValueError):  # a mutant's matrices need not fit each other
        return None
    # Coarse roundings add up until no step can be judged; the first ones show what is computed.
    enough = judged > 1 if profile.blocks else tally.seen >= max(tally.excluded, 1)
    return tally.worst if enough else _BLIND


def _rules_out(lanes: Lanes) -> bool:
    """Whether a lane is off, insensitive ones included: a candidate may say that nothing moves.

    A candidate that has no number where the subject has one explains nothing either.
    """
    with np.errstate(all="ignore"):
        undefined = ~np.isfinite(lanes.expected) & np.isfinite(lanes.got)
        return bool(np.any(undefined | (lanes.ratio() > IN_STEP) & ~lanes.excluded()))


def _with_ratio(suspect: Suspect, ratio: float) -> Suspect:
    return Suspect(replace(suspect.candidate, ratio=ratio), suspect.model)
