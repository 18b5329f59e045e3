"""Checks of behaviour: construction, state, what is read from it and what it refuses."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch

from instep.conformance.quiet import quiet
from instep.conformance.schedules.base import Check, Context, Failure, Outcome, Skip
from instep.conformance.schedules.judge import compare
from instep.conformance.schedules.oracle import Expected, remembers, table
from instep.conformance.schedules.probes import Probe, reads_metric
from instep.conformance.schedules.subject import (
    ConstructionError,
    Run,
    entries_of,
    optimizer_for,
)
from instep.conformance.verdict import LOOSE, Severity, Tally

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
        "construction/last-epoch", "should",
        "constructed with last_epoch=k on rates of epoch k, it goes on with those of epoch k + 1",
        _last_epoch,
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
    yield Check(
        "errors/optimizer", "should",
        "anything but an optimizer is refused with a TypeError", _no_optimizer,
    )  # fmt: skip
    yield Check(
        "errors/domain", "info",
        "values outside their domains are refused by the constructor", _domains,
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


def _last_epoch(context: Context) -> Outcome:
    if not context.subject.accepts("last_epoch"):
        raise Skip("the constructor has no last_epoch")
    for k in (1, 2, 4, 6):
        _resume_at(context, k)
    return Outcome()


def _resume_at(context: Context, k: int) -> None:
    """Construct with last_epoch = k over an optimizer of epoch k; it goes on as the schedule."""
    probe = context.base
    before = Run(context.subject, probe)
    for _ in range(min(k, probe.epochs - 2)):
        before.step()
    optimizer = optimizer_for(probe)
    optimizer.load_state_dict(before.optimizer.state_dict())
    after = context.subject.build(optimizer, probe, last_epoch=before.epoch)
    rows = [table(form, probe) for form in context.admissible]
    for epoch in (before.epoch + 1, before.epoch + 2):
        got = [entries_of(g) for g in optimizer.param_groups]
        found = [_against(row[epoch], epoch, got, probe) for row in rows]
        if all(tally.severity is Severity.OUT for tally in found):
            rates = ", ".join(f"{g['lr']:.6g}" for g in got)
            want = ", ".join(f"{cell['lr'].value:.6g}" for cell in rows[0][epoch])
            text = f"constructed with last_epoch={before.epoch}, at epoch {epoch} the rates are "
            raise Failure(f"{text}{rates}, not {want}")
        with quiet():
            optimizer.step()
            after.step()


def _against(
    row: list[dict[str, Expected]], epoch: int, got: list[dict[str, float]], probe: Probe
) -> Tally:
    tally = Tally(widest=True, limit=LOOSE)
    for lanes in compare(epoch, got, row, probe.rates):
        tally.add(lanes)
    return tally


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


# ---- errors


def _no_optimizer(context: Context) -> Outcome:
    stranger: Any = torch.nn.Linear(1, 1)
    try:
        context.subject.build(stranger, context.base)
    except ConstructionError as error:
        if isinstance(error.__cause__, TypeError):
            return Outcome()
        raise Failure(f"a module is refused otherwise: {error.__cause__!r}") from error
    raise Failure("a module is accepted as an optimizer")


def _domains(context: Context) -> Outcome:
    accepted = []
    for h in context.algorithm.hyperparameters:
        if context.subject.keyword(h.name) is None or h.name in context.probes.fixed:
            continue
        for value in _outside(h.domain):
            probe = replace(context.base, values={**context.base.values, h.name: value})
            try:
                context.subject.build(optimizer_for(probe), probe)
            except ConstructionError:
                continue
            accepted.append(f"{h.key}={value:g}")
    if accepted:
        raise Failure(f"accepted: {', '.join(accepted)}")
    return Outcome()


def _outside(domain: Any) -> Iterator[float]:
    """Values just outside an interval."""
    for end, closed, away in (
        (domain.lower, domain.lower_closed, -1.0),
        (domain.upper, domain.upper_closed, 1.0),
    ):
        if end not in (float("inf"), -float("inf")):
            yield end if not closed else end + away
