# GENERATED from spec/algorithms/scion.py (dialect scion/paper) by
#     python -m instep.reference.generate
"""Scion, the eager reference: one tensor at a time, one equation a line."""

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


class Scion(EagerOptimizer):
    """Scion: stochastic conditional gradient with operator norms.

    The dialect is scion/paper: arXiv:2502.07529, algorithm 2. The parameter moves towards the
    ball's furthest point and so stays within the ball; vectors move by their root mean square.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.001).
        momentum: weight of the present gradient in the momentum, in (0,1] (default: 0.1).
        scale: radius of the ball, in (0,inf) (default: 1.0).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        ns_coefficients: coefficients of the polynomial in one round of Newton-Schulz, each in
            (-inf,inf) (default: (3.4445, -4.775, 2.0315)).
        ns_steps: rounds of Newton-Schulz, an integer in [1,99] (default: 5).
        eps: term that keeps a vector's root mean square away from zero, in [0,inf) (default:
            1e-08).
        ns_eps: term that keeps the norm away from zero in Newton-Schulz, in [0,inf) (default:
            1e-07).
        unconstrained: step along the direction, not towards it (default: False).

    Raises:
        ValueError: a hyperparameter lies outside its domain.
        ValueError: Scion takes parameters of at most 2 dimensions.

    References:
        Pethick et al., Training deep learning models with norm-constrained LMOs, ICML 2025,
            algorithms 1 and 2, arXiv:2502.07529
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "momentum": Interval(0, 1, "(]"),
        "scale": Interval(0, inf, "()"),
        "weight_decay": Interval(0, inf, "[)"),
        "ns_coefficients": (
            Interval(-inf, inf, "()"),
            Interval(-inf, inf, "()"),
            Interval(-inf, inf, "()"),
        ),
        "ns_steps": Interval(1, 99, "[]", integer=True),
        "eps": Interval(0, inf, "[)"),
        "ns_eps": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {"unconstrained": False}
    _accepts = Accepts(complex=None)

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.001,
        momentum: float | Tensor = 0.1,
        scale: float | Tensor = 1.0,
        weight_decay: float | Tensor = 0.0,
        ns_coefficients: tuple[float | Tensor, float | Tensor, float | Tensor] = (
            3.4445,
            -4.775,
            2.0315,
        ),
        ns_steps: int = 5,
        eps: float | Tensor = 1e-08,
        ns_eps: float | Tensor = 1e-07,
        unconstrained: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "scale": scale,
            "weight_decay": weight_decay,
            "ns_coefficients": ns_coefficients,
            "ns_steps": ns_steps,
            "eps": eps,
            "ns_eps": ns_eps,
            "unconstrained": unconstrained,
        }
        super().__init__(params, defaults)

    def _admit(self, theta: Tensor) -> None:
        if theta.dim() >= 3:
            raise ValueError(
                f"Scion takes parameters of at most 2 dimensions, got shape {tuple(theta.shape)}"
            )

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(theta)

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        alpha = group["momentum"]
        rho = group["scale"]
        weight_decay = group["weight_decay"]
        a, b, c = group["ns_coefficients"]
        ns_steps = group["ns_steps"]
        eps = group["eps"]
        ns_eps = group["ns_eps"]
        unconstrained = group["unconstrained"]
        M_prev = state["momentum_buffer"]

        g = grad  # scion.gradient
        M = state["momentum_buffer"] = (1 - alpha) * M_prev + alpha * g  # scion.momentum
        if theta.dim() == 2:
            if theta.shape[-2] > theta.shape[-1]:
                X = M.to(torch.bfloat16).mT  # scion.orient@tall
            else:
                X = M.to(torch.bfloat16)  # scion.orient@wide
            X = X / (torch.sqrt((X**2).sum()) + ns_eps)  # scion.normalise@added
            for i in range(int(ns_steps)):
                A = X @ X.mT  # scion.gram
                B = b * A + c * (A @ A)  # scion.polynomial
                X = a * X + B @ X  # scion.newton_schulz
            if theta.shape[-2] > theta.shape[-1]:
                X = X.mT  # scion.orient@back
            k = math.sqrt(theta.shape[-2] / theta.shape[-1])  # scion.fan@ratio
            D = k * X.to(theta.dtype)  # scion.direction@spectral
        else:
            D = M / (torch.sqrt((M**2).mean()) + eps)  # scion.direction@rms
        if unconstrained:
            theta = theta - lr * weight_decay * theta  # scion.decay@weight_decay
        else:
            theta = (1 - lr) * theta  # scion.decay@shrink
        theta = theta - lr * rho * D  # scion.update
        return theta
