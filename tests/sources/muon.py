"""Muon: torch's, pytorch_optimizer's, and the update as its authors write it."""

from __future__ import annotations

from typing import Any

import pytorch_optimizer
import torch

from sources import Source


def grouped(params: Any) -> list[dict[str, Any]]:
    """Groups as pytorch_optimizer wants them: told of each that it holds matrices."""
    if isinstance(params, torch.Tensor):
        raise TypeError("a list of parameters, or of groups, is expected")
    params = list(params)
    if not params:
        raise ValueError("there are no parameters")
    groups = params if isinstance(params[0], dict) else [{"params": params}]
    return [{"use_muon": True, **group} for group in groups]


def like_the_first(groups: list[dict[str, Any]], added: dict[str, Any]) -> dict[str, Any]:
    """A group that is added later: it holds matrices too, with the values of the first one."""
    own = groups[0].items() if groups else ()
    return {**{k: v for k, v in own if k not in ("params", "param_names")}, **added}


class Grouped(pytorch_optimizer.Muon):
    """pytorch_optimizer's class, told of every group that it holds matrices."""

    def __init__(
        self,
        params: Any,
        lr: float = 2e-2,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        nesterov: bool = True,
        ns_steps: int = 5,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        **keywords: Any,
    ) -> None:
        own = {"momentum": momentum, "weight_decay": weight_decay, "nesterov": nesterov}
        own |= {"ns_steps": ns_steps, "ns_coeffs": ns_coefficients}
        super().__init__(grouped(params), lr, **own, **keywords)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        super().add_param_group(like_the_first(self.param_groups, param_group))


class Transcribed(torch.optim.Optimizer):
    """The post's algorithm, with what others changed of it; in the parameter's own type.

    Args:
        kept: weight of the gradient in the momentum, from the momentum's own.
        scaled: factor of the update, from rows and columns.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 0.02,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        nesterov: bool = True,
        ns_steps: int = 5,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        kept: str = "sum",
        scaled: str = "original",
    ) -> None:
        names = ("lr", "momentum", "weight_decay", "nesterov", "ns_steps", "ns_coefficients", "eps")
        given = locals()
        super().__init__(params, {name: given[name] for name in names})
        self.kept, self.scaled = kept, scaled

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self._move(p, group)
        return loss

    def _move(self, p: torch.Tensor, group: dict[str, Any]) -> None:
        mu, (rows, cols) = group["momentum"], p.shape
        fresh = 1.0 if self.kept == "sum" else 1.0 - mu
        state = self.state[p]
        if "buf" not in state:
            state["buf"] = torch.zeros_like(p)
        buf = state["buf"].mul_(mu).add_(p.grad, alpha=fresh)
        update = buf * mu + p.grad * fresh if group["nesterov"] else buf
        factor = {"original": max(1, rows / cols), "transposed": max(1, cols / rows), "none": 1}
        p.mul_(1 - group["lr"] * group["weight_decay"])
        step = group["lr"] * factor[self.scaled] ** 0.5
        p.sub_(self._zeroth_power(update, group), alpha=step)

    def _zeroth_power(self, g: torch.Tensor, group: dict[str, Any]) -> torch.Tensor:
        a, b, c = group["ns_coefficients"]
        norm = torch.linalg.matrix_norm(g)
        x = g / (norm + group["eps"]) if self.kept == "sum" else g / norm.clamp(min=group["eps"])
        for _ in range(group["ns_steps"]):
            # From the right: the smaller Gram matrix is not needed to be right.
            y = x.T @ x
            x = a * x + x @ (b * y + c * y @ y)
        return x


_POST = "https://kellerjordan.github.io/posts/muon/"
_CHANGED = {
    "gradients/untouched": "Nesterov's look ahead is written into p.grad",
}


def _grouped(dialect: str, **keywords: Any) -> Source:
    return Source(
        dialect,
        Grouped,
        {"foreach": False, **keywords},
        defects=_CHANGED,
        paper="pytorch_optimizer.Muon with use_muon=True",
    )


def _transcribed(dialect: str, **keywords: Any) -> Source:
    return Source(dialect, Transcribed, keywords, paper=_POST)


# Without Nesterov's step the buffer itself is divided by its norm: it is bfloat16 already.
NORMALISED = {"precision/bfloat16.nesterov": "normalises the momentum buffer in place"}

SOURCES = (
    Source("muon/torch", "torch.optim:Muon", defects=NORMALISED),
    _grouped("muon/torch"),
    _transcribed("muon/torch", kept="average"),
    _transcribed("muon/own-type", kept="average"),
    Source(
        "muon/moonlight",
        "torch.optim:Muon",
        {"adjust_lr_fn": "match_rms_adamw"},
        defects=NORMALISED,
    ),
    _grouped("muon/moonlight", use_adjusted_lr=True),
    _transcribed("muon/keller-jordan"),
    _transcribed("muon/transposed", kept="average", scaled="transposed"),
    _transcribed("muon/unscaled", kept="average", scaled="none"),
    _grouped("muon/l2", weight_decouple=False),
    Source("muon/converging", "torch.optim:Muon", defects=NORMALISED),
)
