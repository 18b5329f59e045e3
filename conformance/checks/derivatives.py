"""Derivatives: a step that says it can be differentiated through has those of what it computes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from instep.conformance.checks.base import Check, Failure, Outcome, Plan, Skip
from instep.conformance.lanes import SEED
from instep.conformance.probes import Probe
from instep.conformance.profile import ORDER
from instep.conformance.quiet import quiet
from instep.conformance.resuming import described
from instep.conformance.slopes import Slope, Tensors
from instep.conformance.subject import Run
from instep.conformance.verdict import OUT_OF_STEP, SENSITIVITY
from instep.spec.options import hyperparameters_read

if TYPE_CHECKING:
    from instep.conformance.context import Context

_FLAG = "differentiable"
_SHAPE, _STEPS = (3, 2), 3
_PARAMETER, _GRADIENT = "the parameter", "the gradient"


def checks(plan: Plan) -> Iterator[Check]:
    """Of all that goes into a step; variants with the flag exist at level full only."""
    if plan.algorithm.result == "parameters" and plan.thorough:
        yield Check(
            "modes/derivatives",
            "must",
            "with differentiable=True autograd finds the derivatives of a step with respect to "
            "parameter, gradient and state",
            _of_tensors,
        )
        yield Check(
            "modes/derivatives-of-hyperparameters",
            "should",
            "with differentiable=True autograd finds the derivatives of a step with respect to "
            "hyperparameters that are tensors",
            _of_hyperparameters,
        )


class _Refused(Exception):  # noqa: N818 - a signal, not an error
    """The subject does not take such tensors."""


@dataclass(frozen=True, slots=True)
class _Step:
    """The step that follows some others, as a function of tensors.

    Attributes:
        attempt: the steps before it.
        at: where they led: parameter, next gradient, and state that has lanes.
        rest: of the state.
    """

    attempt: Run
    at: Tensors
    rest: Mapping[str, Any]

    def __call__(self, given: Tensors) -> Tensors:
        """Parameter and state after it; what is no part of `at` is a hyperparameter."""
        subject, probe = self.attempt.subject, self.attempt.probe
        values: dict[str, Any] = {k: v for k, v in given.items() if k not in self.at}
        p = given[_PARAMETER].clone()
        try:
            optimizer = subject.build([p], {**probe.hyperparameters, **values}, probe.options)
            names = [k for k in self.at if k not in (_PARAMETER, _GRADIENT)]
            with quiet():
                p.grad = given[_GRADIENT].clone()
                optimizer.state[p].update({k: _copy(v) for k, v in self.rest.items()})
                optimizer.state[p].update({k: given[k].clone() for k in names})
                optimizer.step()
        except Exception as error:
            raise _Refused(described(error)) from error
        return {_PARAMETER: p, **{k: optimizer.state[p][k] for k in names}}


def _copy(value: Any) -> Any:
    return value.clone() if isinstance(value, torch.Tensor) else value


def _begun(context: Context) -> _Step:
    subject = context.subject
    if subject.given.get(_FLAG, subject.naming.booleans.get(_FLAG)) is not True:
        raise Skip("it is not constructed with differentiable=True")
    attempt = Run(context.subject, _probe(context))
    if not isinstance(attempt.optimizer, torch.optim.Optimizer):
        raise Skip("the subject is no torch.optim.Optimizer")
    for _ in range(_STEPS - 1):
        attempt.step()
    (p,), (gradient,) = attempt.parameters, attempt.gradients(_STEPS - 1)
    assert gradient is not None
    state = attempt.optimizer.state[p]
    many = {k: v.detach() for k, v in state.items() if _has_lanes(v)}
    rest = {k: v for k, v in state.items() if k not in many}
    return _Step(attempt, {_PARAMETER: p.detach(), _GRADIENT: gradient, **many}, rest)


def _has_lanes(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.is_floating_point() and value.numel() > 1


def _probe(context: Context) -> Probe:
    """A single matrix, whose lanes are away from zero, where there may be no derivatives."""
    if context.widest != ORDER[0]:
        raise Skip("differences need float64")
    made = context.probes.make(
        "modes-derivatives", dtype=context.widest, shapes=(_SHAPE,), steps=_STEPS
    ).only(0)
    if made.closure or made.touched:
        raise Skip("the algorithm evaluates the gradient itself, or takes sparse ones alone")
    rng = np.random.default_rng(SEED + 7)

    def away(x: Any) -> Any:
        return rng.uniform(0.25, 1.0, np.shape(x)) * rng.choice([-1.0, 1.0], np.shape(x))

    gradients = tuple(tuple(map(away, step)) for step in made.gradients)
    return replace(made, parameters=tuple(map(away, made.parameters)), gradients=gradients)


def _of_tensors(context: Context) -> Outcome:
    step = _begun(context)
    try:
        blind = [name for name in step.at if not _agree(step, step.at, [name], name)]
    except _Refused as reason:
        raise Skip(f"it refuses tensors that are no leaves: {reason}") from reason
    return Outcome(message=f"not to be seen along {', '.join(blind)}" if blind else "")


def _of_hyperparameters(context: Context) -> Outcome:
    """Those of one keyword at a time: betas are tensors together or not at all."""
    step = _begun(context)
    taken, refused = [], []
    for keyword, symbols in _by_keyword(context).items():
        given = step.attempt.probe.hyperparameters
        values = {s: torch.tensor(given[s], dtype=torch.float64) for s in symbols}
        try:
            if _agree(step, {**step.at, **values}, symbols, keyword):
                taken.append(keyword)
        except _Refused as reason:
            refused.append(f"{keyword} ({reason})")
    if not taken:
        raise Skip(f"it computes with no tensors as hyperparameters: {', '.join(refused)}")
    return Outcome(message=f"with respect to {', '.join(taken)}")


def _by_keyword(context: Context) -> dict[str, list[str]]:
    """Symbols of the hyperparameters that equations read."""
    read = hyperparameters_read(context.algorithm, context.probes.options)
    out: dict[str, list[str]] = {}
    for symbol, keyword in context.subject.naming.hyperparameters.items():
        if symbol in read - context.probes.fixed:
            out.setdefault(keyword.name, []).append(symbol)
    return out


def _agree(step: _Step, at: Tensors, names: list[str], what: str) -> bool:
    """Whether there was anything to see, in proportion to what is there.

    Raises:
        _Refused: the step raises.
        Failure: autograd says otherwise than the numbers do.
    """
    generator = torch.Generator().manual_seed(SEED)

    def weights(of: Tensors) -> Tensors:
        drawn = (torch.rand(v.shape, dtype=v.dtype, generator=generator) for v in of.values())
        return {k: x + 0.5 for k, x in zip(of, drawn, strict=True)}

    along = {k: x * at[k].abs() for k, x in weights({k: at[k] for k in names}).items()}
    slope = Slope(step, at, along, weights(step.at))
    expected, bound = slope.by_values()
    try:
        got = slope.by_autograd()
    except RuntimeError as error:
        raise Failure(f"autograd raises along {what}: {described(error)}") from error
    if abs(got - expected) > OUT_OF_STEP * bound:
        raise Failure(
            f"along {what} autograd finds a slope of {got:.6g}; the numbers change at "
            f"{expected:.6g} +- {bound:.1g}"
        )
    return OUT_OF_STEP * bound <= SENSITIVITY * abs(expected)
