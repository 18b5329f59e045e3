"""AdamW."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from meta.reported.adam import Adam
from meta.reported.frame import TRAJECTORY, Defect, Group, State


class AdamW(Adam):
    """Correct: the parameter decays instead of the gradient."""

    decoupled = True

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)


class NeverCounted(AdamW):
    """OLMo-core's SkipStepAdamW passed a step that nobody advanced."""

    def count(self, state: State) -> int:
        state["step"] = 1
        return 1


class EpsCorrected(AdamW):
    """nanochat's DistAdamW folded both corrections into the rate, and eps with them."""

    def denominator(self, v: Tensor, c2: float, eps: float) -> Tensor:
        return (v.sqrt() + eps) / c2**0.5


class Uncorrected(AdamW):
    """MLX had no bias correction at first."""

    def corrections(self, t: int, group: Group) -> tuple[float, float]:
        return 1.0, 1.0


class DecayWithoutRate(AdamW):
    """neural-fortran subtracted the decay without the learning rate."""

    def decay(self, p: Tensor, group: Group) -> None:
        p.mul_(1 - group["weight_decay"])


class DecayOfTheUpdated(AdamW):
    """bitsandbytes' CUDA kernel decayed what the step had moved; its other backends did not."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        super().move(p, g, state, {**group, "weight_decay": 0.0})
        self.decay(p, group)


class DefaultBetas(AdamW):
    """orthograd handed its base optimizer the parameters alone, and betas stayed at the default."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        super().move(p, g, state, {**group, "betas": (0.9, 0.999)})


class ClosureWithoutGradients(AdamW):
    """transformers' AdamW called the closure under its own torch.no_grad()."""

    def evaluate(self, closure: Callable[[], Any]) -> Any:
        with torch.no_grad():
            return closure()


class ClosureIgnored(AdamW):
    """bagua's QAdam took a closure and never called it."""

    def evaluate(self, closure: Callable[[], Any]) -> Any:
        return None


class SavingTakesAStep(AdamW):
    """torchtitan materialised missing state by a step with zero gradients, which counts."""

    def state_dict(self) -> dict[str, Any]:
        for group in self.param_groups:
            for p in group["params"]:
                if not self.state[p]:
                    self.move(p.detach(), torch.zeros_like(p), self.state[p], {**group, "lr": 0.0})
        return super().state_dict()


class LoadedThroughHalf(AdamW):
    """fairseq2 restored its state from a checkpoint that had been cast to float16 on the way."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        for kept in self.state.values():
            for key in ("exp_avg", "exp_avg_sq"):
                kept[key] = kept[key].half().to(kept[key].dtype)


ADAMW = "adamw/torch"
CORRECT = ((AdamW, ADAMW),)
REPORTED = (
    Defect(
        NeverCounted,
        ADAMW,
        "allenai/OLMo-core#317",
        "state",
        TRAJECTORY,
        "first_correction: step counter frozen at 1",
    ),
    Defect(EpsCorrected, ADAMW, "karpathy/nanochat#304", "equations", TRAJECTORY, "adamw/keras"),
    Defect(Uncorrected, ADAMW, "ml-explore/mlx#1640", "equations", TRAJECTORY, "correction=none"),
    Defect(
        DecayWithoutRate,
        ADAMW,
        "modern-fortran/neural-fortran#152",
        "equations",
        TRAJECTORY,
        "adamw/decay-unscaled",
    ),
    Defect(
        DecayOfTheUpdated,
        ADAMW,
        "bitsandbytes-foundation/bitsandbytes#2010",
        "equations",
        TRAJECTORY,
        "adamw/decay-after",
    ),
    Defect(
        DefaultBetas,
        ADAMW,
        "LucasPrietoAl/grokking-at-the-edge-of-numerical-stability#11",
        "hyperparameters",
        TRAJECTORY,
        "first_moment: betas ignored, (0.9, 0.999) used instead",
    ),
    Defect(
        ClosureWithoutGradients,
        ADAMW,
        "Lightning-AI/pytorch-lightning#18254",
        "closures",
        "closure/gradients-enabled",
    ),
    Defect(ClosureIgnored, ADAMW, "BaguaSys/bagua#432", "closures", "closure/calls"),
    Defect(SavingTakesAStep, ADAMW, "pytorch/torchtitan#4382", "state", "state/pure"),
    Defect(LoadedThroughHalf, ADAMW, "facebookresearch/fairseq2#212", "dtypes", "state/resume"),
)
UNSEEN: tuple[Defect, ...] = ()
