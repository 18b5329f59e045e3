"""Every sum over the lanes of a tensor becomes an equation of its own, right before its reader."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeGuard

from instep.reference.generate.lower.form import Assign, Block, Program, Statement, each_block
from instep.spec import ir
from instep.spec.rewriting import rewrite
from instep.spec.scope import Scope

# What a statement stores that adds to its target.
ADDED = "+"
_OPERATIONS = ("sum", "mean")


class Sum(Assign):
    """An assignment whose value is a sum over all lanes; only a type, never constructed."""

    value: ir.Reduce


def is_sum(statement: Statement) -> TypeGuard[Sum]:
    """Whether a statement is such an equation."""
    return isinstance(statement, Assign) and _is_sum(statement.value)


def _is_sum(expr: ir.Expr) -> bool:
    return isinstance(expr, ir.Reduce) and expr.over == "all" and expr.op in _OPERATIONS


def name_sums(program: Program) -> Program:
    """`norm = sqrt(sum(x**2))` becomes `_norm = sum(x**2); norm = sqrt(_norm)`."""

    def change(block: Block) -> Block:
        out: list[Statement] = []
        for s in block:
            if isinstance(s, Assign):
                helpers: list[Assign] = []
                s = replace(s, value=_named(program, s, helpers))
                out += helpers
            out.append(s)
        return tuple(out)

    return program.with_block(each_block(program.block, change))


def _named(program: Program, statement: Assign, helpers: list[Assign]) -> ir.Expr:
    wanted = statement.sources[-1].equation if statement.sources else "total"

    def rule(x: ir.Expr) -> ir.Expr | None:
        if not _is_sum(x) or program.on_host(x):
            return None
        known = program.fresh(wanted)
        program.declare(known, Scope.REDUCED)
        helpers.append(Assign(known, x))
        return ir.Sym(known)

    return rewrite(statement.value, rule)
