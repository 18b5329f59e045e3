"""What is written twice is computed once, by hash-consing over the IR: equal trees, one value.

In single-assignment form that holds wherever both stand. Sympy's `cse` is no help: it evaluates
what it touches, and a reordered sum rounds differently.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from instep.reference.generate.lower.form import (
    Assign,
    Block,
    Branch,
    Program,
    Statement,
    each_block,
    each_value,
    statements,
    substitute,
)
from instep.spec import ir
from instep.spec.rewriting import rewrite


def eliminate_common(program: Program) -> Program:
    """Numbers that both sides of a branch begin with move before it; repeated trees get a name."""
    block = each_block(program.block, lambda b: _lift(b))
    return program.with_block(_share(program, block, {}))


# ---- numbers that both sides of a branch compute


def _lift(block: Block) -> Block:
    out: list[Statement] = []
    for statement in block:
        if isinstance(statement, Branch):
            lifted, statement = _lift_branch(statement)
            out += lifted
        out.append(statement)
    return tuple(out)


def _lift_branch(branch: Branch) -> tuple[list[Assign], Branch]:
    """Helpers with the same value on both sides: in this form they read the same names, too."""
    second = {s.value: s.target for s in _helpers(branch.otherwise)}
    lifted = [s for s in _helpers(branch.then) if s.value in second]
    renamed: dict[str, ir.Expr] = {second[s.value]: ir.Sym(s.target) for s in lifted}
    then = tuple(s for s in branch.then if s not in lifted)
    otherwise = tuple(s for s in branch.otherwise if not _defines(s, renamed))
    otherwise = each_value(otherwise, lambda value: substitute(value, renamed))
    return lifted, Branch(branch.condition, then, otherwise)


def _helpers(block: Block) -> Iterator[Assign]:
    return (s for s in block if isinstance(s, Assign) and s.target.startswith("_"))


def _defines(statement: Statement, names: dict[str, ir.Expr]) -> bool:
    return isinstance(statement, Assign) and statement.target in names


# ---- trees that occur more than once


def _share(program: Program, block: Block, known: dict[ir.Expr, str]) -> Block:
    """Name every tree that occurs again below; `known` are those that enclosing blocks named."""
    known = dict(known)
    again = Counter(x for s in statements(block) for x in _candidates(program, s))
    out: list[Statement] = []
    for statement in block:
        match statement:
            case Assign(value=value) if not _is_leaf(value):
                helpers: list[Assign] = []
                shared = _replace(program, statement, again, known, helpers)
                out += [*helpers, replace(statement, value=shared)]
                known.setdefault(value, statement.target)
            case Branch(condition, then, otherwise):
                then, otherwise = (_share(program, b, known) for b in (then, otherwise))
                out.append(Branch(condition, then, otherwise))
            case _:
                out.append(statement)
    return tuple(out)


def _replace(
    program: Program,
    statement: Assign,
    again: Counter[ir.Expr],
    known: dict[ir.Expr, str],
    helpers: list[Assign],
) -> ir.Expr:
    def rule(x: ir.Expr) -> ir.Expr | None:
        if x in known:
            return ir.Sym(known[x])
        if x is statement.value or again[x] < 2:
            return None
        name = program.fresh(statement.sources[-1].equation if statement.sources else "shared")
        program.declare(name, program.scopes.of(x))
        helpers.append(Assign(name, x))
        known[x] = name
        return ir.Sym(name)

    return rewrite(statement.value, rule)


def _candidates(program: Program, statement: Statement) -> Iterator[ir.Expr]:
    """Trees worth a name: tensors that take an operation."""
    if isinstance(statement, Assign):
        for x in ir.walk(statement.value):
            if not _is_leaf(x) and not program.on_host(x):
                yield x


def _is_leaf(expr: ir.Expr) -> bool:
    return not ir.children(expr) or isinstance(expr, ir.Grad)
