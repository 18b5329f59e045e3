# GENERATED from spec/algorithms/stableadamw.py (dialect stableadamw/paper) by
#     python -m instep.reference.generate
"""StableAdamW, vectorized: a drop-in for torch's optimizers, many tensors a call."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import ClassVar

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.kernels.launch import Call
from instep.reference.runtime.kernels.library import Kernel
from instep.reference.runtime.vectorized import Backend, Tensors, VectorizedOptimizer
from instep.reference.runtime.work import Group, Layout, State


class StableAdamW(VectorizedOptimizer):
    """StableAdamW: AdamW with update clipping.

    The dialect is stableadamw/paper: arXiv:2304.13013, algorithm 2; optimi.StableAdamW. The moments
    are kept corrected; what clips the step clips the decay too.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.001).
        betas: decay rates of the two moments, each in [0,1) (default: (0.9, 0.99)).
        eps: term that keeps the denominator away from zero, in [0,inf) (default: 1e-06).
        weight_decay: weight decay, in [0,inf) (default: 0.01).
        maximize: ascend instead of descend (default: False).
        foreach: run on lists of tensors (True), or not (default: None).
        capturable: keep the step counter and tensor lr on the device (default: False).
        differentiable: let autograd run through the step (default: False).
        fused: run a fused kernel where there is one (default: None).
        backend: "auto", "foreach", "fused" or "eager"; the keywords foreach and fused must agree
            with it (default: 'auto').

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Wortsman et al., Stable and low-precision training for large-scale vision-language models,
            NeurIPS 2023, algorithm 2, arXiv:2304.13013
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "betas": (Interval(0, 1, "[)"), Interval(0, 1, "[)")),
        "eps": Interval(0, inf, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {
        "maximize": False,
        "foreach": None,
        "capturable": False,
        "differentiable": False,
        "fused": None,
    }
    _layout = Layout(numbers=frozenset({"step"}), counter="step")
    _kernel = Kernel("stableadamw", ("exp_avg", "exp_avg_sq"))

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.001,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.99),
        eps: float | Tensor = 1e-06,
        weight_decay: float | Tensor = 0.01,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        backend: Backend = "auto",
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults, backend)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        state.setdefault("step", 0.0)
        if "exp_avg" not in state:
            state["exp_avg"] = torch.zeros_like(theta)
        if "exp_avg_sq" not in state:
            state["exp_avg_sq"] = torch.zeros_like(theta)

    def _foreach_update(self, theta: Tensors, grad: Tensors, state: State, group: Group) -> Tensors:
        """The equations on lists of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m = state["exp_avg"]
        v = state["exp_avg_sq"]
        t = state["step"] = state["step"] + 1

        if maximize:
            # stableadamw.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # stableadamw.gradient@no: g = grad
            g = grad
        # stableadamw.first_rate: beta1_hat = (beta1 - beta1**t) / (1 - beta1**t)
        beta1_hat = (beta1 - beta1**t) / (1 - beta1**t)
        # stableadamw.second_rate: beta2_hat = (beta2 - beta2**t) / (1 - beta2**t)
        beta2_hat = (beta2 - beta2**t) / (1 - beta2**t)
        # stableadamw.first_moment: m = beta1_hat * m_prev + (1 - beta1_hat) * g
        torch._foreach_lerp_(m, g, 1 - beta1_hat)
        _second_moment = torch._foreach_mul(g, g)
        # stableadamw.second_moment: v = beta2_hat * v_prev + (1 - beta2_hat) * g**2
        torch._foreach_lerp_(v, _second_moment, 1 - beta2_hat)
        _spread = eps**2
        # stableadamw.spread: spread = torch.sqrt((g**2 / v.clamp(min=eps**2)).mean())
        spread = tuple(
            (_second_moment_i / _v.clamp(min=_spread)).mean()
            for _second_moment_i, _v in zip(_second_moment, v, strict=True)
        )
        torch._foreach_sqrt_(spread)
        # stableadamw.step_size: step_size = lr / spread.clamp(min=1)
        step_size = tuple(lr / _spread.clamp(min=1) for _spread in spread)
        # stableadamw.decay: theta = theta - step_size * weight_decay * theta
        _decay = torch._foreach_mul(step_size, weight_decay)
        _decay_2 = torch._foreach_mul(_decay, theta)
        torch._foreach_sub_(theta, _decay_2)
        # stableadamw.update: theta = theta - step_size * m / (torch.sqrt(v) + eps)
        _update = torch._foreach_mul(step_size, m)
        _update_2 = torch._foreach_sqrt(v)
        torch._foreach_add_(_update_2, eps)
        torch._foreach_div_(_update, _update_2)
        torch._foreach_sub_(theta, _update)
        return theta

    def _kernel_call(self, theta: Tensor, state: State, group: Group) -> Call:
        """What the host tells the kernel of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        t = state["step"] = state["step"] + 1

        beta1_hat = (beta1 - beta1**t) / (1 - beta1**t)
        beta2_hat = (beta2 - beta2**t) / (1 - beta2**t)
        _first_moment = 1 - beta1_hat
        _second_moment_2 = 1 - beta2_hat
        _spread = eps**2
        return Call(
            switches={"MAXIMIZE": maximize},
            numbers=(_second_moment_2, _spread, lr, _first_moment, weight_decay, eps),
        )

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m_prev = state["exp_avg"]
        v_prev = state["exp_avg_sq"]
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # stableadamw.gradient@yes
        else:
            g = grad  # stableadamw.gradient@no
        beta1_hat = (beta1 - beta1**t) / (1 - beta1**t)  # stableadamw.first_rate
        beta2_hat = (beta2 - beta2**t) / (1 - beta2**t)  # stableadamw.second_rate
        m = state["exp_avg"] = beta1_hat * m_prev + (1 - beta1_hat) * g  # stableadamw.first_moment
        # stableadamw.second_moment
        v = state["exp_avg_sq"] = beta2_hat * v_prev + (1 - beta2_hat) * g**2
        spread = torch.sqrt((g**2 / v.clamp(min=eps**2)).mean())  # stableadamw.spread
        step_size = lr / spread.clamp(min=1)  # stableadamw.step_size
        theta = theta - step_size * weight_decay * theta  # stableadamw.decay
        theta = theta - step_size * m / (torch.sqrt(v) + eps)  # stableadamw.update
        return theta
