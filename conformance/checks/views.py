"""Points between steps: where the model is evaluated, and the way back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from instep.conformance.checks.base import Check, Failure, Outcome, Plan, Skip
from instep.conformance.observe import to_array
from instep.conformance.oracle import Oracle
from instep.conformance.subject import Run, evaluates
from instep.conformance.verdict import Lanes, Severity, Tally
from instep.spec.ir import THETA

if TYPE_CHECKING:
    from instep.conformance.context import Context

_STEPS = 6
_SWITCH = 4


def checks(plan: Plan) -> Iterator[Check]:
    """One, for algorithms that are evaluated elsewhere than they are trained."""
    if any(v.name == "eval" for v in plan.algorithm.views):
        yield Check(
            "views/eval",
            "must",
            "eval() moves the parameters to the point of evaluation, train() moves them back",
            _evaluation,
        )


def _evaluation(context: Context) -> Outcome:
    probe = context.probes.make(
        "views", dtype=context.widest, shapes=((37,), (5, 3)), steps=_STEPS, calm=True
    )
    if probe.closure:
        raise Skip("the algorithm evaluates the gradient itself")
    attempt = Run(context.subject, probe)
    optimizer = attempt.optimizer
    if not evaluates(optimizer):
        raise Skip("it has no eval() and train()")
    oracle = Oracle(context.model, probe, context.profiles(context.widest)[-1])
    for t in range(1, _SWITCH + 1):
        attempt.step()
        with np.errstate(all="ignore"):
            oracle.step(t)
    optimizer.eval()
    _compare(attempt, oracle.interpreter.view("eval"), "eval() leads elsewhere")
    optimizer.train()
    stored = [slot.theta for slot in oracle.interpreter.slots]
    _compare(attempt, stored, "train() does not lead back to where training was")
    attempt.finish()
    what = "a run goes elsewhere after eval() and train()"
    return context.require(attempt.recording, what)


def _compare(attempt: Run, points: list[Any], what: str) -> None:
    tally = Tally(widest=True)
    for i, (p, point) in enumerate(zip(attempt.parameters, points, strict=True)):
        got = to_array(p)
        value, bound = (np.broadcast_to(x, got.shape) for x in (point.value, point.bound))
        tally.add(Lanes(attempt.recording.steps, i, THETA, "eval", got, value, bound, value))
    if tally.severity is Severity.OUT:
        raise Failure(f"after step {attempt.recording.steps} {what}: {tally.worst:.3g} bounds off")
