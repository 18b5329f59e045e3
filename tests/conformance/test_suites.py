"""Suites frozen by name: what was promised stays, what is newer does not run, both are said."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
import torch

from instep import spec as specs
from instep.conformance import check_trace, suites
from instep.conformance import record as record_trace
from instep.conformance.checks import collect
from instep.conformance.checks.base import Check, Outcome, Plan
from instep.conformance.cli import run
from instep.conformance.configuration import LATEST, configured, configured_suite
from instep.conformance.errors import UsageError
from instep.conformance.report.json import from_json, schema
from instep.conformance.report.merging import merged
from instep.conformance.schedules.probes import ProbeFactory
from instep.conformance.schedules.suite import Session as ScheduleSession
from instep.conformance.schedules.suite import every
from instep.conformance.suite import Session
from instep.conformance.suites.__main__ import main
from instep.conformance.suites.freezing import FOLDER, freeze, record
from instep.conformance.traces.writing import to_text

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
    return record("now", specs.names())


@pytest.mark.parametrize("door", suites.DOORS)
@pytest.mark.parametrize("name", suites.names())
def test_every_check_of_a_frozen_suite_exists_still(name, door, now):
    """Under its name, or under the one that renamed.json says."""
    suite, known = suites.load(name, door), now[door]["checks"]
    there = {suite.renamed.get(entry, entry) for entry in suite.entries}
    assert there <= set(known)
    quick = {suite.renamed.get(k, k) for k, entry in suite.entries.items() if entry.quick}
    assert not [key for key in quick if not known[key]["quick"]]


@pytest.mark.slow
def test_names_have_the_kinds_of_all_their_dialects(now):
    every = record("all")
    assert all(set(every[door]["checks"]) == set(now[door]["checks"]) for door in suites.DOORS)


def test_a_file_of_another_format_is_no_suite(monkeypatch):
    whole = json.loads((FOLDER / f"{NEWEST}.json").read_text())
    for change in ({"format": "instep-suite@2"}, {"name": "9999.1"}, {"more": 1}):
        monkeypatch.setattr(suites, "_read", lambda file, change=change: {**whole, **change})
        with pytest.raises(UsageError, match=r"is no suite .* of format instep-suite@1"):
            suites.load.__wrapped__(NEWEST)


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


# ---- schedules and traces


STEP_LR = torch.optim.lr_scheduler.StepLR


def later(monkeypatch, module, function, changed):
    """A later version of the package, whose checks are others."""
    home = importlib.import_module(module)
    own = getattr(home, function)
    monkeypatch.setattr(home, function, lambda *a, **k: changed(list(own(*a, **k))))


def strengthened(known, name, extra):
    """One check grew graver, and there is one more."""
    levels = [replace(c, level="must") if c.name == name else c for c in known]
    return [*levels, extra(known[-1])]


def test_a_scheduler_is_judged_as_the_suite_was(monkeypatch):
    whole = ScheduleSession(STEP_LR, "step-lr", suite=NEWEST)
    assert whole.ids == ScheduleSession(STEP_LR, "step-lr").ids
    assert whole.selection.newer == whole.selection.gone == ()

    def changed(known):
        extra = lambda last: replace(last, name="state/new", kind="")  # noqa: E731
        gone = [c for c in known if c.name != "readout/get-last-lr"]
        return strengthened(gone, "errors/domain", extra)

    later(monkeypatch, "instep.conformance.schedules.suite", "every", changed)
    latest = ScheduleSession(STEP_LR, "step-lr")
    assert latest.checks["step-lr/errors/domain"].level == "must"
    assert "step-lr/state/new" in latest.ids
    session = ScheduleSession(STEP_LR, "step-lr", suite=NEWEST)
    assert session.run("step-lr/errors/domain").level == "info"
    assert "step-lr/state/new" not in session.ids
    report = session.report()
    assert (report.suite, report.coverage.newer) == (NEWEST, ("state/new",))
    assert report.coverage.gone == ("readout/get-last-lr",)
    assert f"than suite {NEWEST}" in report.to_text()


def test_what_schedules_bring_is_one_kind():
    """Options, corners and pairs of a schedule that there was not then are in the suite."""
    suite = suites.load(NEWEST, suites.SCHEDULES)
    for name in ("one-cycle-lr", "reduce-lr-on-plateau", "chained(step-lr, constant-lr)"):
        algorithm = specs.get(name)
        selection = suite.select(Plan(algorithm), every(ProbeFactory(algorithm)))
        assert selection.newer == selection.gone == ()


def test_a_trace_is_judged_as_the_suite_was(monkeypatch):
    trace = recorded_sgd()
    now = check_trace(trace, "sgd", suite=NEWEST)
    assert [r.id for r in now.results] == [r.id for r in check_trace(trace, "sgd").results]
    assert (now.suite, now.coverage.newer, now.coverage.gone) == (NEWEST, (), ())

    def changed(known):
        return [replace(known[1], name="trace/new", kind="trace/new"), *known[1:]]

    later(monkeypatch, "instep.conformance.traces.judging", "checks", changed)
    assert check_trace(trace, "sgd").results[0].id == "sgd/trace/new"
    report = check_trace(trace, "sgd", suite=NEWEST)
    assert "sgd/trace/new" not in [r.id for r in report.results]
    assert report.coverage.newer == ("trace/new",)
    assert report.coverage.gone == ("trace/trajectory",)


def test_a_check_of_traces_keeps_its_level(monkeypatch):
    old = suites.Entry(("info",), quick=True)
    suite = suites.Suite("9999.1", {"trace/*": old, "trace/trajectory": old})
    monkeypatch.setattr(suites, "load", lambda name, door: suite)
    trace = recorded_sgd(lie=2.0)
    report = check_trace(trace, "sgd", suite="9999.1")
    assert {r.level for r in report.results} == {"info"}
    assert report.failures
    assert report.ok


def test_an_unknown_suite_is_one_line_at_every_door():
    for judged in (
        lambda: check_trace(recorded_sgd(), "sgd", suite="1999.1"),
        lambda: ScheduleSession(STEP_LR, "step-lr", suite="1999.1"),
    ):
        with pytest.raises(UsageError, match=r"no suite '1999\.1': there are latest, .*2026\.1"):
            judged()


def recorded_sgd(lie=1.0):
    """A trace of gradient descent whose rate is said to be another one."""
    parameter = torch.nn.Parameter(torch.tensor([1.0, -0.5], dtype=torch.float64))
    optimizer = torch.optim.SGD([parameter], lr=0.125, momentum=0.5)
    with record_trace(optimizer) as recording:
        for _ in range(3):
            parameter.grad = parameter.detach().clone()
            optimizer.step()
    trace = recording.trace
    steps = tuple(
        replace(step, groups=tuple({**g, "lr": lie * g["lr"]} for g in step.groups))
        for step in trace.steps
    )
    return replace(trace, steps=steps)


def test_commands_take_the_suite_of_the_project(tmp_path, monkeypatch, capsys):
    write(tmp_path, '[tool.instep]\nsuite = "2026.1"\n')
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.json").write_text(to_text(recorded_sgd()))
    schedule = ["check-scheduler", "torch.optim.lr_scheduler:StepLR", "--spec", "step-lr"]
    for words in (["check", "--trace", "run.json", "--spec", "sgd"], schedule):
        assert run(words) == 0
        assert "of suite 2026.1" in capsys.readouterr().out
        assert run([*words, "--suite", "latest"]) == 0
        assert "suite" not in capsys.readouterr().out
        assert run([*words, "--suite", "1999.1"]) == 2
        assert "no suite '1999.1'" in capsys.readouterr().err


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
    checks = small["optimizers"]["checks"]
    assert checks["numerics/trajectory"]["everywhere"]
    assert checks["hyperparameters/*-changed"]["levels"] == ["must", "should"]
    assert checks["groups/added"]["quick"] is False


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
