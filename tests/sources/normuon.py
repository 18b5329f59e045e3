"""NorMuon: pytorch_optimizer's, its authors' code and the paper's box."""

from __future__ import annotations

from typing import Any

import pytorch_optimizer
import torch

from meta.correct.frame import Frame
from sources import Source
from sources.muon import grouped, like_the_first

_COEFFICIENTS = (3.4445, -4.775, 2.0315)


class Grouped(pytorch_optimizer.NorMuon):
    """pytorch_optimizer's class, told of every group that it holds matrices."""

    def __init__(
        self,
        params: Any,
        lr: float = 2e-2,
        momentum: float = 0.95,
        beta2: float = 0.95,
        weight_decay: float = 0.0,
        nesterov: bool = True,
        ns_steps: int = 5,
        ns_coefficients: tuple[float, float, float] = _COEFFICIENTS,
        eps: float = 1e-10,
        update_scale: str = "preserve_norm",
        **keywords: Any,
    ) -> None:
        own = {"momentum": momentum, "beta2": beta2, "weight_decay": weight_decay, "eps": eps}
        own |= {"nesterov": nesterov, "ns_steps": ns_steps, "ns_coeffs": ns_coefficients}
        super().__init__(grouped(params), lr, update_scale=update_scale, **own, **keywords)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        super().add_param_group(like_the_first(self.param_groups, param_group))


class Transcribed(Frame):
    """The authors' code in the parameter's own type, or the paper's box.

    Args:
        box: as the paper's algorithm 1 has it.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 0.02,
        weight_decay: float = 0.0,
        momentum: float = 0.95,
        beta2: float = 0.95,
        ns_coefficients: tuple[float, float, float] = _COEFFICIENTS,
        ns_steps: int = 5,
        eps: float = 1e-10,
        ns_eps: float = 1e-7,
        box: bool = False,
    ) -> None:
        own = {"lr": lr, "weight_decay": weight_decay, "momentum": momentum, "beta2": beta2}
        own |= {"ns_coefficients": ns_coefficients, "ns_steps": ns_steps, "eps": eps}
        super().__init__(params, {**own, "ns_eps": ns_eps, "maximize": False, "decoupled": True})
        self.box = box

    def move(self, p: torch.Tensor, g: torch.Tensor, state: Any, group: Any) -> None:
        if not state:
            state.update(m=torch.zeros_like(p), v=torch.zeros_like(p[:, :1]))
        m, v, mu, eps = state["m"], state["v"], group["momentum"], group["eps"]
        m.lerp_(g, 1 - mu)
        o = zeroth_power(m if self.box else g.lerp(m, mu), group)
        v.lerp_(o.square().mean(1, keepdim=True), 1 - group["beta2"])
        row = o / (v.sqrt() + eps)
        if self.box:
            size = 0.2 * p.numel() ** 0.5 / torch.linalg.matrix_norm(row)
        else:
            size = torch.linalg.matrix_norm(o) / (torch.linalg.matrix_norm(row) + eps)
            size *= max(1, len(p) / p.shape[1]) ** 0.5
        p.mul_(1 - group["lr"] * group["weight_decay"]).sub_(group["lr"] * size * row)


def zeroth_power(u: torch.Tensor, group: dict[str, Any]) -> torch.Tensor:
    """Newton-Schulz from the left, whichever side is longer."""
    a, b, c = group["ns_coefficients"]
    x = u / (torch.linalg.matrix_norm(u) + group["ns_eps"])
    for _ in range(group["ns_steps"]):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x


_CHANGED = {"gradients/untouched": "the look ahead is written into p.grad"}


def _grouped(dialect: str, defects: Any = _CHANGED, **keywords: Any) -> Source:
    return Source(
        dialect,
        Grouped,
        {"foreach": False, **keywords},
        defects=defects,
        package="pytorch_optimizer",
    )


SOURCES = (
    _grouped("normuon/clamped"),
    Source("normuon/official", Transcribed, paper="github.com/zichongli5/NorMuon"),
    Source("normuon/paper", Transcribed, {"box": True}, paper="arXiv:2510.05491, algorithm 1"),
    _grouped("normuon/match-rms", update_scale="match_rms"),
    _grouped("normuon/moonlight", use_adjusted_lr=True),
    _grouped("normuon/l2", weight_decouple=False),
)
