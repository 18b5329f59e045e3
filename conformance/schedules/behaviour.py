"""Checks of behaviour: construction, forms, state, groups, and what else a scheduler touches."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch

from instep.conformance.errors import SubjectError
from instep.conformance.profile import grades
from instep.conformance.schedules.base import Check, Context, Failure, Outcome, Skip
from instep.conformance.schedules.judge import Judgement, compare, judgements
from instep.conformance.schedules.oracle import CLOSED, Expected, Form, forms, remembers, table
from instep.conformance.schedules.probes import Probe, reads_metric
from instep.conformance.schedules.subject import (
    BYSTANDERS,
    ConstructionError,
    Moment,
    Recording,
    Run,
    entries_of,
    optimizer_for,
    quiet,
)
from instep.conformance.verdict import LOOSE, Severity, Tally

_RESUMED_AT = (0, 1, 2, 3, 5, 8)
_CARRIED_ON = 6


def checks() -> Iterator[Check]:
    """All of them; those that do not apply say so."""
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
        "forms/closed-form", "must",
        "the closed form that the scheduler offers gives the rates of the schedule", _closed_form,
    )  # fmt: skip
    yield Check(
        "forms/epoch", "should",
        "step(epoch) sets the rates of that epoch, forwards and backwards", _to_epoch,
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


# ---- forms


def _closed(context: Context) -> Form:
    found = {form.name: form for form in forms(context.algorithm)}
    if CLOSED in found:
        return found[CLOSED]
    if remembers(context.algorithm):
        raise Skip("the schedule has no closed form")
    return next(iter(found.values()))


def _closed_form(context: Context) -> Outcome:
    form, total = _closed(context), Tally(widest=True, limit=LOOSE)
    probes = [context.base, context.probes.make("fine", context.probes.fine_values())]
    for probe in [p for p in probes if p is not None]:
        recording = context.record(probe)
        if recording.moments[0].closed is None:
            raise Skip("the scheduler offers no closed form")
        offered = [Moment([{"lr": x} for x in m.closed or ()]) for m in recording.moments]
        shown = Recording(probe, offered)
        tally = _only_rate(form, shown)
        if tally.severity is Severity.OUT:
            raise Failure("its closed form gives other rates", Judgement(form, tally), shown)
        total.worst = max(total.worst, tally.worst)
        total.seen += tally.seen
        total.sharpest = min(total.sharpest, tally.sharpest)
    return Outcome(total)


def _only_rate(form: Form, recording: Recording) -> Tally:
    tally = Tally(widest=True, limit=LOOSE)
    for epoch, (moment, row) in enumerate(
        zip(recording.moments, table(form, recording.probe), strict=True)
    ):
        rates = [{"lr": cell["lr"]} for cell in row]
        for lanes in compare(epoch, moment.entries, rates, recording.probe.rates):
            tally.add(lanes)
    return tally


def _to_epoch(context: Context) -> Outcome:
    if reads_metric(context.algorithm):
        raise Skip("a step takes a metric")
    form = _closed(context)
    worst: Judgement | None = None
    for values in ({}, *_other_integers(context)):
        probe = context.probes.make("epochs", values)
        if probe is None:
            continue
        worst = _jump(context, form, probe)
    return Outcome(None if worst is None else worst.tally)


def _other_integers(context: Context) -> Iterator[dict[str, float]]:
    """Integers up to 3, all at once: products and powers of them are where rounding bites."""
    whole = [h for h in context.algorithm.hyperparameters if h.domain.integer]
    for value in (1, 3):
        yield {h.name: value for h in whole if h.domain.contains(value)}
    if len(whole) > 1:
        yield {whole[0].name: 1, **{h.name: 3 for h in whole[1:]}}


def _jump(context: Context, form: Form, probe: Probe) -> Judgement:
    """One jump to every epoch, each in a run of its own, and one back to 1."""
    longest = context.probes.last(probe.values) or 128
    far = replace(probe, rates=probe.rates[:1], epochs=min(128, longest))
    rows = table(form, far)
    run = Run(context.subject, far)
    tally = Tally(widest=True, limit=LOOSE)
    for epoch in (*range(1, far.epochs + 1), 1):
        try:
            with quiet():
                run.scheduler.step(epoch)
        except TypeError as error:
            raise Skip(f"step takes no epoch: {error}") from error
        except Exception as error:
            raise SubjectError(f"step({epoch}) raised {type(error).__name__}: {error}") from error
        got = [entries_of(g) for g in run.optimizer.param_groups]
        for lanes in compare(epoch, got, rows[epoch], far.rates):
            tally.add(lanes)
    found = Judgement(form, tally)
    if found.out:
        assert tally.first is not None
        where = tally.first.lanes.step
        shown = Recording(far, [])
        raise Failure(f"step({where}) sets another rate", found, shown)
    return found


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


# ---- groups


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
