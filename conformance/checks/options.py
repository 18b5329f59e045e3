"""Options: every switch that the constructor has, on and off."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from instep.conformance.checks.base import Check, Outcome, Plan, Skip
from instep.conformance.checks.gradients import constant_probe
from instep.conformance.checks.numerics import slug
from instep.spec.arguments import OptionValue
from instep.spec.options import hyperparameters_read, open_choices

if TYPE_CHECKING:
    from instep.conformance.context import Context


def checks(plan: Plan) -> Iterator[Check]:
    """One check per option value that a constructor can ask for and the dialect leaves open."""
    for name, value in open_choices(plan.algorithm):
        yield Check(
            f"options/{choice_slug(name, value)}",
            "must",
            f"parameters follow the equations with {name} = {value}",
            partial(_option, name, value),
            numeric=True,
        )


def choice_slug(name: str, value: OptionValue) -> str:
    """An option with one of its values as it stands in ids; a switch is named alone."""
    return slug(name) if isinstance(value, bool) else f"{slug(name)}-{slug(value)}"


def require_choice(name: str, context: Context) -> None:
    """Skip where the subject cannot be asked for an option, or is not to be."""
    if name not in context.subject.naming.options:
        raise Skip(f"the constructor has no such option ({name})")
    if name in context.probes.fixed:
        raise Skip(f"{name} is fixed")


def _option(name: str, value: OptionValue, context: Context) -> Outcome:
    require_choice(name, context)
    probes, algorithm = context.probes, context.algorithm
    chosen = {**probes.options, name: value}
    # What only this option reads is seen nowhere else: its values need more bits here.
    fine = probes.fine_values()
    woken = hyperparameters_read(algorithm, chosen) - hyperparameters_read(
        algorithm, probes.options
    )
    try:
        probe = probes.make(
            f"{name}={value}",
            options={name: value},
            values={symbol: fine[symbol] for symbol in woken},
            dtype=context.widest,
        )
    except ValueError as error:
        raise Skip(str(error)) from error
    what = f"with {name} = {value} the parameters leave it"
    outcome = context.require(context.record(probe), what)
    constant = constant_probe(context, {name: value})
    if constant is not None:
        context.require(context.record(constant), f"{what} where the gradient stays")
    return outcome
