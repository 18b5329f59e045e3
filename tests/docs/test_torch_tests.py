"""The table of torch's tests: nothing twice, nothing left empty, and no check that is not there."""

from __future__ import annotations

import importlib
import json
import re
from collections import Counter
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
FILES = json.loads((DOCS / "data" / "torch_tests.json").read_text())["files"]
ROWS = [(file["file"], row) for file in FILES for row in file["rows"]]
NAMES = re.compile(r"\b(?:test|optim_error_inputs_func|get_error_inputs)_\w+")


@pytest.fixture
def page(monkeypatch):
    """A module of the folder, which is on the path as while mkdocs loads its hooks."""
    monkeypatch.syspath_prepend(str(DOCS))
    return importlib.import_module


def test_no_test_of_torch_stands_there_twice():
    cases = [
        (file, row.get("class", ""), test, row.get("case", ""))
        for file, row in ROWS
        for test in row["tests"]
    ]
    assert [case for case, times in Counter(cases).items() if times > 1] == []
    assert all(NAMES.fullmatch(test) for _, _, test, _ in cases)


def test_every_row_says_what_is_asked_and_by_which_check_or_why_by_none():
    keys = ("checks", "schedules", "reason")
    empty = [row for _, row in ROWS if not any(row.get(key) for key in keys)]
    assert empty == []
    sentences = [row[key] for _, row in ROWS for key in ("asks", "reason") if key in row]
    assert [text for text in sentences if not text.endswith(".")] == []


def test_every_check_that_is_named_exists(page):
    expanded = page("torch_tests").expanded
    optimizers = {name for _, row in ROWS for name in row.get("checks", ())}
    schedules = {name for _, row in ROWS for name in row.get("schedules", ())}
    assert [name for name in sorted(optimizers) if not expanded(name)] == []
    assert [name for name in sorted(schedules) if not expanded(name, schedules=True)] == []


def test_a_pattern_means_every_name_of_its_kind(page):
    expanded = page("torch_tests").expanded
    assert {"precision/float32", "precision/bfloat16"} <= set(expanded("precision/<dtype>"))
    assert expanded("state/resume") == ["state/resume"]
    assert expanded("state/<nothing>/more") == expanded("state/resum") == []
    assert expanded("state/resumed", schedules=True) == ["state/resumed"]


def test_the_page_has_every_test_once_and_no_empty_cell(page):
    text = page("torch_tests").page()
    rows = [line for line in text.splitlines() if line.startswith("| <code")]
    assert len(rows) == len(ROWS)
    assert [row for row in rows if not all(cell.strip() for cell in row.split("|")[1:-1])] == []
    found = NAMES.findall("\n".join(rows).replace("<wbr>", ""))
    assert Counter(found) == Counter(test for _, row in ROWS for test in row["tests"])


def test_links_lead_to_anchors_of_the_pages_of_checks(page):
    pytest.importorskip("mkdocs", reason="makes the site")
    text = page("torch_tests").page()
    checks, schedules = page("hooks")._checks(), "\n".join(page("catalogue")._checks())
    for anchor in set(re.findall(r"\(checks\.md#([^)]+)\)", text)):
        assert f"{{ #{anchor} }}" in checks
    for anchor in set(re.findall(r">\]\(schedules/index\.md#([^)]+)\)", text)):
        assert f"{{ #{anchor} }}" in schedules
