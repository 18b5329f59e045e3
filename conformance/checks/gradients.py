"""Gradients: missing ones, zeros, and that they are left as they were found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from instep.conformance.checks.base import Check, Failure, Outcome, Plan, Skip
from instep.conformance.probes import Probe
from instep.conformance.sparse import rewritten, same
from instep.conformance.subject import Run
from instep.spec import ir
from instep.spec.arguments import Hyperparameter, OptionValue

if TYPE_CHECKING:
    from instep.conformance.context import Context

_SHAPES = ((37,), (5, 3), (11,))
# A rate at which an average is what it averages after ten steps, even in float64.
_QUICK = 2.0**-6


def checks(plan: Plan) -> Iterator[Check]:
    """What a step does with gradients that are absent, zero, or somebody else's."""
    yield Check(
        "gradients/none",
        "must",
        "a parameter without gradient is left alone, and returns with its own step count",
        _none,
    )
    yield Check(
        "gradients/zero",
        "must",
        "steps with zero gradients follow the equations",
        _zero,
    )
    if any(map(_is_rate, plan.hyperparameters)):
        yield Check(
            "gradients/constant",
            "must",
            "where averages have arrived at a gradient that stays, steps follow the equations",
            _constant,
        )
    if plan.algorithm.result == "gradient":
        return  # it is there to change them
    yield Check(
        "gradients/not-kept",
        "must",
        "what a step keeps is its own: the next gradient may be written into the same tensor",
        _not_kept,
    )
    yield Check(
        "gradients/untouched",
        "must",
        "a step leaves p.grad as it found it: the same tensor, value and version",
        _untouched,
    )


def _not_kept(context: Context) -> Outcome:
    outcome = Outcome()
    for values in ({}, *_gates(context)):
        name = "-".join(["gradients-reused", *values])
        attempt = Run(context.subject, _make(context, name, values=values))
        if attempt.probe.closure:
            raise Skip("the algorithm evaluates the gradient itself")
        _reuse(attempt)
        what = "gradients that are written over in place change what earlier steps kept"
        outcome = context.require(attempt.recording, what)
    return outcome


def _gates(context: Context) -> Iterator[dict[str, float]]:
    """Hyperparameters whose zero skips an equation: the gradient itself may be kept then."""
    for branch in ir.statements(context.algorithm.body):
        match branch:
            case ir.If(ir.Logic("not", (ir.Compare("==", ir.Sym(name), ir.Const(0)),))):
                if name not in context.probes.fixed and context.probes.admits({name: 0.0}):
                    yield {name: 0.0}


def _reuse(attempt: Run) -> None:
    """Every step's gradients in the tensors of the first one, as backward() leaves them."""
    attempt.give_gradients()
    for t in range(attempt.probe.steps):
        with torch.no_grad():
            for p, g in zip(attempt.parameters, attempt.gradients(t), strict=True):
                assert p.grad is not None
                assert g is not None
                p.grad = rewritten(p.grad, g)
        attempt.step_with(None)


def _make(context: Context, name: str, **more: Any) -> Probe:
    return context.probes.make(name, dtype=context.widest, shapes=_SHAPES, steps=8, **more)


def _none(context: Context) -> Outcome:
    probe = _make(context, "gradients-none")
    if probe.closure:
        raise Skip("the algorithm evaluates the gradient itself")
    # The first one: where matrices are mixed, its gradients are neither small nor large.
    absent = {0: {0, 1, 4}, 1: set(), 2: set(range(8))}
    gradients = tuple(
        tuple(None if t in absent.get(i, ()) else g for i, g in enumerate(step))
        for t, step in enumerate(probe.gradients)
    )
    recording = context.record(replace(probe, gradients=gradients))
    for t in range(1, recording.steps + 1):
        if not np.array_equal(recording.moments[t].parameters[2], probe.parameters[2]):
            raise Failure(f"a parameter that never had a gradient moved in step {t}")
    return context.require(recording, "parameters that miss gradients in some steps go elsewhere")


def _zero(context: Context) -> Outcome:
    # Before there ever was another, where means and norms are zero, all the more without decay;
    # and in the middle of a run.
    _with_zeros(context, "gradients-zero-first", range(1))
    off = _off_by_default(context)
    if off:
        _with_zeros(context, "gradients-zero-only", range(1), values=off)
    return _with_zeros(context, "gradients-zero", range(3, 7))


def _off_by_default(context: Context) -> dict[str, float]:
    """Zero for every hyperparameter that is zero unless it is set, decay above all."""
    free = (h for h in context.algorithm.hyperparameters if h.name not in context.probes.fixed)
    return {h.name: 0.0 for h in free if h.default == 0 and h.domain.contains(0.0)}


def _with_zeros(context: Context, name: str, zero: range, **more: Any) -> Outcome:
    probe = _make(context, name, **more)
    if probe.closure:
        raise Skip("the algorithm evaluates the gradient itself")
    gradients = tuple(
        tuple(np.zeros_like(g) if t in zero else g for g in step)
        for t, step in enumerate(probe.gradients)
    )
    recording = context.record(replace(probe, gradients=gradients))
    return context.require(recording, "zero gradients are not treated as the equations say")


def _is_rate(h: Hyperparameter) -> bool:
    """Whether it may be how slowly an average forgets; domains do not always end at 1."""
    return 0.5 <= h.default < 1 and h.domain.contains(_QUICK)


def _constant(context: Context) -> Outcome:
    probe = constant_probe(context, {})
    if probe is None:
        raise Skip("its averages cannot be made to forget sooner, or it evaluates the gradient")
    return context.require(context.record(probe), "where the gradient stays they go elsewhere")


def constant_probe(context: Context, options: Mapping[str, OptionValue]) -> Probe | None:
    """The same gradient in every step, with averages that forget at once; None without such.

    What is off by default stays off, decay above all: it would change what is averaged.
    """
    known = {h.name: h for h in context.algorithm.hyperparameters}
    rates = {name: _QUICK for name, h in known.items() if _is_rate(h)}
    free = {name: x for name, x in rates.items() if name not in context.probes.fixed}
    if not free or not context.probes.possible(options):
        return None
    name = "-".join(["gradients-constant", *(f"{k}={v}" for k, v in options.items())])
    values = {**free, **_off_by_default(context)}
    probe = context.probes.make(
        name, values=values, options=options, dtype=context.widest, shapes=((67,),), steps=14
    )
    return None if probe.closure else replace(probe, gradients=probe.gradients[:1] * probe.steps)


def _untouched(context: Context) -> Outcome:
    for more in _configurations(context):
        attempt = Run(context.subject, _make(context, "gradients-untouched", **more))
        for step in range(3):
            _compare(attempt, step + 1)
    return Outcome()


def _configurations(context: Context) -> Iterator[dict[str, Any]]:
    """The base options, and each boolean one switched: maximize is a favourite place for neg_().

    With a penalty of 0 the gradient itself may be what is written to.
    """
    yield {}
    for values in _gates(context):
        yield {"values": values}
    for option in context.algorithm.options:
        known = option.name in context.subject.naming.options
        if known and option.values == (False, True) and option.name not in context.probes.fixed:
            flipped = {option.name: not context.probes.options[option.name]}
            if context.probes.possible(flipped):
                yield {"options": flipped}


def _given(attempt: Run) -> list[tuple[torch.Tensor, torch.Tensor, int]]:
    """Make a step; return every gradient with its value and version as the step was given it."""
    kept: list[tuple[torch.Tensor, torch.Tensor, int]] = []

    def keep(gradients: list[torch.Tensor]) -> None:
        kept[:] = [(g, g.clone(), g._version) for g in gradients]

    if not attempt.probe.closure:
        keep(attempt.give_gradients())
        attempt.step_with(None)
        return kept
    inner = attempt.closure(attempt.recording.steps)

    def closure() -> torch.Tensor:
        loss = inner()
        keep([p.grad for p in attempt.parameters if p.grad is not None])
        return loss

    attempt.step_with(closure)
    return kept


def _compare(attempt: Run, step: int) -> None:
    kept = _given(attempt)
    for i, (p, (g, value, version)) in enumerate(zip(attempt.parameters, kept, strict=True)):
        if p.grad is not g:
            raise Failure(f"step {step} replaced the gradient of parameter {i} by another tensor")
        if not same(g, value):
            raise Failure(f"step {step} changed the gradient of parameter {i}")
        if g._version != version:
            raise Failure(
                f"step {step} wrote to the gradient of parameter {i}, though with its old values"
            )
