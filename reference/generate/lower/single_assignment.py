"""Rebinding is undone: each assignment of a symbol gets a version of its own.

`g <- g + wd * theta` becomes `g.2 = g.1 + wd * theta.0`. After a branch that assigned a symbol,
both sides end with the same new version, so that later equations need not know which side ran.
"""

from __future__ import annotations

from dataclasses import replace

from instep.reference.generate.errors import NoListFormError, unknown
from instep.reference.generate.lower.form import Assign, Block, Branch, Program, Statement
from instep.spec import ir
from instep.spec.model import Algorithm
from instep.spec.rewriting import rewrite
from instep.spec.scope import infer

Versions = dict[str, str]


def single_assignment(algorithm: Algorithm, body: ir.Body) -> Program:
    """The resolved body of an algorithm in single-assignment form.

    Raises:
        NoListFormError: a loop, a history, an indexed local, or a symbol of two kinds.
    """
    kept = {s.name for s in algorithm.states} | {ir.THETA}
    scopes = infer(algorithm, body)
    scopes.symbols |= {f"{name}.0": scopes.symbols[name] for name in kept if name in scopes.symbols}
    renaming = _Renaming(Program((), "", scopes), kept)
    versions = {name: f"{name}.0" for name in kept}
    block = renaming.block(body, versions)
    return replace(renaming.program, block=block, result=versions[ir.THETA])


class _Renaming:
    """One pass over a body; `versions` tells which version of a symbol is current."""

    def __init__(self, program: Program, kept: set[str]) -> None:
        self.program, self.kept = program, kept
        self.count: dict[str, int] = {}

    def block(self, body: ir.Body, versions: Versions) -> Block:
        out: list[Statement] = []
        for statement in body:
            match statement:
                case ir.Let(_, ir.Sym(name), value):
                    self.of_one_kind(name, value)
                    renamed = self.expression(value, versions)
                    versions[name] = self.new(name)
                    stores = name if name in self.kept else ""
                    out.append(Assign(versions[name], renamed, (statement,), stores))
                case ir.If(condition, then, otherwise):
                    out.append(self.branch(condition, then, otherwise, versions))
                case ir.Let() | ir.Repeat() | ir.Push():
                    kind = type(statement).__name__
                    raise NoListFormError(
                        f"{kind} of loops and histories has no straight-line form"
                    )
                case _:
                    raise unknown("single assignment", statement)
        return tuple(out)

    def branch(
        self, condition: ir.Expr, then: ir.Body, otherwise: ir.Body, versions: Versions
    ) -> Branch:
        asked = self.expression(condition, versions)
        yes, no = dict(versions), dict(versions)
        first, second = self.block(then, yes), self.block(otherwise, no)
        for name in sorted({*yes, *no}):
            if yes.get(name) == no.get(name):
                continue
            joined = versions[name] = self.new(name)
            first += self.join(joined, yes.get(name))
            second += self.join(joined, no.get(name))
        return Branch(asked, first, second)

    def join(self, joined: str, version: str | None) -> Block:
        """The end of one side; a symbol that this side never assigned is not read after it."""
        return (Assign(joined, ir.Sym(version)),) if version is not None else ()

    def of_one_kind(self, name: str, value: ir.Expr) -> None:
        """Lists of tensors cannot be plain numbers at times."""
        scopes = self.program.scopes
        if scopes.of(value).on_host and not scopes.symbols[name].on_host:
            raise NoListFormError(f"{name} is a number on one path and a tensor on another")

    def new(self, name: str) -> str:
        self.count[name] = self.count.get(name, 0) + 1
        version = f"{name}.{self.count[name]}"
        self.program.declare(version, self.program.scopes.symbols[name])
        return version

    def expression(self, expr: ir.Expr, versions: Versions) -> ir.Expr:
        def rename(x: ir.Expr) -> ir.Expr | None:
            match x:
                case ir.Prev(name):
                    return ir.Sym(f"{name}.0")
                case ir.Sym(name) if name in versions:
                    return ir.Sym(versions[name])
                case ir.Grad():
                    return x
            return None

        return rewrite(expr, rename)
