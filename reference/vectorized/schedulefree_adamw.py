# GENERATED from spec/algorithms/schedulefree_adamw.py (dialect schedulefree-adamw/authors) by
#     python -m instep.reference.generate
"""AdamWScheduleFree, vectorized: a drop-in for torch's optimizers, many tensors a call."""

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


class AdamWScheduleFree(EvaluationPoint, VectorizedOptimizer):
    """Schedule-free AdamW.

    The dialect is schedulefree-adamw/authors: schedulefree.AdamWScheduleFree. The moment is
    corrected; the training point decays the base sequence.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.0025).
        betas: how near to the average the gradient is taken; decay rate of the moment, in (0,1) and
            [0,1) (default: (0.9, 0.999)).
        eps: term that keeps the denominator away from zero, in [0,inf) (default: 1e-08).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
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
            2024, algorithm 1, arXiv:2405.15682
        Song, Defazio and others, Through the river: understanding the benefit of schedule-free
            methods for language model training, 2025, arXiv:2507.09846
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "betas": (Interval(0, 1, "()"), Interval(0, 1, "[)")),
        "eps": Interval(0, inf, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
        "warmup_steps": Interval(0, inf, "[)", integer=True),
        "r": Interval(0, inf, "[)"),
        "weight_lr_power": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {"maximize": False, "foreach": None}
    _layout = Layout(numbers=frozenset({"step", "lr_max", "weight_sum"}), counter="step")
    _kernel = Kernel("schedulefree_adamw", ("z", "exp_avg_sq"))

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.0025,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float | Tensor = 1e-08,
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
            "betas": betas,
            "eps": eps,
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
        if "exp_avg_sq" not in state:
            state["exp_avg_sq"] = torch.zeros_like(theta)
        state.setdefault("lr_max", 0)
        state.setdefault("weight_sum", 0)

    def _foreach_update(self, theta: Tensors, grad: Tensors, state: State, group: Group) -> Tensors:
        """The equations on lists of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        warmup = group["warmup_steps"]
        r = group["r"]
        power = group["weight_lr_power"]
        maximize = group["maximize"]
        z = state["z"]
        v = state["exp_avg_sq"]
        top = state["lr_max"]
        s = state["weight_sum"]
        t = state["step"] = state["step"] + 1

        if maximize:
            # schedulefree-adamw.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # schedulefree-adamw.gradient@no: g = grad
            g = grad
        if t < warmup:
            # schedulefree-adamw.rate@warmup: lr_t = lr * t / warmup
            lr_t = lr * t / warmup
        else:
            # schedulefree-adamw.rate: lr_t = lr
            lr_t = lr
        # schedulefree-adamw.second_moment: v = beta2 * v_prev + (1 - beta2) * g**2
        torch._foreach_mul_(v, beta2)
        torch._foreach_addcmul_(v, g, g, value=1 - beta2)
        _second_correction = 1 - beta2**t
        # schedulefree-adamw.second_correction: v_hat = v / (1 - beta2**t)
        # schedulefree-adamw.denominator@outside: d = torch.sqrt(v_hat) + eps
        d = torch._foreach_sqrt(v)
        torch._foreach_div_(d, math.sqrt(_second_correction))
        torch._foreach_add_(d, eps)
        # schedulefree-adamw.direction: u = g / d
        u = torch._foreach_div(g, d)
        if weight_decay != 0:
            # schedulefree-adamw.decay@training: u = u + weight_decay * theta
            torch._foreach_add_(u, theta, alpha=weight_decay)
        # schedulefree-adamw.largest_rate: top = math.maximum(top_prev, lr_t)
        top = math.maximum(top, lr_t)
        state["lr_max"] = top
        # schedulefree-adamw.weight: w = t**r * top**power
        w = t**r * top**power
        # schedulefree-adamw.sum_of_weights: s = s_prev + w
        s = s + w
        state["weight_sum"] = s
        if s > 0:
            # schedulefree-adamw.share: c = w / s
            c = w / s
        else:
            # schedulefree-adamw.share@none: c = 0
            c = 0
        # schedulefree-adamw.update: theta = theta + c * (z_prev - theta) + lr_t * (beta1 * (1 - c)
        #     - 1) * u
        _update = torch._foreach_sub(z, theta)
        torch._foreach_add_(theta, _update, alpha=c)
        torch._foreach_add_(theta, u, alpha=lr_t * (beta1 * (1 - c) - 1))
        # schedulefree-adamw.base: z = z_prev - lr_t * u
        torch._foreach_add_(z, u, alpha=-lr_t)
        return theta

    def _kernel_call(self, theta: Tensor, state: State, group: Group) -> Call:
        """What the host tells the kernel of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
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
        _second_moment = 1 - beta2
        _second_correction = 1 - beta2**t
        _denominator = math.sqrt(_second_correction)
        top = state["lr_max"] = math.maximum(top, lr_t)
        w = t**r * top**power
        s = state["weight_sum"] = s + w
        if s > 0:
            c = w / s
        else:
            c = 0
        _update = lr_t * (beta1 * (1 - c) - 1)
        _base = -lr_t
        return Call(
            switches={"MAXIMIZE": maximize, "WEIGHT_DECAY": weight_decay != 0},
            numbers=(beta2, _second_moment, _denominator, eps, weight_decay, c, _update, _base),
        )

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        warmup = group["warmup_steps"]
        r = group["r"]
        power = group["weight_lr_power"]
        maximize = group["maximize"]
        z_prev = state["z"]
        v_prev = state["exp_avg_sq"]
        top_prev = state["lr_max"]
        s_prev = state["weight_sum"]
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # schedulefree-adamw.gradient@yes
        else:
            g = grad  # schedulefree-adamw.gradient@no
        if t < warmup:
            lr_t = lr * t / warmup  # schedulefree-adamw.rate@warmup
        else:
            lr_t = lr  # schedulefree-adamw.rate
        # schedulefree-adamw.second_moment
        v = state["exp_avg_sq"] = beta2 * v_prev + (1 - beta2) * g**2
        v_hat = v / (1 - beta2**t)  # schedulefree-adamw.second_correction
        d = torch.sqrt(v_hat) + eps  # schedulefree-adamw.denominator@outside
        u = g / d  # schedulefree-adamw.direction
        if weight_decay != 0:
            u = u + weight_decay * theta  # schedulefree-adamw.decay@training
        top = state["lr_max"] = math.maximum(top_prev, lr_t)  # schedulefree-adamw.largest_rate
        w = t**r * top**power  # schedulefree-adamw.weight
        s = state["weight_sum"] = s_prev + w  # schedulefree-adamw.sum_of_weights
        if s > 0:
            c = w / s  # schedulefree-adamw.share
        else:
            c = 0  # schedulefree-adamw.share@none
        # schedulefree-adamw.update
        theta = theta + c * (z_prev - theta) + lr_t * (beta1 * (1 - c) - 1) * u
        z = state["z"] = z_prev - lr_t * u  # schedulefree-adamw.base
        return theta

    def _view_eval(self, theta: Tensor, state: State, group: Group) -> Tensor:
        """The average, which is to be evaluated."""
        beta1, _ = group["betas"]
        z: Tensor = state["z"]
        point: Tensor = theta + (1 - 1 / beta1) * (z - theta)
        return point

    def _leave_eval(self, theta: Tensor, state: State, group: Group) -> Tensor:
        """The parameter, from the point eval."""
        beta1, _ = group["betas"]
        z: Tensor = state["z"]
        point: Tensor = theta + (1 - beta1) * (z - theta)
        return point
