# GENERATED from spec/algorithms/adagrad.py (dialect adagrad/torch) by
#     python -m instep.reference.generate
"""Adagrad, vectorized: a drop-in for torch's optimizers, many tensors a call."""

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
from instep.reference.runtime.sparse import Accepts
from instep.reference.runtime.vectorized import Backend, Tensors, VectorizedOptimizer
from instep.reference.runtime.work import Group, Layout, State


class Adagrad(VectorizedOptimizer):
    """AdaGrad: adaptive subgradient method.

    The dialect is adagrad/torch: torch.optim.Adagrad. eps is added to the root, as the paper adds
    delta; the sum starts at 0.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.01).
        lr_decay: by how much of itself the learning rate shrinks in a step, in [0,inf) (default:
            0.0).
        weight_decay: L2 penalty, in [0,inf) (default: 0.0).
        initial_accumulator_value: what the sum of squares starts at, in [0,inf) (default: 0.0).
        eps: term that keeps the denominator away from zero, in [0,inf) (default: 1e-10).
        foreach: run on lists of tensors (True), or not (default: None).
        maximize: ascend instead of descend (default: False).
        differentiable: let autograd run through the step (default: False).
        fused: run a fused kernel where there is one (default: None).
        backend: "auto", "foreach", "fused" or "eager"; the keywords foreach and fused must agree
            with it (default: 'auto').

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Duchi, Hazan and Singer, Adaptive subgradient methods for online learning and stochastic
            optimization, JMLR 12, 2011, figure 1, https://jmlr.org/papers/v12/duchi11a.html
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "lr_decay": Interval(0, inf, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
        "initial_accumulator_value": Interval(0, inf, "[)"),
        "eps": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {
        "maximize": False,
        "foreach": None,
        "differentiable": False,
        "fused": None,
    }
    _layout = Layout(numbers=frozenset({"step"}), counter="step")
    _accepts = Accepts(sparse=True)
    _constructs_state = True
    _kernel = Kernel("adagrad", ("sum",))

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.01,
        lr_decay: float | Tensor = 0.0,
        weight_decay: float | Tensor = 0.0,
        initial_accumulator_value: float | Tensor = 0.0,
        eps: float | Tensor = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        backend: Backend = "auto",
    ) -> None:
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "eps": eps,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults, backend)

    def _require_sparse(self, group: Group) -> None:
        if group["weight_decay"] != 0:
            raise RuntimeError("weight_decay option is not compatible with sparse gradients")

    def _moves_rows(self, group: Group) -> bool:
        """Whether a sparse gradient moves nothing that it does not name."""
        return True

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        state.setdefault("step", 0.0)
        if "sum" not in state:
            state["sum"] = torch.full_like(theta, group["initial_accumulator_value"])

    def _foreach_update(self, theta: Tensors, grad: Tensors, state: State, group: Group) -> Tensors:
        """The equations on lists of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        lr_decay = group["lr_decay"]
        weight_decay = group["weight_decay"]
        eps = group["eps"]
        maximize = group["maximize"]
        s = state["sum"]
        t = state["step"] = state["step"] + 1

        if maximize:
            # adagrad.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # adagrad.gradient@no: g = grad
            g = grad
        if weight_decay != 0:
            # adagrad.l2: g = g + weight_decay * theta
            g = torch._foreach_add(g, theta, alpha=weight_decay)
        # adagrad.rate: lr_t = lr / (1 + (t - 1) * lr_decay)
        lr_t = lr / (1 + (t - 1) * lr_decay)
        # adagrad.sum_of_squares: s = s_prev + g**2
        _sum_of_squares = torch._foreach_mul(g, g)
        torch._foreach_add_(s, _sum_of_squares)
        # adagrad.denominator@outside: d = torch.sqrt(s) + eps
        d = torch._foreach_sqrt(s)
        torch._foreach_add_(d, eps)
        # adagrad.update: theta = theta - lr_t * g / d
        torch._foreach_addcdiv_(theta, g, d, value=-lr_t)
        return theta

    def _kernel_call(self, theta: Tensor, state: State, group: Group) -> Call:
        """What the host tells the kernel of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        lr_decay = group["lr_decay"]
        weight_decay = group["weight_decay"]
        eps = group["eps"]
        maximize = group["maximize"]
        t = state["step"] = state["step"] + 1

        lr_t = lr / (1 + (t - 1) * lr_decay)
        _update = -lr_t
        return Call(
            switches={"MAXIMIZE": maximize, "WEIGHT_DECAY": weight_decay != 0},
            numbers=(weight_decay, eps, _update),
        )

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        lr_decay = group["lr_decay"]
        weight_decay = group["weight_decay"]
        eps = group["eps"]
        maximize = group["maximize"]
        s_prev = state["sum"]
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # adagrad.gradient@yes
        else:
            g = grad  # adagrad.gradient@no
        if weight_decay != 0:
            g = g + weight_decay * theta  # adagrad.l2
        lr_t = lr / (1 + (t - 1) * lr_decay)  # adagrad.rate
        s = state["sum"] = s_prev + g**2  # adagrad.sum_of_squares
        d = torch.sqrt(s) + eps  # adagrad.denominator@outside
        theta = theta - lr_t * g / d  # adagrad.update
        return theta
