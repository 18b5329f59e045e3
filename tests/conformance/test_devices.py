"""Checks of other devices: the CPU stands for an accelerator where there is none."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from instep.conformance.checks import devices
from instep.conformance.suite import Session
from meta.broken.behaviour import PlainAdam
from meta.broken.checkpoints import KeepsOnTheHost, LoadsOnTheHost

LOADED, META = "adam/checkpoints/device", "adam/tensors/meta"


@pytest.fixture
def accelerator(monkeypatch):
    monkeypatch.setattr(devices, "accelerator", lambda: "cpu")


@pytest.fixture
def no_accelerator(monkeypatch):
    monkeypatch.setattr(devices, "accelerator", lambda: "")


class LoadsNothing(PlainAdam):
    def load_state_dict(self, state_dict):
        raise RuntimeError("not here")


class StopsAfterLoading(PlainAdam):
    loaded = False

    def load_state_dict(self, state_dict):
        super().load_state_dict(state_dict)
        self.loaded = True

    def move(self, *arguments):
        if self.loaded:
            raise RuntimeError("nothing to move")
        super().move(*arguments)


class NeedsNumbers(PlainAdam):
    def move(self, p, g, state, group):
        if g.norm().item() > 0:
            super().move(p, g, state, group)


def outcome(subject, check=LOADED, level="full"):
    result = Session(subject, "adam/paper", level=level).run(check)
    return result.status, result.message


def test_an_accelerator_is_used_at_level_full_only(accelerator):
    assert outcome(PlainAdam) == ("passed", "loaded on cpu")
    assert outcome(PlainAdam, level="quick") == ("passed", "loaded on meta")


def test_with_an_accelerator_loading_and_the_next_step_have_to_work(accelerator):
    status, message = outcome(LoadsNothing)
    assert (status, message) == ("failed", "load_state_dict() on cpu raised RuntimeError: not here")
    status, message = outcome(StopsAfterLoading)
    assert status == "failed"
    assert "a step on cpu after a state_dict() of the CPU was loaded raised" in message


def test_without_numbers_what_raises_says_nothing(no_accelerator):
    assert outcome(LoadsNothing)[0] == "skipped"
    assert outcome(StopsAfterLoading) == ("passed", "loaded on meta")
    for check in (LOADED, META):
        status, message = outcome(NeedsNumbers, check)
        assert status == "skipped"
        assert "no step on meta" in message


def test_state_that_stays_where_it_was_is_seen_without_an_accelerator(no_accelerator):
    status, message = outcome(LoadsOnTheHost)
    assert status == "failed"
    assert message == "m of parameter 0 is on cpu, and its parameter on meta"
    status, message = outcome(KeepsOnTheHost, META)
    assert status == "failed"
    assert message == "mask of parameter 0 is on cpu and takes memory there"


def test_an_optimizer_that_keeps_all_its_state_elsewhere_is_no_defect_of_loading(no_accelerator):
    """Where a step makes it there, it is loaded there."""
    assert outcome(KeepsOnTheHost)[0] == "passed"


def test_who_refuses_the_meta_device_is_skipped_with_its_words():
    session = Session(partial(torch.optim.Adam, fused=True), "adam", level="full")
    result = session.run(META)
    assert result.status == "skipped"
    assert "fused=True" in result.message


class SavesTwice(torch.optim.Adam):
    """The same containers under two keys, as a state that groups refer to is saved."""

    def state_dict(self):
        saved = super().state_dict()
        return {**saved, "again": saved["state"]}


def test_counts_that_stand_in_two_places_are_replaced_once():
    session = Session(SavesTwice, "adam", level="full")
    result = session.run("adam/checkpoints/numbers")
    assert result.status == "passed", result.message
