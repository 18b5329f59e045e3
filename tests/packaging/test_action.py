"""The GitHub Action: its script, run as a runner would run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
SUBJECT = """
import functools
import torch

half = functools.partial(torch.optim.SGD, dampening=0.5)
"""


@pytest.fixture
def run(tmp_path):
    """Runs the check step with some inputs; the others have their defaults."""
    (tmp_path / "mine.py").write_text(SUBJECT)
    step = next(s for s in ACTION["runs"]["steps"] if s.get("id") == "check")

    def go(**inputs):
        given = {name: one.get("default", "") for name, one in ACTION["inputs"].items()} | inputs
        # Every input reaches the script through its environment, never through its text.
        assert "${{" not in step["run"]
        values = {
            key: given[text.removeprefix("${{ inputs.").removesuffix(" }}")]
            for key, text in step["env"].items()
        }
        files = {name: str(tmp_path / name) for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT")}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=tmp_path, env={**os.environ, **values, **files, "PATH": path},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done, {name: Path(file) for name, file in files.items()}

    return go


def test_in_step(run, tmp_path):
    done, files = run(subject="torch.optim:SGD", spec="sgd", level="quick")
    assert done.returncode == 0, done.stderr
    assert files["GITHUB_OUTPUT"].read_text() == "code=0\n"
    assert files["GITHUB_STEP_SUMMARY"].read_text().startswith("## IN STEP: `torch.optim.sgd.SGD`")
    folder = tmp_path / ACTION["inputs"]["reports"]["default"]
    names = {"report.html", "report.json", "report.md", "report.xml", "badge.json"}
    assert {p.name for p in folder.iterdir()} == names
    assert json.loads((folder / "badge.json").read_text())["color"] == "brightgreen"


def test_out_of_step_with_arguments_that_have_spaces(run):
    arguments = "--fixed dampening --set 'momentum = 0.5' --set \"weight_decay=0.25\""
    done, files = run(subject="mine:half", spec="sgd/classical", level="quick", arguments=arguments)
    assert done.returncode == 1, done.stderr
    assert files["GITHUB_OUTPUT"].read_text() == "code=1\n"
    assert "OUT OF STEP" in files["GITHUB_STEP_SUMMARY"].read_text()


def test_bad_input_has_no_report(run):
    done, files = run(subject="mine:none", spec="sgd")
    assert done.returncode == 2
    assert "instep: " in done.stderr
    assert files["GITHUB_OUTPUT"].read_text() == "code=2\n"
    assert not files["GITHUB_STEP_SUMMARY"].exists()
