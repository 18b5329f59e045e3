"""Programs that differ in one statement are equal if that statement alone gives the same.

In the whole step a case such as t = T may have to be told apart inside powers and roots; by itself
the statement is short.
"""

from __future__ import annotations

from dataclasses import replace

from instep.spec import ir
from instep.spec.algebra.program import Program

Pair = tuple[ir.Stmt, ir.Stmt]


def alone(a: Program, b: Program) -> list[tuple[Program, Program]]:
    """The one statement in which two programs differ, as a pair for each quantity that it defines.

    None at all where they differ in more, or where it reads anything but hyperparameters and the
    step counter.
    """
    if len(a.body) <= 2:
        return []  # there is nothing to leave out
    same = (a.states, a.bindings, a.algorithm.counter, a.algorithm.hyperparameters)
    if same != (b.states, b.bindings, b.algorithm.counter, b.algorithm.hyperparameters):
        return []
    pair = difference(a.body, b.body)
    if pair is None or not all(map(_reads_numbers, (a, b), pair)):
        return []
    defined = _always(pair[0])
    if not defined or any(names != defined for s in pair for names in (_always(s), _ever(s))):
        return []
    return [(_only(a, pair[0], name), _only(b, pair[1], name)) for name in sorted(defined)]


def difference(a: ir.Body, b: ir.Body) -> Pair | None:
    """The innermost statements in which two bodies differ, if nothing else does."""
    apart = [(x, y) for x, y in zip(a, b, strict=False) if x != y]
    if len(a) != len(b) or len(apart) != 1:
        return None
    ((x, y),) = apart
    if isinstance(x, ir.If) and isinstance(y, ir.If) and x.condition == y.condition:
        if x.otherwise == y.otherwise:
            return difference(x.then, y.then)
        return difference(x.otherwise, y.otherwise) if x.then == y.then else None
    return x, y


def _reads_numbers(program: Program, statement: ir.Stmt) -> bool:
    known = {*program.domains, program.counter}
    leaves = [n for n in ir.nodes((statement,)) if not ir.children(n)]
    return all(
        isinstance(n, ir.Const) or (isinstance(n, ir.Sym) and n.name in known) for n in leaves
    )


def _ever(statement: ir.Stmt) -> set[str]:
    return set(ir.assigned((statement,)))


def _always(statement: ir.Stmt) -> set[str]:
    """What a statement defines on every path."""
    match statement:
        case ir.Let(_, ir.Sym(name)):
            return {name}
        case ir.If(_, then, otherwise):
            return set[str]().union(*map(_always, then)) & set[str]().union(
                *map(_always, otherwise)
            )
    return set()


def _only(program: Program, statement: ir.Stmt, name: str) -> Program:
    """A step that does nothing but show one quantity that the statement defines."""
    body = (statement, ir.Let("alone", ir.Sym(ir.THETA), ir.Sym(name)))
    return replace(program, algorithm=replace(program.algorithm, body=body, states=()), body=body)
