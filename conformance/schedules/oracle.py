"""The oracle of schedules: both forms of a specification on values with bounds, group by group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from instep.conformance.bounded import Bounded
from instep.conformance.bounds import BoundedArithmetic
from instep.conformance.profile import Profile, grades
from instep.conformance.schedules.probes import Probe
from instep.spec import ir
from instep.spec.arguments import OptionValue
from instep.spec.interpret import Interpreter
from instep.spec.model import Algorithm
from instep.spec.options import resolve

DOUBLES = grades("float64")[0]
RECURRENCE, CLOSED = "recurrence", "closed form"


@dataclass(frozen=True)
class Expected:
    """One entry of a group after a step, and the equation that defined it."""

    value: float
    bound: float
    equation: str


# By epoch, group and symbol.
Table = list[list[dict[str, Expected]]]


@dataclass(frozen=True)
class Form:
    """A way to compute a schedule: its recurrence or its closed form, or a mutant of one.

    `options` hold whatever the probe asks for.
    """

    name: str
    algorithm: Algorithm
    options: Mapping[str, OptionValue] = field(default_factory=dict)


def forms(algorithm: Algorithm) -> list[Form]:
    """The forms of a specification; a body that remembers nothing is its closed form itself."""
    found = [Form(RECURRENCE, algorithm)]
    if has_closed_form(algorithm):
        found.append(Form(CLOSED, closed_algorithm(algorithm)))
    return found


def has_closed_form(algorithm: Algorithm) -> bool:
    """Whether there is a closed form of its own."""
    return algorithm.schedule is not None and bool(algorithm.schedule.closed)


def remembers(algorithm: Algorithm) -> bool:
    """Whether the body reads entries of the group that the step before wrote."""
    assert algorithm.schedule is not None
    entries = {name for name, _ in algorithm.schedule.entries}
    return any(isinstance(n, ir.Prev) and n.name in entries for n in ir.nodes(algorithm.body))


def closed_algorithm(algorithm: Algorithm) -> Algorithm:
    """The specification with its closed form as the body."""
    assert algorithm.schedule is not None
    return (
        replace(algorithm, body=algorithm.schedule.closed)
        if algorithm.schedule.closed
        else algorithm
    )


# What an entry that the schedule leaves alone keeps.
UNTOUCHED = {"momentum": 0.625}


class Runner:
    """One form for one group; construction is its first step."""

    def __init__(self, form: Form, probe: Probe, group: int, arithmetic: Any) -> None:
        self.algorithm, self.probe, self.group = form.algorithm, probe, group
        self.interpreter = Interpreter(
            form.algorithm,
            arithmetic,
            [],
            options={**probe.options, **form.options},
            hyperparameters=probe.values,
        )
        self.defined_by: dict[str, str] = {}
        assert form.algorithm.schedule is not None
        options = self.interpreter.options
        live = {s.name for s in self.interpreter.states}
        assigned = ir.assigned(resolve(form.algorithm.body, options))
        names = [name for name, _ in form.algorithm.schedule.entries]
        self.entries = [name for name in names if name in live and name in assigned]
        self.others = [name for name in names if name not in self.entries and name in UNTOUCHED]

    def step(self, epoch: int) -> dict[str, Any]:
        """The entries of the group after the step to an epoch."""

        def trace(equation: str, target: str, i: int | None, value: Any) -> None:
            self.defined_by[target] = equation

        inputs = self.probe.inputs(self.algorithm, epoch, self.group)
        self.interpreter.step(inputs=inputs, trace=trace)
        found = {name: self.interpreter.optimizer_state[name] for name in self.entries}
        kept = {name: self.interpreter.arithmetic.number(UNTOUCHED[name]) for name in self.others}
        return found | kept

    def set(self, name: str, value: Any) -> None:
        """An entry changed by hand."""
        self.interpreter.optimizer_state[name] = value


def table(form: Form, probe: Probe, profile: Profile = DOUBLES) -> Table:
    """What the entries of every group are at every epoch, from 0 on."""
    rows: Table = [[] for _ in range(probe.epochs + 1)]
    for group in range(len(probe.rates)):
        for epoch, found in enumerate(_run(form, probe, group, profile)):
            rows[epoch].append(found)
    return rows


def _run(form: Form, probe: Probe, group: int, profile: Profile) -> Iterator[dict[str, Expected]]:
    arithmetic = BoundedArithmetic(profile)
    runner = Runner(form, probe, group, arithmetic)
    for epoch in range(probe.epochs + 1):
        changed = probe.changes.get(epoch)
        if changed is not None and changed[0] == group:
            runner.set("lr", arithmetic.number(changed[1]))
        with np.errstate(all="ignore"):
            found = runner.step(epoch)
        yield {
            name: Expected(float(x.value), float(x.bound), runner.defined_by.get(name, ""))
            for name, x in ((n, _bounded(v, arithmetic)) for n, v in found.items())
        }


def _bounded(value: Any, arithmetic: BoundedArithmetic) -> Bounded:
    return value if isinstance(value, Bounded) else arithmetic.number(value)
