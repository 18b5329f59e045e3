"""Errors: what makes no sense is refused by the constructor, with torch's exceptions.

What torch.optim.Optimizer itself refuses is its contract. It says nothing of hyperparameters, and
many a released class looks at none: to take those outside their domain is poor, and no more.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from instep.conformance.adapters.base import Adapted
from instep.conformance.checks.base import Check, Failure, Outcome, Plan, Skip
from instep.conformance.checks.modes import learning_rate
from instep.conformance.checks.numerics import slug
from instep.conformance.subject import ConstructionError
from instep.spec.arguments import Domain

if TYPE_CHECKING:
    from instep.conformance.context import Context


@dataclass(frozen=True, slots=True)
class Wrong:
    """Parameters that make no sense.

    Attributes:
        what: they are, in words.
        make: of two parameters.
        error: that torch.optim.Optimizer raises.
        right: the same put right, where a subject need not have that at all.
    """

    what: str
    make: Callable[[Any, Any], Any]
    error: type[Exception]
    right: Callable[[Any, Any], Any] | None = None


def _computed(p: torch.Tensor) -> torch.Tensor:
    with torch.enable_grad():
        return p.detach().clone().requires_grad_() * 1.0


_WRONG = {
    "bare-tensor": Wrong(
        "a bare tensor in place of a list of parameters", lambda p, q: p, TypeError
    ),
    "empty": Wrong("an empty list of parameters", lambda p, q: [], ValueError),
    "no-tensor": Wrong("a number among parameters", lambda p, q: [p, 1.0], TypeError),
    "no-leaf": Wrong(
        "a tensor that was computed from others", lambda p, q: [_computed(p), q], ValueError
    ),
    "set": Wrong(
        "a set as the parameters of a group", lambda p, q: [{"params": {p, q}}], TypeError
    ),
    "shared-parameter": Wrong(
        "a parameter that stands in two groups",
        lambda p, q: [{"params": [p, q]}, {"params": [p]}],
        ValueError,
    ),
    "partly-named": Wrong(
        "names for some parameters of a group only",
        lambda p, q: [("p", p), q],
        ValueError,
        lambda p, q: [("p", p), ("q", q)],
    ),
    "partly-named-groups": Wrong(
        "names in some groups only",
        lambda p, q: [{"params": [("p", p)]}, {"params": [q]}],
        ValueError,
        lambda p, q: [{"params": [("p", p)]}, {"params": [("q", q)]}],
    ),
}


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
    if any(h.key == "lr" for h in plan.hyperparameters):
        yield Check(
            "errors/several-rates",
            "should",
            "a tensor of several elements is refused as learning rate",
            _several_rates,
        )
    for name, wrong in _WRONG.items():
        yield Check(
            f"errors/{name}",
            "must",
            f"a torch.optim.Optimizer refuses {wrong.what} with a {wrong.error.__name__}",
            partial(_parameters, wrong),
        )
    yield Check(
        "errors/twice-in-group",
        "should",
        "a torch.optim.Optimizer warns of a parameter that stands twice in a group, or refuses it",
        _twice,
    )


# ---- hyperparameters


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


def _several_rates(context: Context) -> Outcome:
    symbol, _ = learning_rate(context)
    rates = torch.full((2,), context.probes.base[symbol])
    # To compare it with a bound is an error of torch's, which does as well.
    return _refuses(context, {**context.probes.base, symbol: rates}, "a tensor of two", Exception)


def _refuses(
    context: Context, values: dict[str, Any], what: str, expected: type[Exception] = ValueError
) -> Outcome:
    p = context.subject.parameter()
    try:
        built = context.subject.build([p], values, context.probes.options)
    except ConstructionError as error:
        _require_kind(error, expected, what)
        return Outcome()
    if isinstance(built, Adapted):
        raise Skip(f"what constructors of {built.origin} refuse is no contract of torch's")
    raise Failure(f"{what} is accepted")


def _require_kind(error: ConstructionError, expected: type[Exception], what: str) -> None:
    cause = error.__cause__
    if not isinstance(cause, expected):
        kind = type(cause).__name__
        raise Failure(f"{what} is refused with {kind}, not {expected.__name__}") from error


# ---- parameters


def _parameters(wrong: Wrong, context: Context) -> Outcome:
    optimizer = _require_optimizer(context)
    if wrong is _WRONG["no-leaf"] and optimizer.defaults.get("differentiable"):
        raise Skip("it is differentiable, and takes what was computed")
    if wrong.right is not None:
        try:
            _build(context, wrong.right)
        except ConstructionError as error:
            raise Skip(f"it takes no names: {error}") from error
    try:
        _build(context, wrong.make)
    except ConstructionError as error:
        _require_kind(error, wrong.error, wrong.what)
        return Outcome()
    raise Failure(f"{wrong.what} is accepted")


def _twice(context: Context) -> Outcome:
    _require_optimizer(context)
    subject = context.subject
    p = subject.parameter()
    arguments = subject.arguments(context.probes.base, context.probes.options)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            subject.factory([p, p], **arguments)
        except (ValueError, TypeError) as error:
            return Outcome(message=f"refused: {error}")
        except Exception as error:
            kind = type(error).__name__
            raise Failure(f"it is refused with {kind}, not ValueError") from error
    if not seen:
        raise Failure("nothing is said of a parameter that stands twice in a group")
    return Outcome()


def _require_optimizer(context: Context) -> torch.optim.Optimizer:
    optimizer = _build(context, lambda p, q: [p])
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise Skip("the subject is no torch.optim.Optimizer")
    return optimizer


def _build(context: Context, make: Callable[[Any, Any], Any]) -> Any:
    subject = context.subject
    parameters = make(subject.parameter(), subject.parameter())
    return subject.build(parameters, context.probes.base, context.probes.options)
