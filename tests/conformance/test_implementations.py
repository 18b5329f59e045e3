"""Flags of a constructor: torch's must change nothing, others may switch equations of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from instep.conformance.report.model import Result
from instep.conformance.suite import check
from meta.correct.frame import Frame, Group, State

if TYPE_CHECKING:
    from torch import Tensor


class Flagged(Frame):
    """Plain descent with flags.

    Args:
        foreach: torch's; halves every step, which is wrong.
        capturable: torch's; changes nothing.
        signed: a flag of its own, which makes it another algorithm.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        foreach: bool = False,
        capturable: bool = False,
        signed: bool = False,
    ) -> None:
        self.factor, self.signed = 0.5 if foreach else 1.0, signed
        super().__init__(params, {"lr": lr, "weight_decay": 0.0, "maximize": False})

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        p -= self.factor * group["lr"] * (g.sign() if self.signed else g)


class Spoiling(Flagged):
    """The same; it writes to its gradients besides."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        super().move(p, g, state, group)
        assert p.grad is not None
        p.grad.zero_()


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
