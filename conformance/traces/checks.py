"""What is asked of a trace: one trajectory, and every equation step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from instep import spec as specs
from instep.conformance.checks.numerics import quantities, slug
from instep.conformance.context import Judgement
from instep.spec import ir
from instep.spec.gradients import needs_closure
from instep.spec.model import Algorithm
from instep.spec.options import assignments, resolve

if TYPE_CHECKING:
    from instep.conformance.traces.judging import TraceContext

TRAJECTORY = "trace/trajectory"
_EQUATION = "trace/*"


@dataclass(frozen=True, slots=True)
class TraceCheck:
    """One requirement on a trace.

    Attributes:
        name: `trace/<name>`, of [a-z0-9.-] only.
        level: must, should or info.
        requirement: one sentence.
        quantity: the symbol that it is about.
        judge: returns None where the trace has nothing recognised as the quantity.
        kind: the name with what the specification brings left open.
    """

    name: str
    level: str
    requirement: str
    quantity: str
    judge: Callable[[TraceContext], Judgement | None]
    kind: str


def checks(algorithm: Algorithm, *, begins: bool = False) -> Iterator[TraceCheck]:
    """All of an algorithm with options set; `begins` where the trace has a state to begin with."""
    start = "state" if begins else "parameters"
    yield TraceCheck(
        TRAJECTORY,
        "must",
        f"parameters follow the equations from the first recorded {start} on",
        ir.THETA,
        lambda context: context.judge(context.recording),
        TRAJECTORY,
    )
    for symbol, equation in quantities(algorithm):
        what = "the parameter" if symbol == ir.THETA else f"state {symbol}"
        yield TraceCheck(
            f"trace/{slug(equation)}",
            "must",
            f"{what} follows equation {equation}, step by step from what was recorded",
            symbol,
            partial(_one_step, symbol),
            _EQUATION,
        )


def every(algorithm: Algorithm) -> list[TraceCheck]:
    """Those of all settings of its options, each once; none of what no trace can show."""
    found: dict[str, TraceCheck] = {}
    for options in assignments(algorithm) if algorithm.result != "gradient" else ():
        chosen = algorithm.with_options(options)
        if not needs_closure(resolve(chosen.body, options)):
            found |= {c.name: c for c in checks(chosen)}
    return list(found.values())


def catalogue() -> list[tuple[str, str, str]]:
    """(id, level, requirement) of every check of traces of every known spec."""
    return [
        (f"{name}/{c.name}", c.level, c.requirement)
        for name in specs.names()
        for c in every(specs.get(name))
    ]


def _one_step(symbol: str, context: TraceContext) -> Judgement | None:
    """A quantity step by step; None where it was not recognised."""
    states = context.states_for(context.recording)
    if symbol != ir.THETA and symbol not in states.bindings:
        return None
    judgement = context.judge_lockstep(context.recording)
    return Judgement(judgement.tally.only([symbol]), judgement.grade)
