"""Subjects that end their process, or hang where nothing interrupts them."""

from __future__ import annotations

import pytest

from instep.conformance import isolated
from instep.conformance.configuration import Settings
from instep.conformance.errors import UsageError
from instep.conformance.report.model import Coverage, Report, Result

SUBJECTS = """
import os, signal, time
import torch

if os.environ.get("WHILE_IMPORTED"):
    os._exit(9)


class DiesOnSparse(torch.optim.SGD):
    def step(self, closure=None):
        if any(p.grad is not None and p.grad.is_sparse for p in self.param_groups[0]["params"]):
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().step(closure)


class NeverReturns(torch.optim.SGD):
    def step(self, closure=None):
        os._exit(3)


class HangsOnSparse(torch.optim.SGD):
    def step(self, closure=None):
        if any(p.grad is not None and p.grad.is_sparse for p in self.param_groups[0]["params"]):
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
            time.sleep(600)
        return super().step(closure)
"""
SPARSE = "sgd/gradients/sparse"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Subjects that a process beside can import."""
    (tmp_path / "deadly.py").write_text(SUBJECTS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)


def statuses(report):
    return {r.id: r.status for r in report.results}


def test_a_check_that_kills_the_process_is_errored_and_the_others_run():
    told = []
    report = isolated.isolated_report(
        "deadly:DiesOnSparse",
        Settings(spec="sgd", expected_failures={SPARSE: "issue 12"}),
        lambda done, total, id: told.append((done, total, id)),
    )
    (lost,) = [r for r in report.results if r.id == SPARSE]
    assert (lost.status, lost.message) == (
        "xfailed", "issue 12 (the process ended with signal SIGSEGV)",
    )  # fmt: skip
    assert set(statuses(report).values()) == {"passed", "skipped", "xfailed"}
    assert report.ok
    assert report.coverage.expected == len(report.results) == len(told)
    assert report.coverage.ran + len(report.coverage.skipped) == len(report.results)
    assert report.coverage.lanes > 10_000
    assert [id for _, _, id in told] == [r.id for r in report.results]


def test_one_that_never_makes_a_step_is_judged_by_no_check():
    report = isolated.isolated_report("deadly:NeverReturns", Settings(spec="sgd"))
    first, *others = report.results
    assert (first.id, first.status) == ("sgd/construction/base", "errored")
    assert first.message == "the process ended with exit code 3"
    assert {r.status for r in others} == {"skipped"}
    assert not report.ok


@pytest.mark.slow
def test_one_that_hangs_where_nothing_interrupts_it_is_killed(monkeypatch):
    monkeypatch.setattr(isolated, "PATIENCE", 1)
    monkeypatch.setattr(isolated, "GRACE", 25.0)
    report = isolated.isolated_report("deadly:HangsOnSparse", Settings(spec="sgd", timeout=5))
    (lost,) = [r for r in report.results if r.status == "errored"]
    assert lost.id == SPARSE
    assert lost.message == "no answer for 30 s: the process was killed"


def test_what_is_wrong_with_the_question_is_said_as_ever():
    with pytest.raises(UsageError, match="nobody"):
        isolated.isolated_report("deadly:nobody", Settings(spec="sgd"))


def test_a_module_that_ends_the_process_is_said(monkeypatch):
    monkeypatch.setenv("WHILE_IMPORTED", "1")
    with pytest.raises(UsageError, match="ended with exit code 9, before any check ran"):
        isolated.isolated_report("deadly:DiesOnSparse", Settings(spec="sgd"))


def test_one_that_dies_again_and_again_is_given_up(monkeypatch):
    ids = [f"sgd/a/{k}" for k in range(9)]
    runs = []

    def dies(target, chosen, found, progress):
        report = Report("mine", "sgd", 1, "quick", (), None, Coverage(9, 0))
        found.head = isolated.Head(report, tuple((id, "must", "it holds") for id in ids))
        runs.append(found.left[0])
        found.lose(found.left[0], "the process ended with exit code 3")

    monkeypatch.setattr(isolated, "_run_one", dies)
    report = isolated.isolated_report("mine:A", Settings(spec="sgd"))
    assert len(runs) == isolated.MOST_DEATHS + 1
    assert [r.id for r in report.results] == ids
    assert report.results[-1].message == "not tried: the process has died 6 times"
    assert all(isinstance(r, Result) and r.status == "errored" for r in report.results)
