"""Mistakes in the order and structure of a body: left out, twice, elsewhere, stored or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from instep.conformance.mutate.expressions import MUTATORS, Names, changed
from instep.conformance.mutate.mutant import Mutant
from instep.conformance.oracle import Model
from instep.spec import ir
from instep.spec.arguments import Hyperparameter
from instep.spec.model import Algorithm, State
from instep.spec.options import resolve
from instep.spec.render import expression_text
from instep.spec.rewriting import rewrite, rewrite_body

Edit = Callable[[ir.Stmt], ir.Body]


def edited(body: ir.Body, target: ir.Stmt, edit: Edit) -> ir.Body:
    """A copy of a body in which one statement (by identity) became others."""
    out: list[ir.Stmt] = []
    for s in body:
        if s is target:
            out.extend(edit(s))
            continue
        match s:
            case ir.If(_, then, otherwise):
                s = replace(
                    s, then=edited(then, target, edit), otherwise=edited(otherwise, target, edit)
                )
            case ir.Repeat(body=inner):
                s = replace(s, body=edited(inner, target, edit))
        out.append(s)
    return tuple(out)


def in_equations(algorithm: Algorithm) -> Iterator[Mutant]:
    """Every expression mistake in every equation."""
    names = Names(algorithm)
    for let in list(ir.lets(algorithm.body)):
        for mutator in MUTATORS:
            for kind, value in changed(let.value, mutator, names):
                wrong = replace(let, value=value)
                body = edited(algorithm.body, let, lambda _, w=wrong: (w,))  # type: ignore[misc]  # bound now
                yield _mutant(algorithm, body, let.equation, kind, wrong)


def everywhere(algorithm: Algorithm) -> Iterator[Mutant]:
    """The same wrong name in all equations: both betas exchanged, the counter off by one."""
    names = Names(algorithm)
    for h in algorithm.hyperparameters:
        for other in names.siblings(h.name):
            if h.name < other:
                exchange = {h.name: ir.Sym(other), other: ir.Sym(h.name)}
                yield _rewritten(algorithm, exchange, f"{h.name} and {other} exchanged")
        hard = {h.name: ir.Const(h.default)}
        yield _rewritten(algorithm, hard, f"{h.name} ignored, {h.default:g} used instead")
        if (h.domain.lower, h.domain.upper) == (0, 1):
            complement = {h.name: ir.Binary("-", ir.Const(1), ir.Sym(h.name))}
            yield _rewritten(algorithm, complement, f"1 - {h.name} in place of {h.name}")
    for key, together in _tuples(algorithm).items():
        hard = {h.name: ir.Const(h.default) for h in together}
        values = ", ".join(f"{h.default:g}" for h in together)
        yield _rewritten(algorithm, hard, f"{key} ignored, ({values}) used instead")
    if algorithm.counter is not None:
        t = algorithm.counter.name
        one, sym = ir.Const(1), ir.Sym(t)
        for kind, new in (
            ("step counter one ahead", ir.Binary("+", sym, one)),
            ("step counter one behind", ir.Binary("-", sym, one)),
            ("step counter advanced twice", ir.Binary("*", ir.Const(2), sym)),
            ("step counter frozen at 1", one),
        ):
            yield _rewritten(algorithm, {t: new}, kind)
        yield from _uncorrected(algorithm, t)


def _uncorrected(algorithm: Algorithm, t: str) -> Iterator[Mutant]:
    """Every 1 - beta**t left out."""

    def is_correction(x: ir.Expr) -> bool:
        match x:
            case ir.Binary("-", ir.Const(1), ir.Binary("**", ir.Sym(_), ir.Sym(exponent))):
                return exponent == t
        return False

    def rule(x: ir.Expr) -> ir.Expr | None:
        match x:
            case ir.Binary("*" | "/", a, b) if is_correction(b):
                return rewrite(a, rule)
        return ir.Const(1) if is_correction(x) else None

    equation = _first_reading(algorithm, {t}) or "body"
    body = rewrite_body(algorithm.body, rule)
    yield named(algorithm, body, equation, "no bias correction at all")


def _tuples(algorithm: Algorithm) -> dict[str, list[Hyperparameter]]:
    """Hyperparameters that share an argument, by its name."""
    out: dict[str, list[Hyperparameter]] = {}
    for h in algorithm.hyperparameters:
        if h.index is not None:
            out.setdefault(h.key, []).append(h)
    return out


def structure(algorithm: Algorithm) -> Iterator[Mutant]:
    """Equations left out, executed twice, moved to the end; branches always or never taken."""
    for let in list(ir.lets(algorithm.body)):
        if let.target.name in {ir.THETA} | {s.name for s in algorithm.states}:
            twice = edited(algorithm.body, let, lambda s: (s, s))
            yield named(algorithm, twice, let.equation, "executed twice")
        if _rebinds(let):
            dropped = edited(algorithm.body, let, lambda s: ())
            yield named(algorithm, dropped, let.equation, "left out")
            late = (*dropped, let)
            yield named(algorithm, late, let.equation, "executed last")
    for branch in [s for s in ir.statements(algorithm.body) if isinstance(s, ir.If)]:
        yield from _branch(algorithm, branch)


def _branch(algorithm: Algorithm, branch: ir.If) -> Iterator[Mutant]:
    inside = next((s.equation for s in ir.lets(branch.then)), "branch")
    then = edited(algorithm.body, branch, lambda _: branch.then)
    yield named(algorithm, then, inside, "condition ignored")
    never = edited(algorithm.body, branch, lambda _: branch.otherwise)
    if branch.otherwise:
        yield named(algorithm, never, inside, "the other branch always taken")
    if not ir.is_static(branch.condition):
        inner = [k for k, _ in enumerate(ir.children(branch.condition))]
        for mutator in MUTATORS:
            for kind, condition in changed(branch.condition, mutator, Names(algorithm)):
                if inner and isinstance(condition, ir.Compare | ir.Logic):
                    body = edited(
                        algorithm.body,
                        branch,
                        lambda s, c=condition: (replace(s, condition=c),),  # type: ignore[misc]  # bound now
                    )
                    yield named(algorithm, body, inside, kind)


def states(algorithm: Algorithm) -> Iterator[Mutant]:
    """States with another first value, or never stored."""
    for s in algorithm.states:
        for value in (0, 1, 0.1):
            if s.shape in ("like", "scalar") and s.init != ir.Const(value):
                yield _initial(algorithm, s, ir.Const(value), f"starts at {value}")
        yield from _first_gradient(algorithm, s)
        local = f"{s.name}_unsaved"

        def forget(x: ir.Expr, old: str = s.name, new: str = local) -> ir.Expr | None:
            return ir.Sym(new) if x == ir.Sym(old) else None

        body = rewrite_body(algorithm.body, forget)
        equation = next(
            (q.equation for q in ir.lets(algorithm.body) if q.target.name == s.name), s.name
        )
        yield named(algorithm, body, equation, f"{s.name} is never stored")


def _first_gradient(algorithm: Algorithm, s: State) -> Iterator[Mutant]:
    """The first step stores what enters the average, instead of averaging it with zero."""
    if s.init != ir.Const(0):
        return
    for let in [q for q in ir.lets(algorithm.body) if q.target.name == s.name]:
        match let.value:
            case ir.Binary("+", ir.Binary("*", _, ir.Prev(_)), ir.Binary("*", _, fresh)):
                first = replace(let, value=fresh)
                split = ir.If(ir.Absent(s.name), (first,), (let,))
                body = edited(algorithm.body, let, lambda _, b=split: (b,))  # type: ignore[misc]  # bound now
                wrong = replace(
                    algorithm,
                    body=body,
                    states=tuple(replace(x, init=None) if x is s else x for x in algorithm.states),
                )
                kind = f"{s.name} starts as its first input"
                yield Mutant(f"{let.equation}: {kind}", let.equation, kind, kind, Model(wrong))


def _initial(algorithm: Algorithm, s: State, init: ir.Expr, kind: str) -> Mutant:
    changed_states = tuple(replace(x, init=init) if x is s else x for x in algorithm.states)
    equation = next(
        (q.equation for q in ir.lets(algorithm.body) if q.target.name == s.name), s.name
    )
    text = f"{s.name} {kind}"
    wrong = replace(algorithm, states=changed_states)
    return Mutant(f"{equation}: {text}", equation, text, text, Model(wrong))


def hyperparameters(algorithm: Algorithm) -> Iterator[Mutant]:
    """Read once in the constructor, or squeezed through a narrow type."""
    constructed = algorithm.result == "parameters"  # a function gets its values in every call
    for h in algorithm.hyperparameters:
        equation = _first_reading(algorithm, {h.name})
        if not equation:
            continue
        if constructed:
            stale = f"{h.name} kept from construction, groups and changes ignored"
            frozen = Model(algorithm, frozenset({h.name}))
            yield Mutant(f"{equation}: {stale}", equation, stale, stale, frozen)
        if h.domain.integer:
            continue  # exact in half precision up to 2048
        coarse = f"{h.name} rounded to half precision"
        distort = Model(algorithm, distort={h.name: _half})
        yield Mutant(f"{equation}: {coarse}", equation, coarse, coarse, distort)
    if constructed:
        every = frozenset(h.name for h in algorithm.hyperparameters)
        stale = "all hyperparameters kept from construction, groups and changes ignored"
        yield Mutant(f"groups: {stale}", "", stale, stale, Model(algorithm, every))
    if algorithm.counter is not None and algorithm.counter.scope == "parameter":
        shared = replace(algorithm, counter=replace(algorithm.counter, scope="optimizer"))
        text = "one step counter for all parameters"
        yield Mutant(f"counter: {text}", "counter", text, text, Model(shared))


def _half(x: float) -> float:
    """A number squeezed through half precision; a large one becomes infinite."""
    with np.errstate(over="ignore"):
        return float(np.float16(x))


def _rebinds(let: ir.Let) -> bool:
    """Whether an equation reads what it assigns, so that it can be left out."""
    readers = (ir.Sym, ir.Prev)
    return any(isinstance(n, readers) and n.name == let.target.name for n in ir.walk(let.value))


def _first_reading(algorithm: Algorithm, names: set[str]) -> str:
    """The first equation under the algorithm's own options that reads a name, or empty."""
    body = resolve(algorithm.body, algorithm.option_defaults())
    for statement in ir.statements(body):
        for expr in ir.expressions(statement):
            if any(isinstance(n, ir.Sym) and n.name in names for n in ir.walk(expr)):
                inside = (*ir.lets((statement,)),)
                return inside[0].equation if inside else ""
    return ""


def _rewritten(algorithm: Algorithm, replacement: Mapping[str, ir.Expr], kind: str) -> Mutant:
    def rule(x: ir.Expr) -> ir.Expr | None:
        return replacement.get(x.name) if isinstance(x, ir.Sym) else None

    equation = _first_reading(algorithm, set(replacement)) or "body"
    return named(algorithm, rewrite_body(algorithm.body, rule), equation, kind)


def named(algorithm: Algorithm, body: ir.Body, equation: str, kind: str) -> Mutant:
    """A mutant whose body is told by the kind of its mistake."""
    model = Model(replace(algorithm, body=body))
    return Mutant(f"{equation}: {kind}", equation, kind, kind, model)


def _mutant(algorithm: Algorithm, body: ir.Body, equation: str, kind: str, wrong: ir.Let) -> Mutant:
    shown = f"{wrong.target.name} = {expression_text(wrong.value, ascii=True)}"
    model = Model(replace(algorithm, body=body))
    return Mutant(f"{equation}: {kind}", equation, kind, shown, model)
