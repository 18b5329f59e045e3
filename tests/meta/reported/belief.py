"""AdaBelief and ADOPT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meta.reported.frame import TRAJECTORY, Defect, Group, State, count, zeros
from meta.reported.moments import Moments

if TYPE_CHECKING:
    from torch import Tensor


class AdaBelief(Moments):
    """Correct: the first releases' form, whose eps is added at the root alone."""

    decoupled = True

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, maximize=maximize)

    def penalise(self, g: Tensor, p: Tensor, group: Group) -> Tensor:
        return g if self.decoupled else super().penalise(g, p, group)

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, s = zeros(state, p, "exp_avg", "exp_avg_var")
        beta1, beta2 = group["betas"]
        if self.decoupled:
            p.mul_(1 - group["lr"] * group["weight_decay"])
        m.mul_(beta1).add_(g, alpha=1 - beta1)
        away = self.deviation(g, m, p, group)
        s.mul_(beta2).addcmul_(away, away, value=1 - beta2)
        c1, c2 = self.corrections(count(state), group)
        p.sub_(group["lr"] * (m / c1) / self.denominator(s, c2, group["eps"]))

    def deviation(self, g: Tensor, m: Tensor, p: Tensor, group: Group) -> Tensor:
        return g - m

    def corrections(self, t: int, group: Group) -> tuple[float, float]:
        beta1, beta2 = group["betas"]
        return 1 - beta1**t, 1 - beta2**t

    def denominator(self, s: Tensor, c2: float, eps: float) -> Tensor:
        return (s + eps).sqrt() / c2**0.5 + eps


class AdaBeliefL2(AdaBelief):
    """Correct: eps kept, as in the paper, and a penalty in the gradient."""

    decoupled = False

    def denominator(self, s: Tensor, c2: float, eps: float) -> Tensor:
        return (s.add_(eps) / c2).sqrt() + eps


class ADOPT(Moments):
    """Correct: the paper's algorithm 2."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.9999),
        eps: float = 1e-6,
        clip_exp: float = 0.25,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, maximize=maximize, clip_exp=clip_exp)

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v = zeros(state, p, "exp_avg", "exp_avg_sq")
        beta1, beta2 = group["betas"]
        t = count(state)
        if t == 1:
            v.addcmul_(g, g)
            return
        clip = (t - 1) ** group["clip_exp"]
        normalised = (g / v.sqrt().clamp(min=group["eps"])).clamp(-clip, clip)
        m.mul_(beta1).add_(normalised, alpha=1 - beta1)
        p.sub_(group["lr"] * m)
        x = self.squared(g, p)
        v.mul_(beta2).addcmul_(x, x, value=1 - beta2)

    def squared(self, g: Tensor, p: Tensor) -> Tensor:
        return g


class BeliefUncorrected(AdaBelief):
    """Flux used the moments as they were."""

    def corrections(self, t: int, group: Group) -> tuple[float, float]:
        return 1.0, 1.0


class EpsKept(AdaBelief):
    """The authors' release added eps to the stored belief in place, where it piled up."""

    def denominator(self, s: Tensor, c2: float, eps: float) -> Tensor:
        return s.add_(eps).sqrt() / c2**0.5 + eps


class PenaltyAfterDeviation(AdaBeliefL2):
    """One release of AdaBelief took the deviation of the gradient without its penalty."""

    def deviation(self, g: Tensor, m: Tensor, p: Tensor, group: Group) -> Tensor:
        return g - group["weight_decay"] * p - m


class ParameterSquared(ADOPT):
    """mlx-optimizers averaged the squares of the parameters."""

    def squared(self, g: Tensor, p: Tensor) -> Tensor:
        return p


CORRECT = (
    (AdaBelief, "adabelief/eps-inside"),
    (AdaBeliefL2, "adabelief/l2"),
    (ADOPT, "adopt/paper"),
)
REPORTED = (
    Defect(
        BeliefUncorrected,
        "adabelief/eps-inside",
        "FluxML/Flux.jl#1962",
        "equations",
        TRAJECTORY,
        "first_correction: no bias correction at all",
    ),
    Defect(
        EpsKept,
        "adabelief/eps-inside",
        "juntang-zhuang/Adabelief-Optimizer#18",
        "state",
        TRAJECTORY,
        "adabelief/paper",
    ),
    Defect(
        PenaltyAfterDeviation,
        "adabelief/l2",
        "juntang-zhuang/Adabelief-Optimizer#56",
        "equations",
        TRAJECTORY,
        why="the gradient is one symbol; here two equations see different ones",
    ),
    Defect(
        ParameterSquared,
        "adopt/paper",
        "stockeh/mlx-optimizers#43",
        "equations",
        TRAJECTORY,
        why="one quantity stands for another; mutants exchange hyperparameters alone",
    ),
)
UNSEEN: tuple[Defect, ...] = ()
