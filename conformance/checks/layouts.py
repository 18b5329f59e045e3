"""Sparse gradients and complex parameters: what the equations say, or a refusal that costs nothing.

An optimizer need not take either. But one that refuses leaves everything as it was, and one that
does not refuse computes what the specification means by them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from instep.conformance.checks.base import Check, Outcome, Plan, Skip
from instep.conformance.errors import SubjectError
from instep.conformance.observe import observe
from instep.conformance.probes import Probe
from instep.conformance.refusals import cause_of, require_unchanged
from instep.conformance.subject import ConstructionError, Run, UnsupportedError
from instep.spec import ir
from instep.spec.conditions import holds
from instep.spec.gradients import accepts_complex
from instep.spec.options import resolve

if TYPE_CHECKING:
    from instep.conformance.context import Context

_SHAPES = ((37,), (9, 3), (5, 2, 3))
_PAIRS = ((19, 2), (4, 3, 2), (2,))


def checks(plan: Plan) -> Iterator[Check]:
    """One check for each kind."""
    if plan.algorithm.result != "parameters":
        return
    yield Check(
        "gradients/sparse",
        "should",
        "sparse gradients (indices twice, explicit zeros, none at all) count as the equations say, "
        "or are refused before anything changes",
        _sparse,
    )
    yield Check(
        "gradients/complex",
        "should",
        "complex parameters move as pairs of real numbers do, or are refused before anything "
        "changes",
        _complex,
    )


def _sparse(context: Context) -> Outcome:
    probe = context.probes.make(
        "gradients-sparse",
        values=_admitted(context),
        dtype=context.widest,
        shapes=_SHAPES,
        steps=8,
        sparse=True,
    )
    if probe.closure:
        raise Skip("the algorithm evaluates the gradient itself")
    return _judge(context, probe, "sparse gradients")


def _admitted(context: Context) -> dict[str, float]:
    """Values under which the spec gives sparse gradients a meaning: those that stop it are 0."""
    condition = context.algorithm.gradients.sparse
    own, options = context.probes.probe_values(), context.probes.options
    if isinstance(condition, bool) or holds(condition, own, options):
        return {}
    named = {n.name for n in ir.walk(condition) if isinstance(n, ir.Sym)} - context.probes.fixed
    zeros = dict.fromkeys(named, 0.0)
    if not holds(condition, own | zeros, options):
        raise Skip("the spec has no meaning for sparse gradients in this configuration")
    return zeros


def _complex(context: Context) -> Outcome:
    if not context.algorithm.gradients.dense:
        raise Skip("the algorithm takes sparse gradients alone")
    body = resolve(context.algorithm.body, context.probes.options)
    if not accepts_complex(context.algorithm, body):
        raise Skip("the equations have no meaning for complex parameters")
    probe = context.probes.make(
        "gradients-complex", dtype=context.widest, shapes=_PAIRS, steps=8, complex=True
    )
    if probe.closure:
        raise Skip("the algorithm evaluates the gradient itself")
    return _judge(context, probe, "complex parameters")


def _judge(context: Context, probe: Probe, what: str) -> Outcome:
    """In step, or skipped because the subject refuses and nothing has changed."""
    try:
        recording = context.record(probe)
    except SubjectError as error:
        _require_unchanged(context, probe, what)
        raise Skip(f"it refuses {what}: {cause_of(error)}") from error
    return context.require(recording, f"{what} move it elsewhere")


def _require_unchanged(context: Context, probe: Probe, what: str) -> None:
    """The step that raises leaves parameters and state; one that it takes may come before it."""
    try:
        attempt = Run(context.subject, probe)
    except (ConstructionError, UnsupportedError):
        return
    if context.algorithm.gradients.dense and not probe.complex:
        attempt.probe = replace(probe, touched=())
        attempt.step()
        attempt.probe = probe
    for _ in range(probe.steps - attempt.recording.steps):
        before = observe(attempt.optimizer, attempt.parameters)
        try:
            attempt.step()
        except SubjectError as error:
            now = observe(attempt.optimizer, attempt.parameters)
            require_unchanged(before, now, what, error)
            return
