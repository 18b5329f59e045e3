"""Shapes of lists of tensors, as far as writing in place needs them: a result fits its operand."""

from __future__ import annotations

from typing import Literal

from instep.reference.generate.lower.form import Program, assigns
from instep.spec import ir
from instep.spec.model import Algorithm

Shape = Literal["number", "reduced", "rows", "cols", "like", "other"]


class Shapes:
    """The shape of every name of a program, and of any expression over them."""

    def __init__(self, algorithm: Algorithm, program: Program) -> None:
        self.program = program
        self.masks: set[str] = set()
        self.names: dict[str, Shape] = {f"{ir.THETA}.0": "like", "grad": "like"}
        for s in algorithm.states:
            self.names[f"{s.name}.0"] = _of_state(s.shape)
        for assign in assigns(program.block):
            if isinstance(assign.value, ir.Compare | ir.Logic):
                self.masks.add(assign.target)
            joined = self.names.get(assign.target)
            shape = self.of(assign.value)
            self.names[assign.target] = shape if joined in (None, shape) else "other"

    def is_like_parameter(self, name: str) -> bool:
        """Whether tensors have as many dimensions as the parameter, and its type."""
        return self.names.get(name) not in ("number", "reduced", None) and name not in self.masks

    def of(self, expr: ir.Expr) -> Shape:
        """The shape of an expression; numbers broadcast to anything, a 0-d tensor as well."""
        if self.program.on_host(expr):
            return "number"
        match expr:
            case ir.Sym(name):
                return self.names.get(name, "other")
            case ir.Grad():
                return "like"
            case ir.Reduce(_, "all", _):
                return "reduced"
            case ir.Reduce(_, "rows" | "cols" as over, _):
                return over
            case ir.Reduce(_, "units", _) | ir.MatMul() | ir.Transpose() | ir.At():
                return "other"
        return _broadcast({self.of(x) for x in ir.children(expr)})


def _of_state(shape: str) -> Shape:
    own: tuple[Shape, ...] = ("like", "rows", "cols", "reduced")
    known: dict[str, Shape] = {"scalar": "number", **{s: s for s in own}}
    return known.get(shape, "other")


def _broadcast(shapes: set[Shape]) -> Shape:
    larger = shapes - {"number", "reduced"}
    if not larger:
        return "reduced" if "reduced" in shapes else "number"
    if "other" in larger:
        return "other"
    return next(iter(larger)) if len(larger) == 1 else "like"
