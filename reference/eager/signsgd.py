# GENERATED from spec/algorithms/signsgd.py (dialect signsgd/paper) by
#     python -m instep.reference.generate
"""SignSGD, the eager reference: one tensor at a time, one equation a line."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import ClassVar

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from instep.reference.runtime.eager import EagerOptimizer
from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.work import Group, State


class SignSGD(EagerOptimizer):
    """signSGD: the sign of the gradient, or of its momentum.

    The dialect is signsgd/paper: arXiv:1802.04434, algorithm 1 with one worker. No momentum: the
    step does not depend on the size of the gradient.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.001).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        maximize: ascend instead of descend (default: False).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Bernstein et al., signSGD: compressed optimisation for non-convex problems, ICML 2018,
            algorithms 1 and 2, arXiv:1802.04434
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {"maximize": False}

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.001,
        weight_decay: float | Tensor = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]

        if maximize:
            g = -grad  # signsgd.gradient@yes
        else:
            g = grad  # signsgd.gradient@no
        theta = theta - lr * weight_decay * theta  # signsgd.decay
        d = g  # signsgd.direction@gradient
        theta = theta - lr * torch.sign(d)  # signsgd.update
        return theta
