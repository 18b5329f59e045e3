from __future__ import annotations

import json
import os
import sys
from xml.etree import ElementTree

import jsonschema
import pytest

from instep.conformance.report.json import from_json, schema


@pytest.mark.parametrize(
    ("subject", "arguments", "code"),
    [
        ("Good", [], 0),
        ("Poor", [], 0),
        ("Bad", [], 1),
        ("Raising", [], 1),
        ("Absent", [], 2),
        ("Ours", [], 3),
        ("Stale", [], 4),
        ("Good", ["--expect-failure", "adamw/a/three=never was"], 4),
        ("Good", ["--floor", "3"], 5),
        ("Good", ["--floor", "2"], 0),
        ("Bad", ["--floor", "3"], 1),
        ("Stale", ["--floor", "3"], 4),
    ],
)
def test_exit_codes(engine, instep, subject, arguments, code):
    done = instep("check", f"mine:{subject}", "--spec", "adamw", *arguments)
    assert done.code == code
    assert len(done.err.splitlines()) == (0 if code < 1 or subject == "Bad" else 1)
    assert "Traceback" not in done.err


def test_the_report_goes_to_stdout(engine, instep):
    done = instep("check", "mine:Good", "--spec", "adamw")
    assert done.out.startswith("IN STEP  mine.Good with adamw/torch@1\n")
    assert done.err == ""
    assert "\x1b" not in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_a_line_for_each_check_when_asked(engine, instep):
    done = instep("check", "mine:Good", "--spec", "adamw", "--every")
    assert "passed      MUST    adamw/a/two\n" in done.out


def test_options_reach_the_session(engine, instep):
    arguments = [
        *("--set", "betas=(0.9, 0.95)", "--set", "lr=1e-3", "--set", "mode=fast", "--set", "f=a=b"),
        *("--fixed", "eps", "--fixed", "lr", "--rename", "lr=learning_rate", "--state", "m=mu"),
        *("--profile", "state=bfloat16", "--dialect", "eps-hat", "--level", "full"),
        *("--lacks", "sparse", "--lacks", "complex", "--no-implementations", "--timeout", "5"),
        *("--suite", "2026.1"),
        *("--expect-failure", "adamw/a/one=issue 12"),
    ]
    instep("check", "mine:Outer.Inner", "--spec", "adamw", *arguments)
    ((subject, spec, keywords),) = engine.opened
    assert subject is sys.modules["mine"].Good
    assert spec == "adamw"
    assert keywords == {
        "hyperparameters": {"betas": (0.9, 0.95), "lr": 1e-3, "mode": "fast", "f": "a=b"},
        "fixed": ("eps", "lr"),
        "rename": {"lr": "learning_rate"},
        "state": {"m": "mu"},
        "profile": {"state": "bfloat16"},
        "dialect": "eps-hat",
        "level": "full",
        "suite": "2026.1",
        "lacks": ("sparse", "complex"),
        "implementations": False,
        "timeout": 5.0,
        "expected_failures": {"adamw/a/one": "issue 12"},
    }


def test_without_options_the_session_gets_the_defaults(engine, instep):
    instep("check", "mine:Good", "--spec", "adamw")
    ((_, _, keywords),) = engine.opened
    assert keywords == {
        "hyperparameters": {},
        "fixed": (),
        "rename": {},
        "state": None,
        "profile": None,
        "dialect": None,
        "level": "quick",
        "suite": "latest",
        "lacks": (),
        "implementations": None,
        "timeout": 60.0,
        "expected_failures": {},
    }


def test_any_dialect_is_judged_by_the_engine(engine, instep, monkeypatch):
    asked = []
    monkeypatch.setattr(
        engine, "check", lambda s, spec, **k: asked.append(k) or engine.Session(s, spec).report()
    )
    assert instep("check", "mine:Good", "--spec", "adamw", "--dialect", "any").code == 0
    assert [k["dialect"] for k in asked] == ["any"]


def test_the_command_reads_the_project_configuration(engine, instep, folder):
    (folder / "pyproject.toml").write_text(
        """
        [tool.instep.subjects."mine:Good"]
        spec = "adamw"
        level = "full"
        floor = 3
        hyperparameters = { lr = 1e-3, betas = [0.9, 0.95] }
        """
    )
    done = instep("check", "mine:Good", "--set", "lr=0.5", "--level", "quick")
    ((_, spec, keywords),) = engine.opened
    assert (done.code, spec, keywords["level"]) == (5, "adamw", "quick")
    assert keywords["hyperparameters"] == {"lr": 0.5, "betas": (0.9, 0.95)}
    assert instep("check", "mine:Good", "--floor", "0").code == 0


# ---- files


def test_files_hold_the_report(engine, instep, folder):
    done = instep("check", "mine:Bad", "--spec", "adamw", "--json", "r.json", "--junit", "r.xml")
    text = (folder / "r.json").read_text()
    jsonschema.validate(json.loads(text), schema())
    assert from_json(text).invocation == "--subject mine:Bad --spec adamw"
    assert done.out == from_json(text).to_text()
    (suite,) = ElementTree.parse(folder / "r.xml").getroot()
    assert suite.get("failures") == "1"
    assert set(os.listdir(folder)) - {"__pycache__"} == {"mine.py", "r.json", "r.xml"}


def test_json_on_stdout_replaces_the_report(engine, instep):
    done = instep("check", "mine:Bad", "--spec", "adamw", "--json", "-")
    assert done.code == 1
    assert json.loads(done.out)["ok"] is False


@pytest.mark.parametrize("target", ["absent/r.json", "."])
def test_a_file_that_cannot_be_written_is_refused_before_anything_runs(engine, instep, target):
    done = instep("check", "mine:Good", "--spec", "adamw", "--json", target)
    assert done.code == 2
    assert done.err.startswith(f"instep: cannot write {target}: ")
    assert engine.opened == []


def test_nothing_is_half_written(engine, instep, folder, monkeypatch):
    (folder / "r.json").write_text("before")

    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    done = instep("check", "mine:Good", "--spec", "adamw", "--json", "r.json")
    assert done.code == 2
    assert done.err == "instep: cannot write r.json: No space left on device\n"
    assert (folder / "r.json").read_text() == "before"
    assert not list(folder.glob(".r.json*"))


# ---- what the command says when it cannot


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["mine:Goo"], "mine has no attribute 'Goo'; nearest: Good"),
        (["mine:Outer.Iner"], "mine.Outer has no attribute 'Iner'; nearest: Inner"),
        (["mine.Good"], "a subject is module:attribute, not 'mine.Good'; did you mean mine:Good?"),
        (["mine"], "a subject is module:attribute, not 'mine'"),
        (
            ["absent.part:X"],
            "absent.part:X: there is no module absent: it is neither installed nor",
        ),
        (["mine.part:X"], "mine.part:X: there is no module mine.part: it is neither installed nor"),
        (["raising:X"], "raising:X: importing raising raised RuntimeError: on import"),
        (["leaving:X"], "leaving:X: importing leaving raised SystemExit: 3"),
        (["needy:X"], "needy:X: importing needy needs absent_one: No module named 'absent_one'"),
        (["mine:Good", "--set", "lr"], "--set takes name=value, not 'lr'"),
        (["mine:Good", "--set", "=3"], "--set takes name=value, not '=3'"),
        (["mine:Good", "--rename", "a=b", "--rename", "a=c"], "--rename a is given twice"),
        (["mine:Good", "--level", "slow"], "Invalid value for '--level'"),
        (["mine:Good", "--timeout", "0"], "Invalid value for '--timeout'"),
        (["mine:Good", "--sett", "a=b"], "No such option '--sett'"),
        ([], "what is to be judged? Name a subject, or give --trace FILE"),
    ],
)
def test_bad_input_is_one_line(engine, instep, folder, arguments, said):
    (folder / "raising.py").write_text("raise RuntimeError('on import\\nand more')")
    (folder / "leaving.py").write_text("raise SystemExit(3)")
    (folder / "needy.py").write_text("import absent_one")
    done = instep("check", *arguments, "--spec", "adamw")
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert line.startswith("instep: ")
    assert said in line
    assert engine.opened == []


def test_a_specification_is_needed(engine, instep):
    done = instep("check", "mine:Good")
    assert done.code == 2
    assert "which specification? Give --spec" in done.err


def test_our_own_fault_says_how_to_report_it(engine, instep):
    done = instep("check", "mine:Ours", "--spec", "adamw")
    assert done.code == 3
    assert done.err == (
        "instep: ZeroDivisionError: float division by zero (this is a fault of instep: please "
        "report it with what `instep --debug ...` prints)\n"
    )


@pytest.mark.parametrize("way", ["option", "environment"])
def test_debugging_shows_the_traceback(engine, instep, monkeypatch, way):
    monkeypatch.setenv("INSTEP_DEBUG", "" if way == "option" else "1")
    options = ["--debug"] if way == "option" else []
    done = instep(*options, "check", "mine:Ours", "--spec", "adamw")
    assert done.code == 3
    assert "Traceback (most recent call last)" in done.err
    assert "in run\n" in done.err


def test_an_interrupt_is_no_fault(engine, instep, monkeypatch):
    def interrupted(self, progress=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(engine.Session, "report", interrupted)
    done = instep("check", "mine:Good", "--spec", "adamw")
    assert (done.code, done.err.strip()) == (130, "instep: interrupted")


# ---- progress


def test_there_is_no_bar_without_a_terminal(engine, instep, monkeypatch):
    seen = []
    monkeypatch.setattr(engine.Session, "report", _spy(engine.Session.report, seen))
    instep("check", "mine:Good", "--spec", "adamw")
    assert seen == [None]


def test_a_terminal_gets_a_bar_on_stderr(engine, instep, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    seen = []
    monkeypatch.setattr(engine.Session, "report", _spy(engine.Session.report, seen))
    done = instep("check", "mine:Good", "--spec", "adamw", "--json", "-")
    assert callable(seen[0])
    assert "/2" in done.err
    json.loads(done.out)


def _spy(report, seen):
    def spied(self, progress=None):
        seen.append(progress)
        return report(self, progress)

    return spied
