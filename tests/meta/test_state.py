"""What checks of state say of classes that do more than torch asks for, or construct no base."""

from __future__ import annotations

import copy

import pytest
import torch

from instep.conformance.suite import Session
from meta.broken import ADAM
from meta.broken.behaviour import MissingAsZero, Noisy, PlainAdam


class LoadsACopy(PlainAdam):
    """It keeps to itself what torch shares with the dict that it loads."""

    def load_state_dict(self, state_dict):
        super().load_state_dict(copy.deepcopy(state_dict))


class KnowsOlder(PlainAdam):
    """It has a default for what older groups do not say."""

    def __setstate__(self, state):
        super().__setstate__(state)
        for group in self.param_groups:
            for name in ("maximize", "decoupled"):
                group.setdefault(name, False)


@pytest.mark.parametrize(
    ("check", "subject", "says"),
    [
        ("checkpoints/own-copy", LoadsACopy, "a step changes state/0/"),
        ("checkpoints/older", KnowsOlder, "without decoupled, maximize in the groups"),
    ],
)
def test_what_torch_leaves_to_others_is_a_remark(check: str, subject: type, says: str):
    """Plain classes do without; those that take the trouble pass."""
    sessions = [Session(s, ADAM, level="full", implementations=False) for s in (PlainAdam, subject)]
    remark, passed = (session.run(f"adam/{check}") for session in sessions)
    assert (remark.status, remark.level, passed.status) == ("failed", "info", "passed")
    assert says in remark.message


def test_hooks_of_a_step_that_calls_that_of_its_base_class():
    """Whether the base class was constructed alone decides how often torch calls them."""
    PlainAdam([torch.nn.Parameter(torch.ones(1))])
    result = Session(MissingAsZero, ADAM).run("adam/hooks/step")
    assert (result.status, result.message[:14]) == ("passed", "called 2 times")


class Wrapper(torch.optim.Optimizer):
    """As many are: the constructor of the base class is not called, which alone knows hooks."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.inner = PlainAdam(params, lr, betas, eps)
        self.param_groups, self.state = self.inner.param_groups, self.inner.state
        self.defaults = self.inner.defaults

    def step(self, closure=None):
        return self.inner.step(closure)


def test_copying_leaves_the_class_as_it_was():
    """Unpickling wraps `step` of the class, and all that have no hooks would fail in it."""
    session, before = Session(Wrapper, ADAM), dict(vars(Wrapper))
    result = session.run("adam/copies/deepcopy")
    assert (result.status, "hooks" in result.message) == ("failed", False)
    assert dict(vars(Wrapper)) == before


@pytest.mark.parametrize("check", ["state/resume", "checkpoints/file", "parameters/named"])
def test_what_differs_by_itself_is_not_held_against_checkpoints(check: str):
    result = Session(Noisy, ADAM).run(f"adam/{check}")
    assert (result.status, "determinism/repeat" in result.message) == ("skipped", True)
