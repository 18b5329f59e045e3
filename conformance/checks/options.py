"""Options: every switch that the constructor has, on and off."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from instep.conformance.checks.base import Check, Outcome, Plan, Skip
from instep.conformance.checks.numerics import slug
from instep.spec.arguments import OptionValue

if TYPE_CHECKING:
    from instep.conformance.context import Context


def checks(plan: Plan) -> Iterator[Check]:
    """One check per option value that a constructor can ask for and the dialect leaves open."""
    for option in plan.algorithm.options:
        if option.argument is None or option.name in plan.algorithm.pinned:
            continue
        for _, value in option.argument.values:
            if value != option.default:
                text = "" if isinstance(value, bool) else f"-{slug(value)}"
                yield Check(
                    f"options/{slug(option.name)}{text}",
                    "must",
                    f"parameters follow the equations with {option.name} = {value}",
                    partial(_option, option.name, value),
                    numeric=True,
                )


def _option(name: str, value: OptionValue, context: Context) -> Outcome:
    if name not in context.subject.naming.options:
        raise Skip(f"the constructor has no such option ({name})")
    if name in context.probes.fixed:
        raise Skip(f"{name} is fixed")
    try:
        probe = context.probes.make(f"{name}={value}", options={name: value}, dtype=context.widest)
    except ValueError as error:
        raise Skip(str(error)) from error
    return context.require(context.record(probe), f"with {name} = {value} the parameters leave it")
