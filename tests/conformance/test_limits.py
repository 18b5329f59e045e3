"""A subject that hangs is an errored check."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any

import pytest
import torch

from instep.conformance.errors import SubjectError
from instep.conformance.limits import limited
from instep.conformance.suite import Session


class Hangs(torch.optim.SGD):
    """Its step never returns, and survives a handler of exceptions."""

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        while True:
            try:
                time.sleep(0.01)
            except Exception:
                continue


def test_a_hanging_step_is_an_error_and_the_rest_is_skipped() -> None:
    session = Session(Hangs, "sgd", timeout=0.2)
    report = session.report()
    first = report.results[0]
    assert (first.id, first.status) == ("sgd/construction/base", "errored")
    assert "still running after 0.2 s" in first.message
    assert {r.status for r in report.results[1:]} == {"skipped"}
    assert not report.ok


def test_the_timer_and_its_handler_are_left_as_they_were() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with limited(5):
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_no_limit() -> None:
    with limited(0):
        assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_what_the_block_raises_passes() -> None:
    with pytest.raises(ValueError, match="own"), limited(5):
        raise ValueError("own")
    with pytest.raises(SubjectError, match="still running"), limited(0.05):
        time.sleep(1)
