"""Whether a step may look at the lanes alone that a gradient names, and the body for that."""

from __future__ import annotations

from instep.spec import ir
from instep.spec.gradients import sees_shapes
from instep.spec.model import Algorithm
from instep.spec.rewriting import rewrite, rewrite_body


def masked(body: ir.Body) -> bool:
    """Whether the equations ask which lanes a gradient names."""
    return any(isinstance(node, ir.Touched) for node in ir.nodes(body))


def by_lanes(algorithm: Algorithm, body: ir.Body) -> bool:
    """Whether the lanes that a gradient names can be updated as a tensor of their own.

    The specification promises that the others stay (`rows`), and no lane looks at another.
    """
    mixes = any(isinstance(node, ir.Reduce) for node in ir.nodes(body)) or sees_shapes(body)
    promised = algorithm.gradients.rows
    return not mixes and (promised is True or (promised is not False and not masked(body)))


def on_named_lanes(body: ir.Body) -> ir.Body:
    """The body as it reads where every lane is named."""
    return rewrite_body(body, _choice)


def _choice(expr: ir.Expr) -> ir.Expr | None:
    match expr:
        case ir.Where(condition, then, otherwise):
            known = _named(condition)
            if known is not None:
                return rewrite(then if known else otherwise, _choice)
    return None


def _named(condition: ir.Expr) -> bool | None:
    """The truth of a condition where every lane is named, None where that does not decide it."""
    match condition:
        case ir.Touched():
            return True
        case ir.Logic("not", (a,)):
            inner = _named(a)
            return None if inner is None else not inner
        case ir.Logic(op, operands):
            known = [_named(x) for x in operands]
            decisive = op == "or"
            if decisive in known:
                return decisive
            return None if None in known else not decisive
    return None
