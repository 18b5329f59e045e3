"""Checks of behaviour: construction, state, and what is read from it."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator

import torch

from instep.conformance.schedules.base import Check, Context, Failure, Outcome, Skip
from instep.conformance.schedules.oracle import remembers
from instep.conformance.schedules.probes import reads_metric
from instep.conformance.schedules.subject import (
    Run,
)

_RESUMED_AT = (0, 1, 2, 3, 5, 8)
_CARRIED_ON = 6


def checks() -> Iterator[Check]:
    """Those that do not apply say so."""
    yield Check(
        "construction/base", "must",
        "the scheduler is constructed with the base configuration and makes a step", _constructed,
    )  # fmt: skip
    yield Check(
        "construction/initial-lr", "should",
        "construction remembers the rate of each group as its initial_lr", _initial_lr,
    )  # fmt: skip
    yield Check(
        "construction/epoch", "should",
        "last_epoch is 0 after construction and counts the steps", _counted,
    )  # fmt: skip
    yield Check(
        "state/resumed", "must",
        "a run resumed from state_dict at any epoch continues bit for bit", _resumed,
    )  # fmt: skip
    yield Check(
        "state/no-optimizer", "should",
        "state_dict holds plain values and no optimizer", _plain_state,
    )  # fmt: skip
    yield Check(
        "state/deterministic", "must",
        "two runs give the same rates bit for bit, whatever other schedulers do", _deterministic,
    )  # fmt: skip
    yield Check(
        "readout/get-last-lr", "must",
        "get_last_lr() gives the rate of every group", _last_lr,
    )  # fmt: skip


# ---- construction


def _constructed(context: Context) -> Outcome:
    run = Run(context.subject, context.base)
    run.step()
    run.moment()
    return Outcome()


def _initial_lr(context: Context) -> Outcome:
    probe = context.base
    run = Run(context.subject, probe)
    if not remembers(context.algorithm) or reads_metric(context.algorithm):
        raise Skip("the schedule does not start from the rate of the group")
    for rate, group in zip(probe.rates, run.optimizer.param_groups, strict=True):
        if group.get("initial_lr") != rate:
            raise Failure(f"initial_lr is {group.get('initial_lr')!r} where the rate was {rate}")
    return Outcome()


def _counted(context: Context) -> Outcome:
    recording = context.record(context.base)
    epochs = [m.epoch for m in recording.moments]
    if None in epochs:
        raise Skip("the scheduler has no last_epoch")
    if epochs != list(range(len(epochs))):
        raise Failure(f"last_epoch is {epochs[:4]}... where 0, 1, 2, 3... is expected")
    return Outcome()


# ---- state


def _resumed(context: Context) -> Outcome:
    probe = context.base
    for start in _RESUMED_AT:
        if start + 1 > probe.epochs:
            continue
        straight = Run(context.subject, probe)
        if not hasattr(straight.scheduler, "state_dict"):
            raise Skip("the scheduler has no state_dict")
        for _ in range(start):
            straight.step()
        _continue(context, straight, min(_CARRIED_ON, probe.epochs - start))
    return Outcome()


def _continue(context: Context, straight: Run, steps: int) -> None:
    start = straight.epoch
    resumed = Run(context.subject, straight.probe)
    saved = pickle.loads(pickle.dumps(straight.scheduler.state_dict()))
    resumed.optimizer.load_state_dict(copy.deepcopy(straight.optimizer.state_dict()))
    resumed.scheduler.load_state_dict(saved)
    resumed.epoch = start
    for _ in range(steps):
        straight.step()
        resumed.step()
        want, got = straight.moment(), resumed.moment()
        if want.entries != got.entries or want.last != got.last:
            a, b = want.entries, got.entries
            raise Failure(
                f"resumed at epoch {start}, it has {b} at epoch {straight.epoch}, not {a}"
            )


def _plain_state(context: Context) -> Outcome:
    run = Run(context.subject, context.base)
    if not hasattr(run.scheduler, "state_dict"):
        raise Skip("the scheduler has no state_dict")
    for key, value in run.scheduler.state_dict().items():
        if isinstance(value, torch.optim.Optimizer | torch.nn.Parameter):
            raise Failure(f"state_dict()[{key!r}] is a {type(value).__name__}")
    return Outcome()


def _deterministic(context: Context) -> Outcome:
    first = context.record(context.base)
    run, other = Run(context.subject, context.base), Run(context.subject, context.base)
    for epoch in range(1, context.base.epochs + 1):
        run.step()
        if epoch % 2:
            other.step()
        if run.moment().entries != first.moments[epoch].entries:
            raise Failure(f"at epoch {epoch} the rates depend on another scheduler's steps")
    return Outcome()


# ---- readout


def _last_lr(context: Context) -> Outcome:
    recording = context.record(context.base)
    for epoch, moment in enumerate(recording.moments):
        if moment.last is None:
            raise Skip("the scheduler has no get_last_lr")
        rates = [entries["lr"] for entries in moment.entries]
        if moment.last != rates:
            raise Failure(f"at epoch {epoch} it gives {moment.last}, and the rates are {rates}")
    return Outcome()
