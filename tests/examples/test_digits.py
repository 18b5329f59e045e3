"""The example trains, agrees with the computed bounds, and notices a class that is wrong."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from instep import reference
from instep.reference import eager

FILE = Path(__file__).parents[2] / "examples" / "digits.py"


@pytest.fixture(scope="module")
def digits():
    threads = torch.get_num_threads()
    specification = importlib.util.spec_from_file_location("digits", FILE)
    module = importlib.util.module_from_spec(specification)
    sys.modules["digits"] = module
    specification.loader.exec_module(module)
    yield module
    del sys.modules["digits"]
    torch.set_num_threads(threads)


@pytest.fixture
def run(digits, capsys):
    """Exit code and output of a short run."""

    def go(*arguments, steps=6):
        code = digits.main(["--steps", str(steps), *arguments])
        return code, capsys.readouterr().out

    return go


def test_all_is_in_step(run):
    code, text = run(steps=22)
    assert code == 0, text
    assert text.count("in step") >= 3
    assert "out of step" not in text
    for name in ("SGD", "Adam", "AdamW"):
        assert name in text


def test_no_algorithm_is_no_success(run):
    assert run("--only", "Nothing")[0] == 1


class EpsTooLarge(reference.Adam):
    def __init__(self, params, **keywords):
        super().__init__(params, eps=2e-8, **keywords)


class OtherBeta(reference.Adam):
    def __init__(self, params, **keywords):
        super().__init__(params, betas=(0.9, 0.99905), **keywords)


class DecaysAll(reference.SGD):
    """Gives every group the first one's decay."""

    def step(self, closure=None):
        kept = [dict(group) for group in self.param_groups]
        for group in self.param_groups:
            group["weight_decay"] = self.param_groups[0]["weight_decay"]
        super().step(closure)
        for group, entries in zip(self.param_groups, kept, strict=True):
            group.update(entries)


class DecaysNone(DecaysAll):
    def step(self, closure=None):
        for group in self.param_groups:
            group["weight_decay"] = 0.0
        super(DecaysAll, self).step(closure)


class DeafToSchedules(reference.AdamW):
    """Steps with the rate of its construction."""

    def step(self, closure=None):
        for group in self.param_groups:
            group["lr"] = self.defaults["lr"]
        super().step(closure)


class EagerTwice(eager.AdamW):
    """Moves twice in its third step."""

    def step(self, closure=None):
        super().step(closure)
        if self.state[self.param_groups[0]["params"][0]]["step"] == 3:
            super().step(closure)


@pytest.mark.parametrize(
    ("name", "broken", "package", "steps"),
    [
        ("Adam", EpsTooLarge, reference, 6),
        ("Adam", OtherBeta, reference, 6),
        ("SGD", DecaysAll, reference, 6),
        ("SGD", DecaysNone, reference, 6),
        ("AdamW", DeafToSchedules, reference, 22),
        ("AdamW", EagerTwice, eager, 6),
    ],
)
def test_a_wrong_class_is_noticed(run, monkeypatch, name, broken, package, steps):
    monkeypatch.setattr(package, name, broken, raising=False)
    code, text = run("--only", name, steps=steps)
    assert code == 1, text
    assert "out of step" in text


def test_losses_that_leave_the_yardstick_are_noticed(digits):
    task = digits.TASKS[0]
    here, there = digits.Training([1.0, 0.5]), digits.Training([1.0, 0.5 + 2e-6])
    assert digits.Comparison(task, here, here, here, [0.0, 0.0]).in_step
    assert digits.Comparison(task, here, here, there, [0.0, 3e-6]).in_step
    assert not digits.Comparison(task, here, here, there, [0.0, 1e-6]).in_step
    assert not digits.Comparison(task, here, here, there, [0.0, 0.0]).in_step
    late = digits.Training([1.0, 0.5], worst=2.5)
    assert not digits.Comparison(task, here, late, here, [0.0, 1.0]).in_step


def test_a_loss_that_is_no_number_is_noticed(digits):
    nan = digits.Training([1.0, np.nan])
    assert not digits.Comparison(digits.TASKS[0], nan, nan, nan, [0.0, 1.0]).in_step


def test_the_rate_is_the_closed_form_of_the_schedule(digits):
    task = digits.TASKS[0]
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=task.lr)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, digits.HALVE_EVERY, gamma=0.5)
    for step in range(50):
        assert task.rate(step) == optimizer.param_groups[0]["lr"]
        optimizer.step()
        scheduler.step()


def test_plots_when_asked(run, tmp_path):
    import matplotlib

    matplotlib.use("Agg")
    path = tmp_path / "digits.png"
    assert run("--only", "SGD", "--plot", str(path), steps=3)[0] == 0
    assert path.stat().st_size > 0
