"""Checks of values: the probes on which every entry must follow the specification."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from instep.conformance.checks.numerics import slug
from instep.conformance.schedules.base import Check, Context, Outcome
from instep.conformance.schedules.probes import RATES, Probe, ProbeFactory, hostile, walk

_BY_HAND = 0.4375


class Valued(NamedTuple):
    """A run that is judged by its numbers, as a check: name, requirement, probe, kind."""

    name: str
    requirement: str
    probe: Probe | None
    kind: str = ""


def checks(factory: ProbeFactory) -> Iterator[Check]:
    """A check for every value probe."""
    for name, requirement, probe, kind in value_probes(factory):
        yield Check(name, "must", requirement, _following(probe), kind)


def _following(probe: Probe | None):  # type: ignore[no-untyped-def]  # a Callable[[Context], Outcome]
    def run(context: Context) -> Outcome:
        return context.require(probe)

    return run


def value_probes(factory: ProbeFactory) -> Iterator[Valued]:
    """Every run that is judged by its numbers."""
    yield _entry(factory, "numerics/dyadic", "rates follow the schedule in groups of several rates")
    yield from _other_values(factory)
    yield from _by_hand(factory)
    for options in factory.other_options():
        base = factory.algorithm.option_defaults()
        changed = {k: v for k, v in options.items() if base[k] != v}
        named = "-".join(f"{slug(k)}.{slug(str(v))}" for k, v in changed.items())
        text = ", ".join(f"{k}={v}" for k, v in changed.items())
        requirement = f"rates follow the schedule with {text}"
        for end, values in (("", {}), ("-fine", factory.fine_values())):
            probe = factory.make(f"options-{named}{end}", values, options)
            yield Valued(f"options/{named}{end}", requirement, probe, f"options/*{end}")
    for symbol, value in factory.corners():
        if symbol not in factory.fixed:
            name = f"corner-{slug(symbol)}.{value:g}"
            probe = factory.make(name, {symbol: value}, rates=RATES[:2])
            key = factory.algorithm.hyperparameter(symbol).key
            requirement = f"rates follow the schedule with {key} = {value:g}"
            yield Valued(f"numerics/{name}", requirement, probe, "numerics/corner-*")
    for number, values in enumerate(factory.pairs()):
        name, text = f"pair-{number}", ", ".join(f"{k} = {v:g}" for k, v in values.items())
        requirement, probe = f"rates follow the schedule with {text}", factory.make(name, values)
        yield Valued(f"numerics/{name}", requirement, probe, "numerics/pair-*")
    if factory.has_metric:
        yield from _metrics(factory)
    if len(factory.entries()) > 1:
        probe = factory.make("betas", optimizer="Adam")
        yield Valued("numerics/betas", "the first of betas takes the place of momentum", probe)


def _entry(factory: ProbeFactory, name: str, requirement: str) -> Valued:
    return Valued(name, requirement, factory.make(name.rpartition("/")[2]))


def _other_values(factory: ProbeFactory) -> Iterator[Valued]:
    probe = factory.make("defaults", factory.default_values(), rates=RATES[:1])
    requirement = "rates follow the schedule with default hyperparameters"
    yield Valued("numerics/defaults", requirement, probe)
    probe = factory.make("fine", factory.fine_values())
    requirement = "rates follow the schedule with values that no float holds"
    yield Valued("numerics/fine", requirement, probe)


def _by_hand(factory: ProbeFactory) -> Iterator[Valued]:
    """A rate changed at epochs that lie differently to the boundaries of the schedule."""
    base = factory.make("dyadic")
    for epoch in (1, 3, 6):
        changes = {epoch: (1, _BY_HAND)}
        probe = None if base is None else replace(base, name=f"by-hand-{epoch}", changes=changes)
        requirement = "a rate changed by hand is carried on, or overwritten by the closed form"
        yield Valued(f"numerics/by-hand-{epoch}", requirement, probe)


def _metrics(factory: ProbeFactory) -> Iterator[Valued]:
    """Walks with ties, for every assignment of options; then what is no number."""
    every = [factory.algorithm.option_defaults(), *factory.other_options()]
    for number, options in enumerate(every):
        for end, values in (("", {}), ("-fine", factory.fine_values())):
            name = f"walk-{number}{end}"
            more: dict[str, Any] = {"epochs": 60, "rates": (2.0,), "metrics": walk(5, 60)}
            probe = factory.make(name, values, options, **more)
            requirement = "rates follow a long walk of the metric"
            yield Valued(f"metrics/{name}", requirement, probe, f"metrics/walk-*{end}")
        for seed in (2, 3, 4):
            name = f"ties-{number}.{seed}"
            probe = factory.make(name, options=options, epochs=60, rates=(0.5,), seed=seed)
            requirement = "metrics tied with a threshold, or just beside it"
            yield Valued(f"metrics/{name}", requirement, probe, f"metrics/ties-*.{seed}")
        name = f"hostile-{number}"
        more = {"epochs": 30, "rates": (2.0,), "metrics": hostile(30)}
        probe = factory.make(name, None, options, **more)
        requirement = "metrics that are NaN or infinite count as the schedule says"
        yield Valued(f"metrics/{name}", requirement, probe, "metrics/hostile-*")
