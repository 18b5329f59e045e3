# GENERATED from spec/algorithms/madgrad.py (dialect madgrad/release) by
#     python -m instep.reference.generate
"""MADGRAD, the eager reference: one tensor at a time, one equation a line."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from instep.reference.runtime import scalar_math as math
from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.lockstep import Gradient, LockstepOptimizer, Steps
from instep.reference.runtime.work import Group, Layout, State


class MADGRAD(LockstepOptimizer):
    """MADGRAD: momentumized, adaptive, dual averaged gradient method.

    The dialect is madgrad/release: madgrad.MADGRAD; pytorch_optimizer.MADGRAD. eps is added to the
    learning rate too; without momentum, where the run began is not kept but computed back.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.01).
        momentum: share of the parameter that stays; the paper's c is 1 - momentum, in [0,1)
            (default: 0.9).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        eps: term that keeps the denominator away from zero, in [0,inf) (default: 1e-06).
        decouple_decay: how weight decays (default: False).
        maximize: ascend instead of descend (default: False).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Defazio and Jelassi, Adaptivity without compromise: a momentumized, adaptive, dual averaged
            gradient method for stochastic optimization, JMLR 23, 2022, algorithm 1,
            arXiv:2101.11075
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "momentum": Interval(0, 1, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
        "eps": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {"decouple_decay": False, "maximize": False}
    _layout = Layout(late=frozenset({"x0"}))
    _shared_keys = frozenset({"k"})

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.01,
        momentum: float | Tensor = 0.9,
        weight_decay: float | Tensor = 0.0,
        eps: float | Tensor = 1e-06,
        decouple_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "eps": eps,
            "decouple_decay": decouple_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        if "s" not in state:
            state["s"] = torch.zeros_like(theta)
        if "grad_sum_sq" not in state:
            state["grad_sum_sq"] = torch.zeros_like(theta)

    def _initialize_shared(self, shared: State, group: Group) -> None:
        shared.setdefault("k", 0)

    def _steps(self, theta: Tensor, state: State, shared: State, group: Group) -> Steps:
        """The equations of one parameter, which waits at each `yield` for all others."""
        lr = group["lr"]
        momentum = group["momentum"]
        weight_decay = group["weight_decay"]
        eps = group["eps"]
        decouple_decay = group["decouple_decay"]
        maximize = group["maximize"]
        s_prev = state["s"]
        nu_prev = state["grad_sum_sq"]
        x0_prev: Any = state.get("x0")
        t = shared["k"] = shared["k"] + 1

        _grad = yield Gradient(theta)
        if maximize:
            g = -_grad  # madgrad.gradient@yes
        else:
            g = _grad  # madgrad.gradient@no
        if not decouple_decay and weight_decay != 0:
            g = g + weight_decay * theta  # madgrad.l2
        a = math.where(lr == 0, lr, lr + eps)  # madgrad.rate@raised
        w = a * math.sqrt(t)  # madgrad.weight
        if momentum == 0:
            d = nu_prev**0.3333333333333333 + eps  # madgrad.denominator@before
            start = torch.where(d == 0, theta, theta + s_prev / d)  # madgrad.start@recovered
        elif x0_prev is None:
            x0 = state["x0"] = theta.clone()  # madgrad.origin
            start = theta  # madgrad.start@first
        else:
            start = x0_prev  # madgrad.start
        nu = state["grad_sum_sq"] = nu_prev + w * g**2  # madgrad.sum_of_squares
        s = state["s"] = s_prev + w * g  # madgrad.sum
        d = nu**0.3333333333333333 + eps  # madgrad.denominator
        z = torch.where(d == 0, start, start - s / d)  # madgrad.dual
        if decouple_decay:
            # madgrad.update@decoupled
            theta = momentum * theta + (1 - momentum) * z - a * weight_decay * theta
        else:
            theta = momentum * theta + (1 - momentum) * z  # madgrad.update@l2
        return theta
