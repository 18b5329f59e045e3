"""Muon by another way to compute the same polynomial: powers of the Gram matrix."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
from torch import Tensor

from meta.correct.frame import Frame, Group, State


class Gram(Frame):
    """Newton-Schulz on the smaller matrix X X^T, whose polynomial multiplies X in the end."""

    inner: ClassVar[torch.dtype | None] = None
    restart: ClassVar[int] = 0

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        own = {"lr": lr, "weight_decay": weight_decay, "momentum": momentum, "eps": eps}
        if min(own.values()) < 0 or not 1 <= ns_steps <= 99:
            raise ValueError(f"a hyperparameter is outside its domain: {own}, {ns_steps} rounds")
        options = {"nesterov": nesterov, "ns_coefficients": ns_coefficients, "ns_steps": ns_steps}
        adjust = {"adjust_lr_fn": adjust_lr_fn, "maximize": False, "decoupled": True}
        super().__init__(params, {**own, **options, **adjust})
        if any(p.ndim != 2 for group in self.param_groups for p in group["params"]):
            raise ValueError("Muon moves matrices only")

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        buffer = state.setdefault("momentum_buffer", torch.zeros_like(p))
        buffer.lerp_(g, 1 - group["momentum"])
        direction = g.lerp(buffer, group["momentum"]) if group["nesterov"] else buffer
        x = direction.to(self.inner or p.dtype)
        tall = p.shape[0] > p.shape[1]
        x = self.orthogonal(x.T, group).T if tall else self.orthogonal(x, group)
        size = math.sqrt(max(1, p.shape[0] / p.shape[1]))
        if group["adjust_lr_fn"] == "match_rms_adamw":
            size = 0.2 * math.sqrt(max(p.shape))
        p.mul_(1 - group["lr"] * group["weight_decay"])
        p.sub_(x.to(p.dtype), alpha=group["lr"] * size)

    def orthogonal(self, x: Tensor, group: Group) -> Tensor:
        """The polynomial q of the Gram matrix, round by round, and q X."""
        a, b, c = group["ns_coefficients"]
        x = x / x.norm().clamp(min=group["eps"])
        gram, eye = x @ x.T, torch.eye(x.shape[0], dtype=x.dtype)
        q = eye
        for k in range(group["ns_steps"]):
            if self.restart and k == self.restart:
                x, q = q @ x, eye
                gram = x @ x.T
            z = a * eye + b * gram + c * (gram @ gram)
            q, gram = z @ q, z @ gram @ z
        return q @ x


class GramRestarted(Gram):
    """The same in bfloat16, started anew after two rounds, as is usual.

    Where small singular values have been made large by then, rounding of the others is not blown up
    by as much as that.
    """

    inner = torch.bfloat16
    restart = 2


class GramAtOnce(Gram):
    """Without that it is wrong where singular values are far apart, and stands in no list."""

    inner = torch.bfloat16
