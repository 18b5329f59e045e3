"""Hyperparameters changed between steps: they are read from the group at each step."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from instep.conformance.checks.base import Check, Outcome, Plan, Skip
from instep.conformance.checks.numerics import slug

if TYPE_CHECKING:
    from instep.conformance.context import Context


def checks(plan: Plan) -> Iterator[Check]:
    """One check per hyperparameter of a group."""
    for h in plan.algorithm.hyperparameters:
        if h.scope == "group":
            yield Check(
                f"hyperparameters/{slug(h.name)}-changed",
                "must",
                f"a change of {h.name} by hand or by a scheduler acts from the next step on",
                partial(_changed, h.name),
            )


def _changed(symbol: str, context: Context) -> Outcome:
    if symbol not in context.subject.naming.hyperparameters:
        raise Skip(f"the constructor does not take {symbol}")
    if symbol in context.probes.fixed:
        raise Skip(f"{symbol} is fixed")
    other = context.probes.other_values([symbol])
    before = context.probes.probe_values()
    if symbol not in other:
        raise Skip(f"no other value of {symbol} is admissible")
    probe = context.probes.make(
        f"changed-{symbol}",
        dtype=context.widest,
        shapes=((67,),),
        steps=8,
        changes={3: other, 6: {symbol: before[symbol]}},
    )
    recording = context.record(probe)
    return context.require(recording, f"a change of {symbol} does not act as the equations say")
