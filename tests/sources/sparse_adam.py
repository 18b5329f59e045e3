"""Masked Adam: torch's, and Adam's algorithm box on the lanes that a gradient names."""

from __future__ import annotations

from typing import Any

import torch

from sources import Source


class _MaskedAdam(torch.optim.Optimizer):
    """Algorithm 1 of Kingma and Ba on the named lanes, step by step in the paper's words.

    `hat` takes the order of computation of the remark after it: the corrections folded into the
    step size, eps beside the raw root.
    """

    hat: bool

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        for name, value, fine in (
            ("lr", lr, lr > 0),
            ("eps", eps, eps > 0),
            ("betas", betas, all(0 <= b < 1 for b in betas)),
        ):
            if not fine:
                raise ValueError(f"{name}: {value}")
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        pairs = [(p, group) for group in self.param_groups for p in group["params"]]
        pairs = [(p, group) for p, group in pairs if p.grad is not None]
        if not all(p.grad.is_sparse for p, _ in pairs):
            raise RuntimeError("sparse gradients only")
        for p, group in pairs:
            self._one(p, group)
        return loss

    def _one(self, p: torch.Tensor, group: dict[str, Any]) -> None:
        assert p.grad is not None
        kept = self.state[p]
        if not kept:
            kept.update(step=0, exp_avg=torch.zeros_like(p), exp_avg_sq=torch.zeros_like(p))
        kept["step"] += 1
        t, (b1, b2) = kept["step"], group["betas"]
        g = p.grad.to_dense() * (-1 if group["maximize"] else 1)
        ones = torch.sparse_coo_tensor(
            p.grad._indices(), torch.ones_like(p.grad._values()), p.shape, check_invariants=False
        )
        named = ones.to_dense() > 0
        m = b1 * kept["exp_avg"] + (1 - b1) * g
        v = b2 * kept["exp_avg_sq"] + (1 - b2) * g * g
        if self.hat:
            rate = group["lr"] * (1 - b2**t) ** 0.5 / (1 - b1**t)
            new = p - rate * m / (v.sqrt() + group["eps"])
        else:
            new = p - group["lr"] * (m / (1 - b1**t)) / ((v / (1 - b2**t)).sqrt() + group["eps"])
        for old, value in ((kept["exp_avg"], m), (kept["exp_avg_sq"], v), (p, new)):
            old.copy_(torch.where(named, value, old))


class MaskedAdam(_MaskedAdam):
    """With eps beside the root of the corrected second moment."""

    hat = False


class MaskedAdamHat(_MaskedAdam):
    """With eps beside the raw root."""

    hat = True


SOURCES = (
    Source("sparseadam/torch", "torch.optim:SparseAdam"),
    Source(
        "sparseadam/torch", MaskedAdamHat, paper="arXiv:1412.6980, the remark after algorithm 1"
    ),
    Source("sparseadam/eps-outside", MaskedAdam, paper="arXiv:1412.6980, algorithm 1"),
)
