"""Expressions of one tensor (or of host numbers) as Python, with no parenthesis too many.

The text evaluates in exactly the order of the tree: `a + b + c` stands for `(a + b) + c` only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from instep.reference.generate.errors import unknown
from instep.spec import ir
from instep.spec.arguments import OptionValue, Spelling
from instep.spec.scope import Scope

# Binding strength in Python, weakest first; an atom never needs parentheses.
OR, AND, NOT, COMPARE, SUM, PRODUCT, SIGN, POWER, ATOM = range(1, 10)
_BINARY = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "%": PRODUCT, "**": POWER}
_SHAPE = {
    "rows": "{}.shape[-2]",
    "cols": "{}.shape[-1]",
    "unit_size": "unit_size({})",
    "numel": "{}.numel()",
    "ndim": "{}.dim()",
}
_HOST = {"abs": "absolute", "max": "maximum", "min": "minimum"}
_AXES = {"all": "", "rows": "dim=-1, keepdim=True", "cols": "dim=-2, keepdim=True"}
# What the rewrites make of several operations, where it has to run tensor by tensor.
_FUSED = {
    "lerp": "torch.lerp({}, {}, {})",
    "addcmul": "torch.addcmul({}, {}, {}, value={})",
    "addcdiv": "torch.addcdiv({}, {}, {}, value={})",
    "add_scaled": "torch.add({}, {}, alpha={})",
}
_METHODS = {"sum": "sum", "mean": "mean", "max": "amax"}


@dataclass(frozen=True, slots=True)
class Names:
    """How leaves are spelled in the text that surrounds an expression."""

    symbol: Callable[[str], str]
    previous: Callable[[str], str]
    absent: Callable[[str], str]
    option: Callable[[str, OptionValue], tuple[str, Spelling]]
    gradient: Callable[[ir.Grad | ir.Loss], str]
    total: Callable[[ir.Reduce], str]
    like: str = ir.THETA
    touched: str = "touched"


class Printer:
    """Prints expressions; `scope` tells host numbers from tensors."""

    def __init__(self, target: str, names: Names, scope: Callable[[ir.Expr], Scope]) -> None:
        self.target, self.names, self.scope = target, names, scope

    def __call__(self, expr: ir.Expr, level: int = 0) -> str:
        """The text, in parentheses where `level` binds stronger than its outermost operator."""
        text, strength = self._text(expr)
        return f"({text})" if strength < level else text

    def on_host(self, expr: ir.Expr) -> bool:
        """Whether an expression is one number, known without a tensor's data."""
        return self.scope(expr).on_host

    def _text(self, expr: ir.Expr) -> tuple[str, int]:
        match expr:
            case ir.Const(value):
                return _number(value)
            case ir.Binary(op, left, right):
                return self._binary(op, left, right)
            case ir.Negate(operand):
                return f"-{self(operand, SIGN)}", SIGN
            case ir.Compare() | ir.Logic():
                return self._condition(expr)
            case ir.Call(function, arguments):
                return self._call(function, arguments), ATOM
            case ir.Where(condition, then, otherwise):
                return self._where(condition, then, otherwise), ATOM
            case ir.MatMul(left, right):
                return f"{self(left, PRODUCT)} @ {self(right, PRODUCT + 1)}", PRODUCT
        return self._leaf(expr), ATOM

    def _leaf(self, expr: ir.Expr) -> str:
        match expr:
            case ir.Sym(name):
                return self.names.symbol(name)
            case ir.Prev(name):
                return self.names.previous(name)
            case ir.Grad() | ir.Loss():
                return self.names.gradient(expr)
            case ir.Reduce(_, "params", _):
                return self.names.total(expr)
            case ir.Reduce(op, over, operand):
                units = f"dim=unit_axes({self.names.like}), keepdim=True"
                axes = units if over == "units" else _AXES[over]
                return f"{self(operand, ATOM)}.{_METHODS[op]}({axes})"
            case ir.Transpose(operand):
                return f"{self(operand, ATOM)}.mT"
            case ir.At(name, index):
                return f"{self.names.symbol(name)}[{self(index)}]"
            case ir.Len(name):
                return f"len({self.names.symbol(name)})"
            case ir.Absent(state):
                return self.names.absent(state)
            case ir.Touched():
                return self.names.touched
        raise unknown(self.target, expr)

    def _binary(self, op: str, left: ir.Expr, right: ir.Expr) -> tuple[str, int]:
        if op not in _BINARY:
            raise unknown(self.target, ir.Binary(op, left, right))
        strength = _BINARY[op]
        if op == "**":
            return f"{self(left, ATOM)}**{self(right, SIGN)}", POWER
        return f"{self(left, strength)} {op} {self(right, strength + 1)}", strength

    def _condition(self, expr: ir.Compare | ir.Logic) -> tuple[str, int]:
        match expr:
            case ir.Compare(_, ir.Opt(name), ir.Value(value)):
                return _option_test(*self.names.option(name, value))
            case ir.Logic("not", (ir.Compare(_, ir.Opt(name), ir.Value(value)),)):
                return _option_test(*self.names.option(name, value), holds=False)
            case ir.Compare(op, left, right):
                return f"{self(left, SUM)} {op} {self(right, SUM)}", COMPARE
            case ir.Logic("not", (ir.Absent(state),)):
                return self.names.absent(state).replace(" is None", " is not None"), COMPARE
            case ir.Logic("not", (operand,)) if self.on_host(expr):
                return f"not {self(operand, NOT)}", NOT
            case ir.Logic("not", (operand,)):
                return f"~{self(operand, ATOM)}", SIGN
            case ir.Logic(op, operands) if self.on_host(expr):
                level = AND if op == "and" else OR
                return f" {op} ".join(self._operand(op, x) for x in operands), level
            case ir.Logic(op, operands):
                sign = "&" if op == "and" else "|"
                return f" {sign} ".join(self(x, ATOM) for x in operands), COMPARE
        raise unknown(self.target, expr)

    def _operand(self, op: str, operand: ir.Expr) -> str:
        """One side of `and` or `or`, in parentheses where the two are mixed."""
        same = isinstance(operand, ir.Logic) and operand.op == op
        return self(operand, OR if same else NOT)

    def _call(self, function: str, arguments: tuple[ir.Expr, ...]) -> str:
        if function in _SHAPE:
            return _SHAPE[function].format(self._shaped(arguments[0]))
        if function in _FUSED:
            return _FUSED[function].format(*map(self, arguments))
        if function not in ir.FUNCTIONS:
            raise unknown(self.target, ir.Call(function, arguments))
        if function == "pi":
            return "math.pi"
        if all(map(self.on_host, arguments)):
            return f"math.{_HOST.get(function, function)}({', '.join(map(self, arguments))})"
        if function in ("max", "min"):
            return self._extreme(function, *arguments)
        return f"torch.{function}({', '.join(map(self, arguments))})"

    def _shaped(self, expr: ir.Expr) -> str:
        """A tensor of which only the shape is asked."""
        return self(expr, ATOM)

    def _extreme(self, function: str, left: ir.Expr, right: ir.Expr) -> str:
        if not self.on_host(left) and not self.on_host(right):
            return f"torch.{_HOST[function]}({self(left)}, {self(right)})"
        lanes, number = (right, left) if self.on_host(left) else (left, right)
        return f"{self(lanes, ATOM)}.clamp({'min' if function == 'max' else 'max'}={self(number)})"

    def _where(self, condition: ir.Expr, then: ir.Expr, otherwise: ir.Expr) -> str:
        if all(map(self.on_host, (condition, then, otherwise))):
            return f"math.where({self(condition)}, {self(then)}, {self(otherwise)})"
        yes, no = self(then), self(otherwise)
        if self.on_host(then) and self.on_host(otherwise):
            # Two Python numbers would give float32, whatever the parameter's type.
            yes = f"torch.as_tensor({yes}, dtype={self.names.like}.dtype)"
        return f"torch.where({self(condition)}, {yes}, {no})"


def _number(value: ir.Number) -> tuple[str, int]:
    if isinstance(value, Fraction):
        if Fraction(float(value)) == value:
            return _number(float(value))
        return f"{value.numerator} / {value.denominator}", PRODUCT
    return repr(value), SIGN if value < 0 else ATOM


def _option_test(key: str, value: Spelling, *, holds: bool = True) -> tuple[str, int]:
    if isinstance(value, bool):
        return (key, ATOM) if value == holds else (f"not {key}", NOT)
    if value is None:
        return f"{key} is {'' if holds else 'not '}None", COMPARE
    return f'{key} {"==" if holds else "!="} "{value}"', COMPARE
