"""The evidence of a numeric failure: one lane, what failing lanes share, what broke first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from instep.conformance.context import Context
from instep.conformance.observe import Recording
from instep.conformance.report.model import Evidence
from instep.conformance.verdict import Lanes, Tally
from instep.spec.ir import THETA


def evidence(context: Context, tally: Tally, recording: Recording, equation: str) -> Evidence:
    """Describe the worst lane of the first step that is out.

    Args:
        context: the session.
        tally: shows at least one lane that is not in step.
        recording: the run that it speaks of.
        equation: the responsible equation, empty to name the one that defines the quantity.
    """
    assert tally.first is not None
    worst, lanes = tally.first, tally.first.lanes
    name = context.algorithm.name
    flat = {k: np.ravel(getattr(lanes, k)) for k in ("expected", "bound", "got")}
    return Evidence(
        equation=f"{name}.{equation or lanes.equation}",
        quantity=lanes.quantity,
        probe=recording.probe.name,
        dtype=recording.probe.dtype,
        step=lanes.step,
        parameter=lanes.parameter,
        lane=worst.lane,
        size=int(np.size(lanes.got)),
        lanes_out=tally.lanes_out,
        lanes_seen=int(np.size(lanes.got)),
        condition=_condition(recording, lanes, tally),
        expected=float(flat["expected"][worst.lane]),
        bound=float(flat["bound"][worst.lane]) if worst.spread is None else worst.spread,
        got=float(flat["got"][worst.lane]),
        ratio=worst.ratio,
        first_wrong=first_wrong(context, recording),
        hyperparameters=dict(recording.arguments),
        yardstick=worst.yardstick,
    )


def first_wrong(context: Context, recording: Recording) -> str:
    """The first wrong quantity in data-flow order at the first wrong step, in words."""
    states = context.states_for(recording)
    if not states.bindings and not recording.calls:
        return "the update; the subject's state was not recognised"
    tally = context.judge_lockstep(recording).tally
    if not tally.failing:
        return "the update, over several steps; every single step from its own state is in step"
    step = min(lanes.step for lanes, _ in tally.failing)
    wrong = [lanes.quantity for lanes, _ in tally.failing if lanes.step == step]
    points = [q for q in wrong if q not in states.bindings and q != THETA]
    if points:
        return f"{points[0]}, where the closure is called for the gradient, in step {step}"
    order = [*states.bindings, THETA]
    first = min(wrong, key=order.index)
    before = order[: order.index(first)]
    what = "the update" if first == THETA else f"{first} ({_path(states, first)})"
    healthy = f"; {_listed(before)} in step" if before else ""
    return f"{what}, in step {step}{healthy}"


def _path(states: Any, symbol: str) -> str:
    return f"the subject's {states.bindings[symbol].path}"


def _listed(names: list[str]) -> str:
    if len(names) == 1:
        return f"{names[0]} is"
    return f"{', '.join(names[:-1])} and {names[-1]} are"


def _condition(recording: Recording, lanes: Lanes, tally: Tally) -> str:
    """What the failing lanes of that step have in common that the others do not."""
    out = next((mask for one, mask in tally.failing if one is lanes), None)
    if out is None or recording.probe.closure:
        return ""
    out = np.ravel(out)
    t, i = lanes.step, lanes.parameter
    gradient = recording.probe.gradients[t - 1][i]
    features = {"p": np.ravel(recording.moments[t - 1].parameters[i])}
    if gradient is not None:
        features["g"] = np.ravel(gradient)
    if out.all() or not out.any():
        return ""
    return next(_separations(features, out), "")


def _separations(features: dict[str, Any], out: Any) -> Iterator[str]:
    for name, x in features.items():
        if np.array_equal(out, x == 0):
            yield f"exactly those with {name} = 0"
        if np.array_equal(out, x != 0):
            yield f"exactly those with {name} != 0"
        if np.array_equal(out, x < 0):
            yield f"exactly those with {name} < 0"
        size = np.abs(x)
        inside, outside = size[out], size[~out]
        if inside.max() < outside.min():
            yield f"all with |{name}| < 2^{int(np.ceil(np.log2(outside.min())))}"
        if inside.min() > outside.max() > 0:
            yield f"all with |{name}| > 2^{int(np.floor(np.log2(outside.max())))}"
