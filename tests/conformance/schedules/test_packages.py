"""Schedulers of packages besides torch."""

from __future__ import annotations

import pytorch_optimizer

from instep.conformance.schedules.suite import check_scheduler


def test_warmup_stable_decay_of_pytorch_optimizer():
    report = check_scheduler(pytorch_optimizer.get_wsd_schedule, "warmup-stable-decay")
    assert report.ok, report.to_text()
    failed = {r.id.partition("/")[2] for r in report.failures}
    assert failed == {"errors/optimizer", "errors/domain"}  # it is torch's LambdaLR


def test_another_schedule_of_pytorch_optimizer_is_told_apart():
    """Its restarts keep the highest rate from the constructor and set the lowest at first."""
    report = check_scheduler(
        pytorch_optimizer.CosineAnnealingWarmupRestarts,
        "cosine-annealing-warm-restarts",
        rename={"T_0": "first_cycle_steps", "T_mult": "cycle_mult", "eta_min": "min_lr"},
    )
    assert not report.ok
    assert report.failures[0].id.endswith("numerics/dyadic")
    assert report.failures[0].evidence.step == 0
