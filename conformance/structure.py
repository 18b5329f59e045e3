"""What a body of equations mixes: lanes of a tensor, or parameters of an optimizer."""

from __future__ import annotations

from instep.spec import ir
from instep.spec.gradients import sees_shapes
from instep.spec.remembered import remembered


@remembered
def elementwise(body: ir.Body) -> bool:
    """Whether every lane goes its own way, in a tensor of whatever shape."""
    mixing = (ir.Reduce, ir.MatMul, ir.Transpose)
    for node in ir.nodes(body):
        sized = isinstance(node, ir.Call) and node.function in ir.SHAPE_FUNCTIONS
        if sized or isinstance(node, mixing):
            return False
    return not sees_shapes(body)


@remembered
def couples(body: ir.Body) -> bool:
    """Whether what one parameter does depends on others."""
    return any(isinstance(n, ir.Reduce) and n.over == "params" for n in ir.nodes(body))
