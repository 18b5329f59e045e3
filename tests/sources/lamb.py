"""LAMB: two packages' classes, the paper's box, and timm's listing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meta.correct.frame import AdamFrame, Group, State, corrections, moments
from sources import Source

if TYPE_CHECKING:
    from torch import Tensor


class PaperBox(AdamFrame):
    """Algorithm 2: the ratio of the norms of the parameter and of its corrected direction."""

    decoupled = True

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, maximize)

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        beta1, beta2 = group["betas"]
        m.mul_(beta1).add_(g, alpha=1 - beta1)
        v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
        c1, c2 = corrections(t, group)
        r = (m / c1).div_((v / c2).sqrt_().add_(group["eps"]))
        r.add_(p, alpha=group["weight_decay"])
        p.add_(r, alpha=-group["lr"] * self.trust(p, r, group))

    def trust(self, p: Tensor, r: Tensor, group: Group) -> float:
        weight, direction = p.norm().item(), r.norm().item()
        return weight / direction if weight and direction else 1.0


class WithDecay(PaperBox):
    """The same, where a parameter that does not decay is not scaled."""

    def trust(self, p: Tensor, r: Tensor, group: Group) -> float:
        return super().trust(p, r, group) if group["weight_decay"] else 1.0


SHARED = {
    "gradients/none": "counts the steps of a group, not of a parameter",
    "gradients/untouched": "writes to p.grad",
}
SOURCES = (
    Source("lamb/paper", PaperBox, paper="You et al., algorithm 2"),
    Source("lamb/clamped", "torch_optimizer:Lamb"),
    Source("lamb/correction-outside", "torch_optimizer:Lamb", keywords={"debias": True}),
    Source("lamb/decoupled", "pytorch_optimizer:Lamb", defects=SHARED),
    Source(
        "lamb/decay-inside",
        "pytorch_optimizer:Lamb",
        keywords={"weight_decouple": False},
        defects=SHARED,
    ),
    Source("lamb/with-decay", WithDecay, paper="timm.optim.Lamb"),
)
