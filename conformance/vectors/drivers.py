"""Two implementations to replay vectors with: the specification's interpreter, and torch classes.

Both are constructed from the file alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from instep.conformance.oracle import Model
from instep.conformance.sparse import gradient_tensor
from instep.conformance.transform import GradientTransform
from instep.conformance.vectors.replay import Numbers, Quantities, number, numbers
from instep.spec.arithmetic import Arithmetic
from instep.spec.interpret import Interpreter
from instep.spec.ir import THETA

Outcome = tuple[Sequence[Quantities], Quantities]


def _shapes(record: Mapping[str, Any]) -> list[tuple[int, ...]]:
    return [tuple(p["shape"]) for p in record["parameters"]]


def _starts(record: Mapping[str, Any]) -> list[Any]:
    return [np.array(numbers(p["values"])).reshape(p["shape"]) for p in record["parameters"]]


def _values(record: Mapping[str, Any]) -> dict[str, float]:
    return {name: number(x) for name, x in record["hyperparameters"].items()}


class Interpreted:
    """An algorithm, or a mutant of it, on a number type."""

    def __init__(self, model: Model, arithmetic: Arithmetic, record: Mapping[str, Any]) -> None:
        self.model, self.shapes = model, _shapes(record)
        groups = [(g["parameters"], _values(g)) for g in record["groups"]]
        self.interpreter = Interpreter(
            model.algorithm,
            arithmetic,
            _starts(record),
            options={**record["options"], **model.options},
            hyperparameters=model.values(_values(record)),
            groups=[(i, model.values(v, later=True)) for i, v in groups],
        )

    def step(
        self,
        changes: Mapping[str, float],
        gradients: Sequence[Numbers | None],
        touched: Sequence[Numbers] | None,
    ) -> Outcome:
        """One step of the equations."""
        own = self.interpreter
        own.set(self.model.values(changes, later=True))
        given = [
            None if g is None else np.array(g).reshape(s)
            for g, s in zip(gradients, self.shapes, strict=True)
        ]
        named = (
            None
            if touched is None
            else [np.reshape(m, s) for m, s in zip(touched, self.shapes, strict=True)]
        )
        own.step(given, named)
        slots = [_plain({THETA: slot.theta, **slot.state}) for slot in own.slots]
        return slots, _plain(own.optimizer_state)


def _plain(quantities: Mapping[str, Any]) -> dict[str, list[float]]:
    """Lanes as floats; a history has none."""
    kept = {k: x for k, x in quantities.items() if not isinstance(x, list | dict)}
    return {k: [float(v) for v in np.ravel(np.asarray(x))] for k, x in kept.items()}


class InTorch:
    """A class of torch's interface whose state has torch's keys, or a function on gradients."""

    def __init__(self, factory: Callable[..., Any], record: Mapping[str, Any]) -> None:
        self.record, self.dtype = record, getattr(torch, record["dtype"])
        starts = (torch.tensor(x, dtype=self.dtype) for x in _starts(record))
        self.parameters = [torch.nn.Parameter(x) for x in starts]
        keywords = {**self._keywords(_values(record)), **record["flags"]}
        if record["result"] == "gradient":
            factory = self._changing_gradients(factory)
        self.optimizer = factory(self._groups(keywords), **keywords)

    def _changing_gradients(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda parameters, **keywords: GradientTransform(function, parameters, **keywords)

    def _keywords(self, values: Mapping[str, float], known: Any = ()) -> dict[str, Any]:
        """Values by symbol as keywords; tuples that change in part keep the rest."""
        out: dict[str, Any] = {}
        for symbol, value in values.items():
            key, *index = self.record["arguments"][symbol]
            if not index:
                out[key] = value
                continue
            kept = out.get(key, known[key] if known else ())
            entries = [*kept, *[None] * (index[0] + 1 - len(kept))]
            entries[index[0]] = value
            out[key] = tuple(entries)
        return out

    def _groups(self, keywords: Mapping[str, Any]) -> list[Any]:
        special = {i for g in self.record["groups"] for i in g["parameters"]}
        rest = [p for i, p in enumerate(self.parameters) if i not in special]
        if not special:
            return list(rest)
        own = [
            {
                "params": [self.parameters[i] for i in g["parameters"]],
                **self._keywords(_values(g), keywords),
            }
            for g in self.record["groups"]
        ]
        return [{"params": rest}, *own]

    def step(
        self,
        changes: Mapping[str, float],
        gradients: Sequence[Numbers | None],
        touched: Sequence[Numbers] | None,
    ) -> Outcome:
        """One step of the optimizer."""
        for group in getattr(self.optimizer, "param_groups", ()):
            group.update(self._keywords(changes, group))
        named: Sequence[Numbers | None] = touched or [None] * len(gradients)
        for p, g, mask in zip(self.parameters, gradients, named, strict=True):
            p.grad = None if g is None else self._gradient(p, g, mask)
        self.optimizer.step()
        return [self._quantities(p) for p in self.parameters], {}

    def _gradient(self, p: torch.Tensor, g: Numbers, mask: Numbers | None) -> torch.Tensor:
        lanes = None if mask is None else np.reshape(mask, p.shape).astype(bool)
        return gradient_tensor(np.reshape(g, p.shape), lanes, self.dtype)

    def _quantities(self, p: torch.Tensor) -> dict[str, list[float]]:
        state = getattr(self.optimizer, "state", {}).get(p, {})
        kept = {s["symbol"]: state[s["key"]] for s in self.record["states"] if s["key"] in state}
        tensors = {THETA: p.detach(), **kept}
        return {
            k: torch.as_tensor(x).to(torch.float64).ravel().tolist() for k, x in tensors.items()
        }
