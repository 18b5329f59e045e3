"""What adapters have in common: a step on torch's parameters, and the state by parameter."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch

from instep.conformance.errors import UsageError
from instep.conformance.subject import UnsupportedError, name_of

State = dict[torch.Tensor, dict[str, torch.Tensor]]
Make = Callable[[Sequence[torch.Tensor], Mapping[str, Any]], "Adapted"]


class Adapted:
    """An optimizer of another ecosystem, on parameters of torch.

    What its users can change between two steps is the one group's; where that is nothing, there are
    no groups. Abilities that only torch's optimizers have are refused with `UnsupportedError`.
    """

    origin = "it"

    def __init__(self, parameters: Sequence[torch.Tensor]) -> None:
        self._parameters = list(parameters)
        adjustable = self.adjustable()
        self._group: dict[str, Any] = (
            {"params": self._parameters, **adjustable} if adjustable else {}
        )

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """One group with what may be changed between steps, none where nothing may."""
        return [self._group] if self._group else []

    @property
    def state(self) -> State:
        """Copies of what is kept, by parameter; what is kept once stands with each of them."""
        return {p: self.kept(i) for i, p in enumerate(self._parameters)}

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step on the gradients in p.grad; the closure's loss, if there is a closure."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        gradients = [self._gradient(p) for p in self._parameters]
        known = self.adjustable()
        self.adjust({k: self._group[k] for k in known if self._group[k] != known[k]})
        with torch.no_grad():
            self.advance(gradients, loss)
        self._group.update(self.adjustable())
        return loss

    def _gradient(self, p: torch.Tensor) -> torch.Tensor:
        if p.grad is None:
            raise UnsupportedError(f"{self.origin} steps on all parameters, or on none")
        if p.grad.layout is not torch.strided:
            raise UnsupportedError(f"{self.origin} gets dense gradients only")
        return p.grad.detach()

    # ---- what an ecosystem fills in

    def adjustable(self) -> dict[str, float]:
        """Hyperparameters that its users can change between steps, as they stand."""
        return {}

    def adjust(self, values: Mapping[str, float]) -> None:
        """Change some of them."""

    def advance(self, gradients: Sequence[torch.Tensor], loss: Any) -> None:
        """Make a step, parameters included."""
        raise NotImplementedError

    def kept(self, i: int) -> dict[str, torch.Tensor]:
        """{path: copy} of what is kept for parameter i."""
        raise NotImplementedError


def adapted(factory: Callable[..., Any], make: Make, origin: str) -> Callable[..., Any]:
    """A subject `(params, **keywords)` with the names and defaults of another constructor.

    Args:
        factory: that constructor.
        make: (parameters, keywords) -> Adapted.
        origin: whose it is, for messages.
    """
    if not callable(factory):
        kind = type(factory).__name__
        raise UsageError(f"{origin} subjects are made from a constructor, not from a {kind}")

    def subject(params: Iterable[Any], *args: Any, **keywords: Any) -> Adapted:
        return make(_plain(params, origin), _bound(factory, args, keywords))

    vars(subject)["__signature__"] = _signature(factory)
    subject.__module__, subject.__qualname__ = "", name_of(factory)
    subject.__doc__ = factory.__doc__
    return subject


def imported(name: str, extra: str) -> Any:
    """A module of another ecosystem, which nothing here depends on.

    Raises:
        UsageError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise UsageError(f"{error}: the adapter needs `pip install {extra}`") from error


def _plain(params: Iterable[Any], origin: str) -> list[torch.Tensor]:
    tensors = list(params)
    if not all(isinstance(p, torch.Tensor) for p in tensors):
        raise UnsupportedError(f"{origin} has no parameter groups")
    if any(p.is_complex() for p in tensors):
        raise UnsupportedError(f"{origin} sees a complex number as one, torch as two real ones")
    return tensors


def _bound(
    factory: Callable[..., Any], args: Sequence[Any], keywords: Mapping[str, Any]
) -> dict[str, Any]:
    """Keywords alone: what comes by position is named."""
    names = [p.name for p in inspect.signature(factory).parameters.values()]
    return {**dict(zip(names, args, strict=False)), **keywords}


def _signature(factory: Callable[..., Any]) -> inspect.Signature:
    """The parameters, then the constructor's own arguments.

    Their annotations are left out: what those of jax admit (an array of booleans, say) is no hint
    that an argument is a switch.
    """
    first = inspect.Parameter("params", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    own = [
        p.replace(annotation=inspect.Parameter.empty)
        for p in inspect.signature(factory).parameters.values()
        if p.kind is not inspect.Parameter.VAR_POSITIONAL and p.name != first.name
    ]
    return inspect.Signature([first, *own])
