# GENERATED from spec/algorithms/adopt.py (dialect adopt/paper) by
#     python -m instep.reference.generate
"""ADOPT, vectorized: a drop-in for torch's optimizers, many tensors a call."""

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


class ADOPT(VectorizedOptimizer):
    """ADOPT: adaptive gradients that converge with any beta2.

    The dialect is adopt/paper: arXiv:2411.02853, algorithm 2; the authors' release. The first step
    only starts the second moment; lanes are clipped to the number of updates before, to the power
    1/4, so the first update is one of signs.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.001).
        betas: decay rates of the two moments, each in [0,1) (default: (0.9, 0.9999)).
        eps: least value of the denominator, in [0,inf) (default: 1e-06).
        clip_exp: power of the number of steps that lanes are clipped to, in [0,inf) (default:
            0.25).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
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
        Taniguchi et al., ADOPT: modified Adam can converge with any beta2 with the optimal rate,
            NeurIPS 2024, algorithm 2, arXiv:2411.02853
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "betas": (Interval(0, 1, "[)"), Interval(0, 1, "[)")),
        "eps": Interval(0, inf, "[)"),
        "clip_exp": Interval(0, inf, "[)"),
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
    _kernel = Kernel("adopt", ("exp_avg", "exp_avg_sq"))

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.001,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.9999),
        eps: float | Tensor = 1e-06,
        clip_exp: float | Tensor = 0.25,
        weight_decay: float | Tensor = 0.0,
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
            "clip_exp": clip_exp,
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
        power = group["clip_exp"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m = state["exp_avg"]
        v = state["exp_avg_sq"]
        t = state["step"] = state["step"] + 1

        if maximize:
            # adopt.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # adopt.gradient@no: g = grad
            g = grad
        # adopt.l2: g = g + weight_decay * theta
        g = torch._foreach_add(g, theta, alpha=weight_decay)
        if t == 1:
            # adopt.second_moment@first: v = g**2
            v = torch._foreach_mul(g, g)
            state["exp_avg_sq"] = v
        else:
            # adopt.normalized: n = g / torch.sqrt(v_prev).clamp(min=eps)
            _normalized = torch._foreach_sqrt(v)
            torch._foreach_clamp_min_(_normalized, eps)
            n = torch._foreach_div(g, _normalized)
            # adopt.clip: c = (t - 1)**power
            c = (t - 1) ** power
            # adopt.normalized@clipped: n = n.clamp(max=c).clamp(min=-c)
            torch._foreach_clamp_max_(n, c)
            torch._foreach_clamp_min_(n, -c)
            # adopt.first_moment: m = beta1 * m_prev + (1 - beta1) * n
            torch._foreach_lerp_(m, n, 1 - beta1)
            # adopt.update: theta = theta - lr * m
            torch._foreach_add_(theta, m, alpha=-lr)
            # adopt.second_moment: v = beta2 * v_prev + (1 - beta2) * g**2
            torch._foreach_mul_(v, beta2)
            torch._foreach_addcmul_(v, g, g, value=1 - beta2)
        return theta

    def _kernel_call(self, theta: Tensor, state: State, group: Group) -> Call:
        """What the host tells the kernel of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        power = group["clip_exp"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        t = state["step"] = state["step"] + 1

        _first_moment = _normalized = _second_moment = _update = c = 0.0
        if t != 1:
            c = (t - 1) ** power
            _normalized = -c
            _first_moment = 1 - beta1
            _update = -lr
            _second_moment = 1 - beta2
        return Call(
            switches={"MAXIMIZE": maximize, "T_IS_1": t == 1},
            numbers=(
                weight_decay,
                eps,
                c,
                _normalized,
                _first_moment,
                _update,
                beta2,
                _second_moment,
            ),
        )

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        power = group["clip_exp"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m_prev = state["exp_avg"]
        v_prev = state["exp_avg_sq"]
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # adopt.gradient@yes
        else:
            g = grad  # adopt.gradient@no
        g = g + weight_decay * theta  # adopt.l2
        if t == 1:
            v = state["exp_avg_sq"] = g**2  # adopt.second_moment@first
        else:
            n = g / torch.sqrt(v_prev).clamp(min=eps)  # adopt.normalized
            c = (t - 1) ** power  # adopt.clip
            n = n.clamp(max=c).clamp(min=-c)  # adopt.normalized@clipped
            m = state["exp_avg"] = beta1 * m_prev + (1 - beta1) * n  # adopt.first_moment
            theta = theta - lr * m  # adopt.update
            v = state["exp_avg_sq"] = beta2 * v_prev + (1 - beta2) * g**2  # adopt.second_moment
        return theta

    def _captured_update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The same in a captured step: both sides of what the step decides, and one taken."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        power = group["clip_exp"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m_prev = state["exp_avg"]
        v_prev = state["exp_avg_sq"]
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # adopt.gradient@yes
        else:
            g = grad  # adopt.gradient@no
        g = g + weight_decay * theta  # adopt.l2
        _v_then = g**2  # adopt.second_moment@first
        _n_else = g / torch.sqrt(v_prev).clamp(min=eps)  # adopt.normalized
        _c_else = (t - 1) ** power  # adopt.clip
        _n_else = _n_else.clamp(max=_c_else).clamp(min=-_c_else)  # adopt.normalized@clipped
        _m_else = beta1 * m_prev + (1 - beta1) * _n_else  # adopt.first_moment
        _theta_else = theta - lr * _m_else  # adopt.update
        _v_else = beta2 * v_prev + (1 - beta2) * g**2  # adopt.second_moment
        v = state["exp_avg_sq"] = torch.where(t == 1, _v_then, _v_else)  # adopt.second_moment
        m = state["exp_avg"] = torch.where(t == 1, m_prev, _m_else)  # adopt.first_moment
        theta = torch.where(t == 1, theta, _theta_else)  # adopt.update
        return theta
