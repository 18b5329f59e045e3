"""Checks of what a scheduler does to groups: its rates, and what else it must leave alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch

from instep.conformance.errors import SubjectError
from instep.conformance.profile import grades
from instep.conformance.quiet import quiet
from instep.conformance.schedules.base import Check, Context, Failure, Outcome
from instep.conformance.schedules.judge import judgements
from instep.conformance.schedules.oracle import forms
from instep.conformance.schedules.probes import reads_metric
from instep.conformance.schedules.subject import (
    BYSTANDERS,
    Recording,
    Run,
    entries_of,
    optimizer_for,
)


def checks() -> Iterator[Check]:
    """Those that do not apply say so."""
    yield Check(
        "groups/entries", "must",
        "entries of the group that are not the schedule's stay as they are", _entries,
    )  # fmt: skip
    yield Check(
        "groups/added", "should",
        "after add_param_group the old groups go on, or the scheduler refuses", _added,
    )  # fmt: skip
    yield Check(
        "groups/parameters", "must",
        "parameters, their gradients and the optimizer's state are left alone", _parameters,
    )  # fmt: skip
    yield Check(
        "groups/tensor-lr", "should",
        "a rate that is a tensor stays the same tensor and holds the rate", _tensor,
    )  # fmt: skip


def _entries(context: Context) -> Outcome:
    run = Run(context.subject, context.base)
    assert context.algorithm.schedule is not None
    own = {"lr", "momentum"} if len(context.probes.entries()) > 1 else {"lr"}
    before = [dict(g) for g in optimizer_for(context.base).param_groups]
    for _ in range(min(4, context.base.epochs)):
        run.step()
    for g, (old, new) in enumerate(zip(before, run.optimizer.param_groups, strict=True)):
        for key in [k for k in old if k not in own | {"params"}]:
            if key not in new or new[key] != old[key]:
                raise Failure(f"{key} of group {g} was {old[key]!r} and is {new.get(key)!r}")
        if len(new["params"]) != 1:
            raise Failure(f"group {g} has {len(new['params'])} parameters instead of one")
    return Outcome(message=f"{', '.join([*BYSTANDERS])} and the optimizer's own entries stayed")


def _added(context: Context) -> Outcome:
    run, alone = Run(context.subject, context.base), Run(context.subject, context.base)
    for _ in range(2):
        run.step()
        alone.step()
    extra = torch.nn.Parameter(torch.ones(1))
    run.optimizer.add_param_group({"params": [extra], "lr": 0.25})
    for _ in range(min(4, context.base.epochs - 2)):
        alone.step()
        try:
            run.step()
        except SubjectError as error:
            return Outcome(message=f"it refuses: {error}")
        have = [entries_of(g) for g in run.optimizer.param_groups]
        want = [entries_of(g) for g in alone.optimizer.param_groups]
        if have[: len(want)] != want:
            raise Failure(f"at epoch {run.epoch} the old groups have {have}, not {want}")
    return Outcome()


def _parameters(context: Context) -> Outcome:
    run = Run(context.subject, context.base)
    parameters = [p for g in run.optimizer.param_groups for p in g["params"]]
    for p in parameters:
        p.grad = torch.full_like(p, 0.5)
    before = [p._version for p in parameters]
    for _ in range(min(3, context.base.epochs)):
        metric = [1.0] if reads_metric(context.algorithm) else []
        with quiet():
            run.scheduler.step(*metric)
    for p, version in zip(parameters, before, strict=True):
        same = p._version == version and bool((p == 1).all()) and p.grad is not None
        if not same or not bool((p.grad == 0.5).all()):
            raise Failure("a step of the scheduler changes a parameter or its gradient")
    if run.optimizer.state:
        raise Failure("a step of the scheduler makes a step of the optimizer")
    return Outcome()


def _tensor(context: Context) -> Outcome:
    probe = replace(context.base, name="tensor", tensor=True)
    single = grades("float32")[-1]
    run = Run(context.subject, probe)
    tensors = [g["lr"] for g in run.optimizer.param_groups]
    recording = Recording(probe, [run.moment()])
    for _ in range(probe.epochs):
        run.step()
        recording.moments.append(run.moment())
    for g, (old, group) in enumerate(zip(tensors, run.optimizer.param_groups, strict=True)):
        if group["lr"] is not old:
            kind = type(group["lr"]).__name__
            raise Failure(f"the rate of group {g} was a tensor and is another object, a {kind}")
    best = judgements(forms(context.algorithm), recording, single)[0]
    if best.out:
        raise Failure("a tensor holds another rate", best, recording)
    return Outcome(best.tally)
