"""What both sides of a branch do last is done once, after it.

`v_hat = v_max / c if amsgrad else v / c` becomes `_v_hat = v_max if amsgrad else v; v_hat = _v_hat
/ c`, so that the division can be folded into what follows.
"""

from __future__ import annotations

from dataclasses import replace

from instep.reference.generate.lower.form import (
    Assign,
    Block,
    Branch,
    Program,
    Statement,
    each_block,
    leaves,
    statements,
    symbol,
    uses,
)
from instep.spec import ir


def factor_branches(program: Program) -> Program:
    """Take the last scaling by one and the same number out of both sides of every branch."""
    count = uses(program.block)

    def change(block: Block) -> Block:
        out: list[Statement] = []
        for statement in block:
            if isinstance(statement, Branch):
                out += _factor(program, statement, count)
            else:
                out.append(statement)
        return tuple(out)

    return program.with_block(each_block(program.block, change))


def _factor(program: Program, branch: Branch, count: dict[str, int]) -> list[Statement]:
    after: list[Statement] = []
    for join in branch.then:
        if not (isinstance(join, Assign) and _is_join(join)):
            continue
        pair = [_last_value(side, join.target, count) for side in (branch.then, branch.otherwise)]
        first, second = pair
        if first is None or second is None:
            continue
        common = _common(program, branch, first.value, second.value)
        if common is None:
            continue
        inner = program.fresh(symbol(join.target))
        program.declare(inner, program.scopes.symbols[join.target])
        sides = [
            _shorten(side, join.target, end, inner)
            for side, end in zip((branch.then, branch.otherwise), (first, second), strict=True)
        ]
        branch = Branch(branch.condition, *sides)
        outer = _with_first(first.value, ir.Sym(inner))
        after.append(Assign(join.target, outer, (*first.sources, *second.sources)))
    return [branch, *after]


def _is_join(statement: Assign) -> bool:
    return isinstance(statement.value, ir.Sym) and not statement.sources


def _last_value(block: Block, joined: str, count: dict[str, int]) -> Assign | None:
    """The equation behind a joined name on one side, if nothing else reads it."""
    made = {s.target: s for s in block if isinstance(s, Assign)}
    join = made.get(joined)
    if join is None or not isinstance(join.value, ir.Sym):
        return None
    end = made.get(join.value.name)
    return end if end is not None and count[end.target] == 1 and not end.stores else None


def _common(program: Program, branch: Branch, first: ir.Expr, second: ir.Expr) -> ir.Expr | None:
    """The number by which both values are scaled last, known before the branch."""
    match first, second:
        case ir.Binary("/" | "*" as op, a, s), ir.Binary(other, b, r) if op == other and s == r:
            inside = {x.target for x in statements((branch,)) if isinstance(x, Assign)}
            outside = not inside & set(leaves(s))
            lanes = not program.on_host(a) and not program.on_host(b)
            return s if outside and lanes and program.on_host(s) else None
    return None


def _with_first(expr: ir.Expr, operand: ir.Expr) -> ir.Expr:
    assert isinstance(expr, ir.Binary)
    return ir.Binary(expr.op, operand, expr.right)


def _shorten(block: Block, joined: str, end: Assign, inner: str) -> Block:
    """A side that ends with the operand instead of the scaled value."""
    assert isinstance(end.value, ir.Binary)
    kept = tuple(s for s in block if s is not end and not _targets(s, joined))
    return (*kept, Assign(inner, end.value.left))


def _targets(statement: Statement, name: str) -> bool:
    return isinstance(statement, Assign) and statement.target == name


def merge_branches(program: Program) -> Program:
    """Neighbouring branches on the same condition become one."""

    def change(block: Block) -> Block:
        out: list[Statement] = []
        for s in block:
            last = out[-1] if out else None
            if isinstance(s, Branch) and isinstance(last, Branch) and s.condition == last.condition:
                then, otherwise = last.then + s.then, last.otherwise + s.otherwise
                out[-1] = replace(last, then=then, otherwise=otherwise)
            else:
                out.append(s)
        return tuple(out)

    return program.with_block(each_block(program.block, change))
