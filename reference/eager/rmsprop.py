# GENERATED from spec/algorithms/rmsprop.py (dialect rmsprop/torch) by
#     python -m instep.reference.generate
"""RMSprop, the eager reference: one tensor at a time, one equation a line."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from instep.reference.runtime.eager import EagerOptimizer
from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.work import Group, Layout, State


class RMSprop(EagerOptimizer):
    """RMSprop.

    The dialect is rmsprop/torch: torch.optim.RMSprop. eps is added to the root; the learning rate
    stands outside the buffer.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.01).
        alpha: decay rate of the mean square; above 1 the mean can turn negative, in [0,inf)
            (default: 0.99).
        eps: term that keeps the denominator away from zero, in [0,inf) (default: 1e-08).
        weight_decay: L2 penalty, in [0,inf) (default: 0.0).
        momentum: momentum factor, in [0,inf) (default: 0.0).
        centered: divide by a running standard deviation instead (default: False).
        maximize: ascend instead of descend (default: False).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Tieleman and Hinton, Lecture 6.5: rmsprop, Coursera, 2012,
            https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf
        Graves, Generating sequences with recurrent neural networks, 2013, equations 38-45,
            arXiv:1308.0850
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "alpha": Interval(0, inf, "[)"),
        "eps": Interval(0, inf, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
        "momentum": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {"centered": False, "maximize": False}
    _layout = Layout(
        numbers=frozenset({"step"}), counter="step", late=frozenset({"momentum_buffer"})
    )

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.01,
        alpha: float | Tensor = 0.99,
        eps: float | Tensor = 1e-08,
        weight_decay: float | Tensor = 0.0,
        momentum: float | Tensor = 0.0,
        centered: bool = False,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "alpha": alpha,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "centered": centered,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        state.setdefault("step", 0.0)
        if "square_avg" not in state:
            state["square_avg"] = torch.zeros_like(theta)
        if group["centered"] and "grad_avg" not in state:
            state["grad_avg"] = torch.zeros_like(theta)

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        alpha = group["alpha"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        momentum = group["momentum"]
        centered = group["centered"]
        maximize = group["maximize"]
        v_prev = state["square_avg"]
        b_prev: Any = state.get("momentum_buffer")
        g_avg_prev: Any = state.get("grad_avg")
        state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # rmsprop.gradient@yes
        else:
            g = grad  # rmsprop.gradient@no
        if weight_decay != 0:
            g = g + weight_decay * theta  # rmsprop.l2
        v = state["square_avg"] = alpha * v_prev + (1 - alpha) * g**2  # rmsprop.mean_square
        if centered:
            # rmsprop.mean_gradient
            g_avg = state["grad_avg"] = alpha * g_avg_prev + (1 - alpha) * g
            n = v - g_avg**2  # rmsprop.variance@plain
        else:
            n = v  # rmsprop.variance
        d = torch.sqrt(n) + eps  # rmsprop.denominator@outside
        if momentum > 0:
            u = g / d  # rmsprop.direction@outside
            if b_prev is None:
                b = state["momentum_buffer"] = u.clone()  # rmsprop.buffer@first
            else:
                b = state["momentum_buffer"] = momentum * b_prev + u  # rmsprop.buffer
            theta = theta - lr * b  # rmsprop.update@outside
        else:
            theta = theta - lr * g / d  # rmsprop.update@plain
        return theta
