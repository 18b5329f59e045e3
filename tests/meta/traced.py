"""Live optimizers with traces of them, for the tests of traces."""

from __future__ import annotations

from typing import Any

import torch

from instep.conformance import Report, record
from instep.conformance.traces.model import Trace

SHAPES = ((7, 3), (5,), ())
ADAM = {"lr": 2**-4, "betas": (0.875, 0.984375), "eps": 2**-12, "weight_decay": 0.125}


def parameters(dtype: torch.dtype = torch.float64) -> list[torch.nn.Parameter]:
    random = torch.Generator().manual_seed(1)
    made = (torch.randn(s, generator=random, dtype=torch.float64) for s in SHAPES)
    return [torch.nn.Parameter(x.to(dtype)) for x in made]


def run(optimizer: Any, steps: int, seed: int = 0, after: Any = lambda t: None) -> None:
    """Steps with gradients of many sizes."""
    random = torch.Generator().manual_seed(seed)
    for t in range(steps):
        for group in optimizer.param_groups:
            for p in group["params"]:
                g = torch.randn(p.shape, generator=random, dtype=torch.float64)
                p.grad = torch.ldexp(g, torch.tensor(-(t % 5) * 3.0)).to(p.dtype)
        optimizer.step()
        after(t)


def traced(factory: Any, before: int = 0, steps: int = 6, **keywords: Any) -> Trace:
    """A trace of an optimizer in float64, after some steps that are not in it."""
    optimizer = factory(parameters(keywords.pop("dtype", torch.float64)))
    run(optimizer, before)
    with record(optimizer, **keywords) as recorder:
        run(optimizer, steps, seed=1)
    return recorder.trace


def statuses(report: Report) -> dict[str, str]:
    return {r.id.partition("/trace/")[2]: r.status for r in report.results}


class Adam:
    """Adam with decoupled decay by hand, without torch.optim.Optimizer; `wrong` changes it."""

    def __init__(self, params: Any, wrong: str = "", **keywords: Any) -> None:
        self.param_groups = [{"params": list(params), **ADAM, **keywords}]
        self.state: dict[Any, Any] = {}
        self.wrong = wrong

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.one(p, group)

    def one(self, p: torch.Tensor, group: Any) -> None:
        start = {"step": 0, "mean": torch.zeros_like(p), "square": torch.zeros_like(p)}
        s = self.state.setdefault(p, start)
        s["step"] += 1
        (b1, b2), eps = group["betas"], group["eps"]
        p -= group["lr"] * group["weight_decay"] * p
        s["mean"] = b1 * s["mean"] + (1 - b1) * p.grad
        share = 1 if self.wrong == "square" else 1 - b2
        s["square"] = b2 * s["square"] + share * p.grad**2
        m, v = s["mean"] / (1 - b1 ** s["step"]), s["square"] / (1 - b2 ** s["step"])
        p -= group["lr"] * m / ((v + eps).sqrt() if self.wrong == "eps" else v.sqrt() + eps)
