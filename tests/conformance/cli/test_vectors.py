from __future__ import annotations

import json

import pytest


def test_files_are_written_and_counted(instep, folder):
    done = instep("vectors", "signsgd/paper", "lbfgs/torch", "--out", "out")
    assert done.code == 0
    files = list((folder / "out").rglob("*.*.json"))
    first, *rest = done.out.splitlines()
    assert first.startswith(f"out: {len(files)} files of 1 dialects, ")
    assert rest[0].startswith("left out: lbfgs/torch: a step evaluates")


def test_the_manifest_goes_to_stdout(instep, folder):
    done = instep("vectors", "signsgd/paper", "--out", "out", "--json")
    assert json.loads(done.out) == json.loads((folder / "out" / "manifest.json").read_text())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--out", "out"], "which specifications? Name them, or give --all"),
        (["adamw", "--all", "--out", "out"], "which specifications?"),
        (["adamw"], "Missing option '--out'"),
        (["adamv", "--out", "out"], "adamv"),
        (["signsgd", "--out", "."], ". is not empty"),
        (["signsgd", "--out", "mine.py/out"], "cannot write into mine.py/out"),
    ],
)
def test_usage_errors_are_one_line(instep, folder, arguments, says):
    done = instep("vectors", *arguments)
    assert done.code == 2
    assert says in done.err
    assert len(done.err.splitlines()) == 1
