"""What the numeric checks see that a plain trajectory does not."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from instep import spec
from instep.conformance.oracle import Model
from instep.conformance.suite import Session
from meta.interpreted import subject as interpreted


class Voting(torch.optim.Optimizer):
    """Lion, whose hyperparameters may have been squeezed through a narrower type."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    narrow: torch.dtype = torch.float64

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            beta1, beta2 = torch.tensor(group["betas"], dtype=self.narrow).tolist()
            for p in (p for p in group["params"] if p.grad is not None):
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.sub_(m.lerp(p.grad, 1 - beta1).sign_(), alpha=group["lr"])
                m.lerp_(p.grad, 1 - beta2)


class NarrowVoting(Voting):
    narrow = torch.float16


@pytest.mark.parametrize(("subject", "status"), [(Voting, "passed"), (NarrowVoting, "failed")])
def test_a_narrow_value_shows_behind_a_sign(subject: Any, status: str):
    session = Session(subject, spec.get("lion"))
    assert session.run("lion/numerics/trajectory").status == "passed"
    assert session.run("lion/numerics/fine-values").status == status


def half(x: float) -> float:
    return float(torch.tensor(x, dtype=torch.float16))


# Where the first rectified step cancels, float32 scalars explain a whole trajectory with a narrow
# power; single steps, and a rate that rises before, show it.
@pytest.mark.parametrize(
    ("dialect", "symbol", "check"),
    [
        ("schedulefree-radam/authors", "power", "numerics/fine-values"),
        ("schedulefree-radam/authors", "beta1", "numerics/fine-values"),
        ("schedulefree-radam/sgd", "power", "hyperparameters/lr-changed"),
    ],
)
def test_a_narrow_value_shows_behind_a_cancellation(dialect: str, symbol: str, check: str):
    algorithm = spec.get(dialect)
    for distort, status in (({}, "passed"), ({symbol: half}, "failed")):
        session = Session(interpreted(Model(algorithm, distort=distort)), algorithm)
        assert session.run("schedulefree-radam/numerics/trajectory").status == "passed"
        assert session.run(f"schedulefree-radam/{check}").status == status
