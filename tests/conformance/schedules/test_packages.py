"""Schedulers of packages besides torch."""

from __future__ import annotations

import pytest
import pytorch_optimizer

from instep.conformance.schedules.base import Failure
from instep.conformance.schedules.suite import Session, check_scheduler


def test_warmup_stable_decay_of_pytorch_optimizer():
    report = check_scheduler(pytorch_optimizer.get_wsd_schedule, "warmup-stable-decay")
    assert report.ok, report.to_text()
    failed = {r.id.partition("/")[2] for r in report.failures}
    # It is torch's LambdaLR, and looks at no argument before a step needs it.
    assert failed == {"errors/optimizer", "errors/domain", "errors/word"}


def test_another_schedule_of_pytorch_optimizer_is_told_apart():
    """Its restarts keep the highest rate from the constructor and set the lowest at first."""
    name = "cosine-annealing-warm-restarts"
    renamed = {"T_0": "first_cycle_steps", "T_mult": "cycle_mult", "eta_min": "min_lr"}
    session = Session(pytorch_optimizer.CosineAnnealingWarmupRestarts, name, rename=renamed)
    probe = session.context.probes.make("dyadic")
    with pytest.raises(Failure) as failure:
        session.context.require(probe)
    assert failure.value.judgement.tally.first.lanes.step == 0
