"""Sessions: what a verdict leans on, what explains a failure, what was not seen."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
import torch

from instep.conformance.errors import StaleExpectationError, UsageError
from instep.conformance.report.model import OutOfStepError
from instep.conformance.suite import Session, catalogue, check, conformance_cases

RATE = ("hyperparameters/lr-changed", "modes/scheduler")


class FrozenRate(torch.optim.SGD):
    """Keeps the learning rate of its construction."""

    def __init__(self, params: Any, lr: float = 1e-3, momentum: float = 0.0) -> None:
        super().__init__(params, lr=lr, momentum=momentum)
        self.first = lr

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        rates = [g["lr"] for g in self.param_groups]
        for group in self.param_groups:
            group["lr"] = self.first
        try:
            return super().step(closure)
        finally:
            for group, lr in zip(self.param_groups, rates, strict=True):
                group["lr"] = lr


def status(report: Any) -> dict[str, str]:
    return {r.id.split("/", 1)[1]: r.status for r in report.results}


def test_a_behavioural_defect_fails_its_checks_and_no_equation() -> None:
    report = check(FrozenRate, "sgd")
    failed = {name for name, s in status(report).items() if s == "failed"}
    # Besides, torch copies no attribute that a class adds.
    copies = {"copies/deepcopy", "copies/pickle"}
    assert failed == {"groups/own-values", *RATE, *copies}
    assert report.diagnosis is not None
    assert "lr kept from construction" in str(report.diagnosis)


def test_consequences_name_their_cause() -> None:
    report = check(torch.optim.Adam, "adam/eps-hat")
    causes = {r.consequence_of for r in report.failures}
    assert causes == {"", "adam/numerics/trajectory"}
    primary = [r for r in report.failures if not r.consequence_of]
    assert [r.id for r in primary] == ["adam/numerics/trajectory"]


def test_behaviour_is_judged_against_what_the_subject_computes() -> None:
    """Equations of another dialect do not drown the behavioural checks."""
    report = check(torch.optim.Adam, "adam/eps-hat")
    for name in ("groups/own-values", "gradients/none", "hyperparameters/lr-changed"):
        assert status(report)[name] == "passed"


def test_what_a_partial_binds_is_kept() -> None:
    bound = functools.partial(torch.optim.Adam, lr=0.25)
    report = check(bound, "adam")
    assert report.ok
    assert any("lr is fixed: only 0.25" in text for text in report.coverage.unseen)


def test_fixed_hyperparameters_are_said_to_be_unseen() -> None:
    report = check(torch.optim.AdamW, "adamw", hyperparameters={"eps": 1e-6}, fixed=["eps"])
    assert report.ok
    assert any("eps is fixed: only 1e-06" in text for text in report.coverage.unseen)
    assert status(report)["numerics/zero-eps"] == "skipped"


def test_any_dialect_accepts_a_named_one() -> None:
    report = check(torch.optim.AdamW, "adamw", dialect="any")
    assert report.ok
    assert report.accepted == "adamw/torch"


def test_raise_for_failures_carries_the_report() -> None:
    check(torch.optim.SGD, "sgd").raise_for_failures()
    report = check(torch.optim.SGD, "nesterov/paper")
    with pytest.raises(OutOfStepError, match="OUT OF STEP"):
        report.raise_for_failures()


def test_expected_failures() -> None:
    expected = {f"sgd/{name}": "issue 1" for name in ("groups/own-values", *RATE)}
    report = check(FrozenRate, "sgd", expected_failures=expected)
    assert report.ok
    assert report.count("xfailed") == 3
    stale = check(torch.optim.SGD, "sgd", expected_failures={"sgd/groups/own-values": "issue 1"})
    assert stale.count("xpassed") == 1
    with pytest.raises(StaleExpectationError, match="sgd/no/such"):
        Session(torch.optim.SGD, "sgd", expected_failures={"sgd/no/such": "?"})


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"level": "slow"}, "no level 'slow'"),
        ({"dialect": "nope"}, "no dialect 'nope'"),
        ({"rename": {"q": "lr"}}, "has no 'q'"),
        ({"rename": {"lr": "q"}}, "no keyword 'q'"),
        ({"profile": {"state": "int3"}}, "state=int3"),
        ({"lacks": ["wings"]}, "lacks wings"),
    ],
)
def test_usage_errors_are_one_line(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message) as raised:
        Session(torch.optim.SGD, "sgd", **keywords)
    assert "\n" not in str(raised.value)


def test_a_constructor_that_needs_more_is_told_how() -> None:
    class Needs(torch.optim.SGD):
        def __init__(self, params: Any, gamma: float, lr: float = 1e-3) -> None:
            super().__init__(params, lr=lr)

    report = check(Needs, "sgd")
    assert not report.ok
    assert "gamma" in report.results[0].message
    assert "hyperparameters=" in report.results[0].message
    assert check(Needs, "sgd", hyperparameters={"gamma": 1.0}).ok


def test_refused_probe_values_stay_at_their_base() -> None:
    class NoDecay(torch.optim.SGD):
        def __init__(self, params: Any, lr: float = 1e-3, weight_decay: float = 0.0) -> None:
            if weight_decay:
                raise ValueError("no decay here")
            super().__init__(params, lr=lr)

    report = check(NoDecay, "sgd")
    assert report.ok
    assert status(report)["numerics/trajectory"] == "passed"
    assert "only the base value of weight_decay" in report.results[0].message


def test_cases_share_one_session() -> None:
    cases = list(conformance_cases(torch.optim.SGD, "sgd"))
    assert len({id(case.session) for case in cases}) == 1
    assert cases[1].run() is cases[1].run()


def test_ids_are_usable_with_k() -> None:
    for id_, level, requirement in catalogue():
        assert set(id_) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-/"), id_
        assert level in ("must", "should", "info")
        assert requirement
        assert not requirement.endswith(".")
