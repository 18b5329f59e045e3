"""Base of generated schedulers: what a group had before, domains, state, metrics."""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from instep.reference.runtime.intervals import Domain, check_domains

Rate = float | Tensor
Function = Callable[[int], float]


class Scheduler(LRScheduler):
    """A scheduler whose `get_lr` is the recurrence of its specification.

    Raises:
        ValueError: a hyperparameter lies outside its domain.
        TypeError: the optimizer is none.
    """

    _domains: ClassVar[Mapping[str, Domain]] = {}
    _functions: ClassVar[tuple[str, ...]] = ()

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        check_domains(vars(self), self._domains)
        super().__init__(optimizer, last_epoch)

    def _before(self) -> Iterator[tuple[int, Rate, Rate]]:
        """Number, first rate and present rate of every group."""
        for number, group in enumerate(self.optimizer.param_groups):
            first = self.base_lrs[number] if number < len(self.base_lrs) else group["lr"]
            yield number, first, _copy(group["lr"])

    def _update_lr(self, epoch: int | None = None) -> None:
        """Resumed at an epoch, the scheduler starts from the closed form where there is one."""
        resumed = self._is_initial and self.last_epoch >= 0
        if epoch is None and resumed and hasattr(self, "_get_closed_form_lr"):
            epoch = self.last_epoch + 1
        super()._update_lr(epoch)

    def _set_momentum(self, number: int, momentum: float) -> None:
        """Momentum of a group, or the first of its betas."""
        group = self.optimizer.param_groups[number]
        if "betas" in group:
            group["betas"] = (momentum, *group["betas"][1:])
        elif "momentum" in group:
            group["momentum"] = momentum
        else:
            raise ValueError("cycle_momentum needs an optimizer with momentum or betas")

    def state_dict(self) -> dict[str, Any]:
        """All but the optimizer; of functions what callable objects hold."""
        found = super().state_dict()
        for key in self._functions:
            found[key] = [
                None if isinstance(f, types.FunctionType) else dict(vars(f)) for f in found[key]
            ]
        return found

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """What `state_dict` gave."""
        kept = {key: value for key, value in state_dict.items() if key not in self._functions}
        super().load_state_dict(kept)
        for key in self._functions:
            for own, held in zip(getattr(self, key), state_dict[key], strict=True):
                if held is not None:
                    vars(own).update(held)


class MetricScheduler(Scheduler):
    """A scheduler whose steps receive a metric."""

    metrics: float = math.nan  # none yet

    def _initial_step(self) -> None:
        self._step_count = 0
        super()._update_lr()

    def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]
        """One epoch, with its metric."""
        self.metrics = float(metrics)
        self._step_count += 1
        if epoch is not None:
            self.last_epoch = epoch - 1
        self._update_lr()


def per_group(functions: Function | Sequence[Function], optimizer: Optimizer) -> list[Function]:
    """A function for every parameter group.

    Raises:
        TypeError: no optimizer, or no function.
        ValueError: a list of another length.
    """
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
    count = len(optimizer.param_groups)
    found = list(functions) if isinstance(functions, Sequence) else [functions] * count
    if len(found) != count:
        raise ValueError(f"expected {count} functions, one for each group, got {len(found)}")
    for function in found:
        if not callable(function):
            raise TypeError(f"expected a function of the epoch, got {function!r}")
    return found


def _copy(rate: Rate) -> Rate:
    return rate.clone() if isinstance(rate, Tensor) else rate
