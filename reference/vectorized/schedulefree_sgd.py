# GENERATED from spec/algorithms/schedulefree_sgd.py (dialect schedulefree-sgd/authors) by
#     python -m instep.reference.generate
"""SGDScheduleFree, vectorized: a drop-in for torch's optimizers, many tensors a call."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import ClassVar

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from instep.reference.runtime import scalar_math as math
from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.kernels.launch import Call
from instep.reference.runtime.kernels.library import Kernel
from instep.reference.runtime.vectorized import Backend, Tensors, VectorizedOptimizer
from instep.reference.runtime.views import EvaluationPoint
from instep.reference.runtime.work import Group, Layout, State


class SGDScheduleFree(EvaluationPoint, VectorizedOptimizer):
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
        foreach: run on lists of tensors (True), or not (default: None).
        maximize: ascend instead of descend (default: False).
        backend: "auto", "foreach", "fused" or "eager"; the keywords foreach and fused must agree
            with it (default: 'auto').

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
    _older: ClassVar[Mapping[str, object]] = {"maximize": False, "foreach": None}
    _layout = Layout(numbers=frozenset({"step", "lr_max", "weight_sum"}), counter="step")
    _kernel = Kernel("schedulefree_sgd", ("z",))

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1.0,
        momentum: float | Tensor = 0.9,
        weight_decay: float | Tensor = 0.0,
        warmup_steps: int = 0,
        r: float | Tensor = 0.0,
        weight_lr_power: float | Tensor = 2.0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        backend: Backend = "auto",
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "warmup_steps": warmup_steps,
            "r": r,
            "weight_lr_power": weight_lr_power,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults, backend)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        state.setdefault("step", 0.0)
        if "z" not in state:
            state["z"] = theta.clone()
        state.setdefault("lr_max", 0)
        state.setdefault("weight_sum", 0)

    def _foreach_update(self, theta: Tensors, grad: Tensors, state: State, group: Group) -> Tensors:
        """The equations on lists of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta = group["momentum"]
        weight_decay = group["weight_decay"]
        warmup = group["warmup_steps"]
        r = group["r"]
        power = group["weight_lr_power"]
        maximize = group["maximize"]
        z = state["z"]
        top = state["lr_max"]
        s = state["weight_sum"]
        t = state["step"] = state["step"] + 1

        if maximize:
            # schedulefree-sgd.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # schedulefree-sgd.gradient@no: g = grad
            g = grad
        if weight_decay != 0:
            # schedulefree-sgd.l2: g = g + weight_decay * theta
            g = torch._foreach_add(g, theta, alpha=weight_decay)
        if t < warmup:
            # schedulefree-sgd.rate@warmup: lr_t = lr * t / warmup
            lr_t = lr * t / warmup
        else:
            # schedulefree-sgd.rate: lr_t = lr
            lr_t = lr
        # schedulefree-sgd.largest_rate: top = math.maximum(top_prev, lr_t)
        top = math.maximum(top, lr_t)
        state["lr_max"] = top
        # schedulefree-sgd.weight: w = t**r * top**power
        w = t**r * top**power
        # schedulefree-sgd.sum_of_weights: s = s_prev + w
        s = s + w
        state["weight_sum"] = s
        if s > 0:
            # schedulefree-sgd.share: c = w / s
            c = w / s
        else:
            # schedulefree-sgd.share@none: c = 0
            c = 0
        # schedulefree-sgd.update: theta = theta + c * (z_prev - theta) + lr_t * (beta * (1 - c) -
        #     1) * g
        _update = torch._foreach_sub(z, theta)
        torch._foreach_add_(theta, _update, alpha=c)
        torch._foreach_add_(theta, g, alpha=lr_t * (beta * (1 - c) - 1))
        # schedulefree-sgd.base: z = z_prev - lr_t * g
        torch._foreach_add_(z, g, alpha=-lr_t)
        return theta

    def _kernel_call(self, theta: Tensor, state: State, group: Group) -> Call:
        """What the host tells the kernel of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta = group["momentum"]
        weight_decay = group["weight_decay"]
        warmup = group["warmup_steps"]
        r = group["r"]
        power = group["weight_lr_power"]
        maximize = group["maximize"]
        top = state["lr_max"]
        s = state["weight_sum"]
        t = state["step"] = state["step"] + 1

        if t < warmup:
            lr_t = lr * t / warmup
        else:
            lr_t = lr
        top = state["lr_max"] = math.maximum(top, lr_t)
        w = t**r * top**power
        s = state["weight_sum"] = s + w
        if s > 0:
            c = w / s
        else:
            c = 0
        _update = lr_t * (beta * (1 - c) - 1)
        _base = -lr_t
        return Call(
            switches={"MAXIMIZE": maximize, "WEIGHT_DECAY": weight_decay != 0},
            numbers=(weight_decay, c, _update, _base),
        )

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
