"""Functions that change gradients are judged as optimizers are; broken ones are caught."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

from instep.conformance import check
from instep.conformance.cli import main
from instep.conformance.repro import script
from instep.conformance.suite import Session


def scaled(parameters, limit, total):
    for p in parameters:
        p.grad *= min(limit / (total + 1e-6), 1)


def norm_of(parameters):
    return sum(float((p.grad**2).sum()) for p in parameters) ** 0.5


def each_by_itself(parameters, max_norm):
    active = [p for p in parameters if p.grad is not None]
    for p in active:
        scaled([p], max_norm, norm_of([p]))
    return norm_of(active)


def returns_norm_after(parameters, max_norm):
    active = [p for p in parameters if p.grad is not None]
    scaled(active, max_norm, norm_of(active))
    return norm_of(active)


def not_in_place(parameters, max_norm):
    active = [p for p in parameters if p.grad is not None]
    total = norm_of(active)
    for p in active:
        p.grad = p.grad * min(max_norm / (total + 1e-6), 1)
    return total


def moves_parameters(parameters, max_norm):
    total = clip_grad_norm_(parameters, max_norm)
    with torch.no_grad():
        parameters[0] += 1
    return total


def gives_gradients(parameters, max_norm):
    for p in parameters:
        p.grad = torch.zeros_like(p) if p.grad is None else p.grad
    return clip_grad_norm_(parameters, max_norm)


def refuses_late(parameters, max_norm, error_if_nonfinite=False):
    total = clip_grad_norm_(parameters, max_norm)
    if error_if_nonfinite and not torch.isfinite(total):
        raise RuntimeError("too late")
    return total


def never_refuses(parameters, max_norm, error_if_nonfinite=False):
    return clip_grad_norm_(parameters, max_norm)


def always_refuses(parameters, max_norm, error_if_nonfinite=False):
    return clip_grad_norm_(parameters, max_norm, error_if_nonfinite=True)


def without_limit(parameters, max_norm):
    active = [p for p in parameters if p.grad is not None]
    total = norm_of(active)
    for p in active:
        p.grad *= max_norm / (total + 1e-6)
    return total


@pytest.mark.parametrize(
    ("function", "failed"),
    [
        (each_by_itself, "numerics/trajectory"),
        (without_limit, "numerics/faint"),
        (returns_norm_after, "transform/returned"),
        (not_in_place, "transform/in-place"),
        (moves_parameters, "transform/in-place"),
        (gives_gradients, "transform/frozen"),
        (refuses_late, "transform/refuses-nan"),
        (never_refuses, "transform/refuses-inf"),
        (always_refuses, "transform/accepts-nonfinite"),
    ],
)
def test_a_broken_clipping_function_fails_the_check_for_it(function, failed):
    report = check(function, "clip-grad-norm")
    wrong = {r.id for r in report.failures if r.level == "must"}
    assert f"clip-grad-norm/{failed}" in wrong, report.to_text()


def test_the_paper_without_margin_is_named():
    def exact(parameters, max_norm):
        active = [p for p in parameters if p.grad is not None]
        total = norm_of(active)
        for p in active:
            p.grad *= min(max_norm / total, 1)
        return total

    report = check(exact, "clip-grad-norm")
    assert report.diagnosis.candidates[0].name == "clip-grad-norm/paper"


def test_a_function_has_no_constructor_groups_or_state_to_check():
    report = check(clip_grad_norm_, "clip-grad-norm", level="full")
    topics = {r.id.split("/")[1] for r in report.results}
    assert not topics & {"errors", "groups", "state", "closure", "hyperparameters"}
    assert {"transform", "numerics", "precision", "implementations"} <= topics
    assert report.ok, report.to_text()


def test_a_function_is_judged_from_the_command_line(capsys):
    arguments = ["check", "torch.nn.utils:clip_grad_norm_", "--spec", "clip-grad-norm"]
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--set", "max_norm=0.5"])
    assert ended.value.code == 0
    assert "clip-grad-norm" in capsys.readouterr().out


def test_the_script_of_a_failure_calls_the_function():
    session = Session(partial(clip_grad_value_, clip_value=0.5), "clip-grad-norm")
    failed = next(r for r in session.report().failures if r.evidence is not None)
    text = script(session, failed)
    assert "    clip_grad_value_(parameters, clip_value=0.5)" in text
    with pytest.raises(AssertionError):
        exec(compile(text, "script", "exec"), {})
