# GENERATED from spec/algorithms/muon.py (dialect muon/torch) by
#     python -m instep.reference.generate
"""Muon, the eager reference: one tensor at a time, one equation a line."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import ClassVar

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from instep.reference.runtime import scalar_math as math
from instep.reference.runtime.eager import EagerOptimizer
from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.sparse import Accepts
from instep.reference.runtime.work import Group, State


class Muon(EagerOptimizer):
    """Muon: momentum orthogonalised by Newton-Schulz.

    The dialect is muon/torch: torch.optim.Muon. The momentum is an average; its documentation
    writes a sum, which differs in the state and against eps alone. Newton-Schulz runs in bfloat16.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.001).
        weight_decay: weight decay, in [0,inf) (default: 0.1).
        momentum: decay rate of the momentum, in [0,inf) (default: 0.95).
        nesterov: look ahead by the present gradient (default: True).
        ns_coefficients: coefficients of the polynomial in one round of Newton-Schulz, each in
            (-inf,inf) (default: (3.4445, -4.775, 2.0315)).
        eps: term that keeps the norm away from zero, in [0,inf) (default: 1e-07).
        ns_steps: rounds of Newton-Schulz, an integer in [1,99] (default: 5).
        adjust_lr_fn: how the learning rate depends on the shape of the matrix (default: None).

    Raises:
        ValueError: a hyperparameter lies outside its domain.
        ValueError: Muon takes parameters of 2 dimensions.

    References:
        Jordan et al., Muon: an optimizer for hidden layers in neural networks, 2024,
            https://kellerjordan.github.io/posts/muon/
        Liu et al., Muon is scalable for LLM training, 2025, arXiv:2502.16982
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
        "momentum": Interval(0, inf, "[)"),
        "ns_coefficients": (
            Interval(-inf, inf, "()"),
            Interval(-inf, inf, "()"),
            Interval(-inf, inf, "()"),
        ),
        "eps": Interval(0, inf, "[)"),
        "ns_steps": Interval(1, 99, "[]", integer=True),
    }
    _choices: ClassVar[Mapping[str, tuple[object, ...]]] = {
        "adjust_lr_fn": (None, "original", "match_rms_adamw")
    }
    _older: ClassVar[Mapping[str, object]] = {"nesterov": True}
    _accepts = Accepts(complex=None)

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.001,
        weight_decay: float | Tensor = 0.1,
        momentum: float | Tensor = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float | Tensor, float | Tensor, float | Tensor] = (
            3.4445,
            -4.775,
            2.0315,
        ),
        eps: float | Tensor = 1e-07,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)

    def _admit(self, theta: Tensor) -> None:
        if theta.dim() != 2:
            raise ValueError(
                f"Muon takes parameters of 2 dimensions, got shape {tuple(theta.shape)}"
            )

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(theta)

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        weight_decay = group["weight_decay"]
        momentum = group["momentum"]
        a, b, c = group["ns_coefficients"]
        eps = group["eps"]
        ns_steps = group["ns_steps"]
        nesterov = group["nesterov"]
        adjust_lr_fn = group["adjust_lr_fn"] or "original"
        M_prev = state["momentum_buffer"]

        g = grad  # muon.gradient
        # muon.momentum@average
        M = state["momentum_buffer"] = momentum * M_prev + (1 - momentum) * g
        if nesterov:
            U = momentum * M + (1 - momentum) * g  # muon.direction@yes
        else:
            U = M  # muon.direction@no
        if theta.shape[-2] > theta.shape[-1]:
            X = U.to(torch.bfloat16).mT  # muon.orient@tall
        else:
            X = U.to(torch.bfloat16)  # muon.orient@wide
        X = X / torch.sqrt((X**2).sum()).clamp(min=eps)  # muon.normalise@clamp
        for i in range(int(ns_steps)):
            A = X @ X.mT  # muon.gram
            B = b * A + c * (A @ A)  # muon.polynomial
            X = a * X + B @ X  # muon.newton_schulz
        if theta.shape[-2] > theta.shape[-1]:
            X = X.mT  # muon.orient@back
        if adjust_lr_fn == "original":
            k = math.sqrt(math.maximum(1, theta.shape[-2] / theta.shape[-1]))  # muon.scale@original
        else:
            # muon.scale@match_rms_adamw
            k = 0.2 * math.sqrt(math.maximum(theta.shape[-2], theta.shape[-1]))
        theta = theta - lr * weight_decay * theta  # muon.decay
        theta = theta - lr * k * X.to(theta.dtype)  # muon.update
        return theta
