"""The command run in process, on an engine that needs no torch."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from instep.conformance.cli import run

FAKE = Path(__file__).parents[1] / "fake_suite.py"

MINE = """
from instep.conformance.errors import SubjectError

class Good:
    results = {"adamw/a/one": ("must", "passed", ""), "adamw/a/two": ("must", "passed", "")}

class Bad:
    results = {"adamw/a/one": ("must", "failed", "wrong"), "adamw/a/two": ("must", "passed", "")}

class Poor:
    results = {"adamw/a/one": ("must", "passed", ""), "adamw/a/two": ("should", "failed", "poor")}

class Stale:
    results = {"adamw/a/one": ("must", "passed", ""), "adamw/a/two": ("must", "xpassed", "now")}

class Raising:
    results = {"adamw/a/one": ("must", SubjectError("mine.Raising raised\\nin step 1"), "")}

class Ours:
    results = {"adamw/a/one": ("must", ZeroDivisionError("float division\\nby zero"), "")}

class Outer:
    Inner = Good
"""


class Done(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with subjects in mine.py, current and importable."""
    (tmp_path / "mine.py").write_text(MINE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delenv("INSTEP_DEBUG", raising=False)
    yield tmp_path
    for name in ("mine", "raising", "leaving", "needy"):
        sys.modules.pop(name, None)


@pytest.fixture
def engine(monkeypatch, folder):
    """The fake engine; `engine.opened` holds what sessions were opened with."""
    spec = importlib.util.spec_from_file_location("instep.conformance.suite", FAKE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, "instep.conformance.suite", module)
    return module


@pytest.fixture
def instep(capfd):
    """Run the command: exit code, stdout, stderr."""

    def command(*arguments):
        code = run(arguments)
        return Done(code, *capfd.readouterr())

    return command
