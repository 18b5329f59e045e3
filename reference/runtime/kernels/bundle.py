"""What a launch needs, remembered from one step to the next.

Finding out about ten thousand small parameters takes longer than their step. Most of it is the same
as in the step before; a bundle looks whether it is, at a few list operations a step, and gives up
as soon as anything is not what it was: then the step runs as the first one did.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter, is_, itemgetter
from typing import Any

import torch
from torch import Tensor

from instep.reference.runtime.kernels.launch import PLAIN, Call, address, run
from instep.reference.runtime.kernels.library import Kernel, Library
from instep.reference.runtime.work import LAST_IN_SINGLE, Layout

_GRADIENT, _TYPE = attrgetter("grad"), attrgetter("dtype")
_WIDE = {torch.float32: 0, torch.float64: 1}


@dataclass(slots=True)
class Bundle:
    """The parameters of one group that share a launch.

    Attributes:
        parameters: all of the group, in order.
        keys: what is kept of each: states that the kernel takes, then numbers.
        wide: for each number whether it is kept in float64, or in float32.
        columns: where among the keys each state of the kernel is, -1 for one that is not there.
        tensors: what stood under the keys; as long as they live, nothing else has their addresses.
        switches: what the kernel was specialised on.
        gradients: those of the step to come.
        numbers: those before it, which all parameters agree on.
    """

    library: Library
    switches: Mapping[str, bool]
    dtype: torch.dtype
    parameters: list[Tensor]
    keys: tuple[str, ...]
    wide: dict[str, int]
    columns: list[int]
    tensors: list[Tensor]
    lengths: array[int]
    theta: array[int]
    kept: array[int]
    gradients: list[Tensor] = field(default_factory=list)
    numbers: dict[str, float] = field(default_factory=dict)

    def is_ready(self, parameters: Sequence[Tensor], state: Mapping[Tensor, Any]) -> bool:
        """Whether everything is as it was but gradients and numbers, which are read anew."""
        return (
            len(parameters) == len(self.parameters)
            and all(map(is_, parameters, self.parameters))
            and self._keeps(_states(parameters, state))
            and _addresses(parameters) == self.theta
            and self._takes(list(map(_GRADIENT, parameters)))
            and self._agree()
        )

    def _keeps(self, states: Sequence[Any]) -> bool:
        if not self.keys:
            return True
        try:
            rows = map(itemgetter(*self.keys), states)
            tensors = rows if len(self.keys) == 1 else chain.from_iterable(rows)
            return _addresses(tensors) == self.kept
        except (KeyError, TypeError, RuntimeError):
            return False

    def _takes(self, gradients: list[Any]) -> bool:
        """Plain tensors of the same type that lie in memory as their parameters do."""
        self.gradients = []
        if set(map(type, gradients)) != {Tensor} or set(map(_TYPE, gradients)) != {self.dtype}:
            return False
        if not all(map(Tensor.is_contiguous, gradients)) or any(map(Tensor.is_neg, gradients)):
            return False
        self.gradients = gradients
        return True

    def _agree(self) -> bool:
        value = array("d", [0.0])
        for key, wide in self.wide.items():
            where = (address(self.kept), len(self.keys), self.keys.index(key), wide)
            if not self.library.read(len(self.parameters), *where, address(value)):
                return False
            if value[0] >= LAST_IN_SINGLE and not wide:
                return False
            self.numbers[key] = value[0]
        return True

    def launch(self, call: Call, numbers: Mapping[str, float]) -> None:
        """Step all parameters, and keep the numbers that the host has computed.

        The caller has seen that it is ready and that the switches are those of the bundle.
        """
        grad = _addresses(self.gradients)
        run(self.library, self.lengths, (self.theta, grad, self.kept), self.columns, call.numbers)
        for key, wide in self.wide.items():
            where = (address(self.kept), len(self.keys), self.keys.index(key), wide)
            self.library.write(len(self.parameters), *where, numbers[key])
        torch.autograd.graph.increment_version(self.parameters)
        self.rest()

    def rest(self) -> None:
        """Let go of the gradients: nobody is to keep them alive until the next step."""
        self.gradients = []


def remember(
    library: Library,
    kernel: Kernel,
    call: Call,
    parameters: list[Tensor],
    states: list[Mapping[str, Any]],
    layout: Layout,
) -> Bundle | None:
    """What to remember of a launch; None where something has to be looked at in every step.

    Args:
        library: what was launched.
        kernel: its description.
        call: what it was told.
        parameters: all of one group.
        states: what is kept of each, after the step.
        layout: how it is kept.
    """
    first = states[0]
    present = [key for key in kernel.states if first.get(key) is not None]
    numbers = sorted(layout.numbers & first.keys())
    keys = (*present, *numbers)
    tensors: list[Any] = [state.get(key) for state in states for key in keys]
    if not layout.tensor or not all(map(_is_plain, [*parameters, *tensors])):
        return None
    if any(first[key].dtype not in _WIDE or first[key].numel() != 1 for key in numbers):
        return None
    return Bundle(
        library,
        dict(call.switches),
        parameters[0].dtype,
        list(parameters),
        keys,
        {key: _WIDE[first[key].dtype] for key in numbers},
        [keys.index(key) if key in keys else -1 for key in kernel.states],
        tensors,
        array("l", map(Tensor.numel, parameters)),
        _addresses(parameters),
        _addresses(tensors),
    )


def _is_plain(x: Any) -> bool:
    if type(x) not in PLAIN or x.is_complex():
        return False
    return bool(x.device.type == "cpu" and x.is_contiguous())


def _addresses(tensors: Iterable[Tensor]) -> array[int]:
    return array("L", map(Tensor.data_ptr, tensors))


def _states(parameters: Sequence[Tensor], state: Mapping[Tensor, Any]) -> list[Any]:
    """What is kept of each; where the optimizer has one group, without looking each up."""
    if len(state) == len(parameters) and all(map(is_, state, parameters)):
        return list(state.values())
    return list(map(state.get, parameters))
