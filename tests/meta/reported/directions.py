"""Lion, Muon, Rprop and Adan."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from meta.reported.frame import TRAJECTORY, Defect, Frame, Group, State, count, zeros


class Lion(Frame):
    """Correct: algorithm 2 of the paper."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        numbers = {"lr": lr, "betas": betas, "weight_decay": weight_decay}
        super().__init__(params, {**numbers, "maximize": maximize})

    def penalise(self, g: Tensor, p: Tensor, group: Group) -> Tensor:
        return g

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        (m,) = zeros(state, p, "exp_avg")
        beta1, beta2 = group["betas"]
        self.decay(p, group)
        p.sub_(group["lr"] * (beta1 * m + (1 - beta1) * g).sign())
        m.mul_(beta2).add_(g, alpha=1 - beta2)

    def decay(self, p: Tensor, group: Group) -> None:
        p.mul_(1 - group["lr"] * group["weight_decay"])


class Muon(Frame):
    """Correct: torch's."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
    ) -> None:
        numbers = {"lr": lr, "weight_decay": weight_decay, "momentum": momentum, "eps": eps}
        more = {"nesterov": nesterov, "ns_coefficients": ns_coefficients, "ns_steps": ns_steps}
        super().__init__(params, {**numbers, **more, "maximize": False})
        for group in self.param_groups:
            if any(p.dim() != 2 for p in group["params"]):
                raise ValueError("Muon moves matrices only")

    def penalise(self, g: Tensor, p: Tensor, group: Group) -> Tensor:
        return g

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        (buffer,) = zeros(state, p, "momentum_buffer")
        buffer.lerp_(g, 1 - group["momentum"])
        ahead = g.lerp(buffer, group["momentum"]) if group["nesterov"] else buffer
        step = self.orthogonal(ahead, group)
        self.decay(p, group)
        rows, columns = p.shape
        p.sub_(group["lr"] * math.sqrt(max(1, rows / columns)) * step.to(p.dtype))

    def orthogonal(self, x: Tensor, group: Group) -> Tensor:
        a, b, c = group["ns_coefficients"]
        x, tall = self.narrowed(x), x.shape[0] > x.shape[1]
        x = x.mT if tall else x
        x.div_(x.norm().clamp(min=group["eps"]))
        for _ in range(group["ns_steps"]):
            gram = x @ x.mT
            x = a * x + (b * gram + c * gram @ gram) @ x
        return x.mT if tall else x

    def narrowed(self, x: Tensor) -> Tensor:
        return x.to(torch.bfloat16, copy=True)

    def decay(self, p: Tensor, group: Group) -> None:
        p.mul_(1 - group["lr"] * group["weight_decay"])


class Rprop(Frame):
    """Correct: torch's, which is iRprop-."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0),
        *,
        maximize: bool = False,
    ) -> None:
        numbers = {"lr": lr, "etas": etas, "step_sizes": step_sizes}
        super().__init__(params, {**numbers, "maximize": maximize})

    def penalise(self, g: Tensor, p: Tensor, group: Group) -> Tensor:
        return g

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        (last,) = zeros(state, p, "prev")
        if "step_size" not in state:
            state["step_size"] = torch.full_like(p, group["lr"])
        size, agreement = state["step_size"], (g * last).sign()
        shrink, grow = group["etas"]
        size[agreement > 0] *= grow
        size[agreement < 0] *= shrink
        size.clamp_(*group["step_sizes"])
        g = torch.where(agreement < 0, 0.0, g)
        p.add_(self.towards(g, size, state))
        self.keep(last, g)

    def towards(self, g: Tensor, size: Tensor, state: State) -> Tensor:
        return -g.sign() * size

    def keep(self, last: Tensor, g: Tensor) -> None:
        last.copy_(g)


class Adan(Frame):
    """Correct: the authors' release."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float, float] = (0.98, 0.92, 0.99),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        numbers = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**numbers, "maximize": maximize})

    def penalise(self, g: Tensor, p: Tensor, group: Group) -> Tensor:
        return g

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, n = zeros(state, p, "exp_avg", "exp_avg_diff", "exp_avg_sq")
        beta1, beta2, beta3 = group["betas"]
        change = g - state.get("previous_grad", g)
        state["previous_grad"] = self.kept(p, g, group)
        t, ahead = count(state), g + beta2 * change
        m.lerp_(g, 1 - beta1)
        v.lerp_(change, 1 - beta2)
        n.mul_(beta3).addcmul_(ahead, ahead, value=1 - beta3)
        root = (n / (1 - beta3**t)).sqrt() + group["eps"]
        step = m / (1 - beta1**t) + beta2 * v / (1 - beta2**t)
        p.sub_(group["lr"] * step / root).div_(1 + group["lr"] * group["weight_decay"])

    def kept(self, p: Tensor, g: Tensor, group: Group) -> Tensor:
        return g


class DecayInsideSign(Lion):
    """bitsandbytes' 32-bit kernels added the decay to the gradient, inside the sign."""

    def penalise(self, g: Tensor, p: Tensor, group: Group) -> Tensor:
        return g + group["weight_decay"] * p

    def decay(self, p: Tensor, group: Group) -> None:
        pass


class DecayUnused(Muon):
    """tinygrad decayed a tensor that nobody read any more."""

    def decay(self, p: Tensor, group: Group) -> None:
        p.mul(1 - group["lr"] * group["weight_decay"])


class BufferNormalised(Muon):
    """torch's Muon normalised the momentum itself where a cast to bfloat16 makes no copy."""

    def narrowed(self, x: Tensor) -> Tensor:
        return x.bfloat16()


class StepOfLastTime(Rprop):
    """optax emitted the update of the step before."""

    def towards(self, g: Tensor, size: Tensor, state: State) -> Tensor:
        emitted = state.get("update", torch.zeros_like(g))
        state["update"] = super().towards(g, size, state)
        return emitted


class LastGradientLost(Rprop):
    """A neural network by hand assigned the error to itself instead of to the last one."""

    def keep(self, last: Tensor, g: Tensor) -> None:
        pass


class StepAfterTurn(Rprop):
    """FANN moved weights up where a change of sign had set the slope to zero."""

    def towards(self, g: Tensor, size: Tensor, state: State) -> Tensor:
        return torch.where(g > 0, -size, size)


class GradientKept(Adan):
    """diffGrad, and others that keep it, stored the gradient itself for the next difference."""

    def kept(self, p: Tensor, g: Tensor, group: Group) -> Tensor:
        assert p.grad is not None
        return g if group["maximize"] else p.grad


LION, MUON, RPROP = "lion/paper", "muon/torch", "rprop/torch"
CORRECT = ((Lion, LION), (Muon, MUON), (Rprop, RPROP), (Adan, "adan/release"))
REPORTED = (
    Defect(
        DecayInsideSign,
        LION,
        "bitsandbytes-foundation/bitsandbytes#1992",
        "equations",
        TRAJECTORY,
        "lion/l2",
    ),
    Defect(
        DecayUnused,
        MUON,
        "tinygrad/tinygrad#17708",
        "hyperparameters",
        TRAJECTORY,
        "decay: left out",
    ),
    Defect(
        BufferNormalised, MUON, "pytorch/pytorch#194664", "dtypes", "precision/bfloat16.nesterov"
    ),
    Defect(
        StepOfLastTime,
        RPROP,
        "google-deepmind/optax#1725",
        "equations",
        TRAJECTORY,
        why="what is stale is one reading of a quantity, not the quantity",
    ),
    Defect(
        LastGradientLost,
        RPROP,
        "jorgenkg/python-neural-network#8",
        "state",
        TRAJECTORY,
        "last_gradient: g_last is never stored",
    ),
    Defect(
        StepAfterTurn,
        RPROP,
        "libfann/fann#85",
        "equations",
        TRAJECTORY,
        why="the sign of zero is nobody's equation",
    ),
    Defect(
        GradientKept, "adan/release", "shivram1987/diffGrad#2", "gradients", "gradients/not-kept"
    ),
)
UNSEEN: tuple[Defect, ...] = ()
