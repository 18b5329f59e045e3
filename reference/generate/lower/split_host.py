"""What the host computes once, and what a kernel computes lane by lane.

A kernel is told two things besides its tensors: switches, which are the branches that the host
decides, and numbers. `theta * (1 - lr * weight_decay)` becomes `_decay = 1 - lr * weight_decay` on
the host and `theta * _decay` in the lanes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from instep.reference.generate.errors import NoListFormError
from instep.reference.generate.lower.apply_rules import instantiate
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
from instep.reference.generate.lower.notation import parse
from instep.reference.generate.lower.rules import FUSED
from instep.spec import ir
from instep.spec.rewriting import rewrite


@dataclass(frozen=True, slots=True)
class Halves:
    """A program in two parts.

    Attributes:
        program: the lowered program with a name for every number that lanes read.
        host: statements that the host runs; branches hold what it computes in them.
        lanes: statements for each lane; every condition is a switch.
        switches: conditions that the host decides, by the order in which lanes meet them.
        numbers: names that lanes read and the host computes, likewise.
    """

    program: Program
    host: Block
    lanes: Block
    switches: tuple[ir.Expr, ...]
    numbers: tuple[str, ...]


def split_host(program: Program) -> Halves:
    """Take a lowered program apart.

    Raises:
        NoListFormError: the data of a tensor decides a branch, or lanes have to meet in a sum.
    """
    program = _name_numbers(program.with_block(each_value(program.block, _unfused)))
    for s in statements(program.block):
        _check(program, s)
    lanes = _kept(program, program.block, on_host=False)
    host = _kept(program, program.block, on_host=True)
    asked = (s.condition for s in statements(lanes) if isinstance(s, Branch))
    read = (name for s in assigns(lanes) for name in _numbers(program, s.value))
    return Halves(program, host, lanes, tuple(dict.fromkeys(asked)), tuple(dict.fromkeys(read)))


def _check(program: Program, statement: Statement) -> None:
    if isinstance(statement, Branch):
        if not program.on_host(statement.condition):
            raise NoListFormError("a branch that the data of each tensor decides has no kernel")
    elif any(isinstance(x, ir.Reduce | ir.MatMul) for x in ir.walk(statement.value)):
        raise NoListFormError("lanes that meet in a sum have no kernel of one phase")


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


def _kept(program: Program, block: Block, *, on_host: bool) -> Block:
    """The statements of one half, and the branches that hold any."""
    out: list[Statement] = []
    for s in block:
        match s:
            case Assign():
                if program.on_host(s.value) == on_host:
                    out.append(s)
            case Branch(condition, then, otherwise):
                yes, no = (_kept(program, side, on_host=on_host) for side in (then, otherwise))
                if yes or no:
                    out.append(Branch(condition, yes, no))
    return tuple(out)


def _numbers(program: Program, expr: ir.Expr) -> Iterator[str]:
    return (n for n in leaves(expr) if n != "grad" and program.on_host(ir.Sym(n)))
