# GENERATED from spec/algorithms/adafactor.py (dialect adafactor/torch) by
#     python -m instep.reference.generate
"""Adafactor, the eager reference: one tensor at a time, one equation a line."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from instep.reference.runtime import scalar_math as math
from instep.reference.runtime.eager import EagerOptimizer
from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.sparse import Accepts
from instep.reference.runtime.work import Group, Layout, State, cols_like, rows_like


class Adafactor(EagerOptimizer):
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
        maximize: ascend instead of descend (default: False).

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
    _older: ClassVar[Mapping[str, object]] = {"maximize": False}
    _layout = Layout(numbers=frozenset({"step"}), counter="step")
    _accepts = Accepts(complex=None)

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.01,
        beta2_decay: float | Tensor = -0.8,
        eps: tuple[float | Tensor | None, float | Tensor] = (None, 0.001),
        d: float | Tensor = 1.0,
        weight_decay: float | Tensor = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        state.setdefault("step", 0.0)
        if theta.dim() > 1 and "row_var" not in state:
            state["row_var"] = rows_like(theta, 0)
        if theta.dim() > 1 and "col_var" not in state:
            state["col_var"] = cols_like(theta, 0)
        if theta.dim() <= 1 and "variance" not in state:
            state["variance"] = torch.zeros_like(theta)

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
