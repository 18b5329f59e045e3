"""Groups that are added while a run is on: unfreezing a layer is no new start for the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from instep.conformance.checks.base import Check, Failure, Outcome, Plan, Skip
from instep.conformance.checks.groups import kept_in_groups
from instep.conformance.errors import SubjectError
from instep.conformance.observe import observe
from instep.conformance.probes import Probe
from instep.conformance.resuming import described
from instep.conformance.subject import Run

if TYPE_CHECKING:
    from instep.conformance.context import Context

# Steps before the first group is added.
_BEFORE = 3


def checks(plan: Plan) -> Iterator[Check]:
    """One check, for what add_param_group() does."""
    if plan.thorough:
        yield Check(
            "groups/added",
            "must",
            "a group added after some steps follows the equations from there, with the defaults "
            "for what it does not say, and the others go on",
            _added,
        )


def _added(context: Context) -> Outcome:
    probe = _probe(context)
    attempt = Run(context.subject, probe)
    first = attempt.parameters[:-2]
    optimizer = context.subject.build(first, probe.hyperparameters, probe.options)
    if not callable(getattr(optimizer, "add_param_group", None)):
        raise Skip("the subject has no add_param_group()")
    attempt.optimizer = optimizer
    attempt.recording.moments = [observe(optimizer, attempt.parameters)]
    for _ in range(_BEFORE):
        attempt.step()
    _add(attempt, {"params": [attempt.parameters[-2]]})
    _add(attempt, {"params": [attempt.parameters[-1]], **context.subject.group_values(probe)[0]})
    try:
        attempt.finish()
    except SubjectError as error:
        raise Failure(f"after add_param_group() {error}") from error
    return context.require(attempt.recording, "with a group added midway parameters go elsewhere")


def _probe(context: Context) -> Probe:
    """The last two parameters have no gradients before they are added, the last a rate of its own.

    Raises:
        Skip: the algorithm evaluates the gradient, which it does of all parameters.
    """
    own = [h for h in context.algorithm.hyperparameters if h.scope == "group"]
    rates = {h.name for h in own if h.key == "lr"}
    known = sorted(rates & set(context.subject.naming.hyperparameters))
    values = kept_in_groups(context, context.probes.other_values(known))
    probe = context.probes.make(
        "groups-added", dtype=context.widest, shapes=((37,), (5, 3), (11,), (13,)), steps=8
    )
    if probe.closure:
        raise Skip("the algorithm evaluates the gradient itself")
    last = len(probe.parameters) - 1
    gradients = tuple(
        (*step[:-2], None, None) if t < _BEFORE else step for t, step in enumerate(probe.gradients)
    )
    return replace(probe, gradients=gradients, groups=(((last,), values),))


def _add(attempt: Run, group: dict[str, Any]) -> None:
    """Add a group; one that is refused leaves the others as they are."""
    count = len(attempt.optimizer.param_groups)
    try:
        attempt.optimizer.add_param_group(group)
    except Exception as error:
        if len(attempt.optimizer.param_groups) != count:
            raise Failure(f"add_param_group() raised {described(error)}, and added it") from error
        raise Skip(f"it refuses a further group: {described(error)}") from error
