"""The real engine behind every door: the function, the command, the plugin, the decorator."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import jsonschema
import pytest

from instep.conformance import check, conformance_cases
from instep.conformance.cli import run
from instep.conformance.report.json import from_json, schema

# Heavy-ball momentum whose buffer also holds the learning rate: another trajectory once lr changes.
SUBJECTS = '''
import torch

class Inside(torch.optim.Optimizer):
    """Momentum with the learning rate inside the buffer."""

    def __init__(self, params, lr=1e-3, momentum=0.9):
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    state = self.state[p]
                    buffer = state.setdefault("momentum_buffer", torch.zeros_like(p))
                    buffer.mul_(group["momentum"]).add_(p.grad, alpha=group["lr"])
                    p.sub_(buffer)
        return loss
'''


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    (tmp_path / "doors.py").write_text(SUBJECTS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("doors", None)


def outcomes(report):
    return {r.id: r.status for r in report.results}


def test_a_report_of_the_engine_follows_the_schema(folder, capfd):
    assert run(["check", "torch.optim:SGD", "--spec", "sgd", "--json", "r.json"]) == 0
    text = (folder / "r.json").read_text()
    jsonschema.validate(json.loads(text), schema())
    out = capfd.readouterr().out
    assert out == from_json(text).to_text()
    assert out.startswith("IN STEP  torch.optim.")
    assert max(map(len, out.splitlines())) <= 80


def test_the_function_the_command_and_the_cases_agree(folder, capfd):
    code = run(["check", "doors:Inside", "--spec", "sgd", "--set", "lr=0.5", "--json", "r.json"])
    by_command = from_json((folder / "r.json").read_text())
    jsonschema.validate(json.loads(by_command.to_json()), schema())
    from doors import Inside

    by_function = check(Inside, "sgd", hyperparameters={"lr": 0.5})
    by_cases = {
        c.id: c.run().status for c in conformance_cases(Inside, "sgd", hyperparameters={"lr": 0.5})
    }
    assert code == 1
    assert not by_function.ok
    assert outcomes(by_command) == outcomes(by_function) == by_cases


def test_the_dialect_that_it_is_in_step_with_is_named_and_accepted(capfd):
    assert run(["check", "doors:Inside", "--spec", "sgd", "--floor", "5"]) == 1
    out = capfd.readouterr().out
    assert "looks like   dialect sgd/classical" in out
    assert 'if that is intended: dialect="sgd/classical"' in out
    assert run(["check", "doors:Inside", "--spec", "sgd", "--dialect", "sgd/classical"]) == 0
    assert run(["check", "doors:Inside", "--spec", "sgd", "--dialect", "any"]) == 0
    assert "any was accepted; sgd/classical is in step" in capfd.readouterr().out


def test_what_a_report_prints_reproduces_the_failure(folder, capfd):
    run(["check", "doors:Inside", "--spec", "sgd", "--json", "r.json"])
    report = from_json((folder / "r.json").read_text())
    first = report.failures[0]
    capfd.readouterr()
    assert run(["repro", first.id, *report.invocation.split()]) == 0
    script = capfd.readouterr().out
    assert script == report.reproduction
    (folder / "again.py").write_text(script)
    path = os.pathsep.join([str(folder), *sys.path])
    done = subprocess.run(
        [sys.executable, "again.py"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "AssertionError" in done.stderr
    assert "bounds off" in done.stdout


TEST = """
from instep.conformance import conformance
import doors

@conformance(doors.Inside, spec="sgd", dialect="classical")
def test_inside(check):
    check()
"""


def test_the_plugin_and_the_decorator_run_the_same_checks(pytester):
    pytester.makepyfile(doors=SUBJECTS, test_doors=TEST)
    options = ["-p", "no:cacheprovider", "-k", "construction or trajectory", "-v"]
    done = pytester.runpytest_inprocess(
        "--instep", "doors:Inside=sgd/classical", "test_doors.py", *options
    )
    done.stdout.fnmatch_lines_random(
        [
            "test_doors.py::test_inside[[]sgd/numerics/trajectory] PASSED*",
            "doors:Inside=sgd/classical::sgd/numerics/trajectory PASSED*",
        ]
    )
    done.assert_outcomes(passed=4, deselected=done.parseoutcomes()["deselected"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["torch.optim:SGD", "--spec", "sdg"], "there is no specification 'sdg'; nearest: sgd"),
        (["torch.optim:SGD", "--spec", "sgd", "--dialect", "tensorflow"], "tensorflow"),
        (["torch.optim:lr_scheduler", "--spec", "sgd"], "no constructor"),
        (["torch.optim:SGD", "--spec", "sgd", "--rename", "lrr=lr"], "lrr"),
    ],
)
def test_bad_input_is_one_line_of_the_engine(capfd, arguments, said):
    assert run(["check", *arguments]) == 2
    out, err = capfd.readouterr()
    (line,) = err.splitlines()
    assert out == ""
    assert said in line


def test_an_unknown_expected_failure_is_its_own_exit_code(capfd):
    wrong = ["--expect-failure", "sgd/numerics/trajectry=known"]
    assert run(["check", "torch.optim:SGD", "--spec", "sgd", *wrong]) == 4
    assert "sgd/numerics/trajectry" in capfd.readouterr().err


def test_an_expected_failure_that_passes_is_stale(capfd):
    stale = ["--expect-failure", "sgd/numerics/trajectory=known"]
    assert run(["check", "torch.optim:SGD", "--spec", "sgd", *stale]) == 4
    assert "expected to fail, and passes" in capfd.readouterr().err
