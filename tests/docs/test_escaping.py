"""Words that were not written as Markdown: they are read on the site as they were written."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace

import pytest

DOCS = Path(__file__).parents[2] / "docs"
WORDS = "Tensor.__contains__ of a|b"
ESCAPED = r"Tensor.\_\_contains\_\_ of a\|b"


@pytest.fixture
def page(monkeypatch):
    """A module of the folder, which is on the path as while mkdocs loads its hooks."""
    monkeypatch.syspath_prepend(str(DOCS))
    return importlib.import_module


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        (WORDS, ESCAPED),
        ("a * b * c", r"a \* b \* c"),
        ("in <class 'str'>", "in &lt;class 'str'>"),
        ("a[0](b) is `c` {d}", r"a\[0](b) is \`c\` \{d}"),
        ("C:\\_new", r"C:\\\_new"),
        ("plain words, (1 - x) / 2", "plain words, (1 - x) / 2"),
    ],
)
def test_what_means_something_in_markdown_is_escaped(text, markdown, page):
    assert page("escaping").escaped(text) == markdown


@pytest.mark.parametrize(
    ("notes", "reason", "cells"),
    [
        ([], "", "nothing known | "),
        ([WORDS, "b"], "", f"nothing known | {ESCAPED}; b"),
        ([], WORDS, f"not run | does not run: {ESCAPED}"),
    ],
)
def test_remarks_on_a_library_are_escaped(notes, reason, cells, page):
    pytest.importorskip("mkdocs", reason="makes the site")
    finding = {"name": "A", "keywords": {"b": 1}, "matches": [], "notes": notes, "reason": reason}
    assert page("hooks")._row(finding) == f"| `A(b=1)` | {cells} |"


def test_words_of_a_dialect_are_escaped(page):
    pytest.importorskip("mkdocs", reason="makes the site")
    dialect = SimpleNamespace(name="a/b", source=WORDS, note=WORDS)
    assert f"| `a/b` | {ESCAPED} | {ESCAPED} |" in page("catalogue")._dialects([dialect])
