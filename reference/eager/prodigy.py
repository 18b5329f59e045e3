# GENERATED from spec/algorithms/prodigy.py (dialect prodigy/authors) by
#     python -m instep.reference.generate
"""Prodigy, the eager reference: one tensor at a time, one equation a line."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from instep.reference.runtime import scalar_math as math
from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.lockstep import Gradient, LockstepOptimizer, Steps, Sum
from instep.reference.runtime.work import Group, State


class Prodigy(LockstepOptimizer):
    """Prodigy: Adam with an estimated distance to the solution.

    The dialect is prodigy/authors: prodigyopt.Prodigy. A learning rate of zero pauses everything;
    one learning rate serves all groups.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: factor of the estimated learning rate, for schedules, in [0,inf) (default: 1.0).
        betas: decay rates of the two moments, each in [0,1) (default: (0.9, 0.999)).
        eps: term that keeps the denominator away from zero, in (0,inf) (default: 1e-08).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        decouple: how weight decays (default: True).
        use_bias_correction: whether the rate is corrected for the moments' bias (default: False).
        safeguard_warmup: whether the learning rate is left out of the sum of gradients (default:
            False).
        d0: first estimate of the distance, from below, in (0,inf) (default: 1e-06).
        d_coef: factor of every estimate, in (0,inf) (default: 1.0).
        growth_rate: largest factor by which the distance grows in a step, in [1,inf] (default:
            inf).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Mishchenko and Defazio, Prodigy: an expeditiously adaptive parameter-free learner, ICML
            2024, algorithm 4, arXiv:2306.06101
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "betas": (Interval(0, 1, "[)"), Interval(0, 1, "[)")),
        "eps": Interval(0, inf, "()"),
        "weight_decay": Interval(0, inf, "[)"),
        "d0": Interval(0, inf, "()"),
        "d_coef": Interval(0, inf, "()"),
        "growth_rate": Interval(1, inf, "[]"),
    }
    _common = (
        "lr",
        "betas",
        "d0",
        "d_coef",
        "growth_rate",
        "use_bias_correction",
    )
    _older: ClassVar[Mapping[str, object]] = {
        "decouple": True,
        "use_bias_correction": False,
        "safeguard_warmup": False,
    }
    _shared_keys = frozenset({"k", "d", "d_max", "d_numerator"})

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1.0,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float | Tensor = 1e-08,
        weight_decay: float | Tensor = 0.0,
        decouple: bool = True,
        use_bias_correction: bool = False,
        safeguard_warmup: bool = False,
        d0: float | Tensor = 1e-06,
        d_coef: float | Tensor = 1.0,
        growth_rate: float | Tensor = inf,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "decouple": decouple,
            "use_bias_correction": use_bias_correction,
            "safeguard_warmup": safeguard_warmup,
            "d0": d0,
            "d_coef": d_coef,
            "growth_rate": growth_rate,
        }
        super().__init__(params, defaults)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        if "exp_avg" not in state:
            state["exp_avg"] = torch.zeros_like(theta)
        if "exp_avg_sq" not in state:
            state["exp_avg_sq"] = torch.zeros_like(theta)
        if "s" not in state:
            state["s"] = torch.zeros_like(theta)
        if "p0" not in state:
            state["p0"] = theta.clone()

    def _initialize_shared(self, shared: State, group: Group) -> None:
        if group["use_bias_correction"]:
            shared.setdefault("k", 0)
        shared.setdefault("d", group["d0"])
        shared.setdefault("d_max", group["d0"])
        shared.setdefault("d_numerator", 0)

    def _steps(self, theta: Tensor, state: State, shared: State, group: Group) -> Steps:
        """The equations of one parameter, which waits at each `yield` for all others."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        d0 = group["d0"]
        factor = group["d_coef"]
        growth = group["growth_rate"]
        decouple = group["decouple"]
        use_bias_correction = group["use_bias_correction"]
        safeguard_warmup = group["safeguard_warmup"]
        k_prev: Any = shared.get("k")
        d_prev = shared["d"]
        top_prev = shared["d_max"]
        n_prev = shared["d_numerator"]
        m_prev = state["exp_avg"]
        v_prev = state["exp_avg_sq"]
        s_prev = state["s"]
        start_prev = state["p0"]

        _grad = yield Gradient(theta)
        g = _grad  # prodigy.gradient
        if not decouple and weight_decay != 0:
            g = g + weight_decay * theta  # prodigy.l2
        rate = d_prev * lr  # prodigy.rate
        if use_bias_correction:
            # prodigy.corrected_rate
            rate = rate * math.sqrt(1 - beta2 ** (k_prev + 1)) / (1 - beta1 ** (k_prev + 1))
        rho = math.sqrt(beta2)  # prodigy.smoothing@root
        weight = d_prev / d0  # prodigy.weight@relative
        runs = lr  # prodigy.runs@pause
        if runs > 0:
            m = state["exp_avg"] = beta1 * m_prev + d_prev * (1 - beta1) * g  # prodigy.first_moment
            # prodigy.second_moment
            v = state["exp_avg_sq"] = beta2 * v_prev + d_prev**2 * (1 - beta2) * g**2
            if safeguard_warmup:
                s = state["s"] = rho * s_prev + weight * d_prev * g  # prodigy.sum_of_gradients@yes
            else:
                s = state["s"] = rho * s_prev + weight * rate * g  # prodigy.sum_of_gradients@no
            size = yield Sum(torch.abs(s).sum())  # prodigy.size
            if size > 0:
                _sum = yield Sum((g * (start_prev - theta)).sum())
                n = shared["d_numerator"] = rho * n_prev + weight * rate * _sum  # prodigy.way
                d_hat = factor * n / size  # prodigy.estimate
                # prodigy.first_distance
                d_near = math.where(d_prev == d0, math.maximum(d_prev, d_hat), d_prev)
                top = shared["d_max"] = math.maximum(top_prev, d_hat)  # prodigy.largest_distance
                d = shared["d"] = math.minimum(top, growth * d_near)  # prodigy.distance
                if use_bias_correction:
                    k = shared["k"] = k_prev + 1  # prodigy.count
                if decouple:
                    theta = theta - rate * weight_decay * theta  # prodigy.decay
                theta = theta - rate * m / (torch.sqrt(v) + d * eps)  # prodigy.update@new
        return theta
