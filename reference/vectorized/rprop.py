# GENERATED from spec/algorithms/rprop.py (dialect rprop/torch) by
#     python -m instep.reference.generate
"""Rprop, vectorized: a drop-in for torch's optimizers, many tensors a call."""

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


class Rprop(VectorizedOptimizer):
    """Rprop: resilient backpropagation.

    The dialect is rprop/torch: torch.optim.Rprop; Igel and Huesken, iRprop-. Where the sign turns
    the gradient is taken for 0: no step now, no change next.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: first step size, in [0,inf) (default: 0.01).
        etas: factors of the step size when the sign turns, and when it stays, in (0,1) and (1,inf)
            (default: (0.5, 1.2)).
        step_sizes: limits of the step size, each in (-inf,inf) (default: (1e-06, 50.0)).
        capturable: keep the step counter and tensor lr on the device (default: False).
        foreach: run on lists of tensors (True), or not (default: None).
        maximize: ascend instead of descend (default: False).
        differentiable: let autograd run through the step (default: False).
        backend: "auto", "foreach", "fused" or "eager"; the keywords foreach and fused must agree
            with it (default: 'auto').

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Riedmiller and Braun, A direct adaptive method for faster backpropagation learning: the
            RPROP algorithm, ICNN 1993, doi:10.1109/ICNN.1993.298623
        Igel and Huesken, Improving the Rprop learning algorithm, NC 2000,
            doi:10.1016/S0925-2312(01)00700-7
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "etas": (Interval(0, 1, "()"), Interval(1, inf, "()")),
        "step_sizes": (Interval(-inf, inf, "()"), Interval(-inf, inf, "()")),
    }
    _older: ClassVar[Mapping[str, object]] = {
        "maximize": False,
        "foreach": None,
        "capturable": False,
        "differentiable": False,
    }
    _layout = Layout(numbers=frozenset({"step"}), counter="step")
    _kernel = Kernel("rprop", ("prev", "step_size"))

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.01,
        etas: tuple[float | Tensor, float | Tensor] = (0.5, 1.2),
        step_sizes: tuple[float | Tensor, float | Tensor] = (1e-06, 50.0),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        backend: Backend = "auto",
    ) -> None:
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults, backend)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        state.setdefault("step", 0.0)
        if "prev" not in state:
            state["prev"] = torch.zeros_like(theta)
        if "step_size" not in state:
            state["step_size"] = torch.full_like(theta, group["lr"])

    def _foreach_update(self, theta: Tensors, grad: Tensors, state: State, group: Group) -> Tensors:
        """The equations on lists of tensors that agree in type, step and kind of state."""
        shrink, grow = group["etas"]
        smallest, largest = group["step_sizes"]
        maximize = group["maximize"]
        g_last = state["prev"]
        z = state["step_size"]
        state["step"] = state["step"] + 1

        if maximize:
            # rprop.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # rprop.gradient@no: g = grad
            g = grad
        # rprop.agreement: s = torch.sign(g * g_last_prev)
        s = torch._foreach_mul(g, g_last)
        torch._foreach_sign_(s)
        _factor = tuple(_s < 0 for _s in s)
        # rprop.factor: f = torch.where(s > 0, grow, torch.where(s < 0, torch.as_tensor(shrink,
        #     dtype=theta.dtype), 1))
        f = tuple(
            torch.where(
                _s > 0, grow, torch.where(_factor_i, torch.as_tensor(shrink, dtype=_s.dtype), 1)
            )
            for _s, _factor_i in zip(s, _factor, strict=True)
        )
        # rprop.step_size: z = (z_prev * f).clamp(min=smallest).clamp(max=largest)
        torch._foreach_mul_(z, f)
        torch._foreach_clamp_min_(z, smallest)
        torch._foreach_clamp_max_(z, largest)
        # rprop.last_gradient: g_last = torch.where(s < 0, 0, g)
        g_last = tuple(
            torch.where(_factor_i, 0, _g) for _factor_i, _g in zip(_factor, g, strict=True)
        )
        state["prev"] = g_last
        # rprop.update: theta = theta - torch.sign(g_last) * z
        _update = torch._foreach_sign(g_last)
        torch._foreach_mul_(_update, z)
        torch._foreach_sub_(theta, _update)
        return theta

    def _kernel_call(self, theta: Tensor, state: State, group: Group) -> Call:
        """What the host tells the kernel of tensors that agree in type, step and kind of state."""
        shrink, grow = group["etas"]
        smallest, largest = group["step_sizes"]
        maximize = group["maximize"]
        state["step"] = state["step"] + 1

        return Call(
            switches={"MAXIMIZE": maximize},
            numbers=(grow, shrink, smallest, largest),
        )

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        shrink, grow = group["etas"]
        smallest, largest = group["step_sizes"]
        maximize = group["maximize"]
        g_last_prev = state["prev"]
        z_prev = state["step_size"]
        state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # rprop.gradient@yes
        else:
            g = grad  # rprop.gradient@no
        s = torch.sign(g * g_last_prev)  # rprop.agreement
        # rprop.factor
        f = torch.where(
            s > 0, grow, torch.where(s < 0, torch.as_tensor(shrink, dtype=theta.dtype), 1)
        )
        # rprop.step_size
        z = state["step_size"] = (z_prev * f).clamp(min=smallest).clamp(max=largest)
        g_last = state["prev"] = torch.where(s < 0, 0, g)  # rprop.last_gradient
        theta = theta - torch.sign(g_last) * z  # rprop.update
        return theta
