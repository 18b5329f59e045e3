"""SAM: a package's class behind the closure's contract, and the algorithm box by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytorch_optimizer
import torch

from sources import Source


class Perturbed(torch.optim.SGD):
    """Algorithm 1: climb to w + rho g/|g|, take the gradient there, step from w with it."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        momentum: float = 0.0,
        rho: float = 0.05,
        adaptive: bool = False,
        perturb_eps: float = 1e-12,
    ) -> None:
        if rho < 0 or perturb_eps < 0:
            raise ValueError(f"rho is {rho}, perturb_eps is {perturb_eps}")
        super().__init__(params, lr=lr, momentum=momentum)
        for group in self.param_groups:
            self._complete(group, rho, adaptive, perturb_eps)
        self.defaults.update(rho=rho, adaptive=adaptive, perturb_eps=perturb_eps)

    def _complete(self, group: Any, rho: float, adaptive: bool, perturb_eps: float) -> None:
        for name, value in (("rho", rho), ("adaptive", adaptive), ("perturb_eps", perturb_eps)):
            group.setdefault(name, value)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        if closure is None:
            raise TypeError("SAM evaluates the gradient twice: step() needs a closure")
        with torch.enable_grad():
            loss = closure()
        held = []
        with torch.no_grad():
            squares = 0.0
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        t = p.abs() if group["adaptive"] else 1.0
                        squares += float(((t * p.grad) ** 2).sum())
            for group in self.param_groups:
                radius = group["rho"] / (squares**0.5 + group["perturb_eps"])
                for p in group["params"]:
                    if p.grad is not None:
                        held.append((p, p.clone()))
                        t = p**2 if group["adaptive"] else 1.0
                        p.add_(t * p.grad * radius)
        with torch.enable_grad():
            closure()
        with torch.no_grad():
            for p, w in held:
                p.copy_(w)
        super().step()
        return loss


class Adaptive(Perturbed):
    """ASAM: the same in units of each parameter."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        momentum: float = 0.0,
        rho: float = 0.5,
        perturb_eps: float = 1e-12,
    ) -> None:
        super().__init__(params, lr, momentum, rho, True, perturb_eps)


class Package:
    """pytorch_optimizer.SAM, whose caller evaluates the first gradient, with a closure for both."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        momentum: float = 0.0,
        rho: float = 0.05,
        adaptive: bool = False,
        perturb_eps: float = 1e-12,
    ) -> None:
        self.wrapped = pytorch_optimizer.SAM(
            params, torch.optim.SGD, rho, adaptive, perturb_eps=perturb_eps, lr=lr,
            momentum=momentum)  # fmt: skip

    @property
    def param_groups(self) -> Any:
        return self.wrapped.param_groups

    @property
    def state(self) -> Any:
        return self.wrapped.state

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        if closure is None:
            raise TypeError("SAM evaluates the gradient twice: step() needs a closure")
        with torch.enable_grad():
            loss = closure()
        self.wrapped.step(closure)
        return loss

    def state_dict(self) -> Any:
        return self.wrapped.state_dict()

    def load_state_dict(self, state: Any) -> None:
        self.wrapped.load_state_dict(state)


class AdaptivePackage(Package):
    """The same with adaptive=True."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        momentum: float = 0.0,
        rho: float = 0.5,
        perturb_eps: float = 1e-12,
    ) -> None:
        super().__init__(params, lr, momentum, rho, True, perturb_eps)


# The package takes the norm in float32, whatever the parameters are.
SINGLE = ("float64",)
SOURCES = (
    Source("sam/paper(sgd)", Perturbed, paper="arXiv:2010.01412, algorithm 1"),
    Source("sam/paper(sgd)", Package, package="pytorch_optimizer", lacks=SINGLE),
    Source("asam/paper(sgd)", Adaptive, paper="arXiv:2102.11600, algorithm 1"),
    Source("asam/paper(sgd)", AdaptivePackage, package="pytorch_optimizer", lacks=SINGLE),
)
