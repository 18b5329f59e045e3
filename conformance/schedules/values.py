"""Checks of values: the probes on which every entry must follow the specification."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from instep.conformance.checks.numerics import slug
from instep.conformance.schedules.base import Check, Context, Outcome
from instep.conformance.schedules.probes import RATES, Probe, ProbeFactory, hostile, walk

_BY_HAND = 0.4375


def checks(factory: ProbeFactory) -> Iterator[Check]:
    """A check for every value probe."""
    for name, requirement, probe in value_probes(factory):
        yield Check(name, "must", requirement, _following(probe))


def _following(probe: Probe | None):  # type: ignore[no-untyped-def]  # a Callable[[Context], Outcome]
    def run(context: Context) -> Outcome:
        return context.require(probe)

    return run


def value_probes(factory: ProbeFactory) -> Iterator[tuple[str, str, Probe | None]]:
    """(name of the check, requirement, probe) of every run that is judged by its numbers."""
    yield _entry(factory, "numerics/dyadic", "rates follow the schedule in groups of several rates")
    yield from _other_values(factory)
    yield from _by_hand(factory)
    for options in factory.other_options():
        base = factory.algorithm.option_defaults()
        changed = {k: v for k, v in options.items() if base[k] != v}
        named = "-".join(f"{slug(k)}.{slug(str(v))}" for k, v in changed.items())
        text = ", ".join(f"{k}={v}" for k, v in changed.items())
        requirement = f"rates follow the schedule with {text}"
        for kind, values in (("", {}), ("-fine", factory.fine_values())):
            probe = factory.make(f"options-{named}{kind}", values, options)
            yield f"options/{named}{kind}", requirement, probe
    for symbol, value in factory.corners():
        if symbol not in factory.fixed:
            name = f"corner-{slug(symbol)}.{value:g}"
            probe = factory.make(name, {symbol: value}, rates=RATES[:2])
            key = factory.algorithm.hyperparameter(symbol).key
            yield f"numerics/{name}", f"rates follow the schedule with {key} = {value:g}", probe
    for number, values in enumerate(factory.pairs()):
        name, text = f"pair-{number}", ", ".join(f"{k} = {v:g}" for k, v in values.items())
        yield (
            f"numerics/{name}",
            f"rates follow the schedule with {text}",
            factory.make(name, values),
        )
    if factory.has_metric:
        yield from _metrics(factory)
    if len(factory.entries()) > 1:
        probe = factory.make("betas", optimizer="Adam")
        yield "numerics/betas", "the first of betas takes the place of momentum", probe


def _entry(factory: ProbeFactory, name: str, requirement: str) -> tuple[str, str, Probe | None]:
    return name, requirement, factory.make(name.rpartition("/")[2])


def _other_values(factory: ProbeFactory) -> Iterator[tuple[str, str, Probe | None]]:
    probe = factory.make("defaults", factory.default_values(), rates=RATES[:1])
    yield "numerics/defaults", "rates follow the schedule with default hyperparameters", probe
    probe = factory.make("fine", factory.fine_values())
    yield "numerics/fine", "rates follow the schedule with values that no float holds", probe


def _by_hand(factory: ProbeFactory) -> Iterator[tuple[str, str, Probe | None]]:
    """A rate changed at epochs that lie differently to the boundaries of the schedule."""
    base = factory.make("dyadic")
    for epoch in (1, 3, 6):
        changes = {epoch: (1, _BY_HAND)}
        probe = None if base is None else replace(base, name=f"by-hand-{epoch}", changes=changes)
        requirement = "a rate changed by hand is carried on, or overwritten by the closed form"
        yield f"numerics/by-hand-{epoch}", requirement, probe


def _metrics(factory: ProbeFactory) -> Iterator[tuple[str, str, Probe | None]]:
    """Walks with ties, for every assignment of options; then what is no number."""
    every = [factory.algorithm.option_defaults(), *factory.other_options()]
    for number, options in enumerate(every):
        for kind, values in (("", {}), ("-fine", factory.fine_values())):
            name = f"walk-{number}{kind}"
            more: dict[str, Any] = {"epochs": 60, "rates": (2.0,), "metrics": walk(5, 60)}
            probe = factory.make(name, values, options, **more)
            yield f"metrics/{name}", "rates follow a long walk of the metric", probe
        for seed in (2, 3, 4):
            name = f"ties-{number}.{seed}"
            probe = factory.make(name, options=options, epochs=60, rates=(0.5,), seed=seed)
            yield f"metrics/{name}", "metrics tied with a threshold, or just beside it", probe
        name = f"hostile-{number}"
        more = {"epochs": 30, "rates": (2.0,), "metrics": hostile(30)}
        probe = factory.make(name, None, options, **more)
        yield (
            f"metrics/{name}",
            "metrics that are NaN or infinite count as the schedule says",
            probe,
        )
