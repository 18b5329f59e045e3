"""Transforms of the gradient: what a clipping function returns, changes, and refuses."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from instep.conformance.bounded import Bounded
from instep.conformance.checks.base import Check, Failure, Outcome, Plan, Skip
from instep.conformance.errors import SubjectError
from instep.conformance.oracle import Oracle
from instep.conformance.subject import Run
from instep.conformance.verdict import Lanes, Severity, Tally
from instep.spec.options import options_of

if TYPE_CHECKING:
    from instep.conformance.context import Context

_SHAPES = ((37,), (5, 3), (11,))


def checks(plan: Plan) -> Iterator[Check]:
    """None for algorithms that move parameters."""
    if plan.algorithm.result != "gradient":
        return
    yield Check(
        "transform/in-place",
        "must",
        "gradients are changed in place, parameters and missing gradients not at all",
        _in_place,
    )
    yield Check(
        "transform/frozen",
        "must",
        "parameters without gradient are left out",
        partial(_without, (1,)),
    )
    yield Check(
        "transform/no-gradients",
        "should",
        "where no parameter has a gradient nothing happens",
        partial(_without, (0, 1, 2)),
    )
    if plan.algorithm.returned:
        yield Check(
            "transform/returned",
            "must",
            f"the function returns {plan.algorithm.returned.replace('_', ' ')}",
            _returned,
        )
    for refusal in plan.algorithm.refusals:
        for value in ("inf", "nan"):
            yield Check(
                f"transform/refuses-{value}",
                "must",
                f"a gradient with {value} is refused, and unchanged, where the caller asks for it",
                partial(_refuses, float(value), refusal.quantity),
            )
        yield Check(
            "transform/accepts-nonfinite",
            "must",
            "gradients with inf or NaN raise nothing where the caller does not ask for it",
            _accepts,
        )


def _attempt(context: Context, name: str, **more: Any) -> Run:
    probe = context.probes.make(name, dtype=context.widest, shapes=_SHAPES, steps=4, **more)
    return Run(context.subject, probe)


def _in_place(context: Context) -> Outcome:
    attempt = _attempt(context, "transform-in-place")
    for t in range(1, attempt.probe.steps + 1):
        given = attempt.give_gradients()
        attempt.step_with(None)
        if not attempt.optimizer.untouched:
            raise Failure(f"call {t} changed a parameter")
        for i, (p, g) in enumerate(zip(attempt.parameters, given, strict=True)):
            if p.grad is not g:
                raise Failure(f"call {t} replaced the gradient of parameter {i} by another tensor")
    return Outcome()


def _without(missing: tuple[int, ...], context: Context) -> Outcome:
    attempt = _attempt(context, "transform-frozen")
    attempt.give_gradients()
    for i in missing:
        attempt.parameters[i].grad = None
    try:
        attempt.step_with(None)
    except SubjectError as error:
        raise Failure(f"it raised where gradients are missing: {error}") from error
    for i in missing:
        if attempt.parameters[i].grad is not None:
            raise Failure(f"parameter {i} had no gradient, and has one now")
    return Outcome()


def _returned(context: Context) -> Outcome:
    attempt = _attempt(context, "transform-returned")
    symbol = context.algorithm.returned
    profile = context.profiles(context.widest)[-1]
    oracle = Oracle(context.model, attempt.probe, profile)
    tally = Tally(widest=True)
    for t in range(1, attempt.probe.steps + 1):
        attempt.step()
        with np.errstate(all="ignore"):
            oracle.step(t)
        got = attempt.optimizer.returned
        if got is None:
            raise Skip("it returns nothing")
        tally.add(_compared(t, symbol, oracle, got))
    if tally.severity is Severity.OUT:
        what = symbol.replace("_", " ")
        raise Failure(f"what it returns is not {what}: {tally.worst:.3g} bounds off")
    return Outcome()


def _compared(t: int, symbol: str, oracle: Oracle, got: Any) -> Lanes:
    value: Bounded = oracle.values[symbol]
    expected, bound = np.atleast_1d(value.value), np.atleast_1d(value.bound)
    shown = np.atleast_1d(np.asarray(float(got), dtype=np.float64))
    return Lanes(t, 0, symbol, oracle.defined_by[symbol], shown, expected, bound, expected)


def _switch(context: Context) -> str:
    """The option by which the caller asks for refusal."""
    for refusal in context.algorithm.refusals:
        for name in sorted(options_of(refusal.condition)):
            if name in context.subject.naming.options and name not in context.probes.fixed:
                return name
    raise Skip("the caller cannot ask for it")


def _spoilt(context: Context, value: float, *, ask: bool) -> Run:
    """A call to come, with one entry that is not finite."""
    attempt = _attempt(context, f"transform-{value}-{ask}", options={_switch(context): ask})
    attempt.give_gradients()
    grad = attempt.parameters[1].grad
    assert grad is not None
    grad.view(-1)[3] = value
    return attempt


def _refuses(value: float, quantity: str, context: Context) -> Outcome:
    attempt = _spoilt(context, value, ask=True)
    before = [p.grad.clone() for p in attempt.parameters if p.grad is not None]
    try:
        attempt.step_with(None)
    except SubjectError as error:
        if not isinstance(error.__cause__, RuntimeError):
            kind = type(error.__cause__).__name__
            raise Failure(f"it raised {kind}, not RuntimeError") from error
    else:
        raise Failure(f"with {value} in a gradient, {quantity} is not finite, and nothing raised")
    for i, (p, g) in enumerate(zip(attempt.parameters, before, strict=True)):
        assert p.grad is not None
        if not torch.equal(p.grad.nan_to_num(7.0), g.nan_to_num(7.0)):
            raise Failure(f"it refused after it had changed the gradient of parameter {i}")
    return Outcome()


def _accepts(context: Context) -> Outcome:
    for value in (float("inf"), float("nan")):
        try:
            _spoilt(context, value, ask=False).step_with(None)
        except SubjectError as error:
            raise Failure(f"with {value} in a gradient: {error}") from error
    return Outcome()
