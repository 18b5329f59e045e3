# GENERATED from spec/algorithms/adamuon.py (dialect adamuon/paper) by
#     python -m instep.reference.generate
"""AdaMuon, the eager reference: one tensor at a time, one equation a line."""

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
from instep.reference.runtime.work import Group, Layout, State


class AdaMuon(EagerOptimizer):
    """AdaMuon: Muon with a second moment for every entry.

    The dialect is adamuon/paper: arXiv:2507.11005, algorithm 1. The signs of the momentum are
    orthogonalised; the paper has one decay rate for both moments, and corrects neither.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.02).
        betas: decay rates of the momentum and of the second moment, each in [0,1) (default: (0.95,
            0.95)).
        weight_decay: weight decay, in [0,inf) (default: 0.01).
        ns_coefficients: coefficients of the polynomial in one round of Newton-Schulz, each in
            (-inf,inf) (default: (3.4445, -4.775, 2.0315)).
        ns_steps: rounds of Newton-Schulz, an integer in [1,99] (default: 5).
        eps: term that keeps denominators away from zero, in [0,inf) (default: 1e-08).
        ns_eps: term that keeps the norm away from zero in Newton-Schulz, in [0,inf) (default:
            1e-07).
        nesterov: look ahead by the present gradient (default: False).

    Raises:
        ValueError: a hyperparameter lies outside its domain.
        ValueError: AdaMuon takes parameters of 2 dimensions.

    References:
        Si et al., AdaMuon: adaptive Muon optimizer, 2025, algorithm 1, arXiv:2507.11005
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "betas": (Interval(0, 1, "[)"), Interval(0, 1, "[)")),
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
    _older: ClassVar[Mapping[str, object]] = {"nesterov": False}
    _layout = Layout(numbers=frozenset({"step"}), counter="step")
    _accepts = Accepts(complex=None)

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.02,
        betas: tuple[float | Tensor, float | Tensor] = (0.95, 0.95),
        weight_decay: float | Tensor = 0.01,
        ns_coefficients: tuple[float | Tensor, float | Tensor, float | Tensor] = (
            3.4445,
            -4.775,
            2.0315,
        ),
        ns_steps: int = 5,
        eps: float | Tensor = 1e-08,
        ns_eps: float | Tensor = 1e-07,
        nesterov: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "weight_decay": weight_decay,
            "ns_coefficients": ns_coefficients,
            "ns_steps": ns_steps,
            "eps": eps,
            "ns_eps": ns_eps,
            "nesterov": nesterov,
        }
        super().__init__(params, defaults)

    def _admit(self, theta: Tensor) -> None:
        if theta.dim() != 2:
            raise ValueError(
                f"AdaMuon takes parameters of 2 dimensions, got shape {tuple(theta.shape)}"
            )

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        state.setdefault("step", 0.0)
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(theta)
        if "v_buffer" not in state:
            state["v_buffer"] = torch.zeros_like(theta)

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        weight_decay = group["weight_decay"]
        a, b, c = group["ns_coefficients"]
        ns_steps = group["ns_steps"]
        eps = group["eps"]
        ns_eps = group["ns_eps"]
        nesterov = group["nesterov"]
        M_prev = state["momentum_buffer"]
        V_prev = state["v_buffer"]
        state["step"] = state["step"] + 1

        g = grad  # adamuon.gradient
        M = state["momentum_buffer"] = beta1 * M_prev + g  # adamuon.momentum@sum
        if nesterov:
            U = g + beta1 * M  # adamuon.direction@yes
        else:
            U = M  # adamuon.direction@no
        U = torch.sign(U)  # adamuon.sign
        if theta.shape[-2] > theta.shape[-1]:
            X = U.to(torch.bfloat16).mT  # adamuon.orient@tall
        else:
            X = U.to(torch.bfloat16)  # adamuon.orient@wide
        X = X / (torch.sqrt((X**2).sum()) + ns_eps)  # adamuon.normalise@added
        for i in range(int(ns_steps)):
            A = X @ X.mT  # adamuon.gram
            B = b * A + c * (A @ A)  # adamuon.polynomial
            X = a * X + B @ X  # adamuon.newton_schulz
        if theta.shape[-2] > theta.shape[-1]:
            X = X.mT  # adamuon.orient@back
        X = X.to(theta.dtype)
        V = state["v_buffer"] = beta2 * V_prev + (1 - beta2) * X**2  # adamuon.second_moment
        V_hat = V  # adamuon.correct@no
        D = X / (torch.sqrt(V_hat) + eps)  # adamuon.entries
        # adamuon.rescale
        D = D * (
            math.sqrt(math.minimum(theta.shape[-2], theta.shape[-1]))
            / (torch.sqrt((D**2).sum()) + eps)
        )
        # adamuon.scale@match_rms_adamw
        k = 0.2 * math.sqrt(math.maximum(theta.shape[-2], theta.shape[-1]))
        theta = theta - lr * weight_decay * theta  # adamuon.decay
        theta = theta - lr * k * D  # adamuon.update
        return theta
