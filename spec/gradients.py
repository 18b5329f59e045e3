"""How often, and where, a step evaluates the gradient: how it calls the closure."""

from __future__ import annotations

from instep.spec import ir
from instep.spec.model import Algorithm
from instep.spec.remembered import remembered

_Points = frozenset[ir.Expr]


def evaluations(body: ir.Body) -> int:
    """Gradient evaluations of one step on its longest path.

    The same point, not assigned in between, is one evaluation; a loop counts two rounds, so that
    anything repeated counts as more than one.
    """
    return _count(body, frozenset())[0]


@remembered
def needs_closure(body: ir.Body) -> bool:
    """Whether `p.grad` is not enough.

    Several evaluations, one away from the stored point, or the loss itself.
    """
    if evaluations(body) > 1 or reads_loss(body):
        return True
    moved = False
    for statement in ir.statements(body):
        for expr in ir.expressions(statement):
            for node in ir.walk(expr):
                if isinstance(node, ir.Grad | ir.Loss) and (node.at != ir.Sym(ir.THETA) or moved):
                    return True
        moved = moved or (isinstance(statement, ir.Let) and statement.target == ir.Sym(ir.THETA))
    return False


@remembered
def tries_points(body: ir.Body) -> bool:
    """Whether the loss is read at points where the parameters are not, or not yet."""
    return any(isinstance(n, ir.Loss) and n.at != ir.Sym(ir.THETA) for n in ir.nodes(body))


@remembered
def sees_shapes(body: ir.Body) -> bool:
    """Whether a step tells axes apart, so that a complex tensor as pairs of numbers is another."""

    def sees(node: ir.Expr) -> bool:
        match node:
            case ir.MatMul() | ir.Transpose() | ir.Reduce(_, "rows" | "cols" | "units", _):
                return True
            case ir.Call(function, _):
                return function in ir.SHAPE_FUNCTIONS - {"numel"}
        return False

    return any(map(sees, ir.nodes(body)))


def accepts_complex(algorithm: Algorithm, body: ir.Body) -> bool:
    """Whether complex parameters are taken, as pairs of real numbers."""
    declared = algorithm.gradients.complex
    return not sees_shapes(body) if declared is None else declared


@remembered
def reads_loss(body: ir.Body) -> bool:
    """Whether a step depends on the loss, not on its gradient alone."""
    return any(isinstance(node, ir.Loss) for node in ir.nodes(body))


def _count(body: ir.Body, valid: _Points) -> tuple[int, _Points]:
    """(evaluations, points whose gradient is still known afterwards)."""
    total = 0
    for statement in body:
        for expr in ir.expressions(statement):
            for node in ir.walk(expr):
                if isinstance(node, ir.Grad | ir.Loss) and node.at not in valid:
                    total, valid = total + 1, valid | {node.at}
        match statement:
            case ir.Let(_, target):
                valid = frozenset(p for p in valid if not reads(p, target.name))
            case ir.If(_, then, otherwise):
                (yes, after_yes), (no, after_no) = _count(then, valid), _count(otherwise, valid)
                total, valid = total + max(yes, no), after_yes & after_no
            case ir.Repeat(body=inner):
                for _ in range(2):
                    more, valid = _count(inner, valid)
                    total += more
    return total, valid


def reads(expr: ir.Expr, name: str) -> bool:
    """Whether an expression reads the current value of a symbol."""
    return any(isinstance(n, ir.Sym | ir.At) and n.name == name for n in ir.walk(expr))
