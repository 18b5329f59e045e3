"""Replay a file of vectors: a reader that knows the file and nothing of how it was made."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Numbers = Sequence[float]
Quantities = Mapping[str, Numbers]


class Implementation(Protocol):
    """Somebody's optimizer, which was constructed as a file says."""

    def step(
        self,
        changes: Mapping[str, float],
        gradients: Sequence[Numbers | None],
        touched: Sequence[Numbers] | None,
    ) -> tuple[Sequence[Quantities], Quantities]:
        """One step: quantities of each parameter by symbol, and those of the whole optimizer.

        What is not kept is left out, but for `theta`, the parameter.
        """


@dataclass(frozen=True, slots=True)
class Replay:
    """How far an implementation was from the vectors, in bounds, and where.

    Attributes:
        compared: lanes that have a bound.
        worst: of all lanes; inf where one that has to be exact differs.
        where: step, parameter, quantity and lane of the worst.
    """

    worst: float
    where: str
    compared: int
    rule: Mapping[str, float]

    @property
    def ok(self) -> bool:
        """Every lane is in step."""
        return self.worst <= self.rule["in_step"]

    @property
    def rejected(self) -> bool:
        """Some lane is off by more than rounding explains: other equations."""
        return self.worst > self.rule["out_of_step"]


def replay(
    record: Mapping[str, Any], start: Callable[[Mapping[str, Any]], Implementation]
) -> Replay:
    """Run an implementation through a file and compare every lane of every step."""
    subject = start(record)
    worst, where, compared = 0.0, "", 0
    for step in record["steps"]:
        changes = {name: number(x) for name, x in step.get("changes", {}).items()}
        given = [None if g is None else numbers(g) for g in step["gradients"]]
        own, shared = subject.step(changes, given, step.get("touched"))
        for place, ratio in _ratios(step, own, shared):
            compared += ratio is not None
            if ratio is not None and ratio > worst:
                worst, where = ratio, f"step {step['step']}, {place}"
    return Replay(worst, where, compared, record["rule"])


def number(x: Any) -> float:
    """A hex float, or the integer that some hyperparameters are."""
    return float.fromhex(x) if isinstance(x, str) else x


def numbers(xs: Sequence[Any]) -> list[float]:
    """All of them."""
    return [number(x) for x in xs]


def _ratios(
    step: Mapping[str, Any], own: Sequence[Quantities], shared: Quantities
) -> Iterator[tuple[str, float | None]]:
    """(place, distance in bounds) of every lane that the implementation shows."""
    for i, (wanted, got) in enumerate(zip(step["expected"], own, strict=True)):
        if "theta" not in got:
            raise KeyError(f"no theta for parameter {i}")
        yield from _lanes(wanted, got, f"parameter {i}")
    yield from _lanes(step.get("shared", {}), shared, "all parameters")


def _lanes(
    wanted: Mapping[str, Any], got: Quantities, whose: str
) -> Iterator[tuple[str, float | None]]:
    for name, expected in wanted.items():
        if name not in got:
            continue
        if len(got[name]) != len(expected["value"]):
            yield f"{whose}, {name}: {len(got[name])} lanes", math.inf
            continue
        allowed = expected.get("allowed", {})
        pairs = zip(expected["value"], expected["bound"], strict=True)
        for k, (x, pair) in enumerate(zip(got[name], pairs, strict=True)):
            results = allowed.get(str(k), [pair])
            ratios = [_ratio(x, number(value), number(bound)) for value, bound in results]
            known = [r for r in ratios if r is not None]
            ratio = min(known) if len(known) == len(ratios) else None
            yield f"{whose}, {name}, lane {k}", ratio


def _ratio(got: float, value: float, bound: float) -> float | None:
    """In bounds; None where there is none."""
    if math.isinf(bound):
        return None
    away = abs(got - value)
    if math.isnan(away):
        return math.inf
    if away == 0:
        return 0.0
    return away / bound if bound else math.inf
