"""Checks of the rates that a scheduler gives without stepping there: closed forms and epochs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from instep.conformance.errors import SubjectError
from instep.conformance.quiet import quiet
from instep.conformance.schedules.base import Check, Context, Failure, Outcome, Skip
from instep.conformance.schedules.judge import Judgement, compare
from instep.conformance.schedules.oracle import CLOSED, Form, forms, remembers, table
from instep.conformance.schedules.probes import Probe, reads_metric
from instep.conformance.schedules.subject import (
    Moment,
    Recording,
    Run,
    entries_of,
)
from instep.conformance.verdict import LOOSE, Severity, Tally


def checks() -> Iterator[Check]:
    """Those that do not apply say so."""
    yield Check(
        "forms/closed-form", "must",
        "the closed form that the scheduler offers gives the rates of the schedule", _closed_form,
    )  # fmt: skip
    yield Check(
        "forms/epoch", "should",
        "step(epoch) sets the rates of that epoch, forwards and backwards", _to_epoch,
    )  # fmt: skip


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
