# GENERATED from spec/algorithms/normuon.py (dialect normuon/official) by
#     python -m instep.reference.generate
"""NorMuon, the eager reference: one tensor at a time, one equation a line."""

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
from instep.reference.runtime.work import Group, State, rows_like


class NorMuon(EagerOptimizer):
    """NorMuon: Muon with a second moment for every row.

    The dialect is normuon/official: github.com/zichongli5/NorMuon. Looks ahead, and gives the
    update the norm that it had before its rows were normalised.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.02).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        momentum: decay rate of the momentum, in [0,1) (default: 0.95).
        beta2: decay rate of the rows' second moment, in [0,1) (default: 0.95).
        ns_coefficients: coefficients of the polynomial in one round of Newton-Schulz, each in
            (-inf,inf) (default: (3.4445, -4.775, 2.0315)).
        ns_steps: rounds of Newton-Schulz, an integer in [1,99] (default: 5).
        eps: term that keeps denominators away from zero, in [0,inf) (default: 1e-10).
        ns_eps: term that keeps the norm away from zero in Newton-Schulz, in [0,inf) (default:
            1e-07).
        nesterov: look ahead by the present gradient (default: True).
        update_scale: size that an update has after its rows are normalised (default:
            'preserve_norm').

    Raises:
        ValueError: a hyperparameter lies outside its domain.
        ValueError: NorMuon takes parameters of 2 dimensions.

    References:
        Li et al., NorMuon: making Muon more efficient and scalable, 2025, algorithm 1,
            arXiv:2510.05491
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
        "momentum": Interval(0, 1, "[)"),
        "beta2": Interval(0, 1, "[)"),
        "ns_coefficients": (
            Interval(-inf, inf, "()"),
            Interval(-inf, inf, "()"),
            Interval(-inf, inf, "()"),
        ),
        "ns_steps": Interval(1, 99, "[]", integer=True),
        "eps": Interval(0, inf, "[)"),
        "ns_eps": Interval(0, inf, "[)"),
    }
    _choices: ClassVar[Mapping[str, tuple[object, ...]]] = {
        "update_scale": ("preserve_norm", "match_rms")
    }
    _older: ClassVar[Mapping[str, object]] = {"nesterov": True}
    _accepts = Accepts(complex=None)

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.02,
        weight_decay: float | Tensor = 0.0,
        momentum: float | Tensor = 0.95,
        beta2: float | Tensor = 0.95,
        ns_coefficients: tuple[float | Tensor, float | Tensor, float | Tensor] = (
            3.4445,
            -4.775,
            2.0315,
        ),
        ns_steps: int = 5,
        eps: float | Tensor = 1e-10,
        ns_eps: float | Tensor = 1e-07,
        nesterov: bool = True,
        update_scale: str = "preserve_norm",
    ) -> None:
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "beta2": beta2,
            "ns_coefficients": ns_coefficients,
            "ns_steps": ns_steps,
            "eps": eps,
            "ns_eps": ns_eps,
            "nesterov": nesterov,
            "update_scale": update_scale,
        }
        super().__init__(params, defaults)

    def _admit(self, theta: Tensor) -> None:
        if theta.dim() != 2:
            raise ValueError(
                f"NorMuon takes parameters of 2 dimensions, got shape {tuple(theta.shape)}"
            )

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(theta)
        if "second_momentum_buffer" not in state:
            state["second_momentum_buffer"] = rows_like(theta, 0)

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        weight_decay = group["weight_decay"]
        momentum = group["momentum"]
        beta2 = group["beta2"]
        a, b, c = group["ns_coefficients"]
        ns_steps = group["ns_steps"]
        eps = group["eps"]
        ns_eps = group["ns_eps"]
        nesterov = group["nesterov"]
        update_scale = group["update_scale"]
        M_prev = state["momentum_buffer"]
        V_prev = state["second_momentum_buffer"]

        g = grad  # normuon.gradient
        M = state["momentum_buffer"] = momentum * M_prev + (1 - momentum) * g  # normuon.momentum
        if nesterov:
            U = momentum * M + (1 - momentum) * g  # normuon.direction@yes
        else:
            U = M  # normuon.direction@no
        if theta.shape[-2] > theta.shape[-1]:
            X = U.to(torch.bfloat16).mT  # normuon.orient@tall
        else:
            X = U.to(torch.bfloat16)  # normuon.orient@wide
        X = X / (torch.sqrt((X**2).sum()) + ns_eps)  # normuon.normalise@added
        for i in range(int(ns_steps)):
            A = X @ X.mT  # normuon.gram
            B = b * A + c * (A @ A)  # normuon.polynomial
            X = a * X + B @ X  # normuon.newton_schulz
        if theta.shape[-2] > theta.shape[-1]:
            X = X.mT  # normuon.orient@back
        X = X.to(theta.dtype)
        # normuon.row_moment
        V = state["second_momentum_buffer"] = beta2 * V_prev + (1 - beta2) * (X**2).mean(
            dim=-1, keepdim=True
        )
        D = X / (torch.sqrt(V) + eps)  # normuon.rows
        s = torch.sqrt((D**2).sum()) + eps  # normuon.size@added
        if update_scale == "preserve_norm":
            # normuon.scale@original
            k = math.sqrt(math.maximum(1, theta.shape[-2] / theta.shape[-1]))
            D = D * (torch.sqrt((X**2).sum()) / s)  # normuon.rescale@preserve_norm
        else:
            k = 0.2 * math.sqrt(theta.shape[-2] * theta.shape[-1])  # normuon.scale@match_rms
            D = D / s  # normuon.rescale@match_rms
        theta = theta - lr * weight_decay * theta  # normuon.decay
        theta = theta - lr * k * D  # normuon.update
        return theta
