# GENERATED from spec/algorithms/novograd.py (dialect novograd/paper) by
#     python -m instep.reference.generate
"""NovoGrad, vectorized: a drop-in for torch's optimizers, many tensors a call."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.kernels.launch import Call
from instep.reference.runtime.kernels.library import Kernel
from instep.reference.runtime.vectorized import Backend, Tensors, VectorizedOptimizer
from instep.reference.runtime.work import Group, Layout, State


class NovoGrad(VectorizedOptimizer):
    """NovoGrad: layerwise second moments.

    The dialect is novograd/paper: arXiv:1905.11286, algorithm 1. Both moments start as what the
    first gradient gives; decay is inside.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.001).
        betas: decay rates of the two moments, each in [0,1) (default: (0.95, 0.98)).
        eps: term that keeps the denominator away from zero, in [0,inf) (default: 1e-08).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        grad_averaging: weigh what enters the first moment by 1 - beta1 (default: False).
        maximize: ascend instead of descend (default: False).
        foreach: run on lists of tensors (True), or not (default: None).
        differentiable: let autograd run through the step (default: False).
        fused: run a fused kernel where there is one (default: None).
        backend: "auto", "foreach", "fused" or "eager"; the keywords foreach and fused must agree
            with it (default: 'auto').

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Ginsburg et al., Stochastic gradient methods with layer-wise adaptive moments for training
            of deep networks, 2019, algorithm 1, arXiv:1905.11286
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "betas": (Interval(0, 1, "[)"), Interval(0, 1, "[)")),
        "eps": Interval(0, inf, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {
        "grad_averaging": False,
        "maximize": False,
        "foreach": None,
        "differentiable": False,
        "fused": None,
    }
    _layout = Layout(late=frozenset({"exp_avg"}), late_reduced=frozenset({"exp_avg_sq"}))
    _kernel = Kernel("novograd", ("exp_avg", "exp_avg_sq"), reduced=("exp_avg_sq",))

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.001,
        betas: tuple[float | Tensor, float | Tensor] = (0.95, 0.98),
        eps: float | Tensor = 1e-08,
        weight_decay: float | Tensor = 0.0,
        grad_averaging: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
        backend: Backend = "auto",
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "grad_averaging": grad_averaging,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults, backend)

    def _foreach_update(self, theta: Tensors, grad: Tensors, state: State, group: Group) -> Tensors:
        """The equations on lists of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        grad_averaging = group["grad_averaging"]
        m: Any = state.get("exp_avg")
        _m_absent = m is None
        v: Any = state.get("exp_avg_sq")
        _v_absent = v is None

        if maximize:
            # novograd.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # novograd.gradient@no: g = grad
            g = grad
        # novograd.square: square = (g**2).sum()
        square = tuple((_g * _g).sum() for _g in g)
        if _v_absent:
            # novograd.second_moment@first: v = square
            v = tuple(_square.clone() for _square in square)
            state["exp_avg_sq"] = v
        else:
            # novograd.second_moment@once: v = beta2 * v_prev + (1 - beta2) * square
            torch._foreach_lerp_(v, square, 1 - beta2)
        # novograd.normalised: u = g / (torch.sqrt(v) + eps)
        _normalised = torch._foreach_sqrt(v)
        torch._foreach_add_(_normalised, eps)
        u = torch._foreach_div(g, _normalised)
        # novograd.penalty: u = u + weight_decay * theta
        torch._foreach_add_(u, theta, alpha=weight_decay)
        if _m_absent:
            # novograd.first_moment@first: m = u
            m = tuple(_u.clone() for _u in u)
            state["exp_avg"] = m
        else:
            if grad_averaging:
                # novograd.first_moment@yes: m = beta1 * m_prev + (1 - beta1) * u
                torch._foreach_lerp_(m, u, 1 - beta1)
            else:
                # novograd.first_moment@no: m = beta1 * m_prev + u
                torch._foreach_mul_(m, beta1)
                torch._foreach_add_(m, u)
        # novograd.update: theta = theta - lr * m
        torch._foreach_add_(theta, m, alpha=-lr)
        return theta

    def _kernel_call(self, theta: Tensor, state: State, group: Group) -> Call:
        """What the host tells the kernel of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        grad_averaging = group["grad_averaging"]

        _second_moment = 0.0
        if state.get("exp_avg_sq") is not None:
            _second_moment = 1 - beta2
        _first_moment = 0.0
        if state.get("exp_avg") is not None and grad_averaging:
            _first_moment = 1 - beta1
        _update = -lr
        return Call(
            switches={
                "MAXIMIZE": maximize,
                "V_ABSENT": state.get("exp_avg_sq") is None,
                "M_ABSENT": state.get("exp_avg") is None,
                "GRAD_AVERAGING": grad_averaging,
            },
            numbers=(_second_moment, eps, weight_decay, _first_moment, beta1, _update),
            made={"exp_avg": True, "exp_avg_sq": True},
        )

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        grad_averaging = group["grad_averaging"]
        m_prev: Any = state.get("exp_avg")
        v_prev: Any = state.get("exp_avg_sq")

        if maximize:
            g = -grad  # novograd.gradient@yes
        else:
            g = grad  # novograd.gradient@no
        square = (g**2).sum()  # novograd.square
        if v_prev is None:
            v = state["exp_avg_sq"] = square.clone()  # novograd.second_moment@first
        else:
            # novograd.second_moment@once
            v = state["exp_avg_sq"] = beta2 * v_prev + (1 - beta2) * square
        u = g / (torch.sqrt(v) + eps)  # novograd.normalised
        u = u + weight_decay * theta  # novograd.penalty
        if m_prev is None:
            m = state["exp_avg"] = u.clone()  # novograd.first_moment@first
        elif grad_averaging:
            m = state["exp_avg"] = beta1 * m_prev + (1 - beta1) * u  # novograd.first_moment@yes
        else:
            m = state["exp_avg"] = beta1 * m_prev + u  # novograd.first_moment@no
        theta = theta - lr * m  # novograd.update
        return theta
