from __future__ import annotations

import json
import sys

import pytest

from instep.conformance import identify as engine
from instep.conformance.identify import Identification, Match

MATCHES = (
    Match("adam/eps-hat", {"lr": "rate", "beta1": "betas[0]"}, (), "Both corrections are folded."),
    Match("sgd/torch", {}, ("momentum", "lr"), ""),
)


@pytest.fixture
def finds(monkeypatch):
    """Let the search find something; returns what it was asked."""
    asked = []

    def found(*matches):
        def search(subject, **keywords):
            asked.append((subject, keywords))
            return Identification("mine.Good", matches, 16)

        monkeypatch.setattr(engine, "identify", search)
        return asked

    return found


def test_it_prints_what_the_subject_is_in_step_with(finds, instep, folder):
    asked = finds(*MATCHES)
    done = instep("identify", "mine:Good", "--set", "lr=0.5", "--fixed", "eps", "--rename", "a=b")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "mine.Good: in step with   (16 dialects tried)\n"
        "\n"
        "adam/eps-hat\n"
        "               Both corrections are folded.\n"
        "  matched      lr = rate, beta1 = betas[0]\n"
        "\n"
        "sgd/torch\n"
        "  matched      no hyperparameter\n"
        "  cannot set   momentum, lr\n"
    )
    ((subject, keywords),) = asked
    assert subject is sys.modules["mine"].Good
    given = {"hyperparameters": {"lr": 0.5}, "fixed": ("eps",), "rename": {"a": "b"}}
    assert keywords == {**given, "progress": None}


def test_it_says_when_nothing_is_known(finds, instep, folder):
    finds()
    done = instep("identify", "mine:Good")
    assert (done.code, done.err) == (1, "")
    assert done.out == "mine.Good: nothing known   (16 dialects tried)\n"


def test_it_speaks_json(finds, instep, folder):
    finds(*MATCHES)
    record = json.loads(instep("identify", "mine:Good", "--json").out)
    assert [m["name"] for m in record["matches"]] == ["adam/eps-hat", "sgd/torch"]
    assert record["tried"] == 16


def test_the_engine_is_called_as_it_wants(instep):
    done = instep("identify", "torch.optim:SGD")
    assert done.code == 0
    assert "\nsgd/torch\n" in done.out
