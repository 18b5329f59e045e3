"""Optimizers that take what makes no sense, and train something else than was meant."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from meta.broken.behaviour import PlainAdam


class _Arranges(PlainAdam):
    """Puts groups in order before torch can object."""

    def arranged(self, group: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        super().add_param_group(self.arranged(param_group))


class WithoutNumbers(_Arranges):
    """What is no tensor is left out, in silence."""

    def arranged(self, group: dict[str, Any]) -> dict[str, Any]:
        listed = group["params"]
        if isinstance(listed, list):
            return {**group, "params": [x for x in listed if not isinstance(x, float)]}
        return group


class TakesResults(_Arranges):
    """Says that it can be differentiated through while torch looks."""

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        self.defaults["differentiable"] = True
        try:
            super().add_param_group(param_group)
        finally:
            del self.defaults["differentiable"]

    def arranged(self, group: dict[str, Any]) -> dict[str, Any]:
        return {**group, "differentiable": False}


class SetsAsLists(_Arranges):
    """In another order in every process."""

    def arranged(self, group: dict[str, Any]) -> dict[str, Any]:
        listed = group["params"]
        return {**group, "params": list(listed) if isinstance(listed, set) else listed}


class NamesTheRest(_Arranges):
    """A parameter without a name among others with one gets its number for one."""

    def arranged(self, group: dict[str, Any]) -> dict[str, Any]:
        listed = group["params"]
        if not isinstance(listed, Tensor | set) and any(isinstance(x, tuple) for x in listed):
            pairs = (x if isinstance(x, tuple) else (str(k), x) for k, x in enumerate(listed))
            return {**group, "params": list(pairs)}
        return group


class NamesTheFirstGroup(_Arranges):
    """Names of further groups are dropped where the first has none, and made up where it has."""

    def arranged(self, group: dict[str, Any]) -> dict[str, Any]:
        listed = group["params"]
        if not self.param_groups or isinstance(listed, Tensor | set):
            return group
        listed = list(listed)
        if all(isinstance(x, tuple) for x in listed) or "param_names" not in self.param_groups[0]:
            return group
        return {**group, "params": [(str(k), x) for k, x in enumerate(listed)]}


class OnceIsEnough(_Arranges):
    """A parameter that stands twice in a group is in there once, in silence."""

    def arranged(self, group: dict[str, Any]) -> dict[str, Any]:
        listed = group["params"]
        if isinstance(listed, list):
            return {**group, "params": list(dict.fromkeys(listed))}
        return group


class MeanOfRates(PlainAdam):
    """Several rates are one, their mean."""

    def __init__(self, params: Any, *arguments: Any, **keywords: Any) -> None:
        lr = keywords.get("lr")
        if isinstance(lr, torch.Tensor) and lr.numel() > 1:
            keywords["lr"] = float(lr.mean())
        super().__init__(params, *arguments, **keywords)
