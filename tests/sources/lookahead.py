"""Lookahead and Ranger: three packages, and the algorithm boxes by hand."""

from __future__ import annotations

from typing import Any

import pytorch_optimizer
import torch
import torch_optimizer
from torch import Tensor

from meta.correct.frame import Frame, Group, State
from sources import Source


class SlowWeights(Frame):
    """Algorithm 1 around momentum SGD: phi_t = phi_(t-1) + alpha (theta_(t,k) - phi_(t-1))."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        momentum: float = 0.0,
        k: int = 5,
        alpha: float = 0.5,
    ) -> None:
        own = {"lr": lr, "momentum": momentum, "k": k, "alpha": alpha}
        if not (lr >= 0 and momentum >= 0 and k >= 1 and k == int(k) and 0 <= alpha <= 1):
            raise ValueError(f"out of range: {own}")
        super().__init__(params, {**own, "maximize": False, "weight_decay": 0.0})

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if not state:
            state.update(phi=p.detach().clone(), n=0)
        if group["momentum"]:
            inner = state.get("inner")
            g = state["inner"] = g.clone() if inner is None else group["momentum"] * inner + g
        p.sub_(group["lr"] * g)
        state["n"] += 1
        if state["n"] % group["k"] == 0:
            state["phi"] += group["alpha"] * (p - state["phi"])
            p.copy_(state["phi"])


class RangerByHand(Frame):
    """RAdam's algorithm 2 with eps as in the authors' code, inside Lookahead's algorithm 1."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.95, 0.999),
        eps: float = 1e-5,
        weight_decay: float = 0.0,
        k: int = 6,
        alpha: float = 0.5,
    ) -> None:
        own = {"lr": lr, "betas": betas, "eps": eps, "k": k, "alpha": alpha}
        bounded = (0 <= b < 1 for b in betas)
        if not (min(lr, eps, weight_decay) >= 0 and all(bounded) and k >= 1 and k == int(k)):
            raise ValueError(f"out of range: {own}")
        if not 0 <= alpha <= 1:
            raise ValueError(f"alpha is {alpha}")
        more = {"weight_decay": weight_decay, "maximize": False, "decoupled": True}
        super().__init__(params, {**own, **more})

    centralized = False

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if not state:
            zeros = torch.zeros_like(p)
            state.update(phi=p.detach().clone(), m=zeros, v=zeros.clone(), n=0)
        if self.centralized and g.dim() > 1:
            g = g - g.flatten(1).mean(1).reshape(-1, *[1] * (g.dim() - 1))
        state["n"] += 1
        (b1, b2), n, lr = group["betas"], state["n"], group["lr"]
        p.mul_(1 - lr * group["weight_decay"])
        state["m"].mul_(b1).add_(g, alpha=1 - b1)
        state["v"].mul_(b2).addcmul_(g, g, value=1 - b2)
        bound = 2 / (1 - b2) - 1
        rho = bound - 2 * n * b2**n / (1 - b2**n)
        first = state["m"] / (1 - b1**n)
        if rho > 5:
            top = (rho - 4) * (rho - 2) * bound
            r = (top / ((bound - 4) * (bound - 2) * rho)) ** 0.5
            p.sub_(lr * r * first * (1 - b2**n) ** 0.5 / (state["v"].sqrt() + group["eps"]))
        else:
            p.sub_(lr * first)
        if n % group["k"] == 0:
            state["phi"].lerp_(p, group["alpha"])
            p.copy_(state["phi"])


class CentralizedRanger(RangerByHand):
    """The same after gradient centralization."""

    centralized = True


class RangerOutside(RangerByHand):
    """With eps added to the corrected root, as optax has RAdam."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        n = state.get("n", 0) + 1
        corrected = {**group, "eps": group["eps"] * (1 - group["betas"][1] ** n) ** 0.5}
        super().move(p, g, state, corrected)


def around_sgd(
    params: Any, lr: float = 1e-3, momentum: float = 0.0, k: int = 5, alpha: float = 0.5
) -> Any:
    """pytorch_optimizer's wrapper."""
    inner = torch.optim.SGD(params, lr=lr, momentum=momentum)
    return pytorch_optimizer.Lookahead(inner, k=k, alpha=alpha)


def around_adamw(
    params: Any,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 1e-2,
    k: int = 5,
    alpha: float = 0.5,
) -> Any:
    """pytorch_optimizer's wrapper."""
    inner = torch.optim.AdamW(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)
    return pytorch_optimizer.Lookahead(inner, k=k, alpha=alpha)


def from_the_first_step(
    params: Any, lr: float = 1e-3, momentum: float = 0.0, k: int = 5, alpha: float = 0.5
) -> Any:
    """torch_optimizer's wrapper."""
    inner = torch.optim.SGD(params, lr=lr, momentum=momentum)
    return torch_optimizer.Lookahead(inner, k=k, alpha=alpha)


PACKAGE = {
    "gradients/none": "all parameters of a group share one step counter",
    "gradients/untouched": "negates and centralizes p.grad itself",
}
HOOKLESS = dict.fromkeys(
    ("hooks/state-dict", "hooks/load-state-dict"), "the base class is not constructed: no hooks"
)
UNPREPARED = {
    **HOOKLESS,
    **dict.fromkeys(
        ("state/resume", "state/pure", "parameters/named", "parameters/names-loaded"),
        "state_dict() raises",
    ),
    **dict.fromkeys(("hooks/step", "hooks/all-optimizers"), HOOKLESS["hooks/state-dict"]),
    "gradients/dropped": "zero_grad() has the default of older versions of torch",
    "groups/added": "the counter of an added group is missing",
}
SOURCES = (
    Source("lookahead/paper(sgd)", SlowWeights, paper="arXiv:1907.08610, algorithm 1"),
    Source("lookahead/calls(sgd)", around_sgd, package="pytorch_optimizer", defects=HOOKLESS),
    Source("lookahead/calls(adamw)", around_adamw, package="pytorch_optimizer", defects=HOOKLESS),
    Source(
        "lookahead/first(sgd)",
        from_the_first_step,
        package="torch_optimizer",
        defects={
            **UNPREPARED,
            "tensors/no-gradients": "moves parameters without gradients to the slow weights",
        },
    ),
    Source("ranger/radam", RangerByHand, paper="arXiv:1908.03265 inside arXiv:1907.08610"),
    Source(
        "ranger/radam",
        "pytorch_optimizer:Ranger",
        keywords={"use_gc": False, "degenerated_to_sgd": True},
        defects=PACKAGE,
    ),
    Source("ranger/centralized", CentralizedRanger, paper="arXiv:2004.01461, equation 1"),
    Source(
        "ranger/centralized",
        "pytorch_optimizer:Ranger",
        keywords={"degenerated_to_sgd": True},
        defects=PACKAGE,
    ),
    Source("ranger/eps-outside", RangerOutside, paper="optax's formula of RAdam"),
    Source(
        "ranger/eps-outside",
        "optimi:Ranger",
        keywords={"kahan_sum": False},
        defects={
            "gradients/none": PACKAGE["gradients/none"],
            "implementations/foreach": "raises where no parameter has a gradient",
        },
    ),
)
