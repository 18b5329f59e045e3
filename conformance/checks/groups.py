"""Parameter groups: every group follows the equations with its own hyperparameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from instep.conformance.checks.base import Check, Outcome, Plan, Skip
from instep.conformance.subject import UnsupportedError

if TYPE_CHECKING:
    from instep.conformance.context import Context


def checks(plan: Plan) -> Iterator[Check]:
    """Groups with values of their own."""
    yield Check(
        "groups/own-values",
        "must",
        "each parameter group follows the equations with its own hyperparameters",
        _own_values,
    )


def _own_values(context: Context) -> Outcome:
    symbols = context.subject.naming.hyperparameters
    own = [s for s in symbols if context.algorithm.hyperparameter(s).scope == "group"]
    values = context.probes.other_values(own)
    values = kept_in_groups(context, values)
    if not values:
        raise Skip("no hyperparameter of its groups may be varied")
    # Further groups differ in one value each: what a step computes once and keeps for all groups
    # that look alike is wrong there, and one value does not hide what another one does.
    alone = [{symbol: value} for symbol, value in values.items()]
    probe = context.probes.make(
        "groups",
        dtype=context.widest,
        shapes=((37,), (5, 3), *[(11,)] * len(alone)),
        steps=8,
        groups=(((1,), values), *(((k,), own) for k, own in enumerate(alone, start=2))),
    )
    recording = context.record(probe)
    if not recording.grouped:
        raise Skip("the subject has no param_groups")
    return context.require(
        recording, "a group's own hyperparameters are not those it is updated with"
    )


def kept_in_groups(context: Context, values: dict[str, float]) -> dict[str, float]:
    """Those that its groups have entries for; a wrapper may keep its own elsewhere."""
    subject = context.subject
    try:
        group = subject.group_defaults(context.probes.make("groups", dtype=context.widest))
    except UnsupportedError as error:
        raise Skip(str(error)) from error
    return {k: v for k, v in values.items() if subject.has_entry(group, k)}
