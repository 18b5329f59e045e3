"""What a step leaves in parameters and states, as expressions of what was there before it.

Straight-line substitution proves at once what needs no algebra: reordered lines, a value read
before or after it was copied, a branch for a term that is zero anyway.
"""

from __future__ import annotations

from collections.abc import Mapping

from instep.spec import ir
from instep.spec.algebra.numeric import COMPARE
from instep.spec.algebra.program import Program
from instep.spec.rewriting import rewrite, with_child

# Larger than any specification in straight line; a body that repeats itself grows beyond it.
_NODES = 20_000
_ZERO, _ONE = ir.Const(0), ir.Const(1)
Values = dict[str, ir.Expr]
# Conditions on what was there before the step, decided by the branch that reads them.
Known = Mapping[ir.Expr, bool]
# Loops met so far, by what they compute of what; the number names their results.
Loops = dict[object, int]


class _TooHard(Exception):  # noqa: N818 - a signal, not an error
    """Histories, loops in loops, or too many nodes: nothing for substitution."""


def same_values(a: Program, b: Program) -> bool:
    """Whether two programs visibly leave the same; False says nothing."""
    if _setting(a) != _setting(b):
        return False
    loops: Loops = {}
    try:
        return _left_by(a, loops) == _left_by(b, loops)
    except _TooHard:
        return False


def _setting(program: Program) -> object:
    a = program.algorithm
    # How steps are counted matters to nothing where no equation reads the count.
    read = {n.name for n in ir.nodes(program.body) if isinstance(n, ir.Sym)}
    counter = a.counter if a.counter is not None and a.counter.name in read else None
    return program.states, counter, program.bindings, a.hyperparameters, a.slots


def _left_by(program: Program, loops: Loops) -> Values:
    kept = {ir.THETA, *(s.name for s in program.states)}
    values: Values = {name: ir.Prev(name) for name in kept}
    _run(program.body, values, loops, {})
    return {name: values[name] for name in kept}


def _run(body: ir.Body, values: Values, loops: Loops, known: Known) -> None:
    for statement in body:
        match statement:
            case ir.Let(_, ir.Sym(name), value):
                values[name] = _read(value, values)
            case ir.If():
                _branch(statement, values, loops, known)
            case ir.Repeat():
                _loop(statement, values, loops, known)
            case _:
                raise _TooHard


def _branch(branch: ir.If, values: Values, loops: Loops, known: Known) -> None:
    """One side where it is known which; else both, each knowing that it is taken."""
    test = _read(branch.condition, values)
    truth = _decided(test, known)
    if truth is not None:
        _run(branch.then if truth else branch.otherwise, values, loops, known)
        return
    sides = dict(values), dict(values)
    _run(branch.then, sides[0], loops, {**known, test: True})
    _run(branch.otherwise, sides[1], loops, {**known, test: False})
    for name in sides[0].keys() & sides[1].keys():
        values[name] = _choice(test, sides[0][name], sides[1][name])


def _decided(test: ir.Expr, known: Known) -> bool | None:
    """The truth of a condition on numbers, or of one that was met before; None where it is open."""
    match test:
        case ir.Compare(op, ir.Const(a), ir.Const(b)):
            return bool(COMPARE[op](a, b))
    return known.get(test)


def _loop(loop: ir.Repeat, values: Values, loops: Loops, known: Known) -> None:
    """A loop is a function of what it reads: the same one of the same values gives the same."""
    if any(isinstance(statement, ir.Repeat) for statement in ir.statements(loop.body)):
        raise _TooHard
    assigned = ir.assigned(loop.body)
    once: Values = {name: value for name, value in values.items() if name not in assigned}
    _run(loop.body, once, loops, known)
    rounds = _read(loop.start, values), _read(loop.stop, values), loop.variable, loop.down
    until = None if loop.until is None else _read(loop.until, once)
    results = {name: once[name] for name in assigned if name in once}
    carried = {
        node.name: values.get(node.name)
        for value in (*results.values(), *(() if until is None else (until,)))
        for node in ir.walk(value)
        if isinstance(node, ir.Sym) and node.name in assigned
    }
    what = (rounds, until, frozenset(results.items()), frozenset(carried.items()))
    number = loops.setdefault(what, len(loops))
    # Without a round, what was there stays: the name of a result is of what it was before, too.
    for name in results:
        before = loops.setdefault((number, name, values.get(name)), len(loops))
        values[name] = ir.Sym(f"loop {before}")


def _read(expr: ir.Expr, values: Values) -> ir.Expr:
    """An expression over what was there before the step."""

    def rule(node: ir.Expr) -> ir.Expr | None:
        match node:
            case ir.Sym(name):
                return values.get(name)
            case ir.Absent(name) if values.get(name) != ir.Prev(name):
                raise _TooHard
        return None

    return folded(rewrite(expr, rule))


def _choice(condition: ir.Expr, then: ir.Expr, otherwise: ir.Expr) -> ir.Expr:
    match condition:
        case ir.Logic("not", (inner,)):
            return _choice(inner, otherwise, then)
        case ir.Compare("!=", a, b):
            return _choice(ir.Compare("==", a, b), otherwise, then)
        case ir.Compare("==", ir.Sym(name), ir.Const() as number):
            if folded(replaced(otherwise, {name: number})) == folded(
                replaced(then, {name: number})
            ):
                return otherwise
    if then == otherwise:
        return then
    chosen = ir.Where(condition, then, otherwise)
    if sum(1 for _ in ir.walk(chosen)) > _NODES:
        raise _TooHard
    return chosen


def replaced(expr: ir.Expr, numbers: Mapping[str, ir.Expr]) -> ir.Expr:
    """An expression with numbers for some symbols."""
    return rewrite(expr, lambda n: numbers.get(n.name) if isinstance(n, ir.Sym) else None)


def folded(expr: ir.Expr) -> ir.Expr:
    """Without terms that are zero, factors that are one and sums of whole numbers.

    For finite values.
    """
    for k, child in enumerate(ir.children(expr)):
        new = folded(child)
        if new is not child:
            expr = with_child(expr, k, new)
    match expr:
        case ir.Binary("+", ir.Const(int(m)), ir.Const(int(n))):
            return ir.Const(m + n)
        case ir.Binary("-", ir.Const(int(m)), ir.Const(int(n))):
            return ir.Const(m - n)
        case ir.Binary("*", x, y) if _ZERO in (x, y):
            return _ZERO
        case ir.Binary("*", x, y) if _ONE in (x, y):
            return y if x == _ONE else x
        case ir.Binary("+", x, y) if _ZERO in (x, y):
            return y if x == _ZERO else x
        case ir.Binary("-" | "/" as op, x, y) if y == (_ZERO if op == "-" else _ONE):
            return x
        case ir.Compare(op, ir.Binary("*", ir.Const(factor), x), ir.Const(0)) if factor > 0:
            return ir.Compare(op, x, _ZERO)
    return expr
