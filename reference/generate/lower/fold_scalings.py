"""A quantity that is another one times a number, used once, goes where it is used.

`m_hat = m / c; theta = theta - lr * m_hat / d` becomes `theta - lr * (m / c) / d`, which a rewrite
then turns into one fused operation without a pass over memory for `m_hat`.
"""

from __future__ import annotations

from dataclasses import replace

from instep.reference.generate.lower.form import (
    Assign,
    Block,
    Branch,
    Program,
    Statement,
    assigns,
    leaves,
    substitute,
    uses,
)
from instep.spec import ir


def fold_scalings(program: Program) -> Program:
    """Move scalings and plain copies of tensors into the one equation that reads them."""
    count = uses(program.block)
    folded = {
        s.target: s
        for s in assigns(program.block)
        if not s.stores and count[s.target] == 1 and _is_scaling(program, s.value)
    }
    readers = {x for s in assigns(program.block) for x in leaves(s.value)}
    folded = {name: s for name, s in folded.items() if name in readers}
    return program.with_block(_fold(program.block, folded))


def _is_scaling(program: Program, value: ir.Expr) -> bool:
    match value:
        case ir.Binary("/", a, s):
            return not program.on_host(a) and program.on_host(s) and _is_name(a)
        case ir.Binary("*", a, b):
            return program.on_host(a) != program.on_host(b) and (_is_name(a) or _is_name(b))
    return False


def _is_name(expr: ir.Expr) -> bool:
    return isinstance(expr, ir.Sym)


def _fold(block: Block, folded: dict[str, Assign]) -> Block:
    out: list[Statement] = []
    for s in block:
        match s:
            case Assign(target=target) if target in folded:
                continue
            case Assign():
                out.append(_absorb(s, folded))
            case Branch(condition, then, otherwise):
                out.append(Branch(condition, _fold(then, folded), _fold(otherwise, folded)))
    return tuple(out)


def _absorb(statement: Assign, folded: dict[str, Assign]) -> Assign:
    """The statement with what it reads folded in, and the equations of both as its sources."""
    while absorbed := [folded[n] for n in leaves(statement.value) if n in folded]:
        values = {s.target: s.value for s in absorbed}
        before = tuple(let for s in absorbed for let in s.sources)
        statement = replace(
            statement,
            value=substitute(statement.value, values),
            sources=(*before, *statement.sources),
        )
    return statement
