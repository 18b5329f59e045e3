"""Descents take a search along a line through all of its decisions, each of them both ways."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from instep import spec
from instep.conformance.descents import DESCENTS, descents, names
from instep.conformance.landscapes import evaluate
from instep.conformance.probes import Probe, ProbeFactory
from instep.spec import ir
from instep.spec.arithmetic import Float64
from instep.spec.interpret import Interpreter
from instep.spec.model import Algorithm
from instep.spec.options import resolve

SEARCH, FIXED = spec.get("lbfgs/strong-wolfe"), spec.get("lbfgs/torch")


def factory(algorithm: Algorithm) -> ProbeFactory:
    return ProbeFactory(algorithm, algorithm.defaults(), algorithm.option_defaults())


def decisions(statement: ir.Stmt) -> Iterator[ir.Expr]:
    """What a branch compares, and which side of a minimum or maximum is taken."""
    if isinstance(statement, ir.If):
        yield from (n for n in ir.walk(statement.condition) if isinstance(n, ir.Compare))
    if isinstance(statement, ir.Let):
        for n in ir.walk(statement.value):
            if isinstance(n, ir.Call) and n.function in ("max", "min"):
                yield ir.Compare("<", *n.arguments)


def watched(body: ir.Body, seen: dict[str, set[int]]) -> ir.Body:
    """A body that computes every decision before it is taken, in an equation of its own."""
    out: list[ir.Stmt] = []
    for s in body:
        for decision in decisions(s):
            name = f"decision_{len(seen)}"
            seen[name] = set()
            out.append(ir.Let(name, ir.Sym(name), ir.Where(decision, ir.Const(1), ir.Const(0))))
        if isinstance(s, ir.If):
            s = replace(s, then=watched(s.then, seen), otherwise=watched(s.otherwise, seen))
        elif isinstance(s, ir.Repeat):
            s = replace(s, body=watched(s.body, seen))
        out.append(s)
    return tuple(out)


def outcomes(algorithm: Algorithm, probes: Iterable[Probe]) -> dict[str, set[int]]:
    """How every decision falls out on some probes."""
    seen: dict[str, set[int]] = {}
    body = watched(resolve(algorithm.body, algorithm.option_defaults()), seen)

    def trace(equation: str, target: str, i: int | None, value: Any) -> None:
        seen.get(equation, set()).add(int(value) if equation in seen else 0)

    for probe in probes:
        own = Interpreter(
            replace(algorithm, body=body),
            Float64(),
            probe.parameters,
            hyperparameters=probe.hyperparameters,
        )
        for centres in probe.gradients:

            def place(points: list[Any], centres: Any = centres, probe: Probe = probe) -> Any:
                return evaluate(Float64(), probe.landscape, points, centres, probe.slopes)

            with np.errstate(all="ignore"):
                own.step(oracle=place, trace=trace)
    return seen


def one_sided(probes: Iterable[Probe]) -> list[str]:
    return [name for name, values in outcomes(SEARCH, probes).items() if len(values) < 2]


def test_every_decision_of_a_search_is_taken_both_ways():
    own = factory(SEARCH)
    ways = dict(descents(own))
    assert set(ways) == set(DESCENTS)
    usual = own.make("usual")
    assert one_sided([usual, *ways.values()]) == []
    lines = {name for name, way in DESCENTS.items() if way.line is not None}
    assert len(one_sided([usual, *(ways[n] for n in ways if n not in lines)])) == 5


def test_lines_are_for_what_searches_along_them():
    lines = {name for name, way in DESCENTS.items() if way.line is not None}
    assert set(names(factory(FIXED))) == set(DESCENTS) - lines
    assert names(factory(spec.get("heun"))) == ()


def test_a_line_begins_at_zero_with_slope_minus_one():
    for name, probe in descents(factory(SEARCH)):
        line = DESCENTS[name].line
        if line is None:
            continue
        (start,) = probe.parameters
        loss, (slope,) = evaluate(
            Float64(), probe.landscape, [start], probe.gradients[0], probe.slopes
        )
        assert (float(loss), slope.tolist()) == (0, [-1] * line.lanes)
