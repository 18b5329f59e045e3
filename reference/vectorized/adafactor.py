# GENERATED from spec/algorithms/adafactor.py (dialect adafactor/torch) by
#     python -m instep.reference.generate
"""Adafactor, vectorized: a drop-in for torch's optimizers, many tensors a call."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from instep.reference.runtime import scalar_math as math
from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.sparse import Accepts
from instep.reference.runtime.vectorized import Backend, Tensors, VectorizedOptimizer
from instep.reference.runtime.work import Group, Layout, State, cols_like, rows_like


class Adafactor(VectorizedOptimizer):
    """Adafactor: adaptive rates with sublinear memory.

    The dialect is adafactor/torch: torch.optim.Adafactor. eps[0] bounds the second moment from
    below; weight decay goes by lr.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, or the largest of them, in [0,inf) (default: 0.01).
        beta2_decay: exponent of the second moment's decay, in (-inf,0] (default: -0.8).
        eps: terms that keep the second moment, and the step, away from zero, each in [0,inf); None
            is the parameter's machine epsilon (default: (None, 0.001)).
        d: largest root mean square of an update, in [1,inf) (default: 1.0).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        foreach: run on lists of tensors (True), or not (default: None).
        maximize: ascend instead of descend (default: False).
        backend: "auto", "foreach", "fused" or "eager"; the keywords foreach and fused must agree
            with it (default: 'auto').

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Shazeer and Stern, Adafactor: adaptive learning rates with sublinear memory cost, ICML 2018,
            algorithms 4 and 5, arXiv:1804.04235
        Zhai et al., Scaling vision transformers, CVPR 2022, section 3.4, arXiv:2106.04560
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "beta2_decay": Interval(-inf, 0, "(]"),
        "eps": (Interval(0, inf, "[)", none=True), Interval(0, inf, "[)")),
        "d": Interval(1, inf, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {"maximize": False, "foreach": None}
    _layout = Layout(numbers=frozenset({"step"}), counter="step")
    _accepts = Accepts(complex=None)
    _shape_queries = ("ndim",)

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.01,
        beta2_decay: float | Tensor = -0.8,
        eps: tuple[float | Tensor | None, float | Tensor] = (None, 0.001),
        d: float | Tensor = 1.0,
        weight_decay: float | Tensor = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        backend: Backend = "auto",
    ) -> None:
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults, backend)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        state.setdefault("step", 0.0)
        if theta.dim() > 1 and "row_var" not in state:
            state["row_var"] = rows_like(theta, 0)
        if theta.dim() > 1 and "col_var" not in state:
            state["col_var"] = cols_like(theta, 0)
        if theta.dim() <= 1 and "variance" not in state:
            state["variance"] = torch.zeros_like(theta)

    def _foreach_update(self, theta: Tensors, grad: Tensors, state: State, group: Group) -> Tensors:
        """The equations on lists of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        tau = group["beta2_decay"]
        eps1, eps2 = group["eps"]
        if eps1 is None:
            eps1 = torch.finfo(theta[0].dtype).eps
        clip = group["d"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        R: Any = state.get("row_var")
        C: Any = state.get("col_var")
        V: Any = state.get("variance")
        t = state["step"] = state["step"] + 1

        if maximize:
            # adafactor.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # adafactor.gradient@no: g = grad
            g = grad
        # adafactor.weight@power: weight = t**tau
        weight = t**tau
        # adafactor.size@relative: rho = math.minimum(lr, 1 / math.sqrt(t))
        rho = math.minimum(lr, 1 / math.sqrt(t))
        # adafactor.decay@lr: theta = theta - lr * weight_decay * theta
        _theta = torch._foreach_mul(theta, 1 - lr * weight_decay)
        # adafactor.square@clamp: g2 = g**2
        g2 = torch._foreach_mul(g, g)
        if _theta[0].dim() > 1:
            # adafactor.row_factor: R = (1 - weight) * R_prev + weight * g2.mean(dim=-1,
            #     keepdim=True)
            torch._foreach_mul_(R, 1 - weight)
            _row_factor = tuple(_g2.mean(dim=-1, keepdim=True) for _g2 in g2)
            torch._foreach_add_(R, _row_factor, alpha=weight)
            # adafactor.column_factor: C = (1 - weight) * C_prev + weight * g2.mean(dim=-2,
            #     keepdim=True)
            torch._foreach_mul_(C, 1 - weight)
            _column_factor = tuple(_g2.mean(dim=-2, keepdim=True) for _g2 in g2)
            torch._foreach_add_(C, _column_factor, alpha=weight)
            # adafactor.second_moment@clamp: v_hat = R * C / R.mean(dim=-2,
            #     keepdim=True).clamp(min=eps1)
            v_hat = torch._foreach_mul(R, C)
            _second_moment = tuple(_R.mean(dim=-2, keepdim=True) for _R in R)
            torch._foreach_clamp_min_(_second_moment, eps1)
            torch._foreach_div_(v_hat, _second_moment)
        else:
            # adafactor.vector: V = (1 - weight) * V_prev + weight * g2
            torch._foreach_mul_(V, 1 - weight)
            torch._foreach_add_(V, g2, alpha=weight)
            # adafactor.second_moment@vector: v_hat = V
            v_hat = V
        _direction = eps1**2
        # adafactor.direction@clamp: u = g / torch.sqrt(v_hat.clamp(min=eps1**2))
        _direction_2 = torch._foreach_clamp_min(v_hat, _direction)
        torch._foreach_sqrt_(_direction_2)
        u = torch._foreach_div(g, _direction_2)
        # adafactor.clipping: u = u / (torch.sqrt((u**2).mean()) / clip).clamp(min=1)
        _clipping = tuple((_u * _u).mean() for _u in u)
        torch._foreach_sqrt_(_clipping)
        torch._foreach_div_(_clipping, clip)
        torch._foreach_clamp_min_(_clipping, 1)
        torch._foreach_div_(u, _clipping)
        # adafactor.scale@rms: alpha = torch.sqrt((theta**2).mean()).clamp(min=eps2) * rho
        # adafactor.update: theta = theta - alpha * u
        _update = tuple((_theta * _theta).mean() for _theta in theta)
        torch._foreach_sqrt_(_update)
        torch._foreach_clamp_min_(_update, eps2)
        torch._foreach_mul_(_update, rho)
        torch._foreach_mul_(u, _update)
        torch._foreach_sub_(_theta, u)
        return _theta

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        tau = group["beta2_decay"]
        eps1, eps2 = group["eps"]
        if eps1 is None:
            eps1 = torch.finfo(theta.dtype).eps
        clip = group["d"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        R_prev: Any = state.get("row_var")
        C_prev: Any = state.get("col_var")
        V_prev: Any = state.get("variance")
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # adafactor.gradient@yes
        else:
            g = grad  # adafactor.gradient@no
        weight = t**tau  # adafactor.weight@power
        rho = math.minimum(lr, 1 / math.sqrt(t))  # adafactor.size@relative
        alpha = torch.sqrt((theta**2).mean()).clamp(min=eps2) * rho  # adafactor.scale@rms
        theta = theta - lr * weight_decay * theta  # adafactor.decay@lr
        g2 = g**2  # adafactor.square@clamp
        if theta.dim() > 1:
            # adafactor.row_factor
            R = state["row_var"] = (1 - weight) * R_prev + weight * g2.mean(dim=-1, keepdim=True)
            # adafactor.column_factor
            C = state["col_var"] = (1 - weight) * C_prev + weight * g2.mean(dim=-2, keepdim=True)
            # adafactor.second_moment@clamp
            v_hat = R * C / R.mean(dim=-2, keepdim=True).clamp(min=eps1)
        else:
            V = state["variance"] = (1 - weight) * V_prev + weight * g2  # adafactor.vector
            v_hat = V  # adafactor.second_moment@vector
        u = g / torch.sqrt(v_hat.clamp(min=eps1**2))  # adafactor.direction@clamp
        u = u / (torch.sqrt((u**2).mean()) / clip).clamp(min=1)  # adafactor.clipping
        theta = theta - alpha * u  # adafactor.update
        return theta
