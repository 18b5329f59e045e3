"""Closures: called as often as the algorithm says, with gradients enabled, their loss returned."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch

from instep.conformance.checks.base import Check, Failure, Outcome, Plan, Skip
from instep.conformance.subject import Run
from instep.spec.gradients import evaluations
from instep.spec.options import resolve

if TYPE_CHECKING:
    from instep.conformance.context import Context


def checks(plan: Plan) -> Iterator[Check]:
    """The contract of `step(closure)`."""
    yield Check(
        "closure/contract",
        "must",
        "step(closure) calls it as often as the algorithm evaluates gradients, with gradients "
        "enabled, and returns its loss",
        _contract,
    )


def _contract(context: Context) -> Outcome:
    probe = context.probes.make("closure", dtype=context.widest, shapes=((17,), (3, 2)), steps=4)
    attempt = Run(context.subject, probe)
    if not _takes_closure(attempt.optimizer):
        raise Skip("its step() takes no closure")
    body = resolve(context.algorithm.body, probe.options)
    expected = evaluations(body)
    for t in range(1, probe.steps + 1):
        _one(attempt, t, expected)
    return context.require(attempt.recording, "with a closure the parameters go elsewhere")


def _one(attempt: Run, t: int, expected: int) -> None:
    enabled: list[bool] = []
    losses: list[torch.Tensor] = []
    inner = attempt.closure(t - 1)

    def closure() -> torch.Tensor:
        enabled.append(torch.is_grad_enabled())
        losses.append(inner() + t)
        return losses[-1]

    returned: Any = attempt.step_with(closure)
    if len(losses) != expected:
        raise Failure(
            f"step {t} called the closure {len(losses)} times; the algorithm says {expected}"
        )
    if not all(enabled):
        raise Failure(f"step {t} called the closure with gradients disabled")
    if returned is None or float(returned) not in [float(x) for x in losses]:
        raise Failure(
            f"step {t} returned {returned!r} instead of the closure's loss {float(losses[0])!r}"
        )


def _takes_closure(optimizer: Any) -> bool:
    try:
        parameters = inspect.signature(optimizer.step).parameters.values()
    except (TypeError, ValueError):
        return True
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return any(p.name == "closure" or p.kind in kinds for p in parameters) or len(parameters) == 1
