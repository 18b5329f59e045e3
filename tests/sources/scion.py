"""Scion: pytorch_optimizer's, and the paper's two boxes."""

from __future__ import annotations

from typing import Any

import torch

from meta.correct.frame import Frame
from sources import Source
from sources.normuon import zeroth_power


class Transcribed(Frame):
    """Algorithm 2, or algorithm 1, for one norm a shape: spectral, or the root mean square.

    Args:
        fan: size of the ball of a matrix, from rows and columns.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        momentum: float = 0.1,
        scale: float = 1.0,
        weight_decay: float = 0.0,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        ns_steps: int = 5,
        eps: float = 1e-8,
        ns_eps: float = 1e-7,
        unconstrained: bool = False,
        fan: str = "ratio",
    ) -> None:
        own = {"lr": lr, "momentum": momentum, "scale": scale, "weight_decay": weight_decay}
        own |= {"ns_coefficients": ns_coefficients, "ns_steps": ns_steps, "ns_eps": ns_eps}
        super().__init__(
            params,
            {
                **own,
                "eps": eps,
                "unconstrained": unconstrained,
                "maximize": False,
                "decoupled": True,
            },
        )
        self.fan = fan

    def move(self, p: torch.Tensor, g: torch.Tensor, state: Any, group: Any) -> None:
        lr, alpha = group["lr"], group["momentum"]
        d = state.setdefault("d", torch.zeros_like(p))
        d.mul_(1 - alpha).add_(g, alpha=alpha)
        shrink = lr * group["weight_decay"] if group["unconstrained"] else lr
        p.mul_(1 - shrink).add_(self.vertex(d, group), alpha=-lr * group["scale"])

    def vertex(self, d: torch.Tensor, group: dict[str, Any]) -> torch.Tensor:
        if d.dim() < 2:
            return d / (d.square().mean().sqrt() + group["eps"])
        rows, cols = d.shape
        ratio = rows / cols
        factor = {"ratio": ratio, "at_least_one": max(1, ratio), "rows": rows}[self.fan]
        return zeroth_power(d, group) * factor**0.5


def _paper(dialect: str, box: str, **keywords: Any) -> Source:
    return Source(dialect, Transcribed, keywords, paper=f"arXiv:2502.07529, {box}")


SOURCES = (
    _paper("scion/paper", "algorithm 2"),
    Source("scion/clamped", "pytorch_optimizer:SCION", {"constraint": True}),
    _paper("scion/unconstrained", "algorithm 1", unconstrained=True),
    Source("scion/clamped-unconstrained", "pytorch_optimizer:SCION"),
    _paper("scion/at-least-one", "algorithm 2", fan="at_least_one"),
    _paper("scion/input", "algorithm 2", fan="rows"),
)
