from __future__ import annotations

import types

import pytest

SCRIPT = "import torch\nassert False\n"


@pytest.fixture
def script(monkeypatch):
    """The text that the engine writes for a failure; `asked` collects for which."""
    asked = []

    def written(session, result):
        asked.append(result.id)
        return SCRIPT if result.evidence is not None else ""

    module = types.ModuleType("instep.conformance.repro")
    module.script = written
    monkeypatch.setitem(__import__("sys").modules, "instep.conformance.repro", module)
    return asked


def test_it_prints_the_script_of_that_check(engine, script, instep):
    done = instep("repro", "adamw/a/one", "--subject", "mine:Bad", "--spec", "adamw")
    assert (done.code, done.out, done.err) == (0, SCRIPT, "")
    assert script == ["adamw/a/one"]


def test_it_takes_the_options_that_a_report_prints(engine, script, instep):
    options = ["--subject", "mine:Bad", "--spec", "adamw", "--set", "lr=0.5", "--fixed", "eps"]
    assert instep("repro", "adamw/a/one", *options).code == 0
    ((_, _, keywords),) = engine.opened
    assert keywords["hyperparameters"] == {"lr": 0.5}
    assert keywords["fixed"] == ("eps",)


def test_a_check_that_passes_has_nothing_to_reproduce(engine, script, instep):
    done = instep("repro", "adamw/a/two", "--subject", "mine:Bad", "--spec", "adamw")
    assert (done.code, done.out) == (2, "")
    assert done.err == "instep: adamw/a/two passed: there is nothing to reproduce\n"


def test_a_failure_without_script_is_said(engine, script, instep, monkeypatch):
    monkeypatch.setattr(engine, "evidence", lambda: None)
    done = instep("repro", "adamw/a/one", "--subject", "mine:Bad", "--spec", "adamw")
    assert (done.code, done.out) == (2, "")
    assert "adamw/a/one failed, but has no script" in done.err
