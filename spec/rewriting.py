"""Copies of expressions and bodies in which nodes are replaced."""

from __future__ import annotations

from collections.abc import Callable

from instep.spec import ir
from instep.spec.errors import SpecError


def rewrite(expr: ir.Expr, rule: Callable[[ir.Expr], ir.Expr | None]) -> ir.Expr:
    """A copy in which `rule` replaced nodes, outermost first; a rule returns None to descend."""
    replaced = rule(expr)
    if replaced is not None:
        return replaced

    xs = tuple(rewrite(x, rule) for x in ir.children(expr))
    match expr:
        case ir.Binary(op) | ir.Compare(op):
            return type(expr)(op, *xs)
        case ir.Negate() | ir.MatMul() | ir.Transpose() | ir.Grad() | ir.Loss() | ir.Where():
            return type(expr)(*xs)
        case ir.Call(name) | ir.Logic(name):
            return type(expr)(name, xs)
        case ir.Reduce(op, over):
            return ir.Reduce(op, over, *xs)
        case ir.At(name):
            return ir.At(name, *xs)
    return expr


def with_child(expr: ir.Expr, position: int, child: ir.Expr) -> ir.Expr:
    """A copy with one direct subexpression replaced; positions are those of `children`."""
    old = ir.children(expr)
    new = (*old[:position], child, *old[position + 1 :])
    replacements = iter(new)
    seen_root = False

    def rule(node: ir.Expr) -> ir.Expr | None:
        nonlocal seen_root
        if not seen_root:
            seen_root = True
            return None
        return next(replacements)

    return rewrite(expr, rule)


def rewrite_body(
    body: ir.Body,
    rule: Callable[[ir.Expr], ir.Expr | None],
    equation: Callable[[str], str] = lambda name: name,
) -> ir.Body:
    """A copy with `rule` applied to every expression and target, `equation` to every name."""

    def go(x: ir.Expr) -> ir.Expr:
        return rewrite(x, rule)

    def one(s: ir.Stmt) -> ir.Stmt:
        match s:
            case ir.Let(name, target, value, form):
                new = go(target)
                assert isinstance(new, ir.Sym | ir.At)
                return ir.Let(equation(name), new, go(value), form, s.line, s.block)
            case ir.If(condition, then, otherwise):
                yes, no = tuple(map(one, then)), tuple(map(one, otherwise))
                return ir.If(go(condition), yes, no, s.line)
            case ir.Repeat(variable, start, stop, inner, until, down):
                early = None if until is None else go(until)
                rounds = tuple(map(one, inner))
                return ir.Repeat(variable, go(start), go(stop), rounds, early, down, s.line)
            case ir.Push(name, history, value, size):
                moved = go(ir.Sym(history))
                assert isinstance(moved, ir.Sym)
                return ir.Push(equation(name), moved.name, go(value), go(size), s.line)
            case ir.Apply(slot, gradient):
                return ir.Apply(slot, None if gradient is None else go(gradient), s.line)
        raise SpecError(f"unknown statement {type(s).__name__}")

    return tuple(map(one, body))
