"""AdaMuon: pytorch_optimizer's, its authors' first code and the paper's box."""

from __future__ import annotations

from typing import Any

import pytorch_optimizer
import torch

from meta.correct.frame import Frame
from sources import Source
from sources.muon import grouped, like_the_first
from sources.normuon import zeroth_power

_COEFFICIENTS = (3.4445, -4.775, 2.0315)


class Grouped(pytorch_optimizer.AdaMuon):
    """pytorch_optimizer's class, told of every group that it holds matrices."""

    def __init__(
        self,
        params: Any,
        lr: float = 2e-2,
        betas: tuple[float, float] = (0.9, 0.95),
        weight_decay: float = 0.0,
        ns_steps: int = 5,
        ns_coefficients: tuple[float, float, float] = _COEFFICIENTS,
        eps: float = 1e-10,
        **keywords: Any,
    ) -> None:
        own = {"ns_steps": ns_steps, "ns_coeffs": ns_coefficients, "eps": eps}
        super().__init__(grouped(params), lr, betas, weight_decay, **own, **keywords)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        super().add_param_group(like_the_first(self.param_groups, param_group))


class Transcribed(Frame):
    """The paper's box in the parameter's own type, or what was released first.

    Args:
        first: as first released: an average, looking ahead, its signs not taken; corrected.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 0.02,
        betas: tuple[float, float] = (0.95, 0.95),
        weight_decay: float = 0.01,
        ns_coefficients: tuple[float, float, float] = _COEFFICIENTS,
        ns_steps: int = 5,
        eps: float = 1e-8,
        ns_eps: float = 1e-7,
        first: bool = False,
    ) -> None:
        own = {"lr": lr, "betas": betas, "weight_decay": weight_decay, "eps": eps}
        own |= {"ns_coefficients": ns_coefficients, "ns_steps": ns_steps, "ns_eps": ns_eps}
        super().__init__(params, {**own, "maximize": False, "decoupled": True})
        self.first = first

    def move(self, p: torch.Tensor, g: torch.Tensor, state: Any, group: Any) -> None:
        if not state:
            state.update(m=torch.zeros_like(p), v=torch.zeros_like(p), t=0)
        state["t"] += 1
        (beta1, beta2), eps = group["betas"], group["eps"]
        if self.first:
            m = state["m"].lerp_(g, 1 - beta1)
            o = zeroth_power(g.lerp(m, beta1), group)
        else:
            m = state["m"].mul_(beta1).add_(g)
            o = zeroth_power(m.sign(), group)
        v = state["v"].mul_(beta2).addcmul_(o, o, value=1 - beta2)
        size = v / (1 - beta2 ** state["t"]) if self.first else v
        d = o / (size.sqrt() + eps)
        length = 0.2 * p.numel() ** 0.5 / (torch.linalg.matrix_norm(d) + eps)
        p.mul_(1 - group["lr"] * group["weight_decay"]).sub_(group["lr"] * length * d)


def _grouped(dialect: str, defects: Any = None, **keywords: Any) -> Source:
    own = {"foreach": False, **keywords}
    return Source(dialect, Grouped, own, defects=defects or {}, package="pytorch_optimizer")


SOURCES = (
    Source("adamuon/paper", Transcribed, paper="arXiv:2507.11005, algorithm 1"),
    Source(
        "adamuon/first-release",
        Transcribed,
        {"first": True, "betas": (0.95, 0.999)},
        paper="github.com/Chongjie-Si/AdaMuon",
    ),
    _grouped("adamuon/average"),
    _grouped("adamuon/unadjusted", use_adjusted_lr=False),
    _grouped(
        "adamuon/l2", {"gradients/untouched": "decay is added to p.grad"}, weight_decouple=False
    ),
)
