"""Wrappers keep some hyperparameters in groups and some not: what can be judged is."""

from __future__ import annotations

import pytorch_optimizer
import torch

from instep.conformance import check


def lookahead(params, lr=1e-3, momentum=0.0, k=5, alpha=0.5):
    return pytorch_optimizer.Lookahead(torch.optim.SGD(params, lr=lr, momentum=momentum), k, alpha)


def one_rate_for_all(params, lr=1e-3, momentum=0.0, k=5, alpha=0.5):
    wrapper = lookahead(params, lr, momentum, k, alpha)
    inner = wrapper.optimizer.step

    def step(closure=None):
        groups = wrapper.param_groups
        kept = [group["lr"] for group in groups]
        for group in groups:
            group["lr"] = groups[0]["lr"]
        inner(closure)
        for group, rate in zip(groups, kept, strict=True):
            group["lr"] = rate

    wrapper.optimizer.step = step
    return wrapper


def result(subject, name):
    report = check(subject, "lookahead/calls(sgd)")
    return next(r for r in report.results if r.id == f"lookahead.sgd/{name}")


def test_groups_are_judged_by_what_they_hold():
    assert result(lookahead, "groups/own-values").status == "passed"
    assert result(one_rate_for_all, "groups/own-values").status == "failed"


def test_what_a_wrapper_keeps_elsewhere_is_said():
    skipped = result(lookahead, "hyperparameters/k-changed")
    assert (skipped.status, skipped.message) == (
        "skipped",
        "its parameter groups have no entry for k",
    )
