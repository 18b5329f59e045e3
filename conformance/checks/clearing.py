"""zero_grad(): gradients are dropped, or filled with zeros where they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch

from instep.conformance.checks.base import Check, Failure, Outcome, Plan, Skip
from instep.conformance.resuming import required
from instep.conformance.subject import Run

if TYPE_CHECKING:
    from instep.conformance.context import Context


def checks(plan: Plan) -> Iterator[Check]:
    """Both values of set_to_none."""
    yield Check(
        "gradients/dropped",
        "must",
        "zero_grad() sets every p.grad to None",
        _dropped,
    )
    yield Check(
        "gradients/zeroed",
        "must",
        "zero_grad(set_to_none=False) fills every p.grad with zeros, in place and without a graph",
        _zeroed,
    )


def _run(context: Context) -> Run:
    """A step was made, and each parameter has a gradient, but for the last."""
    attempt = Run(
        context.subject,
        context.probes.make("clearing", dtype="float32", shapes=((37,), (5, 3), (11,)), steps=2),
    )
    if not isinstance(attempt.optimizer, torch.optim.Optimizer):
        raise Skip("the subject is no torch.optim.Optimizer")
    attempt.step()
    for p in attempt.parameters:
        p.grad = torch.ones_like(p)
    attempt.parameters[-1].grad = None
    return attempt


def _dropped(context: Context) -> Outcome:
    attempt = _run(context)
    with required("zero_grad()"):
        attempt.optimizer.zero_grad()
    for i, p in enumerate(attempt.parameters):
        if p.grad is not None:
            raise Failure(f"zero_grad() leaves a tensor in the p.grad of parameter {i}")
    return Outcome()


def _zeroed(context: Context) -> Outcome:
    attempt = _run(context)
    kept = [p.grad for p in attempt.parameters]
    with required("zero_grad(set_to_none=False)"):
        attempt.optimizer.zero_grad(set_to_none=False)
    for i, (p, before) in enumerate(zip(attempt.parameters, kept, strict=True)):
        if p.grad is not before:
            raise Failure(f"zero_grad(set_to_none=False) puts another p.grad into parameter {i}")
        if p.grad is not None and (p.grad.any() or p.grad.requires_grad):
            raise Failure(f"zero_grad(set_to_none=False) does not clear p.grad of parameter {i}")
    return Outcome()
