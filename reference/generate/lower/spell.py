"""Versions become variables: `theta.2` is `theta` again where no older version is still read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from instep.reference.generate.lower.form import (
    Assign,
    Block,
    Branch,
    Statement,
    substitute,
    symbol,
)
from instep.reference.generate.lower.liveness import with_liveness
from instep.reference.generate.lower.place import unused
from instep.spec import ir

Names = dict[str, str]


def spell(block: Block, live: set[str], names: Names) -> Block:
    """The block with variables for versions.

    Args:
        block: statements in single-assignment form.
        live: versions that are read after it.
        names: variables of what was there before; those of the block are added.
    """
    out: list[Statement] = []
    for statement, after in with_liveness(block, live):
        match statement:
            case Assign():
                out += _assign(statement, after, names)
            case Branch():
                out.append(_branch(statement, after, names))
    return tuple(out)


def spelled(expr: ir.Expr, names: Names) -> ir.Expr:
    """An expression with variables for versions."""
    return substitute(expr, {version: ir.Sym(name) for version, name in names.items()})


def _assign(statement: Assign, after: set[str], names: Names) -> Iterable[Assign]:
    value = spelled(statement.value, names)
    name = unused(symbol(statement.target), _taken(after - {statement.target}, names))
    names[statement.target] = name
    if value != ir.Sym(name) or statement.stores:
        yield replace(statement, target=name, value=value)


def _branch(branch: Branch, after: set[str], names: Names) -> Branch:
    condition = spelled(branch.condition, names)
    first, second = dict(names), dict(names)
    then, otherwise = spell(branch.then, after, first), spell(branch.otherwise, after, second)
    joins = sorted(after & ((first.keys() | second.keys()) - names.keys()))
    for version in joins:
        if not (version in first and version in second):
            names[version] = first.get(version) or second[version]
            continue
        others = {*after, *joins} - {version}
        name = unused(symbol(version), _taken(others, first) | _taken(others, second))
        then += _renamed(name, first[version])
        otherwise += _renamed(name, second[version])
        names[version] = first[version] = second[version] = name
    return Branch(condition, then, otherwise)


def _renamed(name: str, old: str) -> Block:
    return () if name == old else (Assign(name, ir.Sym(old)),)


def _taken(versions: Iterable[str], names: Names) -> set[str]:
    return {names[v] for v in versions if v in names}
