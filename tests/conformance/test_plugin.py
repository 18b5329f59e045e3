"""The plugin, mostly on an engine that needs no torch; every run of pytest here is pytester's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

FAKE = Path(__file__).with_name("fake_suite.py")

CONFTEST = f"""
import importlib.util, sys
spec = importlib.util.spec_from_file_location("instep.conformance.suite", {str(FAKE)!r})
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
sys.modules[spec.name] = module
"""

SUBJECTS = """
class Good:
    results = {
        "adamw/a/one": ("must", "passed", ""),
        "adamw/b/two": ("must", "passed", ""),
    }

class Mixed:
    results = {
        "adamw/a/passes": ("must", "passed", ""),
        "adamw/a/fails": ("must", "failed", "it is wrong"),
        "adamw/a/poor": ("should", "failed", "it is poor"),
        "adamw/b/skips": ("must", "skipped", "no param_groups"),
        "adamw/b/blunt": ("must", "insensitive", "16 updates wide"),
        "adamw/b/known": ("must", "xfailed", "issue 12"),
        "adamw/b/stale": ("must", "xpassed", "issue 13"),
        "adamw/b/raises": ("must", "errored", "step() raised KeyError"),
    }
"""

MIXED = {"passed": 2, "failed": 3, "skipped": 2, "xfailed": 1}

UNRELATED = "def test_unrelated():\n    pass\n"


@pytest.fixture(autouse=True)
def project(pytester, monkeypatch):
    """A project with subjects, one unrelated test, and the fake engine."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(mine=SUBJECTS, test_unrelated=UNRELATED)
    return pytester


@pytest.fixture
def run(pytester):
    """Pytest in this process; pytester puts sys.modules and sys.path back afterwards."""
    return lambda *arguments: pytester.runpytest_inprocess("-p", "no:cacheprovider", *arguments)


@pytest.fixture
def run_apart(pytester):
    """Pytest in a process of its own."""
    return lambda *arguments: pytester.runpytest_subprocess("-p", "no:cacheprovider", *arguments)


# ---- --instep


def test_each_check_is_an_item_and_nothing_else_is_collected(run):
    done = run("--instep", "mine:Good=adamw", "-v")
    done.assert_outcomes(passed=2)
    done.stdout.fnmatch_lines(
        [
            "collecting ... collected 2 items",
            "mine:Good=adamw::adamw/a/one PASSED*",
            "mine:Good=adamw::adamw/b/two PASSED*",
        ]
    )


def test_the_project_s_testpaths_are_not_collected_either(run, pytester):
    pytester.makeini("[pytest]\ntestpaths = .\n")
    run("--instep", "mine:Good=adamw").assert_outcomes(passed=2)


def test_items_are_added_to_the_paths_that_were_given(run):
    run("--instep", "mine:Good=adamw", "test_unrelated.py").assert_outcomes(passed=3)


def test_without_the_option_nothing_is_added(run):
    run().assert_outcomes(passed=1)


def test_the_option_repeats(run):
    run("--instep", "mine:Good=adamw", "--instep", "mine:Mixed=adamw").assert_outcomes(
        **(MIXED | {"passed": 4})
    )


def test_items_are_selected_by_keyword(run):
    run("--instep", "mine:Mixed=adamw", "-k", "a/passes or blunt").assert_outcomes(
        passed=1, skipped=1, deselected=6
    )


def test_every_status_has_its_outcome(run):
    run("--instep", "mine:Mixed=adamw").assert_outcomes(**MIXED)


def test_a_failure_shows_the_block_and_no_traceback(run):
    done = run("--instep", "mine:Mixed=adamw")
    done.stdout.fnmatch_lines(
        [
            "*mine:Mixed=adamw::adamw/a/fails*",
            "FAILED  adamw/a/fails  [[]MUST]*equation adamw.denominator",
            "  found        it is wrong",
            "  got*7.0e5 bounds off",
            "  reproduce    instep repro adamw/a/fails --subject mine:Mixed --spec adamw",
        ]
    )
    done.stdout.no_fnmatch_line("*CheckFailedError*")
    done.stdout.no_fnmatch_line("*.py:*")


def test_an_error_of_the_subject_fails(run):
    done = run("--instep", "mine:Mixed=adamw", "-k", "raises")
    done.assert_outcomes(failed=1, deselected=7)
    done.stdout.fnmatch_lines(["ERRORED  adamw/b/raises*", "  raised       step() raised KeyError"])


def test_a_stale_expected_failure_fails(run):
    done = run("--instep", "mine:Mixed=adamw", "-k", "stale")
    done.stdout.fnmatch_lines(["adamw/b/stale is a stale expected failure: it passes"])


def test_skips_have_their_reason_and_insensitive_is_loud(run):
    done = run("--instep", "mine:Mixed=adamw", "-rs")
    done.stdout.fnmatch_lines(
        [
            "SKIPPED [[]1] adamw/b/skips: no param_groups",
            "SKIPPED [[]1] adamw/b/blunt: INSENSITIVE, neither passed nor failed: 16 updates wide",
        ]
    )


def test_what_does_not_decide_is_in_the_summary(run):
    done = run("--instep", "mine:Mixed=adamw", "-k", "poor")
    done.assert_outcomes(passed=1, deselected=7)
    done.stdout.fnmatch_lines(
        [
            "*instep: failures that do not decide (--instep-strict)*",
            "FAILED  adamw/a/poor  [[]SHOULD]*",
            "  found        it is poor",
        ]
    )


def test_strict_lets_them_fail(run):
    done = run("--instep", "mine:Mixed=adamw", "-k", "poor", "--instep-strict")
    done.assert_outcomes(failed=1, deselected=7)
    done.stdout.no_fnmatch_line("*failures that do not decide*")


def test_nothing_to_say_is_not_said(run):
    done = run("--instep", "mine:Good=adamw")
    done.stdout.no_fnmatch_line("*instep: failures*")


def test_settings_come_from_the_project(run, pytester):
    pytester.makepyprojecttoml(
        """
        [tool.instep.subjects."mine:Echo"]
        spec = "sgd"
        level = "full"
        hyperparameters = { lr = 0.5 }
        """
    )
    pytester.makepyfile(
        mine="class Echo:\n    results = {'sgd/a/one': ('must', 'passed', '')}\n",
        conftest=CONFTEST + "def pytest_sessionfinish():\n    (_, spec, given), = module.opened\n"
        "    print(spec, given['level'], given['hyperparameters'])\n",
    )
    done = run("--instep", "mine:Echo", "-s")
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines(["*sgd full {'lr': 0.5}*"])
    done = run("--instep", "mine:Echo=adamw", "-s", "--instep-level", "quick")
    done.stdout.fnmatch_lines(["*adamw quick {'lr': 0.5}*"])


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("mine:Goo=adamw", "instep: mine has no attribute 'Goo'; nearest: Good"),
        ("mine:Good", "instep: --instep takes module:attribute=spec, not 'mine:Good'"),
        ("mine=adamw", "instep: a subject is module:attribute, not 'mine'"),
        ("absent:X=adamw", "instep: absent:X: there is no module absent: *"),
    ],
)
def test_a_wrong_word_is_one_line(run, word, said):
    done = run("--instep", word)
    assert done.ret == pytest.ExitCode.INTERRUPTED
    done.stdout.fnmatch_lines([f"*ERROR collecting {word.split('=')[0]}*", said])
    done.stdout.no_fnmatch_line("Traceback*")
    done.stdout.no_fnmatch_line("*plugin.py*")


def test_our_own_fault_keeps_its_traceback(run, pytester):
    pytester.makepyfile(mine="class Odd:\n    results = 3\n")
    run("--instep", "mine:Odd=adamw").stdout.fnmatch_lines(["*TypeError*"])


@pytest.mark.parametrize("mode", ["prepend", "append", "importlib"])
def test_it_works_in_every_import_mode(run_apart, mode):
    done = run_apart("--instep", "mine:Mixed=adamw", "test_unrelated.py", f"--import-mode={mode}")
    done.assert_outcomes(**(MIXED | {"passed": 3}))


def test_it_works_with_workers(run_apart):
    done = run_apart("--instep", "mine:Mixed=adamw", "-n", "2")
    done.assert_outcomes(**MIXED)
    done.stdout.fnmatch_lines(["  found        it is wrong", "*failures that do not decide*"])


def test_a_failure_is_whole_in_junit(run, pytester):
    run("--instep", "mine:Mixed=adamw", "--junitxml=out.xml")
    cases = ElementTree.parse(pytester.path / "out.xml").getroot().iter("testcase")
    by_name = {case.get("name"): case for case in cases}
    assert "7.0e5 bounds off" in by_name["adamw/a/fails"].find("failure").text
    assert "INSENSITIVE" in by_name["adamw/b/blunt"].find("skipped").get("message")


def test_nothing_runs_when_only_collecting(run):
    done = run("--instep", "mine:Good=adamw", "--collect-only", "-q")
    done.stdout.fnmatch_lines(["mine:Good=adamw::adamw/a/one", "mine:Good=adamw::adamw/b/two"])


# ---- @conformance

DECORATED = """
from instep.conformance import conformance
from mine import Good, Mixed

@conformance(Mixed, spec="adamw", fixed=("eps",))
def test_mixed(check):
    check()

class TestGood:
    @conformance(Good, "adamw")
    def test_good(self, check):
        assert check().status == "passed"
"""


@pytest.fixture
def decorated(pytester):
    pytester.makepyfile(test_mine=DECORATED)


def test_a_decorated_test_is_one_item_per_check(run, decorated):
    done = run("test_mine.py", "-v")
    done.assert_outcomes(**(MIXED | {"passed": 4}))
    done.stdout.fnmatch_lines(
        [
            "test_mine.py::test_mixed[[]adamw/a/passes] PASSED*",
            "test_mine.py::TestGood::test_good[[]adamw/b/two] PASSED*",
        ]
    )


def test_a_decorated_failure_shows_the_block_and_no_traceback(run, decorated):
    done = run("test_mine.py", "-k", "fails")
    done.assert_outcomes(failed=1, deselected=9)
    done.stdout.fnmatch_lines(["FAILED  adamw/a/fails*", "  found        it is wrong"])
    done.stdout.no_fnmatch_line("*check()*")


def test_decorated_checks_that_do_not_decide_are_in_the_summary(run, decorated):
    run("test_mine.py").stdout.fnmatch_lines(["*failures that do not decide*"])
    run("test_mine.py", "-k", "poor", "--instep-strict").assert_outcomes(failed=1, deselected=9)


def test_one_decorator_may_be_strict(run, pytester):
    pytester.makepyfile(test_mine=DECORATED.replace('fixed=("eps",)', "strict=True"))
    run("test_mine.py", "-k", "poor").assert_outcomes(failed=1, deselected=9)


@pytest.mark.parametrize("mode", ["prepend", "importlib"])
def test_decorated_tests_work_with_workers(run_apart, decorated, mode):
    paths = [f"--import-mode={mode}", "-o", "pythonpath=."]
    run_apart("test_mine.py", "-n", "2", *paths).assert_outcomes(**(MIXED | {"passed": 4}))


def test_other_assertions_of_a_decorated_test_keep_their_traceback(run, pytester):
    pytester.makepyfile(test_mine=DECORATED.replace('== "passed"', '== "else"'))
    done = run("test_mine.py", "-k", "good")
    done.assert_outcomes(failed=2, deselected=8)
    done.stdout.fnmatch_lines(["*assert 'passed' == 'else'*"])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    check()\n", "    pass\n", "*test_mixed never called check()*"),
        (
            "test_mixed(check):\n    check()",
            "test_mixed():\n    pass",
            "*`def test_mixed(check): check()`",
        ),
        ('Mixed, spec="adamw"', 'Mixed, spec="adamw", expected_failures={"x/y": ""}', "*x/y*"),
    ],
)
def test_wrong_use_is_said(run, pytester, old, new, said):
    assert old in DECORATED
    pytester.makepyfile(test_mine=DECORATED.replace(old, new))
    done = run("test_mine.py")
    assert done.ret != 0
    done.stdout.fnmatch_lines([said])


def test_a_test_that_skips_itself_is_left_alone(run, pytester):
    text = DECORATED.replace("    check()\n", "    import pytest; pytest.skip('not here')\n")
    pytester.makepyfile(test_mine=text)
    done = run("test_mine.py", "-k", "mixed", "-rs")
    done.assert_outcomes(skipped=8, deselected=2)
    done.stdout.fnmatch_lines(["SKIPPED*not here"])


def test_cases_serve_other_runners():
    code = "from instep.conformance import conformance_cases; print(conformance_cases.__module__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "instep.conformance.suite\n"


# ---- what it costs

LIGHT = """
import sys

def test_light():
    assert "instep.conformance.plugin" in sys.modules
    heavy = {"torch", "sympy", "numpy", "rich", "instep.spec", "instep.conformance.decorator"}
    assert not heavy & set(sys.modules)
"""


def test_a_run_that_does_not_use_it_imports_nothing_dear(pytester, run_apart):
    pytester.makepyfile(test_light=LIGHT)
    (pytester.path / "conftest.py").unlink()
    done = run_apart("-p", "no:hypothesispytest", "test_light.py")
    done.assert_outcomes(passed=1)


# ---- what was judged, in files


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_a_report_of_everything_that_was_judged(pytester, workers):
    asked = ("--instep", "mine:Good=adamw", "--instep", "mine:Mixed=adamw")
    files = ("--instep-report", "all.json", "--instep-report", "all.md")
    done = pytester.runpytest_subprocess("-p", "no:cacheprovider", *asked, *files, *workers)
    done.stdout.fnmatch_lines(["instep: wrote all.json", "instep: wrote all.md"])
    record = json.loads((pytester.path / "all.json").read_text())
    good, mixed = sorted(record["reports"], key=lambda r: r["subject"])
    assert not record["ok"]
    assert [r["status"] for r in good["results"]] == ["passed", "passed"]
    assert [r["status"] for r in mixed["results"]] == [
        "passed", "failed", "failed", "skipped", "insensitive", "xfailed", "xpassed", "errored",
    ]  # fmt: skip
    assert mixed["coverage"]["ran"] == 7
    assert "## OUT OF STEP: `mine.Mixed`" in (pytester.path / "all.md").read_text()


def test_decorated_tests_are_in_the_report_too(pytester, run):
    pytester.makepyfile(
        test_mine="""
        from instep.conformance import conformance
        from mine import Good

        @conformance(Good, spec="adamw")
        def test_good(check):
            check()
        """
    )
    run("test_mine.py", "--instep-report", "all.badge.json")
    badge = json.loads((pytester.path / "all.badge.json").read_text())
    assert badge["message"] == "in step with adamw/torch"


@pytest.mark.parametrize(
    ("path", "said"),
    [("report.txt", "ends with none of"), ("no/report.json", "its folder does not exist")],
)
def test_a_report_that_cannot_be_written_is_refused_before_anything_runs(run, path, said):
    done = run("--instep", "mine:Good=adamw", "--instep-report", path)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines([f"*--instep-report: *{said}*"])
