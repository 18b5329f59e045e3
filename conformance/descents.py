"""Runs that take an algorithm which reads the loss to where it must decide otherwise.

From where the usual probes start, the first step length is a good one and the curvature positive:
line searches have little to search for there, and nothing is ever left out of a history.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from instep.conformance.probes import Probe, ProbeFactory
from instep.spec import ir
from instep.spec.gradients import reads_loss, tries_points
from instep.spec.options import resolve

Shapes = tuple[tuple[int, ...], ...]
_FEW: Shapes = ((1,), (1, 1))
_STEPS = 3


@dataclass(frozen=True, slots=True)
class Line:
    """A polynomial that starts from 0 with slope -1, so that the first direction is 1.

    Attributes:
        coefficients: of the second power and those above.
        lanes: how many parameters go down the same line together.
        width: power of two by which distances along it are larger.
    """

    coefficients: tuple[float, ...]
    lanes: int = 1
    width: int = 0

    def stacked(self) -> Any:
        """All coefficients, for every lane."""
        whole = np.array([0.0, -1.0, *self.coefficients])
        scaled = np.ldexp(whole, self.width * (1 - np.arange(len(whole))))
        return np.repeat(scaled[:, np.newaxis], self.lanes, axis=1)


@dataclass(frozen=True, slots=True)
class Descent:
    """One way down.

    Attributes:
        where: what is there, as a report says it.
        landscape: which one, see `instep.conformance.landscapes`.
        shapes: of the parameters.
        flatter: power of two by which slopes are smaller and the origin is nearer.
        length: by which step lengths are longer than usual.
        single: slope, centre and start of a single parameter, where a search of its own is made.
        patient: whether all other hyperparameters are the defaults: many evaluations, no tolerance.
        once: whether the first search is the last: rounding would decide about those that follow.
        line: what the loss is along the first direction.
    """

    where: str
    landscape: str = "valley"
    shapes: Shapes = ((17,), (3, 5))
    flatter: int = 0
    length: float = 1.0
    single: tuple[float, float, float] | None = None
    patient: bool = False
    once: bool = False
    line: Line | None = None


DESCENTS = {
    "ridge": Descent("where curvature is negative", "ridge"),
    "plain": Descent("where the first gradients are small together", shapes=_FEW),
    "flatter-plain": Descent("where slopes are small", shapes=_FEW, flatter=-1),
    "wide-plain": Descent("where all gradients are small", shapes=((67,), (5, 7)), flatter=-4),
    "short-steps": Descent("where the first step length is too short", length=2.0**-6),
    "long-steps": Descent("where the first step length is too long", length=2.0**5),
    "arrival": Descent("where the first step ends at the minimum", single=(1.0, 0.0, 0.765625)),
    # The cubic through two points of the line has no minimum ahead, or none at all.
    "steepening": Descent(
        "where slopes grow along the line",
        "ridge",
        length=2.0**4,
        single=(0.5, 0.0, 0.0107421875),
        patient=True,
    ),
    "straight": Descent(
        "where slopes hardly change along the line",
        length=2.0**-6,
        single=(32.0, -7.75, -7.5908203125),
        patient=True,
    ),
    # Minima of cubics lie near the same end of the bracket, twice in a row.
    "wall": Descent(
        "where the line ends far up a wall", length=2.0**4, single=(8.0, -0.0546875, 0.01171875)
    ),
    "crest": Descent(
        "where slopes are small beside a crest",
        "ridge",
        length=2.0**7,
        single=(1.0, -0.234375, -0.25390625),
        patient=True,
    ),
    "steep-crest": Descent(
        "where slopes are small beside a steep crest",
        "ridge",
        length=2.0**5,
        single=(4.0, -0.125, -0.2265625),
        patient=True,
        once=True,
    ),
    # The loss falls, but by less than any slope there says.
    "level": Descent(
        "where the first step ends as high as it began",
        length=2.0**3,
        single=(1.0, -3.51953125, -3.720703125),
        patient=True,
    ),
    "level-between": Descent(
        "where a search passes through a point as high as it began",
        "ridge",
        length=2.0**3,
        single=(1.0, 0.1015625, 1.7919921875),
        patient=True,
    ),
    "cliff": Descent(
        "where the loss is infinite from some point on",
        "cliff",
        length=2.0**-1,
        single=(4.0, -3.125, 0.576171875),
        patient=True,
    ),
    "brink": Descent(
        "where the best point so far is the farther one",
        "cliff",
        single=(2.0, -0.4453125, -0.4384765625),
        patient=True,
    ),
    # Beyond the best point of a bracket the line falls on: minima of cubics lie outside.
    "dips": Descent(
        "where the line falls beyond two dips",
        length=2.0**-4,
        line=Line((629.56396484375, -43252.0, 1033088.0, -8260096.0)),
        patient=True,
    ),
    "waves": Descent(
        "where the line rises and falls twice within the first step",
        length=2.0**3,
        line=Line(
            (
                1.9294648170471191,
                -1.1636962890625,
                0.308349609375,
                -0.03752899169921875,
                0.0017168521881103516,
            )
        ),
        patient=True,
    ),
    # A point that is no better than the one before, but low enough and flat.
    "second-rise": Descent(
        "where the second point on the line lies higher than the first",
        length=2.0**3,
        line=Line((1.25, -0.6171875, 0.083984375, -0.003421783447265625)),
        patient=True,
        once=True,
    ),
    "third-rise": Descent(
        "where the third point on the line lies higher than the second",
        length=2.0**-2,
        line=Line((0.01953125, -0.15625, -0.009765625, 0.1044921875, -0.025390625)),
        patient=True,
        once=True,
    ),
    # The best point moves past the other end, between two that are near in height and place.
    "turn": Descent(
        "where the ends of a bracket change sides", line=Line((16.0, -80.0, 116.0)), patient=True
    ),
    "narrowing": Descent(
        "where the bracket of a search becomes narrow",
        length=2.0**-27,
        line=Line((0.5, -3.5, 1.0), lanes=2, width=-30),
        patient=True,
    ),
}


def names(probes: ProbeFactory) -> tuple[str, ...]:
    """Which descents there are: none for algorithms that do not read the loss.

    Lines are for those that search along them.
    """
    body = resolve(probes.algorithm.body, probes.options)
    if not reads_loss(body):
        return ()
    rates = [h.name for h in probes.algorithm.hyperparameters if h.key == "lr"]
    free = rates and rates[0] not in probes.fixed
    ways = ((name, d) for name, d in DESCENTS.items() if d.line is None or tries_points(body))
    return tuple(name for name, d in ways if free or d.length == 1)


def descents(probes: ProbeFactory, dtype: str = "float64") -> Iterator[tuple[str, Probe]]:
    """Every descent by name."""
    for name in names(probes):
        yield name, descent(probes, name, dtype)


def descent(probes: ProbeFactory, name: str, dtype: str) -> Probe:
    """A probe that goes one of the ways down."""
    way, usual = DESCENTS[name], probes.probe_values()
    values = probes.algorithm.defaults() if way.patient else {}
    values = {k: v for k, v in values.items() if k not in probes.fixed}
    rates = [h.name for h in probes.algorithm.hyperparameters if h.key == "lr"]
    values |= {rate: usual[rate] * way.length for rate in rates}
    alone = way.single is not None or way.line is not None
    shapes, steps = (((1,),), 1) if alone else (way.shapes, _STEPS)
    body = resolve(probes.algorithm.body, probes.options)
    if way.once and tries_points(body):
        values |= {symbol: 1 for symbol in _rounds(body) if symbol not in probes.fixed}
    probe = probes.make(name, values=values, dtype=dtype, shapes=shapes, steps=steps)
    if way.line is not None:
        return _along(probe, way.line)
    probe = replace(
        probe,
        landscape=way.landscape,
        parameters=tuple(np.ldexp(x, way.flatter) for x in probe.parameters),
        slopes=tuple(np.ldexp(x, way.flatter) for x in probe.slopes),
    )
    return probe if way.single is None else _single(probe, *way.single)


def _rounds(body: ir.Body) -> list[str]:
    """Hyperparameters that say how often the parameters move in one step."""
    moving = (
        s.stop
        for s in ir.statements(body)
        if isinstance(s, ir.Repeat) and ir.THETA in ir.assigned(s.body)
    )
    return [stop.name for stop in moving if isinstance(stop, ir.Sym)]


def _along(probe: Probe, line: Line) -> Probe:
    """A probe that begins where a line begins."""
    start = np.zeros(line.lanes)
    return replace(
        probe,
        landscape="polynomial",
        parameters=(start,),
        gradients=((start,),) * probe.steps,
        slopes=(line.stacked(),),
    )


def _single(probe: Probe, slope: float, centre: float, start: float) -> Probe:
    """A probe of one parameter, which begins its descent where it is told."""
    return replace(
        probe,
        parameters=(np.array([start]),),
        gradients=((np.array([centre]),),) * probe.steps,
        slopes=(np.array([slope]),),
    )
