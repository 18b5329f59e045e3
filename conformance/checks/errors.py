"""Errors: what makes no sense is refused by the constructor, with torch's exceptions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from instep.conformance.checks.base import Check, Failure, Outcome, Plan, Skip
from instep.conformance.checks.numerics import slug
from instep.conformance.subject import ConstructionError
from instep.spec.arguments import Domain

if TYPE_CHECKING:
    from instep.conformance.context import Context


def checks(plan: Plan) -> Iterator[Check]:
    """Hyperparameters outside their domain, and parameters that are none."""
    for h in plan.hyperparameters:
        if outside(h.domain):
            yield Check(
                f"errors/{slug(h.name)}",
                "should",
                f"{h.name} outside {h.domain} is refused with a ValueError",
                partial(_hyperparameter, h.name),
            )
    yield Check(
        "errors/bare-tensor",
        "must",
        "a torch.optim.Optimizer refuses a bare tensor in place of a list of parameters",
        partial(_parameters, "a bare tensor", lambda p: p, TypeError),
    )
    yield Check(
        "errors/empty",
        "must",
        "a torch.optim.Optimizer refuses an empty list of parameters",
        partial(_parameters, "an empty list", lambda p: [], ValueError),
    )
    yield Check(
        "errors/shared-parameter",
        "must",
        "a torch.optim.Optimizer refuses a parameter that stands in two groups",
        partial(
            _parameters,
            "a parameter in two groups",
            lambda p: [{"params": [p]}, {"params": [p]}],
            ValueError,
        ),
    )


def outside(domain: Domain) -> list[float]:
    """Values just outside a domain, none where it is unbounded."""
    values = []
    if domain.lower > float("-inf"):
        values.append(domain.lower - 1.0 if domain.lower_closed else domain.lower)
    if domain.upper < float("inf"):
        values.append(domain.upper + 1.0 if domain.upper_closed else domain.upper)
    return values


def _hyperparameter(symbol: str, context: Context) -> Outcome:
    if symbol not in context.subject.naming.hyperparameters or symbol in context.probes.fixed:
        raise Skip(f"{symbol} cannot be set")
    for value in outside(context.algorithm.hyperparameter(symbol).domain):
        values = {**context.probes.base, symbol: value}
        _refuses(context, values, f"{symbol} = {value:g}")
    return Outcome()


def _refuses(context: Context, values: dict[str, float], what: str) -> None:
    p = context.subject.parameter()
    try:
        context.subject.build([p], values, context.probes.options)
    except ConstructionError as error:
        cause = error.__cause__
        if not isinstance(cause, ValueError):
            raise Failure(
                f"{what} is refused with {type(cause).__name__}, not ValueError"
            ) from error
        return
    raise Failure(f"{what} is accepted")


def _parameters(what: str, make: Any, expected: type[Exception], context: Context) -> Outcome:
    p = context.subject.parameter()
    values, options = context.probes.base, context.probes.options
    if not isinstance(context.subject.build([p], values, options), torch.optim.Optimizer):
        raise Skip("the subject is no torch.optim.Optimizer")
    try:
        context.subject.build(make(p), values, options)
    except ConstructionError as error:
        cause = error.__cause__
        if not isinstance(cause, expected):
            kind = type(cause).__name__
            raise Failure(f"{what} is refused with {kind}, not {expected.__name__}") from error
        return Outcome()
    raise Failure(f"{what} is accepted")
