"""The point of evaluation is judged where a subject has eval() and train()."""

from __future__ import annotations

import re

import pytest
import torch

from instep.conformance import check
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


def status(subject):
    report = check(subject, "lookahead(sgd)")
    return {r.id.split("/", 1)[1]: r for r in report.results}["views/eval"]


def test_the_generated_class_moves_there_and_back():
    assert status(LOOKAHEAD).status == "passed"


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
