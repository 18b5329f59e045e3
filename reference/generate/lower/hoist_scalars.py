"""Powers and functions of host numbers leave the tensor equations: they are computed once, by name.

`m / (1 - beta1**t)` becomes `_first_correction = 1 - beta1**t` and `m / _first_correction`, named
after the equation that it comes from.
"""

from __future__ import annotations

from dataclasses import replace

from instep.reference.generate.lower.form import Assign, Block, Program, Statement, each_block
from instep.spec import ir
from instep.spec.rewriting import rewrite


def hoist_scalars(program: Program) -> Program:
    """A number goes right before the equation that needs it, not out of a branch that guards it."""

    def change(block: Block) -> Block:
        out: list[Statement] = []
        for statement in block:
            if isinstance(statement, Assign) and not program.on_host(statement.value):
                helpers: list[Assign] = []
                statement = replace(statement, value=_hoist(program, statement, helpers))
                out += helpers
            out.append(statement)
        return tuple(out)

    return program.with_block(each_block(program.block, change))


def _hoist(program: Program, statement: Assign, helpers: list[Assign]) -> ir.Expr:
    wanted = statement.sources[-1].equation if statement.sources else "number"

    def rule(x: ir.Expr) -> ir.Expr | None:
        if not (program.on_host(x) and is_costly(x)):
            return None
        known = next((h.target for h in helpers if h.value == x), None)
        if known is None:
            known = program.fresh(wanted)
            program.declare(known, program.scopes.of(x))
            helpers.append(Assign(known, x))
        return ir.Sym(known)

    return rewrite(statement.value, rule)


def is_costly(expr: ir.Expr) -> bool:
    """Whether a number takes more than a few additions and multiplications."""
    return any(
        (isinstance(x, ir.Binary) and x.op == "**") or isinstance(x, ir.Call) for x in ir.walk(expr)
    )
