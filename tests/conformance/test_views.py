"""The point of evaluation is judged where a subject has eval() and train()."""

from __future__ import annotations

import re

import pytest
import torch

from instep.conformance import check
from instep.conformance.repro import script
from instep.conformance.suite import Session
from instep.reference.generate import load_class
from instep.spec import get

LOOKAHEAD = load_class(get("lookahead(sgd)"), "vectorized")


class StaysWhereItIs(LOOKAHEAD):
    def eval(self):
        pass

    def train(self):
        pass


class NeverComesBack(LOOKAHEAD):
    def train(self):
        for group in self.param_groups:
            group["train_mode"] = True


class ForgetsItsBuffer(LOOKAHEAD):
    def train(self):
        super().train()
        for state in self.state.values():
            state["momentum_buffer"] = torch.zeros_like(state["momentum_buffer"])


class BeginsThere(LOOKAHEAD):
    def __init__(self, params, **keywords):
        super().__init__(params, **keywords)
        self.begun = False

    def train(self):
        if self.begun:
            super().train()
        self.begun = True

    def step(self, closure=None):
        if not self.begun:
            raise RuntimeError("call train() first")
        return super().step(closure)


class TooFar(BeginsThere):
    def step(self, closure=None):
        loss = super().step(closure)
        with torch.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    p *= 1.25
        return loss


def status(subject):
    report = check(subject, "lookahead(sgd)")
    return {r.id.split("/", 1)[1]: r for r in report.results}["views/eval"]


@pytest.mark.parametrize("subject", [LOOKAHEAD, BeginsThere])
def test_the_generated_class_moves_there_and_back(subject):
    assert status(subject).status == "passed"


def test_the_script_of_a_failure_trains_as_the_check_does():
    session = Session(TooFar, "lookahead(sgd)")
    failed = next(r for r in session.report().failures if r.evidence is not None)
    text = script(session, failed)
    with pytest.raises(AssertionError):
        exec(compile(text, "script", "exec"), {})


@pytest.mark.parametrize(
    ("subject", "message"),
    [
        (StaysWhereItIs, "after step 4 eval.. leads elsewhere"),
        (NeverComesBack, "train.. does not lead back to where training was"),
        (ForgetsItsBuffer, "a run goes elsewhere after eval.. and train"),
    ],
)
def test_a_broken_point_of_evaluation_is_caught(subject, message):
    result = status(subject)
    assert result.status == "failed"
    assert re.search(message, result.message)


def test_a_subject_without_the_methods_is_not_judged():
    class Without(LOOKAHEAD):
        eval = train = None

    assert status(Without).status == "skipped"
