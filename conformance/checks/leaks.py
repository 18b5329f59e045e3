"""Memory: what a step takes, what it leaves behind, and what it does not let go."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch

from instep.conformance.checks.base import Check, Failure, Outcome, Plan, Skip
from instep.conformance.checks.closure import takes_closure
from instep.conformance.held import Held, held, tensors_held
from instep.conformance.peak import Peak
from instep.conformance.subject import Run

if TYPE_CHECKING:
    from instep.conformance.context import Context

_EARLY, _LATE = 4, 8
# Many parameters of one size: what is taken for one of them at a time is little.
_ALIKE, _SETTLED = ((32, 16),) * 8, 2


def checks(plan: Plan) -> Iterator[Check]:
    """While a step is made, after many of them, and of a loss."""
    if plan.algorithm.result != "parameters":
        return
    if plan.thorough:
        yield Check(
            "memory/peak",
            "info",
            "the tensors that a step makes for the time being take no more than parameters, "
            "gradients and state do",
            _peak,
        )
    yield Check(
        "memory/steady",
        "should",
        "what an optimizer holds does not grow from step to step",
        _steady,
    )
    yield Check(
        "memory/loss-freed",
        "should",
        "the graph of the loss that a closure returned can be freed after its step",
        _loss_freed,
    )


def _peak(context: Context) -> Outcome:
    made = context.probes.make("memory-peak", dtype="float32", shapes=_ALIKE, steps=_SETTLED + 1)
    if made.closure or made.touched:
        raise Skip("the algorithm evaluates the gradient itself, or takes sparse ones alone")
    attempt = Run(context.subject, made.only(*range(len(_ALIKE))))
    while attempt.recording.steps < _SETTLED:
        attempt.step()
    gradients = attempt.give_gradients()
    there = [*gradients, *tensors_held(attempt.optimizer, attempt.parameters)]
    with Peak([*attempt.parameters, *there]) as peak:
        attempt.step_with(None)
    unit = _memory(attempt.parameters)
    limit = unit + _memory(there)
    shown = f"{peak.bytes / unit:.3g} times the memory of the parameters"
    if peak.bytes > limit:
        raise Failure(f"a step takes {shown} beside {limit / unit:.3g} that are there")
    return Outcome(message=f"a step takes {shown}")


def _memory(tensors: Sequence[torch.Tensor]) -> int:
    """Bytes, each counted once."""
    strided = [x.untyped_storage() for x in tensors if x.layout is torch.strided]
    return sum({memory.data_ptr(): memory.nbytes() for memory in strided}.values())


def _steady(context: Context) -> Outcome:
    probe = context.probes.make(
        "memory-steady", dtype="float32", shapes=((5,), (4, 3)), steps=_LATE
    )
    if probe.closure:
        raise Skip("its runs are too short to fill a history")
    attempt = Run(context.subject, probe)
    found: dict[int, Held] = {}
    for t in range(1, _LATE + 1):
        attempt.step()
        if t in (_EARLY, _LATE):
            found[t] = held(attempt.optimizer, attempt.parameters)
    early, late = found[_EARLY], found[_LATE]
    for what in ("bytes", "tensors", "entries"):
        before, after = getattr(early, what), getattr(late, what)
        if after > before:
            where = "entries of containers" if what == "entries" else what
            where = "bytes of tensors" if what == "bytes" else where
            raise Failure(
                f"it holds {before} {where} after step {_EARLY} and {after} after step {_LATE}"
            )
    return Outcome(message=f"{late.bytes} bytes in {late.tensors} tensors")


# ---- the graph of a loss


class _Marker:
    """Something that lives as long as the graph that it is part of."""


class _Marked(torch.autograd.Function):
    """The same number, in a graph that holds a marker."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, marker: _Marker) -> torch.Tensor:
        ctx.marker = marker
        return x.clone()

    @staticmethod
    def backward(ctx: Any, *slopes: torch.Tensor) -> tuple[torch.Tensor, None]:
        return slopes[0], None


def _loss_freed(context: Context) -> Outcome:
    probe = context.probes.make("memory-loss", dtype="float32", shapes=((5,), (4, 3)), steps=2)
    attempt = Run(context.subject, probe)
    if not takes_closure(attempt.optimizer):
        raise Skip("its step() takes no closure")
    for t in range(probe.steps):
        markers: list[weakref.ref[_Marker]] = []
        attempt.step_with(_with_graph(attempt.closure(t), markers))
        attempt.recording.losses.clear()
        if _alive(markers):
            gc.collect()
        if _alive(markers):
            raise Failure(f"the graph of the loss is held after step {t + 1}")
    return Outcome()


def _alive(markers: list[weakref.ref[_Marker]]) -> bool:
    return any(marker() is not None for marker in markers)


def _with_graph(
    closure: Callable[[], torch.Tensor], markers: list[weakref.ref[_Marker]]
) -> Callable[[], torch.Tensor]:
    """A closure whose losses have a graph, each with a marker of its own."""

    def differentiable() -> torch.Tensor:
        loss, marker = closure(), _Marker()
        markers.append(weakref.ref(marker))
        with torch.enable_grad():
            x = loss.detach().clone().requires_grad_()
            found: torch.Tensor = _Marked.apply(x, marker)  # type: ignore[no-untyped-call]
        return found

    return differentiable
