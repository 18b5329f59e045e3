"""The session: what it accepts and refuses, what a report says, and the command."""

from __future__ import annotations

import json
from functools import partial

import pytest
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, StepLR

from instep.conformance import UsageError, check_scheduler
from instep.conformance.cli import run
from instep.conformance.errors import StaleExpectationError
from instep.conformance.report.json import from_json
from instep.conformance.schedules.suite import Session, catalogue


class Late(LRScheduler):
    """The factor comes one epoch early."""

    def __init__(self, optimizer, step_size, gamma=0.1, last_epoch=-1):
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        power = (self.last_epoch + 1) // self.step_size
        return [lr * self.gamma**power for lr in self.base_lrs]


class Closed(LRScheduler):
    """Right, from the closed form, under other names."""

    def __init__(self, optimizer, every, times=0.1, last_epoch=-1):
        self.every, self.times = every, times
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        return [lr * self.times ** (self.last_epoch // self.every) for lr in self.base_lrs]


def test_a_scheduler_of_its_own_is_judged_under_its_own_names():
    report = check_scheduler(Closed, "step-lr", rename={"step_size": "every", "gamma": "times"})
    assert report.ok
    assert report.mapping == ("rates follow the closed form of step-lr",)
    assert dict(report.configuration) == {"every": 3, "times": 0.25}
    assert not report.coverage.unseen


def test_a_wrong_scheduler_is_named():
    report = check_scheduler(Late, "step-lr")
    assert not report.ok
    first = report.failures[0]
    assert first.id == "step-lr/numerics/dyadic"
    assert first.evidence.step == 2
    assert first.evidence.equation == "step-lr.rate"
    assert {c.description for c in report.diagnosis.candidates} == {"step counter one ahead"}
    assert "lr of group 0 after step 2" in report.to_text()
    assert "follows" in report.to_text()
    assert from_json(report.to_json()).failures[0].id == first.id


def test_what_is_fixed_is_not_varied_and_said():
    report = check_scheduler(
        partial(StepLR, step_size=4), "step-lr", hyperparameters={"step_size": 4}
    )
    assert report.ok
    assert "n is fixed: only 4.0 was compared" in report.coverage.unseen
    assert report.configuration["step_size"] == 4


def test_a_keyword_that_the_constructor_lacks_is_said():
    def without(optimizer, step_size):
        return StepLR(optimizer, step_size)

    report = check_scheduler(without, "step-lr")
    assert report.ok
    assert "the constructor has no keyword for factor" in report.coverage.unseen


def test_a_scheduler_that_does_not_run_is_errored():
    report = check_scheduler(CosineAnnealingLR, "step-lr")
    assert not report.ok
    assert report.results[0].status == "errored"
    assert {r.status for r in report.results[1:]} == {"skipped"}


@pytest.mark.parametrize(
    ("keywords", "reason"),
    [
        ({"spec": "adamw"}, "adamw is no schedule"),
        ({"spec": "step-lr", "rename": {"size": "n"}}, "step-lr has no 'size'; it has step_size"),
        ({"spec": "step-lr", "level": "deep"}, "no level 'deep'"),
        ({"spec": "step-lr", "dialect": "mine"}, "no dialect 'mine'"),
    ],
)
def test_what_does_not_fit_is_refused(keywords, reason):
    with pytest.raises(UsageError, match=reason):
        check_scheduler(StepLR, **keywords)


def test_an_expected_failure_must_fail_and_exist():
    expected = {"step-lr/errors/domain": "torch does not look"}
    found = Session(StepLR, "step-lr", expected_failures=expected).run("step-lr/errors/domain")
    assert found.status == "xfailed"
    with pytest.raises(StaleExpectationError):
        Session(StepLR, "step-lr", expected_failures={"step-lr/no/such": "x"})
    with pytest.raises(UsageError, match="no check"):
        Session(StepLR, "step-lr").run("step-lr/no/such")


def test_every_check_is_listed_once():
    ids = [id for id, _, _ in catalogue()]
    assert len(ids) == len(set(ids))
    assert "step-lr/numerics/dyadic" in ids
    assert {level for _, level, _ in catalogue()} == {"must", "should", "info"}


def test_the_command_judges_and_leaves_with_the_code(capsys, tmp_path):
    file = tmp_path / "report.json"
    words = ["check-scheduler", "torch.optim.lr_scheduler:StepLR", "--spec", "step-lr"]
    assert run([*words, "--json", str(file), "--set", "gamma=0.5"]) == 0
    assert "IN STEP" in capsys.readouterr().out
    assert json.loads(file.read_text())["configuration"] == {"step_size": 3, "gamma": 0.5}
    wrong = ["check-scheduler", "torch.optim.lr_scheduler:StepLR", "--spec", "constant-lr"]
    assert run(wrong) == 1
    assert run([*words, "--floor", "500"]) == 5
    assert run([*words, "--expect-failure", "step-lr/numerics/dyadic=x"]) == 4
    assert run([*words[:2], "--spec", "step-rl"]) == 2
    assert "nearest: step-lr" in capsys.readouterr().err


def test_schedules_are_listed_shown_and_explained(capsys):
    assert run(["list", "--schedules", "--json"]) == 0
    records = json.loads(capsys.readouterr().out)
    assert {r["kind"] for r in records} == {"schedule"}
    assert run(["show", "step-lr", "--latex"]) == 0
    assert r"\textbf{closed form}" in capsys.readouterr().out
    assert run(["explain", "step-lr/forms/closed-form"]) == 0
    assert "closed form" in capsys.readouterr().out
    assert run(["list", "--checks", "--schedules"]) == 0
    assert "forms/closed-form" in capsys.readouterr().out
