"""Guesses at how two algorithms might be related: they cost little, and the algebra decides them.

The material is what the equations themselves contain: hyperparameters, and terms such as `1 -
beta2**t`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice

import mpmath

from instep.spec import ir
from instep.spec.algebra.execute import Execution, UndefinedError, UnsupportedError
from instep.spec.algebra.numeric import NumericDomain, Value, digits_context, lanes
from instep.spec.algebra.program import Program, common_domains
from instep.spec.algebra.relation import Relation
from instep.spec.algebra.sampling import Space, scenarios
from instep.spec.algebra.scenario import Moment, Scenario, admissible, given_values, simulate
from instep.spec.algebra.step_map import given_symbols
from instep.spec.arguments import Domain

# Agreement of two 50-digit numbers to this is no coincidence.
_MATCH = mpmath.mpf(10) ** -35
_STEPS = 4


def atoms(*programs: Program) -> tuple[ir.Expr, ...]:
    """Terms `1 - x` over hyperparameters and the counter that occur in the equations."""
    found: dict[ir.Expr, None] = {}
    for program in programs:
        known = set(given_symbols(program)) - set(dict(program.bindings))
        for node in ir.nodes(program.body):
            match node:
                case ir.Binary("-", ir.Const(1), x) if _names(x) and _names(x) <= known:
                    found[node] = None
    return tuple(found)


def factors(*programs: Program) -> tuple[ir.Expr, ...]:
    """What may scale a quantity: hyperparameters, atoms, roots of atoms, products of two."""
    names = dict.fromkeys(name for p in programs for name in p.domains)
    single: list[ir.Expr] = [ir.Sym(name) for name in names]
    for atom in atoms(*programs):
        single += [atom, ir.Call("sqrt", (atom,))]
    inverse = [ir.Binary("/", ir.Const(1), x) for x in single]
    products = [ir.Binary("*", x, y) for i, x in enumerate(single) for y in single[i + 1 :]]
    quotients = [ir.Binary("/", x, y) for x in single for y in single if x != y]
    return (*single, *inverse, *products, *quotients)


def scalings(a: Program, b: Program) -> Iterator[dict[str, ir.Expr]]:
    """Free hyperparameters of b scaled by an atom, its root, or the inverse of one."""
    for name in unbound(b):
        for atom in atoms(a, b):
            if name not in _names(atom):
                for factor in (ir.Call("sqrt", (atom,)), atom):
                    yield {name: ir.Binary("*", ir.Sym(name), factor)}
                    yield {name: ir.Binary("/", ir.Sym(name), factor)}


def ends(a: Program, b: Program) -> Iterator[dict[str, ir.Expr]]:
    """Hyperparameters that both read, at a closed end of their domain: `weight_decay = 0`."""
    domains = common_domains(a, b)
    shared = [name for name in unbound(a) if name in unbound(b)]
    for name in shared:
        domain = domains[name]
        for end, closed in (
            (domain.lower, domain.lower_closed),
            (domain.upper, domain.upper_closed),
        ):
            if closed and math.isfinite(end):
                yield {name: _literal(end)}


def neutral(a: Program, b: Program) -> dict[str, ir.Expr]:
    """Defaults, where finite, of the hyperparameters that a reads and b does not."""
    only = [name for name in unbound(a) if name not in unbound(b)]
    values = {name: a.algorithm.hyperparameter(name).default for name in only}
    return {name: _literal(value) for name, value in values.items() if math.isfinite(value)}


def _literal(value: float) -> ir.Const:
    return ir.Const(int(value) if value == int(value) else value)


def unbound(program: Program) -> tuple[str, ...]:
    """Hyperparameters that the equations read and no binding sets."""
    return tuple(n for n in program.free if n not in dict(program.bindings))


def interior(*programs: Program) -> dict[str, Domain]:
    """Hyperparameters whose closed lower end a branch tests for, without that end."""
    tested: dict[str, Domain] = {}
    for program in programs:
        for node in ir.nodes(program.body):
            match node:
                case ir.Compare("==", ir.Sym(name), ir.Const(value)) if name in unbound(program):
                    domain = program.domains[name]
                    if domain.lower == value and domain.lower_closed:
                        tested[name] = replace(domain, lower_closed=False)
    return tested


@dataclass(frozen=True, slots=True)
class _Observation:
    """One step of both programs, with what the step received."""

    given: Mapping[str, Value]
    a: Mapping[str, Value]
    b: Mapping[str, Value]


def relation(a: Program, b: Program, seed: int = 7) -> Relation | None:
    """A relation that explains runs with constant hyperparameters; None when there is none."""
    domain = NumericDomain(digits_context(), lambda x: x)
    # Two runs: in one alone, two factors may happen to have the same value.
    seen = [*_observe(a, b, domain, seed), *_observe(a, b, domain, seed + 1)]
    if len(seen) < 2 * _STEPS:
        return None
    values = [_values_of_factors(a, b, domain, step.given) for step in seen]
    equations = {ir.THETA: _explain_theta(domain, seen, values)}
    for state in b.states:
        equations[state.name] = _explain_state(domain, state.name, seen, values)
    if any(e is None for e in equations.values()):
        return None
    return Relation(tuple((name, e) for name, e in equations.items() if e is not None))


def _explain_theta(
    domain: NumericDomain, seen: list[_Observation], values: list[dict[ir.Expr, Value]]
) -> ir.Expr | None:
    """B's parameter as a's, or as a's moved along a scaled state."""
    theta: ir.Expr = ir.Sym(ir.THETA)
    if all(_close(s.b[ir.THETA], s.a[ir.THETA]) for s in seen):
        return theta
    for state in [name for name in seen[0].a if name != ir.THETA]:
        for op, sign in (("+", 1), ("-", -1)):
            ratios = [_ratio(sign * (s.b[ir.THETA] - s.a[ir.THETA]), s.a[state]) for s in seen]
            scale = _matching(domain, ratios, values)
            if scale is not None:
                return ir.Binary(op, theta, _scaled(scale, state))
    return None


def _explain_state(
    domain: NumericDomain,
    name: str,
    seen: list[_Observation],
    values: list[dict[ir.Expr, Value]],
) -> ir.Expr | None:
    """A state of b as a scaled state of a, that of the same name first."""
    if any(name not in s.b for s in seen):
        return None
    states = sorted((n for n in seen[0].a if n != ir.THETA), key=lambda n: n != name)
    for state in states:
        ratios = [_ratio(s.b[name], s.a[state]) for s in seen]
        if all(r is not None and _close(r, domain.one) for r in ratios):
            return ir.Sym(state)
        scale = _matching(domain, ratios, values)
        if scale is not None:
            return _scaled(scale, state)
    return None


def _scaled(scale: ir.Expr, state: str) -> ir.Expr:
    """Scale * state, written as state/x where the scale is 1/x."""
    match scale:
        case ir.Binary("/", ir.Const(1), x):
            return ir.Binary("/", ir.Sym(state), x)
    return ir.Binary("*", scale, ir.Sym(state))


def _matching(
    domain: NumericDomain, ratios: list[Value | None], values: list[dict[ir.Expr, Value]]
) -> ir.Expr | None:
    """The number or factor that has these values in these steps."""
    if ratios[0] is not None:
        nearest = Fraction(str(ratios[0])).limit_denominator(1000)
        if nearest and all(r is not None and _close(r, domain.constant(nearest)) for r in ratios):
            return ir.Const(int(nearest) if nearest.denominator == 1 else nearest)
    for factor in values[0]:
        pairs = zip(ratios, (v[factor] for v in values), strict=True)
        if all(r is not None and x is not None and _close(r, x) for r, x in pairs):
            return factor
    return None


def _observe(a: Program, b: Program, domain: NumericDomain, seed: int) -> list[_Observation]:
    """A run in which nothing is special: no hyperparameter is 0, the one lane moves."""
    space = Space.of(a, b, common_domains(a, b))
    if space.shapes != ((),):
        return []
    rng = random.Random(seed)
    for scenario in islice(scenarios(space, seed), 2, 200):
        run = _generic(scenario, rng)
        forced = {n for n, v in space.forced.items() if v == 0}
        zero = {n for n, v in run.moments[0].hyperparameters.items() if v == 0}
        if zero <= forced and all(admissible(p, run, domain) for p in (a, b)):
            try:
                steps = zip(simulate(a, run, domain), simulate(b, run, domain), strict=True)
                return [
                    _Observation(given_values(a, domain, run, i), x, y)
                    for i, (x, y) in enumerate(steps)
                ]
            except (UndefinedError, UnsupportedError):
                continue
    return []


def _generic(scenario: Scenario, rng: random.Random) -> Scenario:
    """The same hyperparameters throughout, with gradients away from 0."""
    first = scenario.moments[0].hyperparameters
    moments = tuple(
        Moment(first, Fraction(rng.randrange(8, 32), 16), Fraction(rng.randrange(8, 16), 16))
        for _ in range(_STEPS)
    )
    return Scenario(Fraction(rng.randrange(8, 32), 16), moments)


def _values_of_factors(
    a: Program, b: Program, domain: NumericDomain, given: Mapping[str, Value]
) -> dict[ir.Expr, Value | None]:
    """Every factor's value in one step, None where it has none."""
    out: dict[ir.Expr, Value | None] = {}
    execution = Execution(a.unbound(), domain, given, {})
    for factor in factors(a, b):
        try:
            out[factor] = execution.evaluate(factor)
        except UndefinedError:
            out[factor] = None
    return out


def _ratio(x: Value, y: Value) -> Value | None:
    return x / y if y else None


def _close(x: Value, y: Value) -> bool:
    return all(
        abs(p - q) <= _MATCH * max(abs(p), abs(q)) for p, q in zip(lanes(x), lanes(y), strict=True)
    )


def _names(expr: ir.Expr) -> set[str]:
    """Symbols that an expression reads; states count, so that a term over one is told apart."""
    kinds = (ir.Sym, ir.Prev)
    return {n.name for n in ir.walk(expr) if isinstance(n, kinds)}
