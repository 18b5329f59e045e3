"""The command on a trace: exit codes, and one line for what cannot be judged."""

from __future__ import annotations

import json

import pytest

from instep.conformance.report.json import from_json

LR = 0.125


def trace(update: float) -> str:
    """Gradient descent from 1 with gradient 1, by some step."""
    points = [1 - update * t for t in range(4)]
    steps = [
        {"groups": [{"lr": LR.hex(), "momentum": 0.0}], "gradients": [[1.0]], "parameters": [[p]]}
        for p in points[1:]
    ]
    own = {"shape": [1], "dtype": "float32"}
    start = {"parameters": [[points[0]]]}
    record = {"format": "instep-trace@1", "parameters": [own], "start": start, "steps": steps}
    return json.dumps(record)


@pytest.fixture
def files(folder):
    (folder / "good.json").write_text(trace(LR))
    (folder / "bad.json").write_text(trace(2 * LR))
    (folder / "none.json").write_text("{}")
    return folder


@pytest.mark.parametrize(("file", "code"), [("good.json", 0), ("bad.json", 1)])
def test_exit_codes_are_those_of_a_subject(files, instep, file, code):
    done = instep("check", "--trace", file, "--spec", "sgd")
    assert done.code == code, done.err
    assert done.out.startswith("IN STEP" if code == 0 else "OUT OF STEP")
    assert "sgd/trace/trajectory" in done.out
    assert done.err == ""


def test_the_report_is_written_as_that_of_a_subject(files, instep):
    done = instep("check", "--trace", "bad.json", "--spec", "sgd", "--json", "-")
    report = from_json(done.out)
    assert [r.id for r in report.failures] == ["sgd/trace/trajectory", "sgd/trace/update"]
    assert report.diagnosis.candidates


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--spec", "sgd"], "what is to be judged?"),
        (["mine:Good", "--trace", "good.json", "--spec", "sgd"], "what is to be judged?"),
        (["--trace", "good.json"], "which specification?"),
        (["--trace", "none.json", "--spec", "sgd"], "none.json is no trace"),
        (["--trace", "absent.json", "--spec", "sgd"], "cannot read absent.json"),
        (["--trace", "good.json", "--spec", "lbfgs"], "evaluates gradients by itself"),
        (["--trace", "good.json", "--spec", "sgd", "--level", "full"], "--level is for subjects"),
        (["--trace", "good.json", "--spec", "sgd", "--isolate"], "--isolate is for subjects"),
        (["--trace", "good.json", "--spec", "sgd", "--rename", "lr"], "--rename takes name=value"),
    ],
)
def test_usage_errors_are_one_line(files, instep, arguments, says):
    done = instep("check", *arguments)
    assert done.code == 2
    assert says in done.err
    assert len(done.err.splitlines()) == 1


def test_a_floor_counts_the_checks_of_a_trace(files, instep):
    done = instep("check", "--trace", "good.json", "--spec", "sgd", "--floor", "3")
    assert done.code == 5
