# GENERATED from spec/algorithms/schedulefree_sgd.py (dialect schedulefree-sgd/authors) by
#     python -m instep.reference.generate
"""SGDScheduleFree, the eager reference: one tensor at a time, one equation a line."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import ClassVar

from torch import Tensor
from torch.optim.optimizer import ParamsT

from instep.reference.runtime import scalar_math as math
from instep.reference.runtime.eager import EagerOptimizer
from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.views import EvaluationPoint
from instep.reference.runtime.work import Group, Layout, State


class SGDScheduleFree(EvaluationPoint, EagerOptimizer):
    """Schedule-free SGD.

    The dialect is schedulefree-sgd/authors: schedulefree.SGDScheduleFree. The average is not
    stored: it follows from where training and the base are.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 1.0).
        momentum: how near to the average the gradient is taken, in (0,1) (default: 0.9).
        weight_decay: L2 penalty, of the training point, in [0,inf) (default: 0.0).
        warmup_steps: steps in which the learning rate rises, an integer in [0,inf) (default: 0).
        r: power of the step number in the weight of an iterate, in [0,inf) (default: 0.0).
        weight_lr_power: power of the largest learning rate in the weight of an iterate, in [0,inf)
            (default: 2.0).
        maximize: ascend instead of descend (default: False).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Defazio, Yang, Mehta, Mishchenko, Khaled and Cutkosky, The road less scheduled, NeurIPS
            2024, equations 2 to 4, arXiv:2405.15682
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "momentum": Interval(0, 1, "()"),
        "weight_decay": Interval(0, inf, "[)"),
        "warmup_steps": Interval(0, inf, "[)", integer=True),
        "r": Interval(0, inf, "[)"),
        "weight_lr_power": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {"maximize": False}
    _layout = Layout(numbers=frozenset({"step", "lr_max", "weight_sum"}), counter="step")

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1.0,
        momentum: float | Tensor = 0.9,
        weight_decay: float | Tensor = 0.0,
        warmup_steps: int = 0,
        r: float | Tensor = 0.0,
        weight_lr_power: float | Tensor = 2.0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "warmup_steps": warmup_steps,
            "r": r,
            "weight_lr_power": weight_lr_power,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        state.setdefault("step", 0.0)
        if "z" not in state:
            state["z"] = theta.clone()
        state.setdefault("lr_max", 0)
        state.setdefault("weight_sum", 0)

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        beta = group["momentum"]
        weight_decay = group["weight_decay"]
        warmup = group["warmup_steps"]
        r = group["r"]
        power = group["weight_lr_power"]
        maximize = group["maximize"]
        z_prev = state["z"]
        top_prev = state["lr_max"]
        s_prev = state["weight_sum"]
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # schedulefree-sgd.gradient@yes
        else:
            g = grad  # schedulefree-sgd.gradient@no
        if weight_decay != 0:
            g = g + weight_decay * theta  # schedulefree-sgd.l2
        if t < warmup:
            lr_t = lr * t / warmup  # schedulefree-sgd.rate@warmup
        else:
            lr_t = lr  # schedulefree-sgd.rate
        top = state["lr_max"] = math.maximum(top_prev, lr_t)  # schedulefree-sgd.largest_rate
        w = t**r * top**power  # schedulefree-sgd.weight
        s = state["weight_sum"] = s_prev + w  # schedulefree-sgd.sum_of_weights
        if s > 0:
            c = w / s  # schedulefree-sgd.share
        else:
            c = 0  # schedulefree-sgd.share@none
        # schedulefree-sgd.update
        theta = theta + c * (z_prev - theta) + lr_t * (beta * (1 - c) - 1) * g
        z = state["z"] = z_prev - lr_t * g  # schedulefree-sgd.base
        return theta

    def _view_eval(self, theta: Tensor, state: State, group: Group) -> Tensor:
        """The average, which is to be evaluated."""
        beta = group["momentum"]
        z: Tensor = state["z"]
        point: Tensor = theta + (1 - 1 / beta) * (z - theta)
        return point

    def _leave_eval(self, theta: Tensor, state: State, group: Group) -> Tensor:
        """The parameter, from the point eval."""
        beta = group["momentum"]
        z: Tensor = state["z"]
        point: Tensor = theta + (1 - beta) * (z - theta)
        return point
