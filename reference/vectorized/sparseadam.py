# GENERATED from spec/algorithms/sparse_adam.py (dialect sparseadam/torch) by
#     python -m instep.reference.generate
"""SparseAdam, vectorized: a drop-in for torch's optimizers, many tensors a call."""

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
from instep.reference.runtime.sparse import Accepts
from instep.reference.runtime.vectorized import Backend, Tensors, VectorizedOptimizer
from instep.reference.runtime.work import Group, Layout, State


class SparseAdam(VectorizedOptimizer):
    """Masked Adam for sparse gradients.

    The dialect is sparseadam/torch: torch.optim.SparseAdam. Both corrections are folded into the
    step size: eps stands beside the raw root.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in (0,inf) (default: 0.001).
        betas: decay rates of the two moments, each in [0,1) (default: (0.9, 0.999)).
        eps: term that keeps the denominator away from zero, in (0,inf) (default: 1e-08).
        maximize: ascend instead of descend (default: False).
        backend: "auto", "foreach", "fused" or "eager" (default: 'auto').

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, algorithm 1 and the
            remark after it, arXiv:1412.6980
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "()"),
        "betas": (Interval(0, 1, "[)"), Interval(0, 1, "[)")),
        "eps": Interval(0, inf, "()"),
    }
    _older: ClassVar[Mapping[str, object]] = {"maximize": False}
    _layout = Layout(numbers=frozenset({"step"}), counter="step", tensor=False)
    _accepts = Accepts(dense=False, sparse=True, complex=False)
    _kernel = Kernel("sparseadam", ("exp_avg", "exp_avg_sq"))

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.001,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float | Tensor = 1e-08,
        maximize: bool = False,
        *,
        backend: Backend = "auto",
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "maximize": maximize,
        }
        super().__init__(params, defaults, backend)

    def _moves_rows(self, group: Group) -> bool:
        """Whether a sparse gradient moves nothing that it does not name."""
        return True

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
        maximize = group["maximize"]
        m = state["exp_avg"]
        v = state["exp_avg_sq"]
        t = state["step"] = state["step"] + 1

        if maximize:
            # sparseadam.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # sparseadam.gradient@no: g = grad
            g = grad
        # sparseadam.first_moment: m = beta1 * m_prev + (1 - beta1) * g
        torch._foreach_lerp_(m, g, 1 - beta1)
        # sparseadam.second_moment: v = beta2 * v_prev + (1 - beta2) * g**2
        torch._foreach_mul_(v, beta2)
        torch._foreach_addcmul_(v, g, g, value=1 - beta2)
        # sparseadam.step_size@hat: step_size = lr * math.sqrt(1 - beta2**t) / (1 - beta1**t)
        step_size = lr * math.sqrt(1 - beta2**t) / (1 - beta1**t)
        # sparseadam.denominator@hat: d = torch.sqrt(v) + eps
        d = torch._foreach_sqrt(v)
        torch._foreach_add_(d, eps)
        # sparseadam.update: theta = theta - step_size * m / d
        torch._foreach_addcdiv_(theta, m, d, value=-step_size)
        return theta

    def _kernel_call(self, theta: Tensor, state: State, group: Group) -> Call:
        """What the host tells the kernel of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        maximize = group["maximize"]
        t = state["step"] = state["step"] + 1

        _first_moment = 1 - beta1
        _second_moment = 1 - beta2
        step_size = lr * math.sqrt(1 - beta2**t) / (1 - beta1**t)
        _update = -step_size
        return Call(
            switches={"MAXIMIZE": maximize},
            numbers=(_first_moment, beta2, _second_moment, eps, _update),
        )

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        maximize = group["maximize"]
        m_prev = state["exp_avg"]
        v_prev = state["exp_avg_sq"]
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # sparseadam.gradient@yes
        else:
            g = grad  # sparseadam.gradient@no
        m = state["exp_avg"] = beta1 * m_prev + (1 - beta1) * g  # sparseadam.first_moment
        v = state["exp_avg_sq"] = beta2 * v_prev + (1 - beta2) * g**2  # sparseadam.second_moment
        step_size = lr * math.sqrt(1 - beta2**t) / (1 - beta1**t)  # sparseadam.step_size@hat
        d = torch.sqrt(v) + eps  # sparseadam.denominator@hat
        theta = theta - step_size * m / d  # sparseadam.update
        return theta
