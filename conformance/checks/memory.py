"""Memory: what an optimizer keeps for a parameter, for which of them, and where it lies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from instep.conformance.checks.base import Check, Failure, Outcome, Plan, Skip
from instep.conformance.observe import stored
from instep.conformance.subject import Run

if TYPE_CHECKING:
    from instep.conformance.context import Context
    from instep.conformance.probes import Probe


def checks(plan: Plan) -> Iterator[Check]:
    """What there is in `state`, and what its tensors are."""
    yield Check(
        "state/not-empty",
        "should",
        "a torch.optim.Optimizer keeps in `state` what the algorithm has to remember",
        _not_empty,
    )
    yield Check(
        "state/none-without-gradient",
        "info",
        "nothing is kept for a parameter that never had a gradient",
        _none_without_gradient,
    )
    yield Check(
        "state/own-memory",
        "should",
        "no tensor that is kept shares memory with a parameter or its gradient",
        _own_memory,
    )
    yield Check(
        "state/detached",
        "should",
        "no tensor that is kept requires a gradient, or keeps a graph alive",
        _detached,
    )


def _probe(context: Context) -> Probe:
    return context.probes.make("memory", dtype="float32", shapes=((37,), (5, 3)), steps=3)


def _not_empty(context: Context) -> Outcome:
    names = [n for n in context.live_states() if _remembered(context, n)]
    if not names:
        raise Skip("the algorithm remembers nothing of a parameter")
    attempt = Run(context.subject, _probe(context))
    if not isinstance(attempt.optimizer, torch.optim.Optimizer):
        raise Skip("the subject is no torch.optim.Optimizer")
    attempt.step()
    state: Mapping[Any, Any] = attempt.optimizer.state
    # What is needed of all parameters together may stand with one of them.
    if not state or not all(state.values()):
        raise Failure(f"after a step `state` is empty, or an entry is: {', '.join(names)} live on")
    return Outcome()


def _remembered(context: Context, name: str) -> bool:
    state = context.algorithm.state(name)
    return state.scope == "parameter" and state.init is not None


def _none_without_gradient(context: Context) -> Outcome:
    probe = _probe(context)
    if probe.closure:
        raise Skip("the algorithm evaluates the gradient itself")
    never = tuple((None, *step[1:]) for step in probe.gradients)
    attempt = Run(context.subject, replace(probe, gradients=never))
    attempt.finish()
    first = attempt.parameters[0]
    lanes = [path for i, path, x in _tensors(attempt) if i == 0 and x.numel() == first.numel()]
    if lanes:
        raise Failure(f"it keeps {', '.join(lanes)} for a parameter that never had a gradient")
    return Outcome()


def _tensors(attempt: Run) -> Iterator[tuple[int, str, torch.Tensor]]:
    """(parameter index, path, tensor) of what is kept, but for the parameters themselves."""
    for i, path, value in stored(attempt.optimizer, attempt.parameters):
        if isinstance(value, torch.Tensor) and not any(value is p for p in attempt.parameters):
            yield i, path, value


def _own_memory(context: Context) -> Outcome:
    attempt = Run(context.subject, _probe(context))
    for step in range(1, attempt.probe.steps + 1):
        attempt.step()
        owners = {_place(p): f"parameter {i}" for i, p in enumerate(attempt.parameters)}
        given = [(i, p.grad) for i, p in enumerate(attempt.parameters) if p.grad is not None]
        owners |= {_place(g): f"the gradient of parameter {i}" for i, g in given}
        owners.pop(None, None)
        for i, path, value in _tensors(attempt):
            if _place(value) in owners:
                raise Failure(
                    f"after step {step} {path} of parameter {i} lies in the memory of "
                    f"{owners[_place(value)]}"
                )
    return Outcome()


def _place(x: torch.Tensor) -> int | None:
    """Where the memory of a tensor begins; None where it has none of its own."""
    if x.layout is not torch.strided or x.numel() == 0:
        return None
    return x.untyped_storage().data_ptr()


def _detached(context: Context) -> Outcome:
    attempt = Run(context.subject, _probe(context))
    attempt.finish()
    for i, path, value in _tensors(attempt):
        if value.requires_grad or value.grad_fn is not None:
            raise Failure(f"{path} of parameter {i} requires a gradient")
    return Outcome()
