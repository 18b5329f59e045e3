"""Mistakes that several equations share, or that move a term from one equation to another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from instep.conformance.mutate.bodies import edited, named
from instep.conformance.mutate.expressions import (
    Change,
    Names,
    changed,
    decay_rates,
    factors,
    powers,
    symbols,
    terms,
)
from instep.conformance.mutate.mutant import Mutant
from instep.spec import ir
from instep.spec.model import Algorithm
from instep.spec.options import resolve
from instep.spec.rewriting import rewrite, rewrite_body

# Who writes one of two equations that are alike in a wrong way has copied the other.
_COPIED = (decay_rates, powers, factors, terms)


def copied(algorithm: Algorithm) -> Iterator[Mutant]:
    """The same mistake in all equations that are alike: in both bias corrections, say."""
    names = Names(algorithm)
    for alike in _alike(algorithm):
        first = alike[0].equation
        where = " and ".join(dict.fromkeys(let.equation for let in alike))
        for mutator in (*_COPIED, _counted):
            ways = [list(changed(let.value, mutator, names)) for let in alike]
            if len({len(way) for way in ways}) > 1:
                continue
            for changes in zip(*ways, strict=True):
                kinds = " and ".join(dict.fromkeys(kind for kind, _ in changes))
                body = algorithm.body
                for let, (_, value) in zip(alike, changes, strict=True):
                    wrong = replace(let, value=value)
                    body = edited(body, let, lambda _, w=wrong: (w,))  # type: ignore[misc]  # bound now
                yield named(algorithm, body, first, f"{kinds}, in {where}")


def _counted(node: ir.Expr, names: Names) -> Iterator[Change]:
    """Mistakes in the number of the step."""
    if isinstance(node, ir.Sym) and node.name == names.counter:
        yield from symbols(node, names)


def _alike(algorithm: Algorithm) -> list[list[ir.Let]]:
    """Equations of one form, up to names, that give different quantities."""
    groups: dict[ir.Expr, list[ir.Let]] = defaultdict(list)
    reached = {id(let) for let in ir.lets(resolve(algorithm.body, algorithm.option_defaults()))}
    for let in ir.lets(algorithm.body):
        if id(let) in reached and isinstance(let.target, ir.Sym) and ir.children(let.value):
            groups[_form(let.value)].append(let)
    return [g for g in groups.values() if len({let.target.name for let in g}) == len(g) > 1]


def _form(expr: ir.Expr) -> ir.Expr:
    """An expression whose names are numbered as they come."""
    numbers: dict[str, str] = {}

    def rule(x: ir.Expr) -> ir.Expr | None:
        if isinstance(x, ir.Sym | ir.Prev):
            return type(x)(numbers.setdefault(x.name, str(len(numbers))))
        return None

    return rewrite(expr, rule)


def decay_moved(algorithm: Algorithm) -> Iterator[Mutant]:
    """An L2 penalty that decays the parameter beside the step instead, and the other way round."""
    rates = {h.name for h in algorithm.hyperparameters}
    body = resolve(algorithm.body, algorithm.option_defaults())
    for let in ir.lets(body):
        match let.value:
            case ir.Binary("+", ir.Sym(g), ir.Binary("*", ir.Sym(wd), ir.Sym(ir.THETA))) if (
                g == let.target.name and wd in rates and "lr" in rates
            ):
                rate = ir.Binary("*", ir.Sym("lr"), ir.Sym(wd))
                value = _less(ir.Binary("*", rate, ir.Sym(ir.THETA)))
                kind = f"decoupled from the gradient, by lr times {wd}"
                yield _in_place(algorithm, let, ir.Sym(ir.THETA), value, kind)
            case ir.Binary("-", ir.Sym(ir.THETA), ir.Binary("*", a, ir.Sym(ir.THETA))) if (
                let.target.name == ir.THETA
            ):
                inside = {n.name for n in ir.walk(a) if isinstance(n, ir.Sym)}
                for wd in sorted(inside & rates - {"lr"}):
                    for g in _gradients(body):
                        penalty = ir.Binary("*", ir.Sym(wd), ir.Sym(ir.THETA))
                        value = ir.Binary("+", ir.Sym(g), penalty)
                        kind = f"added to the gradient, {wd} times the parameter"
                        yield _in_place(algorithm, let, ir.Sym(g), value, kind)


def _less(step: ir.Expr) -> ir.Expr:
    return ir.Binary("-", ir.Sym(ir.THETA), step)


def _gradients(body: ir.Body) -> list[str]:
    """Symbols that stand for the gradient at the parameter."""
    here = ir.Grad(ir.Sym(ir.THETA))
    found = (let.target.name for let in ir.lets(body) if here in ir.walk(let.value))
    return list(dict.fromkeys(found))


def _in_place(
    algorithm: Algorithm, let: ir.Let, target: ir.Sym, value: ir.Expr, kind: str
) -> Mutant:
    wrong = replace(let, target=target, value=value)
    body = edited(algorithm.body, let, lambda _: (wrong,))
    return named(algorithm, body, let.equation, kind)


def overwritten(algorithm: Algorithm) -> Iterator[Mutant]:
    """What is computed from a state for one step alone is stored in its place: corrected twice."""
    states = {s.name for s in algorithm.states if s.shape == "like"}
    reached = list(ir.lets(resolve(algorithm.body, algorithm.option_defaults())))
    targets = [let.target.name for let in reached]
    for let in reached:
        local = let.target.name
        read = {n.name for n in ir.walk(let.value) if isinstance(n, ir.Sym)} & states
        if local in states | {ir.THETA} or targets.count(local) > 1 or len(read) != 1:
            continue
        (state,) = read
        if not _scaled(let.value, state, algorithm):
            continue

        def rename(x: ir.Expr, old: str = local, new: str = state) -> ir.Expr | None:
            return ir.Sym(new) if x == ir.Sym(old) else None

        body = rewrite_body(algorithm.body, rename)
        yield named(algorithm, body, let.equation, f"{state} overwritten by {local}")


def _scaled(value: ir.Expr, state: str, algorithm: Algorithm) -> bool:
    """Whether a value is a state times or divided by numbers."""
    numbers = {h.name for h in algorithm.hyperparameters}
    numbers |= {algorithm.counter.name} if algorithm.counter is not None else set()
    match value:
        case ir.Binary("/" | "*", ir.Sym(name), other) if name == state:
            pass
        case ir.Binary("*", other, ir.Sym(name)) if name == state:
            pass
        case _:
            return False
    names = {n.name for n in ir.walk(other) if isinstance(n, ir.Sym | ir.Prev)}
    return names <= numbers
