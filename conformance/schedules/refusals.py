"""Checks of what a scheduler refuses, and of what it leaves behind when it does."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from instep.conformance.quiet import quiet
from instep.conformance.schedules.base import Check, Context, Failure, Outcome, Skip
from instep.conformance.schedules.judge import compare
from instep.conformance.schedules.oracle import Expected, table
from instep.conformance.schedules.probes import Probe
from instep.conformance.schedules.subject import (
    ConstructionError,
    Run,
    entries_of,
    optimizer_for,
)
from instep.conformance.verdict import LOOSE, Severity, Tally

_MOMENTUMLESS = "Adagrad"
_UNKNOWN = "no-such-word"
_RESUMED_AT = (1, 2, 4, 6)


def checks() -> Iterator[Check]:
    """Those that do not apply say so."""
    yield Check(
        "construction/last-epoch", "should",
        "constructed with last_epoch=k on rates of epoch k, it goes on with those of epoch k + 1",
        _last_epoch,
    )  # fmt: skip
    yield Check(
        "errors/optimizer", "should",
        "anything but an optimizer is refused with a TypeError", _no_optimizer,
    )  # fmt: skip
    yield Check(
        "errors/momentum", "should",
        "an optimizer without momentum is refused by a schedule that is to change it", _momentum,
    )  # fmt: skip
    yield Check(
        "errors/initial-lr", "should",
        "last_epoch is refused where groups have no initial_lr, or the rates go on all the same",
        _no_initial_lr,
    )  # fmt: skip
    yield Check(
        "errors/unchanged", "should",
        "a constructor that refuses leaves the groups of the optimizer as they were", _unchanged,
    )  # fmt: skip
    yield Check(
        "errors/domain", "info",
        "values outside their domains are refused by the constructor", _domains,
    )  # fmt: skip
    yield Check(
        "errors/word", "info",
        "a word that an option does not know is refused by the constructor", _words,
    )  # fmt: skip
    yield Check(
        "errors/function", "info",
        "a number in place of a function is refused by the constructor", _functions,
    )  # fmt: skip
    yield Check(
        "errors/missing", "info",
        "a required value without a default is refused by the constructor if it is left out",
        _missing,
    )  # fmt: skip


# ---- last_epoch


def _last_epoch(context: Context) -> Outcome:
    for k in _RESUMED_AT:
        wrong = _resumed(context, k)
        if wrong:
            raise Failure(wrong)
    return Outcome()


def _no_initial_lr(context: Context) -> Outcome:
    refused = 0
    for k in _RESUMED_AT:
        try:
            wrong = _resumed(context, k, forgotten=True)
        except ConstructionError:
            refused += 1
            continue
        if wrong:
            raise Failure(f"{wrong}; nothing said that initial_lr was missing")
    return Outcome(message="refused" if refused else "the rates go on without")


def _resumed(context: Context, k: int, *, forgotten: bool = False) -> str:
    """Construct with last_epoch = k over an optimizer of epoch k; in what it goes on wrongly."""
    if not context.subject.accepts("last_epoch"):
        raise Skip("the constructor has no last_epoch")
    probe = context.base
    before = Run(context.subject, probe)
    for _ in range(min(k, probe.epochs - 2)):
        before.step()
    optimizer = optimizer_for(probe)
    optimizer.load_state_dict(before.optimizer.state_dict())
    if forgotten:
        for group in optimizer.param_groups:
            group.pop("initial_lr", None)
    after = context.subject.build(optimizer, probe, last_epoch=before.epoch)
    rows = [table(form, probe) for form in context.admissible]
    for epoch in (before.epoch + 1, before.epoch + 2):
        got = [entries_of(g) for g in optimizer.param_groups]
        found = [_against(row[epoch], epoch, got, probe) for row in rows]
        if all(tally.severity is Severity.OUT for tally in found):
            rates = ", ".join(f"{g['lr']:.6g}" for g in got)
            want = ", ".join(f"{cell['lr'].value:.6g}" for cell in rows[0][epoch])
            text = f"constructed with last_epoch={before.epoch}, at epoch {epoch} the rates are "
            return f"{text}{rates}, not {want}"
        with quiet():
            optimizer.step()
            after.step()
    return ""


def _against(
    row: list[dict[str, Expected]], epoch: int, got: list[dict[str, float]], probe: Probe
) -> Tally:
    tally = Tally(widest=True, limit=LOOSE)
    for lanes in compare(epoch, got, row, probe.rates):
        tally.add(lanes)
    return tally


# ---- what is wrong


def _no_optimizer(context: Context) -> Outcome:
    stranger: Any = torch.nn.Linear(1, 1)
    try:
        context.subject.build(stranger, context.base)
    except ConstructionError as error:
        if isinstance(error.__cause__, TypeError):
            return Outcome()
        raise Failure(f"a module is refused otherwise: {error.__cause__!r}") from error
    raise Failure("a module is accepted as an optimizer")


@dataclass(frozen=True)
class _Wrong:
    """Arguments that a constructor is expected to refuse, and how a report calls them."""

    shown: str
    probe: Probe
    more: Mapping[str, Any] = field(default_factory=dict)

    def refused(self, context: Context, optimizer: torch.optim.Optimizer) -> bool:
        """Whether the constructor raises."""
        try:
            context.subject.build(optimizer, self.probe, **self.more)
        except ConstructionError:
            return True
        return False


def _momentum(context: Context) -> Outcome:
    return _all_refused(context, list(_momentumless(context)), "the schedule changes rates alone")


def _domains(context: Context) -> Outcome:
    outside = list(_outside_domains(context))
    return _all_refused(context, outside, "") if outside else Outcome()


def _words(context: Context) -> Outcome:
    return _all_refused(context, list(_unknown_words(context)), "no option is a word")


def _functions(context: Context) -> Outcome:
    wrong = list(_numbers_for_functions(context))
    return _all_refused(context, wrong, "the schedule takes no function")


def _all_refused(context: Context, wrong: list[_Wrong], nothing: str) -> Outcome:
    if not wrong:
        raise Skip(nothing)
    accepted = [w.shown for w in wrong if not w.refused(context, optimizer_for(w.probe))]
    if accepted:
        raise Failure(f"accepted: {', '.join(accepted)}")
    return Outcome()


def _missing(context: Context) -> Outcome:
    asked, accepted = 0, []
    for h in context.algorithm.hyperparameters:
        keyword = context.subject.keyword(h.name)
        if not h.required or keyword is None or not _without_default(context, keyword):
            continue
        asked += 1
        arguments = context.subject.arguments(context.base)
        del arguments[keyword]
        try:
            with quiet():
                context.subject.factory(optimizer_for(context.base), **arguments)
        except Exception:  # whatever it raises is a refusal
            continue
        accepted.append(keyword)
    if not asked:
        raise Skip("every value has a default")
    if accepted:
        raise Failure(f"constructed without {', '.join(accepted)}")
    return Outcome()


def _without_default(context: Context, keyword: str) -> bool:
    """Whether the constructor has this keyword by name, and nothing to put in its place."""
    if keyword in context.subject.keywords:
        return False
    found = inspect.signature(context.subject.factory).parameters.get(keyword)
    return found is not None and found.default in (None, inspect.Parameter.empty)


# ---- what is left behind


def _unchanged(context: Context) -> Outcome:
    asked = 0
    for wrong in _every_wrong(context):
        optimizer = optimizer_for(wrong.probe)
        before = [dict(g) for g in optimizer.param_groups]
        if not wrong.refused(context, optimizer):
            continue
        asked += 1
        for g, (old, new) in enumerate(zip(before, optimizer.param_groups, strict=True)):
            old = {"initial_lr": old["lr"], **old}
            changed = [k for k, v in old.items() if k != "params" and new.get(k, v) != v]
            if changed:
                key = changed[0]
                said = f"{wrong.shown} is refused, and {key} of group {g}"
                raise Failure(f"{said} is {new[key]!r} where it was {old[key]!r}")
    if not asked:
        raise Skip("the constructor refuses nothing")
    return Outcome(message=f"after {asked} refusals")


def _every_wrong(context: Context) -> Iterator[_Wrong]:
    yield from _momentumless(context)
    yield from _outside_domains(context)
    yield from _unknown_words(context)
    yield from _numbers_for_functions(context)
    if context.subject.accepts("last_epoch"):
        yield _Wrong("last_epoch=3 without initial_lr", context.base, {"last_epoch": 3})


def _momentumless(context: Context) -> Iterator[_Wrong]:
    """An optimizer that lacks what the schedule is to change."""
    if len(context.probes.entries()) > 1:
        shown = f"{_MOMENTUMLESS}, which has no momentum"
        yield _Wrong(shown, replace(context.base, optimizer=_MOMENTUMLESS))


def _outside_domains(context: Context) -> Iterator[_Wrong]:
    for h in context.algorithm.hyperparameters:
        if context.subject.keyword(h.name) is None or h.name in context.probes.fixed:
            continue
        for value in _outside(h.domain):
            probe = replace(context.base, values={**context.base.values, h.name: value})
            yield _Wrong(f"{h.key}={value:g}", probe)


def _outside(domain: Any) -> Iterator[float]:
    """Values just outside an interval."""
    for end, closed, away in (
        (domain.lower, domain.lower_closed, -1.0),
        (domain.upper, domain.upper_closed, 1.0),
    ):
        if end not in (float("inf"), -float("inf")):
            yield end if not closed else end + away


def _unknown_words(context: Context) -> Iterator[_Wrong]:
    for option in context.algorithm.options:
        keyword = context.subject.keyword(option.name)
        free = option.name not in context.probes.fixed_options
        if keyword is not None and free and all(isinstance(v, str) for v in option.values):
            yield _Wrong(f"{keyword}={_UNKNOWN!r}", context.base, {keyword: _UNKNOWN})


def _numbers_for_functions(context: Context) -> Iterator[_Wrong]:
    assert context.algorithm.schedule is not None
    for item in context.algorithm.schedule.given:
        keyword = context.subject.keyword(item.name)
        if item.kind == "function" and keyword is not None:
            yield _Wrong(f"{keyword}=0.5", context.base, {keyword: 0.5})
