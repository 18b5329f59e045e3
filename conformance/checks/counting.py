"""Counts: a counter of steps goes on where its type has no more whole numbers one apart."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from instep.conformance.checks.base import Check, Failure, Outcome, Plan, Skip
from instep.conformance.errors import SubjectError
from instep.conformance.observe import stored
from instep.conformance.refusals import cause_of
from instep.conformance.resuming import load, saved_by, successor
from instep.conformance.subject import Run
from instep.conformance.surroundings import default_dtype
from instep.spec.arithmetic import Float64
from instep.spec.interpret import Interpreter

if TYPE_CHECKING:
    from instep.conformance.context import Context
    from instep.conformance.probes import Probe

# Steps that show what counts them, and those beyond what a type can count.
_SEEN, _BEYOND = 3, 2
_HALF, _SINGLE = 2.0**11, 2.0**24
# What a parameter in single precision would not show is no difference.
_VISIBLE = 2.0**-24


def checks(plan: Plan) -> Iterator[Check]:
    """Half precision counts to 256 or 2048, single precision to 16777216."""
    if plan.algorithm.result != "parameters" or plan.algorithm.counter is None:
        return
    yield Check(
        "state/count",
        "must",
        "steps are counted beyond 2048 where parameters are in half precision, resumed runs "
        "included, and where that is the default dtype",
        partial(_in_half, thorough=plan.thorough),
    )
    yield Check(
        "state/large-count",
        "should",
        "steps are counted beyond 16777216, as long as the equations can tell",
        _in_single,
    )


def _in_half(context: Context, *, thorough: bool) -> Outcome:
    said, refused = [], []
    for dtype in ("bfloat16", "float16") if thorough else ("bfloat16",):
        try:
            attempt, counters = _counted(context, dtype)
            # Loading may change types.
            for run in (attempt, *_resumed(attempt)):
                said += _stuck(context, run, counters, _HALF)
        except SubjectError as error:
            refused.append(f"it does not take {dtype}: {cause_of(error)}")
    with default_dtype(torch.bfloat16):
        attempt, counters = _counted(context, "float32")
        said += _stuck(context, attempt, counters, _HALF)
    return Outcome(message="; ".join(dict.fromkeys([*said, *refused])))


def _in_single(context: Context) -> Outcome:
    attempt, counters = _counted(context, "float32")
    return Outcome(message="; ".join(_stuck(context, attempt, counters, _SINGLE)))


def _probe(context: Context, dtype: str) -> Probe:
    probe = context.probes.make(
        "state-count", dtype=dtype, shapes=((4, 3),), steps=_SEEN + _BEYOND, calm=True
    )
    if probe.closure:
        raise Skip("the algorithm evaluates the gradient itself")
    return probe


def _counted(context: Context, dtype: str) -> tuple[Run, set[tuple[int, str]]]:
    """Some steps, and where numbers are that grew by one in each."""
    attempt = Run(context.subject, _probe(context, dtype))
    values: dict[tuple[int, str], list[float]] = {}
    while attempt.recording.steps < _SEEN:
        attempt.step()
        for key, x in _numbers(attempt):
            values.setdefault(key, []).append(float(x))
    steps = [float(k) for k in range(_SEEN)]
    return attempt, {k for k, seen in values.items() if [v - seen[0] for v in seen] == steps}


def _numbers(attempt: Run) -> Iterator[tuple[tuple[int, str], torch.Tensor]]:
    """Tensors that hold one real number; what Python counts has no end."""
    for i, path, x in stored(attempt.optimizer, attempt.parameters):
        if isinstance(x, torch.Tensor) and x.numel() == 1 and x.is_floating_point():
            yield (i, path), x.detach()


def _resumed(attempt: Run) -> list[Run]:
    """The same run in a new optimizer; that it cannot be saved is for others to say."""
    second = successor(attempt)
    try:
        load(second, saved_by(attempt))
    except (Skip, Failure):
        return []
    return [second]


def _stuck(
    context: Context, attempt: Run, counters: set[tuple[int, str]], most: float
) -> list[str]:
    """What is to be said of counters that go on no more where no equation can tell.

    Args:
        context: what is judged.
        attempt: some steps.
        counters: where they are.
        most: that a counter holds whose type is looked at.

    Raises:
        Failure: the equations can.
    """
    limits: dict[tuple[int, str], float] = {}
    for key, x in _numbers(attempt):
        limit = 2 / torch.finfo(x.dtype).eps
        if key in counters and limit <= most:
            limits[key] = limit
            x.fill_(limit)
    while limits and attempt.recording.steps < attempt.probe.steps:
        attempt.step()
    notes = []
    for key, x in _numbers(attempt):
        if float(x) > limits.get(key, -np.inf):
            continue
        shown = f"{key[1]}, a {x.dtype}".replace("torch.", "")
        if _matters(context, attempt.probe, int(limits[key])):
            raise Failure(f"{shown}, counts to {limits[key]:.0f} and no further")
        notes.append(f"{shown}, ends at {limits[key]:.0f}, where no equation reads it any more")
    return notes


def _matters(context: Context, probe: Probe, count: int) -> bool:
    """Whether a step so late differs from one that is twice as late."""
    one, other = (_late(context, probe, late) for late in (count, 2 * count))
    with np.errstate(all="ignore"):
        pairs = zip(*one, *other[1:], strict=True)
        return any(bool(np.any(_apart(*triple))) for triple in pairs)


def _apart(before: Any, a: Any, b: Any) -> Any:
    return np.abs(a - b) > _VISIBLE * np.abs(a - before)


def _late(context: Context, probe: Probe, count: int) -> tuple[list[Any], list[Any]]:
    """Parameters before and after a step of the equations that is not the one it is said to be."""
    machine = Interpreter(
        context.effective,
        Float64(),
        probe.parameters,
        options=probe.options,
        hyperparameters=probe.hyperparameters,
    )

    def step(t: int) -> list[Any]:
        machine.step(probe.gradients[t], probe.touched[t] if probe.touched else None)
        return [np.array(slot.theta) for slot in machine.slots]

    before = [step(t) for t in range(_SEEN)][-1]
    machine.count = count
    for slot in machine.slots:
        slot.count = count
    return before, [step(t) for t in range(_SEEN, _SEEN + _BEYOND)][-1]
