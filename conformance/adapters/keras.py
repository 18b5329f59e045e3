"""Keras 3 on its torch backend: an optimizer of `keras.optimizers` on parameters of torch."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch

from instep.conformance.adapters.base import Adapted, adapted, imported
from instep.conformance.errors import UsageError

_RATE = "learning_rate"


def from_keras(factory: Callable[..., Any]) -> Callable[..., Any]:
    """A subject for `check` out of a class of `keras.optimizers`, or of your own.

    Raises:
        UsageError: Keras is not installed or runs on another backend, or `factory` cannot be
            called.
    """
    keras = imported("keras", "keras")
    backend = keras.backend.backend()
    if backend != "torch":
        raise UsageError(f"Keras runs on {backend}: set KERAS_BACKEND=torch before it is imported")
    return adapted(factory, lambda p, keywords: KerasOptimizer(factory, keywords, p), "Keras")


class KerasOptimizer(Adapted):
    """An optimizer, built on variables whose values are the parameters themselves.

    Its learning rate is what may change between steps. Parameters of float64 have optimizers whose
    numbers are of float64, whatever Keras is set to elsewhere.
    """

    origin = "Keras"

    def __init__(
        self,
        factory: Callable[..., Any],
        keywords: Mapping[str, Any],
        parameters: Sequence[torch.Tensor],
    ) -> None:
        self._keras = imported("keras", "keras")
        self._wide = any(p.dtype is torch.float64 for p in parameters)
        with self._floatx():
            self._optimizer = factory(**keywords)
            self._variables = [self._keras.Variable(p, dtype=_type_name(p)) for p in parameters]
            self._optimizer.build(self._variables)
        super().__init__(parameters)

    def advance(self, gradients: Sequence[torch.Tensor], loss: Any) -> None:
        """`apply` on all variables."""
        for variable, p in zip(self._variables, self._parameters, strict=True):
            if variable.value is not p:
                variable.assign(p)
        with self._floatx():
            self._optimizer.apply(list(gradients), self._variables)
        for variable, p in zip(self._variables, self._parameters, strict=True):
            if variable.value is not p:
                p.copy_(variable.value)

    def adjustable(self) -> dict[str, float]:
        """The learning rate, unless it follows a schedule of its own."""
        return {_RATE: float(self._optimizer.learning_rate)} if self._settable() else {}

    def adjust(self, values: Mapping[str, float]) -> None:
        """Assign the learning rate."""
        with self._floatx():
            for value in values.values():
                self._optimizer.learning_rate = value

    def kept(self, i: int) -> dict[str, torch.Tensor]:
        """Variables that it keeps for variable i, by attribute, and those that it keeps once."""
        return {name: value.detach().clone() for name, value in self._attributes(i)}

    @contextlib.contextmanager
    def _floatx(self) -> Iterator[None]:
        """Numbers that have no type of their own, such as the learning rate, in float64."""
        config = self._keras.config
        before = config.floatx()
        config.set_floatx("float64" if self._wide else before)
        try:
            yield
        finally:
            config.set_floatx(before)

    def _settable(self) -> bool:
        return _is_variable(getattr(self._optimizer, "_learning_rate", None))

    def _attributes(self, i: int) -> Iterator[tuple[str, torch.Tensor]]:
        for name, value in vars(self._optimizer).items():
            inner = value
            if isinstance(value, list | tuple) and len(value) == len(self._variables):
                inner = value[i]
            if _is_variable(inner) and inner is not self._variables[i]:
                yield name.lstrip("_"), inner.value


def _is_variable(x: Any) -> bool:
    return isinstance(getattr(x, "value", None), torch.Tensor)


def _type_name(p: torch.Tensor) -> str:
    return str(p.dtype).removeprefix("torch.")
