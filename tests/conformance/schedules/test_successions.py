"""Schedulers made of others: torch's ChainedScheduler and SequentialLR are judged rightly."""

from __future__ import annotations

import pytest
from torch.optim.lr_scheduler import (
    ChainedScheduler,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    ExponentialLR,
    LinearLR,
    MultiplicativeLR,
    SequentialLR,
    StepLR,
)

from instep.conformance.schedules.suite import Session, check_scheduler


def linear_times_step(
    optimizer, start_factor=1 / 3, end_factor=1.0, total_iters=5, step_size=30, gamma=0.1
):
    first = LinearLR(optimizer, start_factor, end_factor, total_iters)
    return ChainedScheduler([first, StepLR(optimizer, step_size, gamma)])


def warmup_then_cosine(
    optimizer, milestone, T_max, start_factor=1 / 3, end_factor=1.0, total_iters=5, eta_min=0.0
):
    first = LinearLR(optimizer, start_factor, end_factor, total_iters)
    second = CosineAnnealingLR(optimizer, T_max, eta_min)
    return SequentialLR(optimizer, [first, second], [milestone])


def decay_then_restarts(optimizer, milestone, T_0, gamma, T_mult=1, eta_min=0.0):
    second = CosineAnnealingWarmRestarts(optimizer, T_0, T_mult, eta_min)
    return SequentialLR(optimizer, [ExponentialLR(optimizer, gamma), second], [milestone])


def three_decays(optimizer, milestone, next_milestone, gamma, next_gamma, next_next_gamma):
    parts = [ExponentialLR(optimizer, g) for g in (gamma, next_gamma, next_next_gamma)]
    return SequentialLR(optimizer, parts, [milestone, milestone + next_milestone])


def product_then_decay(optimizer, lr_lambda, milestone, gamma):
    parts = [MultiplicativeLR(optimizer, lr_lambda), ExponentialLR(optimizer, gamma)]
    return SequentialLR(optimizer, parts, [milestone])


TORCH = (
    (linear_times_step, "chained(linear-lr, step-lr)"),
    (warmup_then_cosine, "sequential(linear-lr, cosine-annealing-lr)"),
    (decay_then_restarts, "sequential(exponential-lr, cosine-annealing-warm-restarts)"),
    (three_decays, "sequential(exponential-lr, sequential(exponential-lr, exponential-lr))"),
    (product_then_decay, "sequential(multiplicative-lr, exponential-lr)"),
)


@pytest.mark.parametrize(("subject", "name"), TORCH, ids=lambda x: getattr(x, "__name__", ""))
def test_torch_is_in_step(subject, name):
    report = check_scheduler(subject, name)
    assert report.ok, report.to_text()
    assert report.mapping == (f"rates follow the recurrence of {name}",)
    # Neither does more than its parts do, and some of those look at nothing.
    assert {r.id.partition("/")[2] for r in report.failures} <= {
        "errors/domain",
        "errors/optimizer",
    }
    assert max(r.worst for r in report.results if r.worst is not None) <= 2


def late(optimizer, milestone, gamma, next_gamma):
    parts = [ExponentialLR(optimizer, g) for g in (gamma, next_gamma)]
    return SequentialLR(optimizer, parts, [milestone + 1])


def test_a_milestone_one_epoch_late_is_named():
    name = "sequential(exponential-lr, exponential-lr)"
    session = Session(late, name)
    result = session.run(f"{session.prefix}/numerics/dyadic")
    assert result.status == "failed"
    assert result.evidence.step == 4
    assert any("milestone one more everywhere" in c.name for c in session.diagnosis.candidates)


def test_the_order_of_a_chain_does_not_matter_where_both_are_factors():
    assert check_scheduler(linear_times_step, "chained(step-lr, linear-lr)").ok


def test_one_after_the_other_is_not_one_times_the_other():
    name = "chained(exponential-lr, exponential-lr)"

    def both(optimizer, gamma, next_gamma):
        return SequentialLR(optimizer, [ExponentialLR(optimizer, gamma)] * 2, [4])

    session = Session(both, name)
    assert session.run("chained.exponential-lr.exponential-lr/numerics/dyadic").status == "failed"
