"""Precision: the same trajectory in narrower types; what breaks there, what is merely poor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from instep.conformance.checks.base import Check, Failure, Outcome, Plan, Skip
from instep.conformance.checks.options import choice_slug, require_choice
from instep.conformance.context import narrower_state
from instep.conformance.errors import SubjectError
from instep.conformance.norms import exact
from instep.conformance.profile import ORDER
from instep.conformance.verdict import LOOSE, Severity, Tally
from instep.spec.arguments import OptionValue
from instep.spec.ir import THETA
from instep.spec.options import open_choices

if TYPE_CHECKING:
    from instep.conformance.context import Context, Judgement
    from instep.conformance.observe import Recording
    from instep.conformance.probes import Probe

# Several widths of a vector and a tail.
_FEW = ((67,),)


def checks(plan: Plan) -> Iterator[Check]:
    """Per type: not mangled (must), as accurate as a plain evaluation (should), with options."""
    for dtype in ORDER if plan.thorough else ORDER[:3]:
        yield Check(
            f"precision/{dtype}",
            "must",
            f"with {dtype} parameters no lane leaves the trajectory by an eighth of its update",
            partial(_not_mangled, dtype),
        )
        yield Check(
            f"precision/{dtype}-accuracy",
            "should",
            f"with {dtype} parameters rounding stays within {LOOSE:g} bounds of a plain evaluation",
            partial(_accurate, dtype),
        )
    narrow = ORDER[2:] if plan.thorough else ORDER[2:3]
    for dtype in narrow:
        yield Check(
            f"precision/{dtype}-defaults",
            "must",
            f"with {dtype} parameters and default hyperparameters no lane leaves the trajectory by "
            "an eighth of its update",
            partial(_with_defaults, dtype),
        )
    for (name, value), dtype in product(open_choices(plan.algorithm), narrow):
        yield Check(
            f"precision/{dtype}.{choice_slug(name, value)}",
            "must",
            f"with {dtype} parameters and {name} = {value} no lane leaves the trajectory by an "
            "eighth of its update",
            partial(_with_choice, dtype, name, value),
        )


def _not_mangled(dtype: str, context: Context) -> Outcome:
    return _in_step(dtype, context, {})


def _with_defaults(dtype: str, context: Context) -> Outcome:
    """Rates that a narrow type does not hold: 0.999 is 1 in bfloat16, and 1e-8 is 0 in float16."""
    if _judged(dtype, context, {})[1].tally.severity is Severity.OUT:
        raise Skip(f"{dtype} parameters go elsewhere whatever the hyperparameters are")
    values = {**context.algorithm.defaults(), **context.probes.base}
    probe = context.probes.make("narrow-defaults", values=values, dtype=dtype, shapes=_FEW, steps=3)
    # One tensor of many sizes: squares of one that is small throughout underflow in float16.
    recording, judgement = _run(probe.only(0), context)
    if judgement.tally.severity is Severity.OUT:
        message = f"with default hyperparameters {dtype} runs do not follow the equations"
        raise Failure(message, judgement.tally, recording)
    if _stays(recording, judgement.tally):
        message = f"with default hyperparameters {dtype} parameters stay where they began"
        raise Failure(message, judgement.tally, recording)
    return Outcome(judgement.tally, recording)


def _stays(recording: Recording, tally: Tally) -> bool:
    """Whether no lane moves, where bounds say of some that they must.

    The margin for a poor order of evaluation is wider than such an update is long.
    """
    start = recording.moments[0].parameters
    moved = [
        (lanes.got != start[lanes.parameter])[lanes.telling()]
        for lanes in tally.history
        if lanes.quantity == THETA
    ]
    return any(map(np.size, moved)) and not any(map(np.any, moved))


def _with_choice(dtype: str, name: str, value: OptionValue, context: Context) -> Outcome:
    require_choice(name, context)
    if _judged(dtype, context, {})[1].tally.severity is Severity.OUT:
        raise Skip(f"{dtype} parameters go elsewhere whatever {name} is")
    return _in_step(dtype, context, {name: value})


def _in_step(dtype: str, context: Context, options: Mapping[str, OptionValue]) -> Outcome:
    recording, judgement = _judged(dtype, context, options)
    if judgement.tally.severity is Severity.OUT:
        raise Failure(f"{dtype} runs do not follow the equations", judgement.tally, recording)
    return Outcome(judgement.tally, recording)


def _accurate(dtype: str, context: Context) -> Outcome:
    recording, judgement = _judged(dtype, context, {})
    if judgement.tally.severity >= Severity.POOR:
        message = f"up to {judgement.tally.worst:.3g} bounds off: worse than a plain evaluation"
        raise Failure(message, judgement.tally, recording)
    return Outcome(judgement.tally, recording)


def _judged(
    dtype: str, context: Context, options: Mapping[str, OptionValue]
) -> tuple[Recording, Judgement]:
    """A short run in a type: in narrow ones bounds soon outgrow the updates of a long one."""
    steps = 12 if dtype in ORDER[:2] else 4
    name = "-".join([f"narrow-{steps}", *(f"{k}={v}" for k, v in options.items())])
    if options and not context.probes.possible(options):
        raise Skip(f"no hyperparameters are admissible with {dict(options)}")
    return _run(context.probes.make(name, dtype=dtype, steps=steps, options=options), context)


def _run(probe: Probe, context: Context) -> tuple[Recording, Judgement]:
    dtype = probe.dtype
    try:
        recording = context.record(probe)
    except SubjectError as error:
        raise Skip(_refusal(dtype, context, error)) from error
    if dtype in context.lacks:
        raise Skip(f"{dtype} is declared to be lacking; it runs, and is not judged")
    if narrower_state(recording, dtype):
        raise Skip(f"it keeps the state of {dtype} parameters in a narrower type")
    judgement = context.judge(recording)
    context.note(recording, judgement)
    return recording, judgement


def _refusal(dtype: str, context: Context, error: SubjectError) -> str:
    """The reason of a skip; a refusal must leave everything as it was, else it is an error."""
    from instep.conformance.observe import to_array
    from instep.conformance.subject import Run

    attempt = Run(context.subject, context.probes.make("refused", dtype=dtype, steps=1))
    try:
        attempt.step()
    except SubjectError:
        before = [exact(p, dtype) for p in attempt.probe.parameters]
        after = [to_array(p) for p in attempt.parameters]
        if all((a == b).all() for a, b in zip(before, after, strict=True)):
            return f"it refuses {dtype}: {error}"
    raise error
