"""Expressions as text, for the declared rewrites: `s * A + (1 - s) * B` instead of nested nodes."""

from __future__ import annotations

import ast

from instep.reference.generate.errors import GenerateError
from instep.spec import ir

_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
}


def parse(text: str) -> ir.Expr:
    """The tree of an expression in Python's notation; names become symbols, calls become `Call`."""
    return _node(ast.parse(text, mode="eval").body)


def _node(node: ast.expr) -> ir.Expr:
    match node:
        case ast.Name(name):
            return ir.Sym(name)
        case ast.Constant(int() | float() as value):
            return ir.Const(value)
        case ast.BinOp(left, op, right) if type(op) in _OPERATORS:
            return ir.Binary(_OPERATORS[type(op)], _node(left), _node(right))
        case ast.UnaryOp(ast.USub(), operand):
            return ir.Negate(_node(operand))
        case ast.Call(ast.Name(function), arguments):
            return ir.Call(function, tuple(map(_node, arguments)))
    raise GenerateError(f"no notation for {ast.unparse(node)}")
