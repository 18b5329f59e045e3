"""What the host computes once, what a tensor comes to as a whole, and what each lane computes.

A kernel is told two things besides its tensors: switches, which are the branches that the host
decides, and numbers. `theta * (1 - lr * weight_decay)` becomes `_decay = 1 - lr * weight_decay` on
the host and `theta * _decay` in the lanes. A sum over all lanes of a tensor, `sum(theta**2)`, is
taken in a round of its own, before what is computed from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from instep.reference.generate.errors import NoListFormError
from instep.reference.generate.lower.apply_rules import instantiate
from instep.reference.generate.lower.factor_branches import merge_branches
from instep.reference.generate.lower.form import (
    Assign,
    Block,
    Branch,
    Program,
    Statement,
    assigns,
    each_block,
    each_value,
    leaves,
    statements,
)
from instep.reference.generate.lower.name_sums import ADDED, is_sum, name_sums
from instep.reference.generate.lower.notation import parse
from instep.reference.generate.lower.remove_dead import remove_dead
from instep.reference.generate.lower.rules import FUSED
from instep.spec import ir
from instep.spec.rewriting import rewrite
from instep.spec.scope import Scope


@dataclass(frozen=True, slots=True)
class Parts:
    """A program taken apart.

    Attributes:
        program: the lowered program with a name for every number and every sum.
        host: statements that the host runs; branches hold what it computes in them.
        sums: statements for each lane that lead to sums; one with a `+` for a store adds to its
            target.
        whole: statements for each tensor, between its sums and its lanes.
        lanes: statements for each lane; every condition is a switch.
        switches: conditions that the host decides, by the order in which they are met.
        numbers: names that are read and the host computes, likewise.
        totals: names of sums, each with its operation.
        scalars: names that lanes read and that are one for each tensor.
    """

    program: Program
    host: Block
    sums: Block
    whole: Block
    lanes: Block
    switches: tuple[ir.Expr, ...]
    numbers: tuple[str, ...]
    totals: tuple[tuple[str, str], ...]
    scalars: tuple[str, ...]


def split_host(program: Program) -> Parts:
    """Take a lowered program apart.

    Raises:
        NoListFormError: the data of a tensor decides a branch, or lanes have to meet otherwise than
            once, in a sum over all of them.
    """
    program = name_sums(program.with_block(each_value(program.block, _unfused)))
    program = _name_numbers(program)
    for s in statements(program.block):
        _check(program, s)
    sums = _tidy(replace(program, result=""), _adding(program.block))
    lanes = _tidy(program, _kept(program.block, lambda s: _scope(program, s) is Scope.TENSOR))
    whole = _kept(program.block, lambda s: _scope(program, s) is Scope.REDUCED and not is_sum(s))
    host = _kept(program.block, lambda s: program.on_host(s.value))
    device = (*sums, *whole, *lanes)
    asked = (s.condition for s in statements(device) if isinstance(s, Branch))
    read = [n for s in assigns(device) for n in leaves(s.value) if n != "grad"]
    known = program.scopes.symbols
    if any(known.get(n) is Scope.REDUCED for s in assigns(sums) for n in leaves(s.value)):
        raise NoListFormError("a sum of what a sum has given has no kernel of two rounds")
    return Parts(
        program,
        host,
        sums,
        whole,
        lanes,
        tuple(dict.fromkeys(asked)),
        tuple(dict.fromkeys(n for n in read if program.on_host(ir.Sym(n)))),
        tuple((s.target, s.value.op) for s in assigns(program.block) if is_sum(s)),
        tuple(dict.fromkeys(n for n in _reads(lanes) if known.get(n) is Scope.REDUCED)),
    )


def _reads(block: Block) -> list[str]:
    return [n for s in assigns(block) for n in leaves(s.value)]


def _scope(program: Program, s: Assign) -> Scope:
    return program.scopes.of(s.value)


def _check(program: Program, statement: Statement) -> None:
    if isinstance(statement, Branch):
        if not program.on_host(statement.condition):
            raise NoListFormError("a branch that the data of each tensor decides has no kernel")
        return
    inside = statement.value.operand if is_sum(statement) else statement.value
    if any(isinstance(x, ir.Reduce | ir.MatMul) for x in ir.walk(inside)):
        raise NoListFormError("lanes that meet otherwise than in a sum of all have no kernel")


def _adding(block: Block) -> Block:
    """The block with sums instead of stores, and nothing that is one for each tensor."""
    out: list[Statement] = []
    for s in block:
        match s:
            case Branch(condition, then, otherwise):
                out.append(Branch(condition, _adding(then), _adding(otherwise)))
            case Assign() if is_sum(s):
                out.append(replace(s, value=s.value.operand, stores=ADDED))
            case Assign():
                out.append(replace(s, stores=""))
    return tuple(out)


def _tidy(program: Program, block: Block) -> Block:
    """Without what the host stood between: branches meet, and what one side alone reads goes."""
    for run in (merge_branches, remove_dead):
        block = run(replace(program, block=block)).block
    return _kept(block, lambda s: not program.on_host(s.value) or s.stores == ADDED)


def _unfused(expr: ir.Expr) -> ir.Expr:
    """Torch's fused operations spelled out; a moving average stays one, for its two forms."""

    def rule(x: ir.Expr) -> ir.Expr | None:
        if not (isinstance(x, ir.Call) and x.function in FUSED and x.function != "lerp"):
            return None
        *tensors, number = map(_unfused, x.arguments)
        letters = dict(zip("ABC", tensors, strict=False)) | {"s": number}
        return instantiate(parse(FUSED[x.function]), letters)

    return rewrite(expr, rule)


def _name_numbers(program: Program) -> Program:
    """Give every number that lanes read a name, right before the equation that needs it."""

    def change(block: Block) -> Block:
        out: list[Statement] = []
        for s in block:
            if isinstance(s, Assign) and not program.on_host(s.value):
                helpers: list[Assign] = []
                s = replace(s, value=_named(program, s, helpers))
                out += helpers
            out.append(s)
        return tuple(out)

    return program.with_block(each_block(program.block, change))


def _named(program: Program, statement: Assign, helpers: list[Assign]) -> ir.Expr:
    wanted = statement.sources[-1].equation if statement.sources else "number"

    def rule(x: ir.Expr) -> ir.Expr | None:
        if not program.on_host(x) or isinstance(x, ir.Sym | ir.Const):
            return None
        known = next((h.target for h in helpers if h.value == x), None)
        if known is None:
            known = program.fresh(wanted)
            program.declare(known, program.scopes.of(x))
            helpers.append(Assign(known, x))
        return ir.Sym(known)

    return rewrite(statement.value, rule)


def _kept(block: Block, keep: Callable[[Assign], bool]) -> Block:
    """The statements of one part, and the branches that hold any."""
    out: list[Statement] = []
    for s in block:
        match s:
            case Assign():
                if keep(s):
                    out.append(s)
            case Branch(condition, then, otherwise):
                yes, no = _kept(then, keep), _kept(otherwise, keep)
                if yes or no:
                    out.append(Branch(condition, yes, no))
    return tuple(out)
