"""Equations rewritten by the declared rules: fused operations, and numbers folded on the host."""

from __future__ import annotations

from collections.abc import Sequence

from instep.reference.generate.lower.form import Program, each_value
from instep.reference.generate.lower.rules import RULES, Rule
from instep.spec import ir
from instep.spec.rewriting import rewrite

Bindings = dict[str, ir.Expr]


def apply_rules(program: Program, rules: Sequence[Rule] = RULES) -> Program:
    """Apply each rule everywhere, in the order of the list, until none applies."""

    def change(value: ir.Expr) -> ir.Expr:
        before = None
        while value != before:
            before = value
            for rule in rules:
                value = _everywhere(program, rule, value)
        return value

    return program.with_block(each_value(program.block, change))


def _everywhere(program: Program, rule: Rule, expr: ir.Expr) -> ir.Expr:
    """One rule, outermost first; what it produced is looked at again in the next round."""

    def attempt(x: ir.Expr) -> ir.Expr | None:
        bindings: Bindings = {}
        if not match(program, rule.pattern, x, bindings):
            return None
        inner = {name: _everywhere(program, rule, value) for name, value in bindings.items()}
        return _tidy(instantiate(rule.replacement, inner))

    return rewrite(expr, attempt)


def match(program: Program, pattern: ir.Expr, expr: ir.Expr, bindings: Bindings) -> bool:
    """Whether a tree has the shape of a pattern; fills in what its letters stand for."""
    if isinstance(pattern, ir.Sym):
        if pattern.name.isupper() == program.on_host(expr):
            return False
        return bindings.setdefault(pattern.name, expr) == expr
    if isinstance(pattern, ir.Const) or type(pattern) is not type(expr):
        return pattern == expr
    if not _same_operator(pattern, expr):
        return False
    ours, theirs = ir.children(pattern), ir.children(expr)
    return len(ours) == len(theirs) and all(
        match(program, a, b, bindings) for a, b in zip(ours, theirs, strict=True)
    )


def _same_operator(pattern: ir.Expr, expr: ir.Expr) -> bool:
    match pattern, expr:
        case ir.Binary(op, _, _), ir.Binary(other, _, _):
            return op == other
        case ir.Call(function, _), ir.Call(other, _):
            return function == other
    return isinstance(pattern, ir.Negate)


def instantiate(replacement: ir.Expr, bindings: Bindings) -> ir.Expr:
    """The replacement with its letters filled in."""
    return rewrite(replacement, lambda x: bindings[x.name] if isinstance(x, ir.Sym) else None)


def _tidy(expr: ir.Expr) -> ir.Expr:
    """`-(lr / c)` as `-lr / c`: the same number, written as a person would."""

    def rule(x: ir.Expr) -> ir.Expr | None:
        match x:
            case ir.Negate(ir.Binary("*" | "/" as op, a, b)):
                return ir.Binary(op, _tidy(ir.Negate(a)), b)
            case ir.Negate(ir.Negate(a)):
                return a
        return None

    return rewrite(expr, rule)
