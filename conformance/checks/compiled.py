"""Compiled steps: torch.compile() changes how a step is computed, and nothing else.

Nothing is generated: what is captured is computed operation by operation, which needs no compiler
of another language and shows whether it was captured rightly.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import torch

from instep.conformance.checks.base import Check, Outcome, Plan, Skip
from instep.conformance.errors import SubjectError
from instep.conformance.observe import different
from instep.conformance.refusals import cause_of
from instep.conformance.subject import Run, Subject

if TYPE_CHECKING:
    from instep.conformance.context import Context
    from instep.conformance.probes import Probe


def checks(plan: Plan) -> Iterator[Check]:
    """One check, which takes a second."""
    if plan.algorithm.result == "parameters" and plan.thorough:
        yield Check(
            "modes/compiled",
            "must",
            "a step that torch.compile() captured does what it does otherwise",
            _compiled,
        )


class _Compiled(Run):
    """A run whose steps are compiled; `captured` counts the graphs that there are of them."""

    def __init__(self, subject: Subject, probe: Probe) -> None:
        super().__init__(subject, probe)
        self.captured = 0
        self._step: Callable[..., Any] = torch.compile(self.optimizer.step, backend=self._capture)

    def take(self, closure: Callable[[], torch.Tensor] | None) -> Any:
        """The step itself."""
        return self._step() if closure is None else self._step(closure)

    def _capture(self, graph: Any, _: Any) -> Any:
        self.captured += 1
        return graph.forward


def _compiled(context: Context) -> Outcome:
    probe = context.probes.make(
        "modes-compiled", dtype=context.widest, shapes=((37,), (5, 3)), steps=4
    )
    if probe.closure or probe.touched:
        raise Skip("the algorithm evaluates the gradient itself, or takes sparse ones alone")
    plain = context.record(probe)
    with _alone():
        try:
            attempt = _Compiled(context.subject, probe)
            got = attempt.finish()
        except (SubjectError, RuntimeError) as error:
            shown = cause_of(error) if isinstance(error, SubjectError) else error
            raise Skip(f"it cannot be compiled: {shown}") from error
    if not attempt.captured:
        raise Skip("nothing of a step can be captured")
    said = f"{attempt.captured} graphs were captured"
    pairs = zip(plain.moments, got.moments, strict=True)
    if all(different(a.parameters, b.parameters) is None for a, b in pairs):
        return Outcome(message=said)
    got.blocks = context.blocks
    outcome = context.require_without_diagnosis(got, "compiled, parameters go elsewhere")
    return Outcome(outcome.tally, outcome.recording, said)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """A block without what was compiled before, or is said about it."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    torch.compiler.reset()
    try:
        yield
    finally:
        torch.compiler.reset()
        logging.disable(before)
