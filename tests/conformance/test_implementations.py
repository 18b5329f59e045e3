"""Flags of a constructor: torch's must change nothing, others may switch equations of their own."""

from __future__ import annotations

from typing import Any

import torch

from instep.conformance.report.model import Result
from instep.conformance.suite import check


class Flagged(torch.optim.Optimizer):
    """Plain descent with flags.

    Args:
        foreach: torch's; halves every step, which is wrong.
        capturable: torch's; changes nothing.
        signed: a flag of its own, which makes it another algorithm.
        spoils: whether gradients are changed, flags or not.
    """

    spoils = False

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        foreach: bool = False,
        capturable: bool = False,
        signed: bool = False,
    ) -> None:
        self.factor, self.signed = 0.5 if foreach else 1.0, signed
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in (p for p in group["params"] if p.grad is not None):
                p.sub_(self.factor * group["lr"] * (p.grad.sign() if self.signed else p.grad))
                if self.spoils:
                    p.grad.zero_()
        return loss


class Spoiling(Flagged):
    """The same; it writes to its gradients besides."""

    spoils = True


def variants(subject: Any) -> dict[str, Result]:
    report = check(subject, "sgd", implementations=True)
    found = {r.id.split("/", 1)[1]: r for r in report.results}
    return {name: r for name, r in found.items() if name.startswith("implementations/")}


def test_torchs_flags_must_not_change_what_is_computed() -> None:
    found = variants(Flagged)
    assert (found["implementations/foreach"].status, found["implementations/foreach"].level) == (
        "failed",
        "must",
    )
    assert "sgd/numerics/trajectory" in found["implementations/foreach"].message
    assert found["implementations/capturable"].status == "passed"


def test_another_flag_may_and_is_told() -> None:
    signed = variants(Flagged)["implementations/signed"]
    assert (signed.status, signed.level) == ("failed", "info")


def test_what_is_wrong_without_the_flag_is_not_held_against_it() -> None:
    report = check(Spoiling, "sgd")
    assert [r.id for r in report.failures if r.level == "must"] == ["sgd/gradients/untouched"]
    found = variants(Spoiling)
    assert found["implementations/capturable"].status == "passed"
    assert "untouched" not in found["implementations/foreach"].message
