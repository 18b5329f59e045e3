from __future__ import annotations

from fractions import Fraction

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from instep.spec import author, ir
from instep.spec.errors import SpecError
from instep.spec.freeze import freeze

x, y, z = sympy.symbols("x y z", real=True)
X, Y, Z = ir.Sym("x"), ir.Sym("y"), ir.Sym("z")


def C(value):  # noqa: N802  # short, because every second node below is one
    return ir.Const(value)


def B(op, left, right):  # noqa: N802
    return ir.Binary(op, left, right)


WRITTEN = [
    (lambda: x + y, B("+", X, Y)),
    (lambda: y + x, B("+", Y, X)),
    (lambda: x - y, B("-", X, Y)),
    (lambda: x - y * z, B("-", X, B("*", Y, Z))),
    (lambda: x - 2 * y, B("-", X, B("*", C(2), Y))),
    (lambda: x + (-2) * y, B("-", X, B("*", C(2), Y))),
    (lambda: x - 2 * y * z, B("-", X, B("*", B("*", C(2), Y), Z))),
    (lambda: -2 * x * y, B("*", B("*", C(-2), X), Y)),
    (lambda: x - (y - z), B("-", X, B("-", Y, Z))),
    (lambda: x + (y + z), B("+", X, B("+", Y, Z))),
    (lambda: -x, ir.Negate(X)),
    (lambda: -(x * y), ir.Negate(B("*", X, Y))),
    (lambda: -x * y, B("*", ir.Negate(X), Y)),
    (lambda: -(x**2), ir.Negate(B("**", X, C(2)))),
    (lambda: -x / y, B("/", ir.Negate(X), Y)),
    (lambda: -(x / y), ir.Negate(B("/", X, Y))),
    (lambda: -(x + y), ir.Negate(B("+", X, Y))),
    (lambda: 1 - x, B("-", C(1), X)),
    (lambda: x * (1 - y), B("*", X, B("-", C(1), Y))),
    (lambda: 2 * (x + y), B("*", C(2), B("+", X, Y))),
    (lambda: 0 * x, B("*", C(0), X)),
    (lambda: 1 / x, B("/", C(1), X)),
    (lambda: x / 3, B("/", X, C(3))),
    (lambda: x / y / z, B("/", B("/", X, Y), Z)),
    (lambda: x / (y / z), B("/", X, B("/", Y, Z))),
    (lambda: x * y / z, B("/", B("*", X, Y), Z)),
    (lambda: x**-2, B("**", X, C(-2))),
    (lambda: 2**-x, B("**", C(2), ir.Negate(X))),
    (lambda: 0.1 * x, B("*", C(0.1), X)),
    (lambda: sympy.Rational(1, 3) * x, B("*", C(Fraction(1, 3)), X)),
    (lambda: Fraction(1, 3) * x, B("*", C(Fraction(1, 3)), X)),
    (lambda: x % 5, B("%", X, C(5))),
    (lambda: author.sqrt(x**2), ir.Call("sqrt", (B("**", X, C(2)),))),
    (lambda: 1 / author.sqrt(x), B("/", C(1), ir.Call("sqrt", (X,)))),
    (lambda: abs(x), ir.Call("abs", (X,))),
    (lambda: author.floor(x / 2), ir.Call("floor", (B("/", X, C(2)),))),
    (lambda: author.cos(author.pi * x), ir.Call("cos", (B("*", ir.Call("pi", ()), X),))),
    (lambda: -float("inf") * x, B("*", C(-float("inf")), X)),
    (lambda: author.maximum(x, x), ir.Call("max", (X, X))),
    (lambda: author.minimum(y, x), ir.Call("min", (Y, X))),
    (lambda: author.prev(x), ir.Prev("x")),
    (lambda: author.grad(x - y), ir.Grad(B("-", X, Y))),
    (lambda: author.loss(x), ir.Loss(X)),
    (lambda: author.total(x), ir.Reduce("sum", "all", X)),
    (lambda: author.row_mean(x), ir.Reduce("mean", "rows", X)),
    (lambda: author.col_mean(x), ir.Reduce("mean", "cols", X)),
    (lambda: author.max_over_params(x), ir.Reduce("max", "params", X)),
    (lambda: author.largest(x), ir.Reduce("max", "all", X)),
    (lambda: author.unit_size(x), ir.Call("unit_size", (X,))),
    (lambda: author.norm(x), ir.Call("sqrt", (ir.Reduce("sum", "all", B("**", X, C(2))),))),
    (lambda: author.matmul(x, author.transpose(y)), ir.MatMul(X, ir.Transpose(Y))),
    (lambda: author.at(x, y + 1), ir.At("x", B("+", Y, C(1)))),
    (lambda: author.length(x), ir.Len("x")),
    (lambda: author.ndim(x) > 1, ir.Compare(">", ir.Call("ndim", (X,)), C(1))),
    (lambda: x >= y, ir.Compare(">=", X, Y)),
]


@pytest.mark.parametrize(("write", "node"), WRITTEN, ids=[str(node) for _, node in WRITTEN])
def test_the_written_tree_is_kept(write, node):
    with sympy.evaluate(False):
        assert freeze(write()) == node


def built(expr):
    """The sympy expression that an author would write for a tree."""
    match expr:
        case ir.Sym(name):
            return sympy.Symbol(name, real=True)
        case ir.Prev(name):
            return author.prev(sympy.Symbol(name, real=True))
        case ir.Const(value):
            return sympy.sympify(value)
        case ir.Negate(a):
            return -built(a)
        case ir.Call("max" | "min" as name, (a, b)):
            return {"max": author.maximum, "min": author.minimum}[name](built(a), built(b))
        case ir.Call(name, (a,)):
            functions = {"abs": abs, "sign": author.sign, "floor": author.floor}
            return functions.get(name, getattr(sympy, name, None))(built(a))
        case ir.Binary(op, a, b):
            left, right = built(a), built(b)
            table = {
                "+": lambda: left + right,
                "-": lambda: left - right,
                "*": lambda: left * right,
            }
            table |= {
                "/": lambda: left / right,
                "**": lambda: left**right,
                "%": lambda: left % right,
            }
            return table[op]()
    raise AssertionError(expr)


def ambiguous(node):
    """What sympy cannot tell from another spelling: `-(-a)`, `a * (1 / b)`, `a - 0`, `2 + 3`."""
    if not any(isinstance(n, ir.Sym | ir.Prev) for n in ir.walk(node)):
        return not isinstance(node, ir.Const)
    match node:
        case ir.Negate():
            return True
        case ir.Binary("*", _, ir.Binary("/", ir.Const(1), _)):
            return True
    return isinstance(node, ir.Binary) and (node.op, node.right) == ("-", ir.Const(0))


@given(st.data())
def test_freezing_what_was_built_from_a_tree_gives_the_tree(numbers, data):
    tree = data.draw(numbers.filter(lambda e: not any(map(ambiguous, ir.walk(e)))))
    with sympy.evaluate(False):
        assert freeze(built(tree)) == tree


@pytest.mark.parametrize(
    ("expr", "reason"),
    [
        (lambda: sympy.Max(x, y), r"use maximum\(a, b\)"),
        (lambda: sympy.Min(x, y), r"use minimum\(a, b\)"),
        (lambda: sympy.Piecewise((x, y > 0), (y, True)), "use where"),
        (lambda: sympy.Eq(x, y), "use equal"),
        (lambda: (x > 1) & (y > 1), "use holds"),
        (lambda: ~(x > 1), "use ~holds"),
        (lambda: x == 1, "Python bool"),
        (lambda: sympy.gamma(x), r"gamma\(x\) has no meaning"),
        (lambda: sympy.E, "E has no meaning"),
        (lambda: sympy.zoo, "zoo has no meaning|no number"),
        (lambda: sympy.nan, "no number"),
        (lambda: "x + y", "expected an expression or a number, found 'x [+] y'"),
        (lambda: None, "found None"),
        (lambda: author.prev(x + y), r"prev\(\) takes a declared symbol, not x \+ y"),
        (lambda: author.at(author.prev(x), 0), r"at\(\) takes a declared symbol, not prev\(x\)"),
        (lambda: author.maximum(x, y, z), "max takes 2 arguments, not 3"),
        (lambda: author.total(x, y), "sum_all takes 1 arguments, not 2"),
    ],
)
def test_what_has_no_meaning_is_refused_with_a_way_out(expr, reason):
    with sympy.evaluate(False), pytest.raises(SpecError, match=reason):
        freeze(expr())


def test_where_refers_to_its_condition():
    condition = ir.Compare(">", X, C(0))
    with sympy.evaluate(False):
        frozen = freeze(sympy.Function("instep_where")(0, x, y), [condition])
    assert frozen == ir.Where(condition, X, Y)
