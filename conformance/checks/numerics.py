"""Numerics: every equation of the spec, in trajectory and in lockstep, in the widest type."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from instep.conformance import descents
from instep.conformance.boundaries import beside_boundaries, limits
from instep.conformance.checks.base import Check, Failure, Outcome, Plan, Skip
from instep.conformance.verdict import Severity
from instep.spec import ir
from instep.spec.gradients import reads_loss
from instep.spec.model import Algorithm
from instep.spec.options import live_states, resolve
from instep.spec.scope import Scope, infer

if TYPE_CHECKING:
    from instep.conformance.context import Context
    from instep.conformance.observe import Recording
    from instep.conformance.probes import Probe

_SMALL: Any = {"shapes": ((67,),), "steps": 5}
# Behind a sign or a choice a value shows only on lanes that are about to switch: one in thousands.
_CROWD: Any = {"shapes": ((16384,),), "steps": 10}
# How many of a run's decisions a limit is brought beside: some norms decide in few of them.
_DECISIONS = 12


def checks(plan: Plan) -> Iterator[Check]:
    """Trajectories with dyadic and default values and at corners; lockstep per quantity."""
    algorithm = plan.algorithm
    yield Check(
        "numerics/trajectory",
        "must",
        "parameters follow the equations over 12 steps from the same start",
        _dyadic,
        numeric=True,
    )
    yield Check(
        "numerics/defaults",
        "must",
        "parameters follow the equations with the dialect's default hyperparameters",
        _defaults,
        numeric=True,
    )
    yield Check(
        "numerics/fine-values",
        "must",
        "parameters follow the equations with hyperparameters that need single precision",
        _fine,
        numeric=True,
    )
    if _reduces(algorithm):
        yield Check(
            "numerics/faint",
            "must",
            "parameters follow the equations where all gradients of a step are small",
            _faint,
            numeric=True,
        )
    if reads_loss(algorithm.body):
        for name, way in descents.DESCENTS.items():
            yield Check(
                f"numerics/{name}",
                "must",
                f"parameters follow the equations {way.where}",
                partial(_descent, name),
                numeric=True,
            )
    for symbol in corners(plan):
        yield Check(
            f"numerics/zero-{slug(symbol)}",
            "must",
            f"parameters follow the equations with {symbol} = 0",
            partial(_corner, symbol),
            numeric=True,
        )
    for symbol in limits(algorithm, algorithm.option_defaults()):
        yield Check(
            f"numerics/narrow-{slug(symbol)}",
            "must",
            f"parameters follow the equations with {symbol} just beside what it is compared with",
            partial(_narrow, symbol),
            numeric=True,
        )
    if plan.thorough:
        yield Check(
            "numerics/long",
            "must",
            "parameters follow the equations over 40 steps",
            _long,
            numeric=True,
        )
    for symbol, equation in quantities(algorithm):
        what = "the parameter" if symbol == ir.THETA else f"state {symbol}"
        yield Check(
            f"numerics/{slug(equation)}",
            "must",
            f"{what} follows equation {equation}, step by step from the subject's own state",
            partial(_lockstep, symbol),
            numeric=True,
        )


def slug(name: str) -> str:
    """A name as it stands in ids."""
    return name.lower().replace("_", "-")


def corners(plan: Plan) -> list[str]:
    """Hyperparameters that may be exactly zero.

    Where lr is 0 nothing moves and nothing shows, unless the equations ask for it; a search along a
    line has nowhere to go.
    """
    zero = [h.name for h in plan.hyperparameters if h.domain.contains(0.0)]
    body = resolve(plan.algorithm.body, plan.algorithm.option_defaults())
    deciding = set() if reads_loss(body) else _deciding(plan.algorithm)
    return [name for name in zero if name != "lr" or name in deciding]


def _deciding(algorithm: Algorithm) -> set[str]:
    """Symbols that conditions read, by themselves or through the equations of a step."""
    body = resolve(algorithm.body, algorithm.option_defaults())
    branches = (s.condition for s in ir.statements(body) if isinstance(s, ir.If))
    open_, known = [*branches, *_compared(algorithm)], set[str]()
    while open_:
        read = {n.name for n in ir.walk(open_.pop()) if isinstance(n, ir.Sym)} - known - {ir.THETA}
        known |= read
        open_ += [let.value for let in ir.lets(body) if let.target.name in read]
    return known


def _compared(algorithm: Algorithm) -> list[ir.Expr]:
    """What the lanes are asked about: the conditions of `where`."""
    body = resolve(algorithm.body, algorithm.option_defaults())
    return [n.condition for n in ir.nodes(body) if isinstance(n, ir.Where)]


def _asks_for_zero(algorithm: Algorithm) -> bool:
    """Whether the equations take another form where a quantity is exactly zero."""
    nodes = (n for condition in _compared(algorithm) for n in ir.walk(condition))
    return any(
        isinstance(n, ir.Compare) and n.op in ("==", "!=") and n.right == ir.Const(0) for n in nodes
    )


def quantities(algorithm: Algorithm) -> list[tuple[str, str]]:
    """(symbol, its last equation) of live states and the parameter, in data-flow order."""
    options = algorithm.option_defaults()
    live = set(live_states(algorithm, options)) | {ir.THETA}
    last: dict[str, str] = {}
    for let in ir.lets(resolve(algorithm.body, options)):
        if let.target.name in live:
            last.pop(let.target.name, None)
            last[let.target.name] = let.equation
    return list(last.items())


def _dyadic(context: Context) -> Outcome:
    return context.require(context.base, "the parameters leave the trajectory of the equations")


def _defaults(context: Context) -> Outcome:
    values = {**context.algorithm.defaults(), **context.probes.base}
    probe = context.probes.make("defaults", values=values, dtype=context.widest)
    return context.require(context.record(probe), "with default hyperparameters they leave it")


def _fine(context: Context) -> Outcome:
    # Rates away from 1 show more; what needs long averages needs some near 1.
    size = _CROWD if switches(context) else _SMALL
    longer = {**size, "steps": max(size["steps"], 14)}

    def recording(name: str, near: bool, size: Any) -> Recording:
        values = context.probes.fine_values(near=near)
        return context.record(
            context.probes.make(name, values=values, dtype=context.widest, **size)
        )

    what = "with hyperparameters of 12 bits they leave it"
    context.require(recording("fine", False, size), what)
    return context.require_each_step(recording("fine-near", True, longer), what)


def switches(context: Context) -> bool:
    """Whether lanes jump from one value to another, each by itself."""
    body, scopes = resolve(context.algorithm.body, context.probes.options), infer(context.algorithm)
    deciding = (
        n.condition if isinstance(n, ir.Where) else n
        for n in ir.nodes(body)
        if isinstance(n, ir.Where) or (isinstance(n, ir.Call) and n.function == "sign")
    )
    return any(scopes.of(x) is Scope.TENSOR for x in deciding)


def _reduces(algorithm: Algorithm) -> bool:
    """Whether norms or sums decide something that single lanes do not."""
    body = resolve(algorithm.body, algorithm.option_defaults())
    return any(isinstance(node, ir.Reduce) for node in ir.nodes(body))


# Limits on a norm (clipping, trust ratios) are seen from both sides: every other step is faint.
def _faint(context: Context) -> Outcome:
    probe = context.probes.make("faint", dtype=context.widest, steps=6)
    if probe.closure:
        raise Skip("the algorithm evaluates the gradient itself")
    gradients = tuple(
        tuple(None if g is None else np.ldexp(g, -14) if t % 2 else g for g in step)
        for t, step in enumerate(probe.gradients)
    )
    recording = context.record(replace(probe, gradients=gradients))
    return context.require(recording, "where gradients are small they leave it")


# At a corner a state may fall by many powers of two in one step, where correct rewrites in float32
# lose it; gradients without pauses keep it from that.
def _corner(symbol: str, context: Context) -> Outcome:
    if symbol in context.probes.fixed:
        raise Skip(f"{symbol} is fixed")
    try:
        probe = context.probes.make(
            f"zero-{symbol}", values={symbol: 0.0}, dtype=context.widest, calm=True, **_SMALL
        )
    except ValueError as error:
        raise Skip(str(error)) from error
    if _asks_for_zero(context.algorithm):
        probe = _with_still_lanes(probe)
    if probe.hyperparameters[symbol] != 0:
        raise Skip(f"the spec's requirements do not admit {symbol} = 0 here")
    return context.require(context.record(probe), f"with {symbol} = 0 the parameters leave it")


def _narrow(symbol: str, context: Context) -> Outcome:
    if symbol in context.probes.fixed:
        raise Skip(f"{symbol} is fixed")
    probe = context.probes.make(f"narrow-{symbol}", dtype=context.widest, steps=3)
    what, outcome = f"with {symbol} just beside what it is compared with they leave it", Outcome()
    for narrow in beside_boundaries(context.model, probe, symbol, _DECISIONS):
        outcome = context.require(context.record(narrow), what)
    if outcome.tally is None:
        raise Skip(f"no decision of the run depends on {symbol} narrowly")
    return outcome


def _with_still_lanes(probe: Probe) -> Probe:
    """The same, but for every seventh lane, which never has a gradient."""

    def masked(g: Any) -> Any:
        moves = np.arange(np.size(g)).reshape(np.shape(g)) % 7 != 0
        return np.where(moves, g, 0.0)

    gradients = tuple(
        tuple(None if g is None else masked(g) for g in step) for step in probe.gradients
    )
    return replace(probe, gradients=gradients)


def _descent(name: str, context: Context) -> Outcome:
    if name not in descents.names(context.probes):
        raise Skip("the learning rate is fixed, or the algorithm searches along no line")
    probe = descents.descent(context.probes, name, context.widest)
    return context.require(
        context.record(probe), f"{descents.DESCENTS[name].where} the parameters leave it"
    )


def _long(context: Context) -> Outcome:
    probe = context.probes.make("long", dtype=context.widest, shapes=((67,),), steps=40)
    return context.require(context.record(probe), "after more steps the parameters leave it")


def _lockstep(symbol: str, context: Context) -> Outcome:
    states = context.states_for(context.base)
    if symbol != ir.THETA and symbol not in states.bindings:
        raise Skip(f"no tensor of the subject was recognised as state {symbol}")
    tally = context.judge_lockstep(context.base).tally
    mine = tally.only([symbol])
    if mine.severity is Severity.OUT:
        raise Failure(
            f"{symbol} is wrong after a step from the subject's own state", mine, context.base
        )
    return Outcome(mine)
