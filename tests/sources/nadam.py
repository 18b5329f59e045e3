"""NAdam: torch's, and Dozat's box in several hands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meta.correct.frame import AdamFrame, Group, State, moments
from sources import Source

if TYPE_CHECKING:
    from torch import Tensor


class Box(AdamFrame):
    """Algorithm 2 with the schedule that Dozat suggests, 0.96^(t psi)."""

    def __init__(
        self, params: Any, lr: float = 2e-3, schedule_decay: float = 4e-3, **rest: Any
    ) -> None:
        super().__init__(params, lr, **rest)
        self.defaults["schedule_decay"] = schedule_decay
        for group in self.param_groups:
            group.setdefault("schedule_decay", schedule_decay)

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        beta1, beta2 = group["betas"]
        m += (1 - beta1) * (g - m)
        v += (1 - beta2) * (g * g - v)
        root = (v / (1 - beta2**t)).sqrt() + group["eps"]
        p -= group["lr"] * self.look_ahead(m, g, t, state, group) / root

    def look_ahead(self, m: Tensor, g: Tensor, t: int, state: State, group: Group) -> Tensor:
        beta1, psi = group["betas"][0], group["schedule_decay"]
        now = beta1 * (1 - 0.96 ** (psi * t) / 2)
        later = beta1 * (1 - 0.96 ** (psi * (t + 1)) / 2)
        so_far = state["so_far"] = state.get("so_far", 1.0) * now
        return later / (1 - so_far * later) * m + (1 - now) / (1 - so_far) * g


class BoxDecoupled(Box):
    """The same, the parameter decayed before the step."""

    decoupled = True

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        p *= 1 - group["lr"] * group["weight_decay"]
        super().move(p, g, state, group)


class Keras(Box):
    """The same with the defaults of Keras."""

    def __init__(
        self,
        params: Any,
        lr: float = 2e-3,
        schedule_decay: float = 1.0,
        eps: float = 1e-7,
        **rest: Any,
    ) -> None:
        super().__init__(params, lr, schedule_decay, eps=eps, **rest)


class Constant(Box):
    """Algorithm 2 while mu_t is beta1."""

    def look_ahead(self, m: Tensor, g: Tensor, t: int, state: State, group: Group) -> Tensor:
        beta1 = group["betas"][0]
        return beta1 * m / (1 - beta1 ** (t + 1)) + (1 - beta1) * g / (1 - beta1**t)


LOADED = dict.fromkeys(
    ("checkpoints/float64", "checkpoints/float16"),
    "a float32 product is loaded in the type of the parameters",
)
SOURCES = (
    Source(
        "nadam/torch",
        "torch.optim:NAdam",
        defects={**LOADED, "checkpoints/bfloat16": LOADED["checkpoints/float16"]},
    ),
    Source("nadam/torch", Box, paper="Dozat 2016, algorithm 2"),
    Source(
        "nadam/decoupled",
        "torch.optim:NAdam",
        keywords={"decoupled_weight_decay": True},
        # In a short run of bfloat16 the loop happens to round it away, the others do not.
        defects={
            **LOADED,
            **dict.fromkeys(
                ("implementations/foreach", "implementations/differentiable"),
                LOADED["checkpoints/float16"],
            ),
        },
    ),
    Source("nadam/decoupled", BoxDecoupled, paper="Dozat 2016, decay as in AdamW"),
    Source("nadam/keras", Keras, paper="Dozat 2016, algorithm 2 with psi = 1"),
    Source("nadam/constant", Constant, paper="Dozat 2016, algorithm 2 with a constant momentum"),
)
