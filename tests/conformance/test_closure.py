"""The contract of step(closure): every call of it is judged, one check for each clause."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch

from instep import spec
from instep.conformance.observe import Recording
from instep.conformance.probes import ProbeFactory
from instep.conformance.subject import Run, Subject
from instep.conformance.suite import Session, check
from meta.broken import behaviour, heun

CLAUSES = ("calls", "points", "gradients-enabled", "loss", "update", "missing")
HEUN = "heun/paper"


def failed_clauses(subject: Any, name: str = HEUN) -> list[str]:
    session = Session(subject, name)
    return [c for c in CLAUSES if session.run(f"{session.prefix}/closure/{c}").status == "failed"]


@pytest.mark.parametrize(
    ("subject", "clause"),
    [
        (heun.ThreeCalls, "calls"),
        (heun.GradientsOff, "gradients-enabled"),
        (heun.LastLoss, "loss"),
        (heun.FirstGradientNotCopied, "update"),
        (heun.StepsWithout, "missing"),
    ],
)
def test_each_clause_has_a_subject_that_breaks_it_alone(subject: Any, clause: str):
    assert failed_clauses(subject) == [clause]


@pytest.mark.parametrize(
    ("subject", "clause"),
    [
        (behaviour.ClosureTwice, "calls"),
        (behaviour.ClosureWithoutGradients, "gradients-enabled"),
        (behaviour.LossLost, "loss"),
    ],
)
def test_of_an_algorithm_with_one_gradient_too(subject: Any, clause: str):
    assert failed_clauses(subject, "adam/paper") == [clause]


class MovedBefore(behaviour.PlainAdam):
    """Looks at the loss of half the parameters."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        if closure is None:
            return super().step()
        params = [p for group in self.param_groups for p in group["params"]]
        kept = [p.clone() for p in params]
        for p in params:
            p.mul_(0.5)
        with torch.enable_grad():
            loss = closure()
        for p, x in zip(params, kept, strict=True):
            p.copy_(x)
        super().step()
        return loss


def test_parameters_that_moved_before_the_only_call_are_seen():
    result = Session(MovedBefore, "adam/paper").run("adam/closure/points")
    assert result.message.endswith("had been changed when the closure was called")


@pytest.mark.parametrize("subject", [heun.PlainHeun, heun.Primed])
def test_correct_calls_raise_no_alarm(subject: Any):
    report = check(subject, HEUN)
    assert report.ok, report.to_text()
    assert not report.failures


def test_a_wrong_point_is_named():
    session = Session(heun.SecondGradientHalfway, HEUN)
    result = session.run("heun/closure/points")
    assert "the second gradient is not taken at the point" in result.message
    assert "equation predictor gives" in result.message
    trajectory = session.run("heun/numerics/trajectory")
    assert trajectory.evidence is not None
    assert trajectory.evidence.first_wrong.startswith("point 2,")


def test_who_leaves_the_first_gradient_to_the_caller_is_given_it():
    session = Session(heun.Primed, HEUN)
    assert (
        "finds the first gradient of a step in p.grad"
        in session.run("heun/construction/base").message
    )
    assert session.subject.primed
    plain = Session(heun.PlainHeun, HEUN)
    plain.run("heun/construction/base")
    assert not plain.subject.primed


def recorded(subject: Any, name: str, **keywords: Any) -> Recording:
    algorithm = spec.get(name)
    factory = ProbeFactory(algorithm, algorithm.defaults(), algorithm.option_defaults())
    probe = factory.make("x", shapes=((3,), (2,)), steps=2)
    attempt = Run(Subject(subject, algorithm), probe)
    for t in range(2):
        attempt.step_with(attempt.closure(t, **keywords))
    return attempt.recording


def test_every_call_is_noted_with_what_it_saw():
    recording = recorded(heun.PlainHeun, HEUN)
    assert [len(calls) for calls in recording.calls.values()] == [2, 2]
    for t, (first, second) in recording.calls.items():
        before = recording.moments[t].parameters
        assert all((x == y).all() for x, y in zip(first.parameters, before, strict=True))
        assert not all((x == y).all() for x, y in zip(second.parameters, before, strict=True))
        assert first.loss == recording.losses[t] != second.loss


@pytest.mark.parametrize("reuse", [False, True])
def test_gradients_come_in_new_tensors_or_in_the_same_ones(reuse: bool):
    seen: list[torch.Tensor] = []

    class Watch(heun.PlainHeun):
        def evaluate(self, closure: Any) -> Any:
            result = super().evaluate(closure)
            seen.append(self.parameters()[0].grad)
            return result

    recorded(partial(Watch, lr=0.25), HEUN, reuse=reuse)
    assert len(seen) == 4
    assert all(g is seen[0] for g in seen) == reuse
