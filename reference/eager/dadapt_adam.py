# GENERATED from spec/algorithms/dadapt_adam.py (dialect dadapt-adam/authors) by
#     python -m instep.reference.generate
"""DAdaptAdam, the eager reference: one tensor at a time, one equation a line."""

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


class DAdaptAdam(LockstepOptimizer):
    """Adam with D-Adaptation.

    The dialect is dadapt-adam/authors: arXiv:2301.07733, algorithm 5; dadaptation.DAdaptAdam. A
    learning rate of zero pauses everything; one learning rate serves all groups.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: factor of the estimated learning rate, for schedules, in [0,inf) (default: 1.0).
        betas: decay rates of the two moments; the root of beta2 is that of both sums, each in [0,1)
            (default: (0.9, 0.999)).
        eps: term that keeps the denominator away from zero, in (0,inf) (default: 1e-08).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        decouple: how weight decays (default: False).
        use_bias_correction: whether the rate is corrected for the moments' bias (default: False).
        d0: first estimate of the distance, from below, in (0,inf) (default: 1e-06).
        growth_rate: largest factor by which the distance grows in a step, in [1,inf] (default:
            inf).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Defazio and Mishchenko, Learning-rate-free learning by D-Adaptation, ICML 2023, algorithm 5,
            arXiv:2301.07733
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "betas": (Interval(0, 1, "[)"), Interval(0, 1, "[)")),
        "eps": Interval(0, inf, "()"),
        "weight_decay": Interval(0, inf, "[)"),
        "d0": Interval(0, inf, "()"),
        "growth_rate": Interval(1, inf, "[]"),
    }
    _common = (
        "lr",
        "betas",
        "d0",
        "growth_rate",
        "use_bias_correction",
    )
    _older: ClassVar[Mapping[str, object]] = {"decouple": False, "use_bias_correction": False}
    _shared_keys = frozenset({"k", "d", "numerator_weighted"})

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1.0,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float | Tensor = 1e-08,
        weight_decay: float | Tensor = 0.0,
        decouple: bool = False,
        use_bias_correction: bool = False,
        d0: float | Tensor = 1e-06,
        growth_rate: float | Tensor = inf,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "decouple": decouple,
            "use_bias_correction": use_bias_correction,
            "d0": d0,
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

    def _initialize_shared(self, shared: State, group: Group) -> None:
        if group["use_bias_correction"]:
            shared.setdefault("k", 0)
        shared.setdefault("d", group["d0"])
        shared.setdefault("numerator_weighted", 0)

    def _steps(self, theta: Tensor, state: State, shared: State, group: Group) -> Steps:
        """The equations of one parameter, which waits at each `yield` for all others."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        growth = group["growth_rate"]
        decouple = group["decouple"]
        use_bias_correction = group["use_bias_correction"]
        k_prev: Any = shared.get("k")
        d_prev = shared["d"]
        r_prev = shared["numerator_weighted"]
        m_prev = state["exp_avg"]
        v_prev = state["exp_avg_sq"]
        s_prev = state["s"]

        _grad = yield Gradient(theta)
        g = _grad  # dadapt-adam.gradient
        if not decouple and weight_decay != 0:
            g = g + weight_decay * theta  # dadapt-adam.l2
        rate = d_prev * lr  # dadapt-adam.rate
        if use_bias_correction:
            # dadapt-adam.corrected_rate
            rate = rate * math.sqrt(1 - beta2 ** (k_prev + 1)) / (1 - beta1 ** (k_prev + 1))
        rho = math.sqrt(beta2)  # dadapt-adam.smoothing
        runs = lr  # dadapt-adam.runs@pause
        counts = 1  # dadapt-adam.counts@pause
        if runs > 0:
            _sum = yield Sum((g * s_prev / (torch.sqrt(v_prev) + eps)).sum())
            agreement = rate * _sum  # dadapt-adam.agreement
            # dadapt-adam.first_moment
            m = state["exp_avg"] = beta1 * m_prev + rate * (1 - beta1) * g
            # dadapt-adam.second_moment
            v = state["exp_avg_sq"] = beta2 * v_prev + (1 - beta2) * g**2
            s = state["s"] = rho * s_prev + rate * (1 - rho) * g  # dadapt-adam.sum_of_gradients
            size = yield Sum(torch.abs(s).sum())  # dadapt-adam.size
            if size > 0:
                # dadapt-adam.average_agreement
                r = shared["numerator_weighted"] = rho * r_prev + (1 - rho) * agreement
                d_hat = r / ((1 - rho) * size)  # dadapt-adam.estimate
                if counts > 0:
                    # dadapt-adam.distance
                    d = shared["d"] = math.maximum(d_prev, math.minimum(d_hat, growth * d_prev))
                if use_bias_correction:
                    k = shared["k"] = k_prev + 1  # dadapt-adam.count
                if decouple:
                    theta = theta - rate * weight_decay * theta  # dadapt-adam.decay
                theta = theta - m / (torch.sqrt(v) + eps)  # dadapt-adam.update
        return theta
