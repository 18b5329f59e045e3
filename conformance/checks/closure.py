"""Closures: called as often and where the algorithm says, with gradients enabled, loss returned.

A step may evaluate the gradient several times. Then the calls are part of the algorithm: how many
there are, and which point the parameters hold at each. Everything else is torch's contract: the
closure clears gradients, evaluates, and returns the loss; what p.grad holds after a call is the
gradient, whatever it held before, and the next call may write into the same tensors.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from instep.conformance.bounds import BoundedArithmetic
from instep.conformance.checks.base import Check, Failure, Outcome, Plan, Skip
from instep.conformance.descents import descents
from instep.conformance.observe import Recording, to_array
from instep.conformance.oracle import Model, Oracle
from instep.conformance.probes import Probe
from instep.conformance.spread import POINT, Spread
from instep.conformance.subject import Run
from instep.conformance.verdict import Severity, Tally

if TYPE_CHECKING:
    from instep.conformance.context import Context

_ORDINALS = ("first", "second", "third")


def checks(plan: Plan) -> Iterator[Check]:
    """The contract of `step(closure)`."""
    yield Check(
        "closure/calls",
        "must",
        "step(closure) calls it as often as the algorithm evaluates the gradient",
        _calls,
    )
    yield Check(
        "closure/points",
        "must",
        "at every call of the closure the parameters hold the point where the algorithm takes the "
        "gradient",
        _points,
    )
    yield Check(
        "closure/gradients-enabled",
        "must",
        "the closure is called with gradients enabled",
        _enabled,
    )
    yield Check(
        "closure/loss",
        "must",
        "step(closure) returns the loss of the closure's first call",
        _loss,
    )
    yield Check(
        "closure/update",
        "must",
        "parameters follow the equations where every call writes into the gradients of the one "
        "before",
        _update,
    )
    yield Check(
        "closure/missing",
        "should",
        "where a step needs a closure, step() without one is refused and changes nothing",
        _missing,
    )


def _run(context: Context, *, reuse: bool = False) -> Run:
    """Some steps with a closure, all noted."""
    attempt = Run(context.subject, _probe(context))
    if not takes_closure(attempt.optimizer):
        raise Skip("its step() takes no closure")
    for t in range(attempt.probe.steps):
        attempt.step_with(attempt.closure(t, reuse=reuse))
    return attempt


def _probe(context: Context) -> Probe:
    shapes = ((17,), (3, 2))
    return context.probes.make("closure", dtype=context.widest, shapes=shapes, steps=4)


def takes_closure(optimizer: Any) -> bool:
    """Whether its step() has an argument for one, as far as can be seen."""
    try:
        parameters = inspect.signature(optimizer.step).parameters.values()
    except (TypeError, ValueError):
        return True
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return any(p.name == "closure" or p.kind in kinds for p in parameters) or len(parameters) == 1


def _calls(context: Context) -> Outcome:
    attempt = _run(context)
    _require_calls(context, attempt.recording)
    # Where a search ends early, more evaluations may change nothing but their number.
    for _, probe in descents(context.probes, context.widest):
        _require_calls(context, context.record(probe))
    return Outcome()


def _require_calls(context: Context, recording: Recording) -> None:
    """Raises Failure where a step calls the closure otherwise than the algorithm evaluates."""
    for t, (expected, others) in enumerate(_evaluations(context, recording)):
        found = len(recording.calls[t])
        if found == expected:
            continue
        known = {expected} | others()
        if found not in known:
            said = " or ".join(map(str, sorted(known)))
            raise Failure(
                f"step {t + 1} called the closure {_times(found)}; the algorithm says {said}"
            )


def _evaluations(
    context: Context, recording: Recording
) -> Iterator[tuple[int, Callable[[], set[int]]]]:
    """Calls of the closure in every step, and others that rounding may make of them."""
    probe = recording.probe
    if not probe.closure:
        yield from [(1, set)] * probe.steps
        return
    profile = context.profiles(probe.dtype)[-1]
    arithmetic = BoundedArithmetic(profile)
    start = partial(Oracle, Model(context.algorithm), probe, profile)
    oracle, spread = start(arithmetic), Spread(profile, start)
    for t in range(1, probe.steps + 1):
        with np.errstate(all="ignore"):
            oracle.step(t)

        def others(t: int = t) -> set[int]:
            counts = spread.evaluations(t) if arithmetic.ambiguous else set()
            return {n - recording.primed for n in counts}

        yield len(oracle.points) - recording.primed, others


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n} times"


def _points(context: Context) -> Outcome:
    attempt = _run(context)
    if not attempt.probe.closure:
        return _where_the_step_began(attempt)
    mine = _require_points(context, attempt.recording)
    if not mine.history:
        raise Skip("the calls are not those of the algorithm, see closure/calls")
    for _, probe in descents(context.probes, context.widest):
        _require_points(context, context.record(probe))
    return Outcome(mine)


def _require_points(context: Context, recording: Recording) -> Tally:
    """What speaks of the points of gradients; raises Failure where one is taken elsewhere."""
    tally = context.judge_lockstep(recording).tally
    mine = Tally(tally.widest, tally.limit, tally.coarse)
    for lanes in tally.history:
        if lanes.quantity.startswith(POINT):
            mine.add(lanes)
    if mine.severity is not Severity.OUT:
        return mine
    assert mine.first is not None
    lanes = mine.first.lanes
    number = int(lanes.quantity.removeprefix(POINT))
    given = f", which equation {lanes.equation} gives" if lanes.equation else ""
    raise Failure(
        f"in step {lanes.step} the {_ordinal(number)} gradient is not taken at the point of the "
        f"algorithm{given}",
        mine,
        recording,
    )


def _ordinal(number: int) -> str:
    return _ORDINALS[number - 1] if number <= len(_ORDINALS) else f"{number}th"


def _where_the_step_began(attempt: Run) -> Outcome:
    for t, calls in attempt.recording.calls.items():
        before = attempt.recording.moments[t].parameters
        for call in calls:
            pairs = zip(call.parameters, before, strict=True)
            for i, (got, expected) in enumerate(pairs):
                if not np.array_equal(got, expected, equal_nan=True):
                    raise Failure(
                        f"in step {t + 1} parameter {i} had been changed when the closure was "
                        "called"
                    )
    return Outcome()


def _enabled(context: Context) -> Outcome:
    for t, calls in _run(context).recording.calls.items():
        for number, call in enumerate(calls, start=1):
            if not call.enabled:
                which = f"{_ordinal(number)} call" if len(calls) > 1 else "call"
                raise Failure(f"step {t + 1} made the {which} of the closure with gradients off")
    return Outcome()


def _loss(context: Context) -> Outcome:
    recording = _run(context).recording
    for t, calls in recording.calls.items():
        returned = recording.losses[t]
        if not calls:
            continue
        losses = [call.loss for call in calls]
        shown = None if returned is None else float(returned)
        if shown != losses[0]:
            which = [_ordinal(k) for k, x in enumerate(losses, start=1) if x == shown]
            note = f", the loss of the {which[-1]} call," if which else ""
            raise Failure(
                f"step {t + 1} returned {shown!r}{note} instead of the first loss {losses[0]!r}"
            )
    return Outcome()


def _update(context: Context) -> Outcome:
    recording = _run(context, reuse=True).recording
    return context.require(recording, "with a closure the parameters go elsewhere")


def _missing(context: Context) -> Outcome:
    probe = _probe(context)
    if not probe.closure:
        raise Skip("the algorithm takes one gradient, which it finds in p.grad")
    attempt = Run(context.subject, probe)
    before = [to_array(p) for p in attempt.parameters]
    attempt.closure(0)()
    try:
        attempt.optimizer.step()
    except Exception:
        after = [to_array(p) for p in attempt.parameters]
        if all(np.array_equal(x, y) for x, y in zip(after, before, strict=True)):
            return Outcome()
        raise Failure("step() without a closure is refused after parameters were moved") from None
    raise Failure("step() without a closure is accepted, though there is nothing to evaluate")
