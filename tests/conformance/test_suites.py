"""Suites frozen by name: what was promised stays, what is newer does not run, both are said."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import jsonschema
import pytest
import torch

from instep import spec as specs
from instep.conformance import suites
from instep.conformance.checks import collect
from instep.conformance.checks.base import Check, Outcome, Plan
from instep.conformance.configuration import LATEST, configured, configured_suite
from instep.conformance.errors import UsageError
from instep.conformance.report.json import from_json, schema
from instep.conformance.report.merging import merged
from instep.conformance.suite import Session
from instep.conformance.suites.__main__ import main
from instep.conformance.suites.freezing import FOLDER, freeze, record

NEWEST = suites.names()[-1]
PLAN = Plan(specs.get("adamw"))


def new(name="gradients/new", level="must"):
    return Check(name, level, "something else", lambda context: Outcome())


def frozen(**checks):
    entries = {
        name: suites.Entry(tuple(levels.split()), "full" not in more, "everywhere" in more)
        for name, (levels, *more) in checks.items()
    }
    return suites.Suite("9999.1", entries, frozenset({"adamw"}), {"a/then": "a/now"})


def of(selection):
    return {check.name: check.level for check in selection.checks}


# ---- what is committed


@pytest.fixture(scope="module")
def now():
    """Kinds of the checks that there are now; names have those of all their dialects."""
    return record("now", specs.names())["checks"]


@pytest.mark.parametrize("name", suites.names())
def test_every_check_of_a_frozen_suite_exists_still(name, now):
    """Under its name, or under the one that renamed.json says."""
    suite = suites.load(name)
    there = {suite.renamed.get(entry, entry) for entry in suite.entries}
    assert there <= set(now)
    quick = {suite.renamed.get(k, k) for k, entry in suite.entries.items() if entry.quick}
    assert not [key for key in quick if not now[key]["quick"]]


@pytest.mark.slow
def test_names_have_the_kinds_of_all_their_dialects(now):
    assert set(record("all")["checks"]) == set(now)


def test_what_is_frozen_is_what_a_session_asks():
    suite = suites.load("2026.1")
    for name in ("adamw", "lbfgs", "clip-grad-norm", "lookahead(sgd)", "schedulefree-sgd"):
        for level in ("quick", "full"):
            plan = Plan(specs.get(name), level)
            selection = suite.select(plan, collect(plan))
            assert len(selection.checks) > 20
            assert selection.gone == ()


@pytest.mark.parametrize("name", suites.names())
def test_a_suite_is_named_by_year_and_number(name):
    assert all(part.isdigit() for part in name.split("."))
    text = json.loads((FOLDER / f"{name}.json").read_text())
    assert (text["format"], text["name"]) == (suites.FORMAT, name)


def test_the_default_has_one_name():
    assert suites.LATEST == LATEST


# ---- selection


def test_the_latest_suite_takes_all_as_they_are():
    checks = (new(), new("a/b", "info"))
    assert suites.load(LATEST).select(PLAN, checks) == suites.Selection(checks)


def test_what_is_newer_is_left_out_and_named():
    selection = frozen(**{"a/b": ("must",)}).select(PLAN, [new("a/b"), new()])
    assert of(selection) == {"a/b": "must"}
    assert selection.newer == ("gradients/new",)


@pytest.mark.parametrize(("then", "later", "kept"), [
    ("should", "must", "should"),  # strengthened
    ("must", "should", "must"),
    ("must should", "must", "must"),
    ("must should", "info", "should"),
])  # fmt: skip
def test_a_check_keeps_the_level_of_the_suite(then, later, kept):
    selection = frozen(**{"a/b": (then,)}).select(PLAN, [new("a/b", later)])
    assert of(selection) == {"a/b": kept}


def test_what_moved_to_level_quick_stays_at_full():
    suite = frozen(**{"a/b": ("must", "full")})
    assert suite.select(PLAN, [new("a/b")]).newer == ("a/b",)
    assert suite.select(Plan(PLAN.algorithm, "full"), [new("a/b")]).newer == ()


def test_a_renamed_check_bears_its_name_of_then():
    selection = frozen(**{"a/then": ("must", "everywhere")}).select(PLAN, [new("a/now")])
    assert of(selection) == {"a/then": "must"}
    assert selection.gone == ()


def test_what_is_gone_is_named_where_all_had_it():
    suite = frozen(**{"a/b": ("must", "everywhere"), "a/some": ("must",)})
    assert suite.select(PLAN, []).gone == ("a/b",)
    gradients = Plan(specs.get("clip-grad-norm"))
    assert suite.select(gradients, []).gone == ()
    assert suite.select(Plan(specs.get("sgd")), []).gone == ()  # of no specification of its time


def test_a_kind_holds_for_the_hyperparameters_of_any_specification():
    suite = frozen(**{"hyperparameters/*-changed": ("must should",)})
    checks = [new("hyperparameters/weight-decay-changed"), new("hyperparameters/lr-doubled")]
    selection = suite.select(PLAN, checks)
    assert of(selection) == {"hyperparameters/weight-decay-changed": "must"}
    assert selection.newer == ("hyperparameters/lr-doubled",)


def test_flags_of_a_constructor_are_one_kind():
    suite = frozen(**{suites.FLAGGED: ("info",), "implementations/fused": ("must",)})
    checks = [new("implementations/fast", "info"), new("implementations/fused")]
    found = of(suite.select(PLAN, checks))
    assert found == {"implementations/fast": "info", "implementations/fused": "must"}


# ---- sessions and reports


def collecting(monkeypatch, *more):
    """A later version of the package, with more checks."""
    engine = importlib.import_module("instep.conformance.suite")
    monkeypatch.setattr(engine, "collect", lambda plan: (*collect(plan), *more))


def test_a_report_says_the_suite_and_what_is_newer(monkeypatch):
    collecting(monkeypatch, new())
    session = Session(torch.optim.SGD, "sgd", suite=NEWEST)
    assert "sgd/gradients/new" not in session.ids
    assert "sgd/gradients/new" in Session(torch.optim.SGD, "sgd").ids
    report = session.report_of("sgd/construction/base")
    assert report.coverage.newer[-1:] == ("gradients/new",)
    text = report.to_text()
    assert f"at level quick of suite {NEWEST}" in text
    assert f"than suite {NEWEST}" in text
    assert f"at level quick of suite {NEWEST}" in report.to_markdown()
    assert "newer than the suite" in report.to_markdown()
    assert f"level quick of suite {NEWEST}" in report.to_html()
    plain = json.loads(report.to_json())
    jsonschema.validate(plain, schema())
    assert plain["suite"] == NEWEST
    assert from_json(report.to_json()).coverage == report.coverage


def test_reports_of_single_checks_put_together_say_what_is_newer_once(monkeypatch):
    collecting(monkeypatch, new())
    session = Session(torch.optim.SGD, "sgd", suite=NEWEST)
    parts = [session.report_of(id) for id in session.ids[:2]]
    assert merged(parts).coverage.newer == parts[0].coverage.newer != ()


def test_a_report_says_what_is_gone(monkeypatch):
    engine = importlib.import_module("instep.conformance.suite")
    few = [c for c in collect(Plan(specs.get("sgd"))) if c.name != "state/resume"]
    monkeypatch.setattr(engine, "collect", lambda plan: few)
    report = Session(torch.optim.SGD, "sgd", suite=NEWEST).report_of("sgd/construction/base")
    assert report.coverage.gone == ("state/resume",)
    assert f"state/resume of suite {NEWEST} exists no more" in report.to_text()
    assert "state/resume" in report.to_markdown()
    assert "state/resume" in report.to_html()


def test_an_unknown_suite_is_one_line():
    with pytest.raises(UsageError, match=r"no suite '1999\.1': there are latest, .*2026\.1"):
        Session(torch.optim.SGD, "sgd", suite="1999.1")


# ---- configuration and command


def write(folder: Path, text: str) -> None:
    (folder / "pyproject.toml").write_text(text)


def test_a_project_names_its_suite_once(tmp_path):
    write(
        tmp_path,
        '[tool.instep]\nsuite = "2026.1"\n'
        '[tool.instep.subjects."a:A"]\nspec = "sgd"\n'
        '[tool.instep.subjects."a:B"]\nsuite = "latest"\n',
    )
    assert configured_suite(tmp_path) == "2026.1"
    assert [configured(f"a:{x}", tmp_path).suite for x in "ABC"] == ["2026.1", LATEST, "2026.1"]


def test_a_number_is_no_name(tmp_path):
    write(tmp_path, "[tool.instep]\nsuite = 2026.1\n")
    with pytest.raises(UsageError, match=r'suite = 2026\.1 is no name: write it as "2026\.1"'):
        configured_suite(tmp_path)


def test_a_project_that_names_none_gets_the_latest(tmp_path):
    write(tmp_path, "")
    assert configured_suite(tmp_path) == LATEST


def test_what_is_frozen_is_not_frozen_again(tmp_path, capsys):
    with pytest.raises(UsageError, match="is frozen: what was promised by name stays"):
        freeze(NEWEST, folder=tmp_path)
    assert main(["freeze", NEWEST]) == 2
    assert main(["freeze"]) == 2
    assert main([]) == 0
    assert NEWEST in capsys.readouterr().out


def test_a_suite_that_is_frozen_can_be_loaded(tmp_path, monkeypatch):
    freezing = importlib.import_module("instep.conformance.suites.freezing")
    small = record("9999.1", ["sgd"])
    monkeypatch.setattr(freezing, "record", lambda name: small)
    path = freeze("9999.1", folder=tmp_path)
    assert json.loads(path.read_text()) == small
    assert small["checks"]["numerics/trajectory"]["everywhere"]
    assert small["checks"]["hyperparameters/*-changed"]["levels"] == ["must", "should"]
    assert small["checks"]["groups/added"]["quick"] is False


SUITE_OF_RUN = """
    import torch
    from instep.conformance import conformance

    @conformance(torch.optim.SGD, spec="sgd")
    def test_mine(check):
        assert check.session.suite == "{}"
        check.called = True

    @conformance(torch.optim.SGD, spec="sgd", suite="latest")
    def test_own(check):
        assert check.session.suite == "latest"
        check.called = True
"""


def test_a_run_of_pytest_has_one_suite(pytester):
    pytester.makepyprojecttoml('[tool.instep]\nsuite = "2026.1"')
    pytester.makepyfile(SUITE_OF_RUN.format("2026.1"))
    few = ("-k", "construction", "-q", "-p", "no:cacheprovider")
    pytester.runpytest(*few).assert_outcomes(passed=2)
    pytester.makepyfile(SUITE_OF_RUN.format("latest"))
    pytester.runpytest(*few, "--instep-suite", "latest").assert_outcomes(passed=2)
    done = pytester.runpytest(*few, "--instep-suite", "1999.1")
    done.stdout.fnmatch_lines(["*no suite '1999.1'*"])
