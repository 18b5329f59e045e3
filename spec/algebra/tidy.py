"""Bodies without what makes no difference wherever it stands, in loops and branches too.

Until a step assigns a state, its new value is the old one; and an equation that does not read what
it assigns may as well be executed once as twice in a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import replace

from instep.spec import ir
from instep.spec.rewriting import rewrite


def tidied(body: ir.Body) -> ir.Body:
    """A body that does the same, with fewer ways to say it."""
    return _body(body, frozenset())


def _body(body: ir.Body, assigned: Set[str]) -> ir.Body:
    out: list[ir.Stmt] = []
    last: ir.Stmt | None = None
    for statement in body:
        if not (statement == last and _idempotent(statement)):
            out.append(_statement(statement, assigned))
        assigned, last = assigned | _assigned((statement,)), statement
    return tuple(out)


def _statement(statement: ir.Stmt, assigned: Set[str]) -> ir.Stmt:
    match statement:
        case ir.If(condition, then, otherwise):
            sides = _body(then, assigned), _body(otherwise, assigned)
            return replace(
                statement, condition=_read(condition, assigned), then=sides[0], otherwise=sides[1]
            )
        case ir.Repeat(_, start, stop, loop, until):
            inside = assigned | _assigned(loop)  # by an earlier round
            return replace(
                statement,
                start=_read(start, assigned),
                stop=_read(stop, assigned),
                body=_body(loop, inside),
                until=None if until is None else _read(until, inside),
            )
        case ir.Let(_, _, value):
            return replace(statement, value=_read(value, assigned))
    return statement


def _assigned(body: ir.Body) -> set[str]:
    moves = any(isinstance(s, ir.Apply) for s in ir.statements(body))
    return ir.assigned(body) | ({ir.THETA} if moves else set())


def _read(expr: ir.Expr, assigned: Set[str]) -> ir.Expr:
    def rule(node: ir.Expr) -> ir.Expr | None:
        match node:
            case ir.Prev(name) if name not in assigned:
                return ir.Sym(name)
        return None

    return rewrite(expr, rule)


def _idempotent(statement: ir.Stmt) -> bool:
    if not isinstance(statement, ir.Let):
        return False
    read = set(_names(statement.value))
    if isinstance(statement.target, ir.At):
        read |= set(_names(statement.target.index))
    return statement.target.name not in read


def _names(expr: ir.Expr) -> Iterator[str]:
    """What an expression reads as it stands now."""
    for node in ir.walk(expr):
        match node:
            case ir.Sym(name) | ir.At(name) | ir.Len(name) | ir.Absent(name):
                yield name
