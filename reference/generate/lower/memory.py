"""When lanes read and write memory: a value is read where it is needed and written when final."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from instep.reference.generate.errors import NoListFormError
from instep.reference.generate.lower.form import Assign, Block, Branch, Statement, uses
from instep.reference.generate.lower.name_sums import ADDED
from instep.spec import ir

LANE, FIRST = ir.Sym("i"), ir.Const(0)


def read_and_write(
    block: Block, sure: Sequence[str], unsure: Sequence[str], index: ir.Expr = LANE
) -> Block:
    """The block with what it loads as statements, and only the last store of each array.

    Args:
        block: statements of lanes, in single-assignment form.
        sure: gradient, parameter and states that are always there; they are loaded first.
        unsure: states that some branches alone have.
        index: which entry of the arrays.

    Raises:
        NoListFormError: two branches read a state that may not be there.
    """
    read = uses(block)
    loads = (_load(a, index) for a in sure if version_before(a) in read)
    inner = (_with_loads(s, unsure, index) for s in _last_stores(block, set())[0])
    return (*loads, *inner)


def version_before(array: str) -> str:
    """The version that an array holds when the step begins."""
    return array if array == "grad" else f"{array}.0"


def _load(array: str, index: ir.Expr) -> Assign:
    return Assign(version_before(array), ir.At(f"{array}_", index))


def _with_loads(statement: Statement, arrays: Sequence[str], index: ir.Expr) -> Statement:
    """Load in the innermost branch that holds all that reads it."""
    if isinstance(statement, Assign):
        return statement
    return Branch(
        statement.condition,
        _side_with_loads(statement.then, arrays, index),
        _side_with_loads(statement.otherwise, arrays, index),
    )


def _side_with_loads(block: Block, arrays: Sequence[str], index: ir.Expr) -> Block:
    here = [a for a in arrays if _readers(block, a) and not _in_one_branch(block, a)]
    rest = [a for a in arrays if a not in here]
    loads = (_load(a, index) for a in here)
    return (*loads, *(_with_loads(s, rest, index) for s in block))


def _readers(block: Block, array: str) -> list[Statement]:
    return [s for s in block if uses((s,))[version_before(array)]]


def _in_one_branch(block: Block, array: str) -> bool:
    """Whether one branch alone reads it."""
    readers = _readers(block, array)
    if len(readers) > 1 and all(isinstance(s, Branch) for s in readers):
        raise NoListFormError(f"two branches read {array}, which may not be there")
    return len(readers) == 1 and isinstance(readers[0], Branch)


def _last_stores(block: Block, later: set[str]) -> tuple[Block, set[str]]:
    """The block with a store only where no later one is sure to follow, and what it stores."""
    out: list[Statement] = []
    for s in reversed(block):
        match s:
            case Assign(stores=stores) if stores and stores != ADDED:
                out.append(replace(s, stores="") if stores in later else s)
                later = later | {stores}
            case Branch(condition, then, otherwise):
                yes, first = _last_stores(then, later)
                no, second = _last_stores(otherwise, later)
                later = first & second
                out.append(Branch(condition, yes, no))
            case _:
                out.append(s)
    return tuple(reversed(out)), later
