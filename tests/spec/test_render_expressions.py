from __future__ import annotations

import ast
import operator
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instep.spec import ir, render
from instep.spec.errors import SpecError
from instep.spec.render.latex import LatexPrinter
from instep.spec.render.text import AsciiPrinter, UnicodePrinter
from instep.spec.rewriting import rewrite

a, b, one = ir.Sym("a"), ir.Sym("b"), ir.Const(1)


def parsed(text):
    """The tree of an ASCII expression, by Python's own grammar."""
    return _node(ast.parse(text, mode="eval").body)


_OPERATORS = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**", ast.Mod: "%",
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.And: "and", ast.Or: "or",
}  # fmt: skip


def _node(e):
    match e:
        case ast.Name(name):
            return ir.Sym(name)
        case ast.Constant(value):
            return ir.Const(value)
        case ast.UnaryOp(ast.USub(), x):
            return ir.Negate(_node(x))
        case ast.UnaryOp(ast.Not(), x):
            return ir.Logic("not", (_node(x),))
        case ast.BinOp(x, ast.MatMult(), y):
            return ir.MatMul(_node(x), _node(y))
        case ast.BinOp(x, op, y):
            return ir.Binary(_OPERATORS[type(op)], _node(x), _node(y))
        case ast.Compare(x, [op], [y]):
            return ir.Compare(_OPERATORS[type(op)], _node(x), _node(y))
        case ast.BoolOp(op, xs):
            return ir.Logic(_OPERATORS[type(op)], tuple(map(_node, xs)))
        case ast.Subscript(ast.Name(name), index):
            return ir.At(name, _node(index))
        case ast.Call(ast.Name(name), xs):
            return _function(name, xs)
    raise AssertionError(ast.dump(e))


def _function(name, xs):
    match name, xs:
        case "prev", [ast.Name(x)]:
            return ir.Prev(x)
        case "absent", [ast.Name(x)]:
            return ir.Absent(x)
        case "len", [ast.Name(x)]:
            return ir.Len(x)
        case "sum" | "mean" | "max", [x, ast.Name("rows" | "cols" | "params" as over)]:
            return ir.Reduce(name, over, _node(x))
        case "sum" | "mean" | "max", [x]:
            return ir.Reduce(name, "all", _node(x))
    arguments = tuple(map(_node, xs))
    nodes = {"grad": ir.Grad, "loss": ir.Loss, "transpose": ir.Transpose, "where": ir.Where}
    return nodes[name](*arguments) if name in nodes else ir.Call(name, arguments)


def spelled(expr):
    """A tree as Python gives it back: an option for `option == True`, `!=` for not `==`."""

    def rule(node):
        match node:
            case ir.Compare("==", ir.Opt(name), ir.Value(value)):
                return ir.Sym(name) if value else ir.Logic("not", (ir.Sym(name),))
            case ir.Logic("not", (ir.Compare("==", ir.Opt(name), ir.Value(value)),)):
                return ir.Logic("not", (ir.Sym(name),)) if value else ir.Sym(name)
            case ir.Logic("not", (ir.Compare("==", x, y),)):
                return ir.Compare("!=", rewrite(x, rule), rewrite(y, rule))
        return None

    return rewrite(expr, rule)


@given(st.data())
def test_ascii_is_python_with_the_same_tree(expressions, data):
    expr = data.draw(expressions)
    assert parsed(render.expression_text(expr, ascii=True)) == spelled(expr)


OPERATIONS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}


def value(expr, values):
    match expr:
        case ir.Sym(name) | ir.Prev(name):
            return values[name]
        case ir.Const(number):
            return Fraction(number)
        case ir.Negate(x):
            return -value(x, values)
        case ir.Binary("**", x, ir.Const(n)):
            return value(x, values) ** n
        case ir.Binary(op, x, y):
            return OPERATIONS[op](value(x, values), value(y, values))
    raise AssertionError(expr)


rationals = st.recursive(
    st.one_of(
        st.sampled_from([a, b]),
        st.fractions(-3, 3, max_denominator=4).map(
            lambda f: ir.Const(f if f.denominator > 1 else int(f))
        ),
        st.sampled_from([0.5, -2.0, 1e-8, 1e300]).map(ir.Const),
    ),
    lambda inner: st.one_of(
        st.builds(ir.Binary, st.sampled_from(sorted(OPERATIONS)), inner, inner),
        st.builds(ir.Binary, st.just("**"), inner, st.integers(-2, 3).map(ir.Const)),
        st.builds(ir.Negate, inner),
    ),
    max_leaves=8,
)


class Exact(ast.NodeTransformer):
    """Python's numbers as exact fractions."""

    def visit_Constant(self, node):
        exact = ast.parse(f"Fraction({node.value!r})", mode="eval").body
        return ast.copy_location(exact, node)


@given(rationals)
def test_ascii_evaluates_to_the_exact_value_with_negative_and_fractional_numbers(expr):
    values = {"a": Fraction(2, 7), "b": Fraction(-5, 3)}
    tree = Exact().visit(ast.parse(render.expression_text(expr, ascii=True), mode="eval"))
    code = compile(ast.fix_missing_locations(tree), "expression", "eval")
    try:
        expected = value(expr, values)
    except ZeroDivisionError:
        return
    assert eval(code, {"Fraction": Fraction}, values) == expected


def small_trees():
    """Every tree of two levels over a symbol and a negative number."""
    level = [a, ir.Const(-2)]
    operators = ["+", "-", "*", "/", "**", "%"]
    for _ in range(2):
        pairs = product(operators, level, level)
        level = [
            *level,
            *map(ir.Negate, level),
            *(ir.Call("sqrt", (x,)) for x in level),
            *map(ir.Transpose, level),
            *(ir.Binary(op, x, y) for op, x, y in pairs),
        ]
    return level


@pytest.mark.parametrize(
    "printer",
    [AsciiPrinter(), UnicodePrinter({}), LatexPrinter({}, frozenset("ab"))],
    ids=lambda p: type(p).__name__,
)
def test_no_two_small_trees_look_alike(printer):
    seen = {}
    for tree in small_trees():
        text = printer.show(tree)
        assert seen.setdefault(text, tree) == tree, text
    assert len(seen) > 6_000


def node(op, *xs):
    return ir.Binary(op, *xs)


EXAMPLES = [
    (node("-", a, node("-", b, a)), "a - (b - a)", "a − (b − a)", r"a - \left(b - a\right)"),
    (node("-", node("-", a, b), a), "a - b - a", "a − b − a", "a - b - a"),
    (node("*", node("/", a, b), a), "a/b*a", "(a/b)·a", r"\frac{a}{b} a"),
    (node("/", node("*", a, b), a), "a*b/a", "a·b/a", r"\frac{a b}{a}"),
    (node("/", node("/", a, b), a), "a/b/a", "(a/b)/a", r"\frac{\frac{a}{b}}{a}"),
    (ir.Negate(node("*", a, b)), "-(a*b)", "−(a·b)", r"-\left(a b\right)"),
    (node("*", ir.Negate(a), b), "-a*b", "−a·b", "-a b"),
    (node("+", a, ir.Negate(b)), "a + (-b)", "a + (−b)", r"a + \left(-b\right)"),
    (node("**", ir.Negate(a), ir.Const(2)), "(-a)**2", "(−a)²", r"\left(-a\right)^{2}"),
    (ir.Negate(node("**", a, ir.Const(2))), "-a**2", "−a²", "-a^{2}"),
    (node("**", a, ir.Sym("t")), "a**t", "aᵗ", "a^{t}"),
    (node("**", a, node("+", ir.Sym("t"), one)), "a**(t + 1)", "a^(t + 1)", "a^{t + 1}"),
    (node("**", a, node("**", b, a)), "a**(b**a)", "a^(bᵃ)", "a^{b^{a}}"),
    (node("**", a, ir.Const(-2)), "a**(-2)", "a⁻²", "a^{-2}"),
    (node("**", a, ir.Const(0.75)), "a**0.75", "a^0.75", "a^{0.75}"),
    (node("*", ir.Const(2), ir.Const(3)), "2*3", "2·3", r"2 \cdot 3"),
    (node("*", node("%", a, b), a), "(a % b)*a", "(a mod b)·a", r"\left(a \bmod b\right) a"),
    (ir.Const(1e-8), "1e-08", "1e-08", "10^{-8}"),
    (node("*", a, ir.Const(2.5e-7)), "a*2.5e-07", "a·2.5e-07",
     r"a \left(2.5 \cdot 10^{-7}\right)"),
    (node("*", a, ir.Const(Fraction(-1, 3))), "a*(-1/3)", "a·(−1/3)",
     r"a \left(-\frac{1}{3}\right)"),
    (ir.Call("sqrt", (node("+", a, b),)), "sqrt(a + b)", "√(a + b)", r"\sqrt{a + b}"),
    (node("**", ir.Call("sqrt", (a,)), ir.Const(2)), "sqrt(a)**2", "(√a)²",
     r"\left(\sqrt{a}\right)^{2}"),
    (ir.Call("abs", (a,)), "abs(a)", "|a|", r"\left\lvert a \right\rvert"),
    (ir.Call("cos", (a,)), "cos(a)", "cos(a)", r"\cos\left(a\right)"),
    (ir.Call("pi", ()), "pi", "π", r"\pi"),
    (ir.Call("floor", (a,)), "floor(a)", "⌊a⌋", r"\left\lfloor a \right\rfloor"),
    (ir.Call("max", (a, b)), "max(a, b)", "max(a, b)", r"\max\left(a, b\right)"),
    (ir.Call("sign", (a,)), "sign(a)", "sign(a)", r"\operatorname{sign}\left(a\right)"),
    (ir.Prev("a"), "prev(a)", "aₜ₋₁", "a_{t-1}"),
    (ir.Sym("m_hat"), "m_hat", "m̂", r"\hat{m}"),
    (ir.Sym("beta1"), "beta1", "β₁", r"\beta_1"),
    (ir.Prev("beta1"), "prev(beta1)", "β₁[t−1]", r"\beta_{1,t-1}"),
    (ir.Grad(node("-", a, b)), "grad(a - b)", "∇f(a − b)", r"\nabla f_t\left(a - b\right)"),
    (ir.Loss(a), "loss(a)", "f(a)", r"f_t\left(a\right)"),
    (ir.Reduce("mean", "rows", a), "mean(a, rows)", "mean(a, rows)",
     r"\operatorname{mean}_{\text{rows}}\left(a\right)"),
    (ir.MatMul(a, ir.Transpose(b)), "a @ transpose(b)", "a @ bᵀ", r"a \, b^{\top}"),
    (ir.At("a", ir.Sym("i")), "a[i]", "a[i]", "a_i"),
    (ir.Len("a"), "len(a)", "len(a)", r"\operatorname{len}\left(a\right)"),
    (ir.Where(ir.Compare("<=", a, b), a, b), "where(a <= b, a, b)", "where(a ≤ b, a, b)",
     r"\begin{cases} a & \text{if } a \leq b \\ b & \text{otherwise} \end{cases}"),
    (ir.Logic("not", (ir.Compare("==", a, b),)), "a != b", "a ≠ b", r"a \neq b"),
    (ir.Logic("not", (ir.Compare("<", a, b),)), "not a < b", "not a < b", r"\textbf{not}\ a < b"),
    (ir.Logic("and", (ir.Logic("or", (ir.Absent("a"), ir.Absent("b"))), ir.Absent("a"))),
     "(absent(a) or absent(b)) and absent(a)", "(a is absent or b is absent) and a is absent",
     None),
    (ir.Logic("not", (ir.Logic("or", (ir.Absent("a"), ir.Compare("<", a, b))),)),
     "not (absent(a) or a < b)", "not (a is absent or a < b)",
     r"\textbf{not}\ \left(a_{t-1}\ \text{is absent} \ \textbf{or}\ a < b\right)"),
    (ir.Logic("not", (ir.Absent("a"),)), "not absent(a)", "a is present",
     r"a_{t-1}\ \text{is present}"),
    (ir.Compare("==", ir.Opt("amsgrad"), ir.Value("raw")), "amsgrad == 'raw'", "amsgrad = raw",
     r"\textit{amsgrad} = \text{raw}"),
    (ir.Compare("==", ir.Opt("a_b"), ir.Value(True)), "a_b", "a_b", r"\textit{a\_b}"),
    (ir.Compare("==", ir.Opt("o"), ir.Value(False)), "not o", "not o", r"\textbf{not}\ \textit{o}"),
]  # fmt: skip


@pytest.mark.parametrize(("expr", "ascii", "text", "latex"), EXAMPLES, ids=[e[1] for e in EXAMPLES])
def test_expressions(expr, ascii, text, latex):
    assert render.expression_text(expr, ascii=True) == ascii
    assert render.expression_text(expr) == text
    if latex is not None:
        assert LatexPrinter({}, frozenset()).show(expr) == latex


def test_a_symbol_with_a_superscript_is_raised_in_parentheses():
    square = node("**", ir.Sym("v"), ir.Const(2))
    printer = LatexPrinter({"v": r"v^{\max}"}, frozenset("v"))
    assert printer.show(square) == r"\left(v^{\max}_t\right)^{2}"
    assert printer.show(node("**", ir.Prev("v"), ir.Const(2))) == r"\left(v^{\max}_{t-1}\right)^{2}"
    assert render.expression_text(square, {"v": "vᵐᵃˣ"}) == "(vᵐᵃˣ)²"


def test_names_can_be_given():
    assert render.expression_text(node("+", a, b), {"a": "x"}) == "x + b"
    assert render.expression_text(node("+", a, b), {"a": "x"}, ascii=True) == "x + b"


class Stranger:
    pass


@pytest.mark.parametrize(
    ("expr", "reason"),
    [
        (Stranger(), "node Stranger"),
        (ir.Negate(Stranger()), "node Stranger"),
        (node("//", a, b), "operator '//'"),
        (ir.Compare("<>", a, b), "relation '<>'"),
        (ir.Call("tan", (a,)), "function tan"),
    ],
)
@pytest.mark.parametrize(
    "printer", [AsciiPrinter(), UnicodePrinter(), LatexPrinter({}, frozenset())]
)
def test_what_no_printer_knows_is_named(expr, reason, printer):
    with pytest.raises(SpecError, match=reason):
        printer.show(expr)
