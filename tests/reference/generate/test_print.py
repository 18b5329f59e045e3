"""`--print` shows the module of any algorithm, composed ones too, and writes nothing."""

from __future__ import annotations

import ast

import pytest

from instep.reference.generate import tree
from instep.reference.generate.__main__ import main


@pytest.mark.parametrize("name", ["lookahead(sgd)", "adamw/decay-after"])
def test_any_algorithm_is_printed_and_nothing_written(name, capsys, monkeypatch):
    monkeypatch.setattr(tree, "write", lambda *_: pytest.fail("it wrote files"))
    assert main(["--print", "eager", name]) == 0
    classes = [n.name for n in ast.parse(capsys.readouterr().out).body if "Class" in str(type(n))]
    assert classes == ["LookaheadSGD" if "(" in name else "AdamwDecayAfter"]


def test_what_cannot_be_printed_is_said_in_one_line(capsys):
    assert main(["--print", "eager", "lookahead"]) == 2
    assert "wraps another algorithm" in capsys.readouterr().err
    assert main(["--print", "eager"]) == 2
    assert "needs the name of an algorithm" in capsys.readouterr().err
