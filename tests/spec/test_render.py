from __future__ import annotations

import ast
import operator
import re
import unicodedata
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instep.spec import dialects, get, ir, render
from instep.spec.errors import SpecError
from instep.spec.render.latex import LatexPrinter
from instep.spec.render.symbols import with_index
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


ADAMW = """\
input
    γ = 0.001                  lr
    β₁ = 0.9                   betas[0]
    β₂ = 0.999                 betas[1]
    ε = 1e-08                  eps
    λ = 0.01                   weight_decay
    θ                          parameters
start
    m ← 0                      exp_avg
    v ← 0                      exp_avg_sq
for t = 1, 2, ...
    g ← ∇f(θ)                  gradient
    θ ← θ − γ·λ·θ              decay
    m ← β₁·mₜ₋₁ + (1 − β₁)·g   first_moment
    v ← β₂·vₜ₋₁ + (1 − β₂)·g²  second_moment
    m̂ ← m/(1 − β₁ᵗ)            first_correction
    v̂ ← v/(1 − β₂ᵗ)            second_correction
    d ← √v̂ + ε                 denominator
    θ ← θ − γ·m̂/d              update"""

SGD = r"""\begin{array}{ll}
\textbf{input} & \\
\quad \gamma = 0.001 & \texttt{lr} \\
\quad \mu = 0.0 & \texttt{momentum} \\
\quad \tau = 0.0 & \texttt{dampening} \\
\quad \lambda = 0.0 & \texttt{weight\_decay} \\
\quad \theta_0,\ f_1, f_2, \ldots & \text{parameters, loss} \\
\textbf{start} & \\
\quad b_0\ \text{is absent} & \texttt{momentum\_buffer} \\
\textbf{for}\ t = 1, 2, \ldots\ \textbf{do} & \\
\quad g_t \gets \nabla f_t\left(\theta_{t-1}\right) & \texttt{gradient} \\
\quad \textbf{if}\ \lambda \neq 0 & \\
\quad \quad g_t \gets g_t + \lambda \theta_{t-1} & \texttt{l2} \\
\quad \textbf{if}\ \mu \neq 0 & \\
\quad \quad \textbf{if}\ b_{t-1}\ \text{is absent} & \\
\quad \quad \quad b_t \gets g_t & \texttt{first\_buffer} \\
\quad \quad \textbf{else} & \\
\quad \quad \quad b_t \gets \mu b_{t-1} + \left(1 - \tau\right) g_t & \texttt{buffer} \\
\quad \quad d_t \gets b_t & \texttt{direction@buffer} \\
\quad \textbf{else} & \\
\quad \quad d_t \gets g_t & \texttt{direction} \\
\quad \theta_t \gets \theta_{t-1} - \gamma d_t & \texttt{update} \\
\textbf{return}\ \theta_t &
\end{array}"""


def test_a_whole_algorithm_as_text():
    assert render.text_algorithm(get("adamw/torch")) == ADAMW


def test_a_whole_algorithm_as_latex():
    assert render.latex_algorithm(get("sgd/torch")) == SGD


def test_ascii_keeps_the_words_of_the_specification():
    text = render.text_algorithm(get("adamw/torch"), ascii=True)
    assert text.isascii()
    assert "    m <- beta1*prev(m) + (1 - beta1)*g      first_moment" in text.split("\n")


@pytest.mark.parametrize(
    ("name", "equation", "latex"),
    [
        ("adamw", "decay", r"\theta_t \gets \theta_{t-1} - \gamma \lambda \theta_{t-1}"),
        ("adamw", "update", r"\theta_t \gets \theta_t - \frac{\gamma \hat m_t}{d_t}"),
        ("adam", "update", r"\theta_t \gets \theta_{t-1} - \frac{\gamma \hat m_t}{d_t}"),
        ("adam", "l2", r"g_t \gets g_t + \lambda \theta_{t-1}"),
        ("adamw/decay-after", "decay", r"\theta_t \gets \theta_t - \gamma \lambda \theta_t"),
        ("adamw", "denominator", r"d_t \gets \sqrt{\hat v_t} + \epsilon"),
        ("amsgrad", "maximum", r"v^{\max}_t \gets \max\left(v^{\max}_{t-1}, v_t\right)"),
        ("nesterov/paper", "gradient", r"g_t \gets \nabla f_t\left(y_t\right)"),
        (
            "nesterov/paper",
            "point",
            "\\begin{aligned}\n"
            r"& y_t \gets \theta_{t-1} & \text{if } b_{t-1}\ \text{is absent} \\" + "\n"
            r"& y_t \gets \theta_{t-1} - \mu b_{t-1} & \text{if } b_{t-1}\ \text{is present}"
            "\n\\end{aligned}",
        ),
        ("nesterov/paper", "point@first", r"y_t \gets \theta_{t-1}"),
    ],
)
def test_one_equation_has_the_index_that_theta_has_there(name, equation, latex):
    assert render.latex_equation(get(name), equation) == latex


def test_one_equation_as_text():
    assert render.text_equation(get("adam"), "denominator") == "d ← √v̂ + ε"
    assert render.text_equation(get("adam"), "denominator", {"epsilon": "inside"}) == "d ← √(v̂ + ε)"
    assert render.text_equation(get("adam"), "update", ascii=True) == "theta <- theta - lr*m_hat/d"
    several = render.text_equation(get("nesterov/paper"), "point")
    assert several == "y ← θ    if b is absent\ny ← θ − μ·bₜ₋₁    if b is present"


@pytest.mark.parametrize("draw", [render.latex_equation, render.text_equation])
@pytest.mark.parametrize(
    ("equation", "options", "reason"),
    [
        ("denominatr", None, "adam/paper has no equation 'denominatr'; nearest: denominator"),
        (
            "denominator@clam",
            None,
            "adam/paper has no equation 'denominator@clam'; nearest: denominator",
        ),
        ("denominator@hat", None, "'denominator@hat' with these options; it has with epsilon=hat"),
        ("l2", {"decay": "after"}, "'l2' with these options; it has with decay=l2"),
        ("l2", {"decay": "never"}, "option decay has no value 'never'"),
        ("l2", {"decays": "l2"}, "no option 'decays'"),
        (
            "l2",
            {"epsilon": "hat", "amsgrad": "corrected"},
            "adam/paper does not allow these options",
        ),
    ],
)
def test_an_equation_that_is_not_there(draw, equation, options, reason):
    with pytest.raises(SpecError, match=reason):
        draw(get("adam"), equation, options)


def test_options_with_an_equation_are_the_nearest():
    adam = get("adam")
    own = adam.option_defaults()
    assert render.options_with(adam, "denominator@hat") == own | {"epsilon": "hat"}
    assert render.options_with(adam, "maximum@corrected") == own | {"amsgrad": "corrected"}
    assert render.options_with(adam, "nowhere") is None


def test_open_options_are_branches_and_theta_is_carried_over_where_they_may_move_it():
    adam = get("adam")
    lines = render.latex_algorithm(adam, keep=render.switches(adam)).split("\n")
    carried = lines.index(r"\quad \theta_t \gets \theta_{t-1} & \\")
    assert r"\theta_{t-1}" not in "".join(lines[carried + 1 :])
    assert r"\theta_t" not in "".join(lines[:carried])
    assert r"\quad \textbf{if}\ \textit{decay} = \text{decoupled} & \\" in lines
    assert r"\quad \quad \textbf{else if}\ \textit{correction} = \text{first} & \\" in lines
    text = render.text_algorithm(adam, keep=render.switches(adam))
    assert ["amsgrad", "=", "no", "|", "raw", "|", "corrected", "option"] in [
        line.split() for line in text.split("\n")
    ]
    assert "    if epsilon = hat or epsilon = hat_inside" in text.split("\n")
    assert "        else if correction = first" in text.split("\n")
    assert "max_exp_avg_sq" in text


def test_an_open_option_with_fewer_values():
    text = render.text_algorithm(get("adamw"), keep={"amsgrad": ("no", "raw")})
    assert "maximum" in text
    assert "corrected" not in text
    with pytest.raises(SpecError, match="option amsgrad has no value 'max'"):
        render.text_algorithm(get("adamw"), keep={"amsgrad": ("no", "max")})


def test_hyperparameters_without_meaning_are_not_listed():
    assert "dampening" in render.text_algorithm(get("sgd/torch"))
    assert "dampening" not in render.text_algorithm(get("sgd/classical"))
    open_buffer = {"buffer": ("torch", "classical")}
    assert "dampening" in render.text_algorithm(get("sgd/classical"), keep=open_buffer)


def width(text):
    return sum(not unicodedata.combining(c) for c in text)


@pytest.mark.parametrize("ascii", [False, True])
@pytest.mark.parametrize("columns", [80, 50])
@pytest.mark.parametrize("name", dialects())
def test_text_fits_the_terminal_with_names_in_one_column(name, columns, ascii):
    algorithm = get(name)
    for keep in (None, render.switches(algorithm)):
        text = render.text_algorithm(algorithm, keep=keep, ascii=ascii, width=columns)
        assert all(width(line) <= columns for line in text.split("\n"))
        assert {
            width(x[: x.index("first_moment")]) for x in text.split("\n") if "first_moment" in x
        } <= {width(x[: x.index("update")]) for x in text.split("\n") if "update" in x}


def test_a_name_for_which_a_line_leaves_no_room_stands_below():
    lars = get("lars/decayed")
    lines = render.text_algorithm(lars, keep=render.switches(lars), width=50, ascii=True)
    named = [x.split() for x in lines.split("\n") if "trust_ratio@denominator" in x]
    assert ["trust_ratio", "trust_ratio@denominator"] in named
    assert ["<-", "trust_ratio@denominator"] in named


def test_a_line_that_does_not_fit_is_broken_at_blanks_and_loses_nothing():
    wide = render.text_algorithm(get("adamw"), width=80)
    narrow = render.text_algorithm(get("adamw"), width=38)
    assert narrow.count("\n") > wide.count("\n")
    words = ["first_moment", "second_moment", "first_correction", "second_correction"]
    for text in (wide, narrow):
        assert all(word in text for word in words)
    assert sorted(wide.split()) == sorted(narrow.split())


# What KaTeX renders without complaint; the blocks of all dialects were put through it.
COMMANDS = {
    *("begin", "end", "textbf", "textit", "texttt", "text", "mathrm", "operatorname"),
    *(
        "quad",
        "gets",
        "left",
        "right",
        "lvert",
        "rvert",
        "frac",
        "sqrt",
        "nabla",
        "neq",
        "leq",
        "geq",
    ),
    *(
        "max",
        "min",
        "exp",
        "log",
        "cos",
        "hat",
        "in",
        "ldots",
        "bmod",
        "cdot",
        "top",
        "lfloor",
        "rfloor",
    ),
    *("theta", "gamma", "beta", "epsilon", "lambda", "mu", "tau", "alpha", "infty"),
    *("eta", "rho", "nu", "kappa", "xi", "phi", "psi", "delta", "Delta", "sigma", "omega", "Pi"),
    *("bar", "tilde", "lceil", "rceil", "varepsilon", "zeta", "chi", "varphi", "Lambda"),
}


def well_formed(latex):
    depth, environments, position = 0, [], 0
    commands = []
    while position < len(latex):
        character = latex[position]
        if character == "\\" and latex[position + 1].isalpha():
            end = position + 1
            while end < len(latex) and latex[end].isalpha():
                end += 1
            commands.append(latex[position + 1 : end])
            if commands[-1] in ("begin", "end"):
                name = latex[end + 1 : latex.index("}", end)]
                if commands[-1] == "begin":
                    environments.append(name)
                else:
                    assert environments.pop() == name
            position = end
        else:
            position += 2 if character == "\\" else 1
            depth += {"{": 1, "}": -1}.get(character, 0)
            assert depth >= 0
    assert (depth, environments) == (0, [])
    assert commands.count("left") == commands.count("right")
    return set(commands)


def without_cases(latex):
    """What is left when case distinctions are taken out, the innermost first."""
    inner = r"\\begin{cases}(?:(?!\\begin{cases}).)*?\\end{cases}"
    shorter = re.sub(inner, "", latex)
    return latex if shorter == latex else without_cases(shorter)


@pytest.mark.parametrize("name", dialects())
def test_latex_is_balanced_and_keeps_to_what_katex_knows(name):
    algorithm = get(name)
    blocks = [
        render.latex_algorithm(algorithm),
        render.latex_algorithm(algorithm, keep=render.switches(algorithm)),
    ]
    for block in blocks:
        assert well_formed(block) <= COMMANDS
        rows = without_cases(block).split("\n")[1:-1]
        assert all(row.count(" &") == 1 for row in rows)
    for let in ir.lets(algorithm.body):
        options = render.options_with(algorithm, let.equation)
        assert well_formed(render.latex_equation(algorithm, let.equation, options)) <= COMMANDS


EVERYTHING = """
lr = hyper("lr", 1.0)
size = hyper("size", 5, domain="Z[1,inf)")
metric = inputs("metric") if WITH_INPUT else 1
fast = inner("fast")
k = counter("k", scope="optimizer")
h = state("h", "history", shape="history")
slow = state("slow", "slow_buffer", init=theta, latex=r"\\phi")
g, a, s = local("g"), local("a"), local("s_x")
let("gradient", g, grad(theta) * metric)
let("sum", s, where(equal(g, 0), g, total(g) * matmul(g, transpose(g)) + row_mean(g)))
with repeat(length(h), until=rms(s) > 9, down=True) as i:
    let("weight", at(a, i), loss(theta) * total(at(h, i)))
    let("sum", s, s + at(a, i) * at(h, i), form="next")
    with when(at(a, i - 1) > 0):
        let("inside", theta, theta - lr * s)
push("remember", h, g, size)
apply(fast, gradient=g + s)
with when(equal(k % 5, 0)):
    let("slow_weights", slow, prev(slow) + (theta - prev(slow)) / 2)
    let("synchronise", theta, slow)
"""


def test_every_statement_as_text(load):
    text = render.text_algorithm(load(EVERYTHING.replace("WITH_INPUT", "False")), width=60)
    assert text.split("\n")[4:] == [
        "    θ                                      parameters",
        "start",
        "    h ← ()                                 history",
        "    φ ← θ                                  slow_buffer",
        "for k = 1, 2, ...",
        "    g ← ∇f(θ)·1                            gradient",
        "    sₓ ← where(g = 0, g, sum(g)·(g @ gᵀ)   sum",
        "            + mean(g, rows))",
        "    for i = len(h) − 1, ..., 0",
        "        a[i] ← f(θ)·sum(h[i])              weight",
        "        sₓ ← sₓ + a[i]·h[i]                sum@next",
        "        if a[i − 1] > 0",
        "            θ ← θ − γ·sₓ                   inside",
        "        until √mean(sₓ²) > 9",
        "    h ← last size of (h, g)                remember",
        "    θ ← fast(θ, g + sₓ)",
        "    if k mod 5 = 0",
        "        φ ← φₖ₋₁ + (θ − φₖ₋₁)/2            slow_weights",
        "        θ ← φ                              synchronise",
    ]


def test_every_statement_as_latex(load):
    latex = render.latex_algorithm(load(EVERYTHING.replace("WITH_INPUT", "True")))
    well_formed(latex)
    rows = [row.removesuffix(r" \\").removesuffix(" &") for row in latex.split("\n")]
    start = rows.index(r"\quad \mathrm{metric} & \text{with every step}")
    assert rows[start + 1 : start + 7] == [
        r"\quad \mathrm{fast} & \text{another algorithm}",
        r"\quad \theta_0,\ f_1, f_2, \ldots & \text{parameters, loss}",
        r"\textbf{start}",
        r"\quad h \gets () & \texttt{history}",
        r"\quad \phi_0 \gets \theta_0 & \texttt{slow\_buffer}",
        r"\textbf{for}\ k = 1, 2, \ldots\ \textbf{do}",
    ]
    loop = rows[start + 7 :]
    assert loop[0].startswith(
        r"\quad g_k \gets \nabla f_k\left(\theta_{k-1}\right) \mathrm{metric}_k"
    )
    assert loop[1].startswith(r"\quad s_{x,k} \gets \begin{cases} g_k & \text{if } g_k = 0 \\ ")
    assert loop[2:] == [
        r"\quad \theta_k \gets \theta_{k-1}",
        r"\quad \textbf{for}\ i = \operatorname{len}\left(h\right) - 1, \ldots, 0\ \textbf{do}",
        r"\quad \quad a_i \gets f_k\left(\theta_k\right) \operatorname{sum}\left(h_i\right)"
        r" & \texttt{weight}",
        r"\quad \quad s_{x,k} \gets s_{x,k} + a_i h_i & \texttt{sum@next}",
        r"\quad \quad \textbf{if}\ a_{i - 1} > 0",
        r"\quad \quad \quad \theta_k \gets \theta_k - \gamma s_{x,k} & \texttt{inside}",
        r"\quad \quad \textbf{until}\ \sqrt{\operatorname{mean}\left(s_{x,k}^{2}\right)} > 9",
        r"\quad h \gets \text{last } \mathrm{size} \text{ of } \left(h, g_k\right)"
        r" & \texttt{remember}",
        r"\quad \theta_k \gets \mathrm{fast}\left(\theta_k,\ g_k + s_{x,k}\right)",
        r"\quad \textbf{if}\ k \bmod 5 = 0",
        r"\quad \quad \phi_k \gets \phi_{k-1} + \frac{\theta_k - \phi_{k-1}}{2}"
        r" & \texttt{slow\_weights}",
        r"\quad \quad \theta_k \gets \phi_k & \texttt{synchronise}",
        r"\textbf{return}\ \theta_k",
        r"\end{array}",
    ]


BRANCHES = """
lr = hyper("lr", 1.0)
t = counter()
g = local("g")
let("gradient", g, grad(theta))
with when(t > 5):
    let("late", theta, theta - g)
    OTHERWISE
let("update", theta, theta - lr * g)
"""


def test_theta_needs_no_carrying_where_every_path_moves_it(load):
    both = "with otherwise():\n    let('early', theta, theta + g)"
    body = BRANCHES.replace("    OTHERWISE\n", both + "\n")
    latex = render.latex_algorithm(load(body))
    assert r"\theta_t \gets \theta_{t-1} &" not in latex
    assert r"\quad \quad \theta_t \gets \theta_{t-1} - g_t & \texttt{late}" in latex
    assert r"\quad \quad \theta_t \gets \theta_{t-1} + g_t & \texttt{early}" in latex
    assert r"\quad \theta_t \gets \theta_t - \gamma g_t & \texttt{update}" in latex


def test_theta_is_carried_once_where_some_path_moves_it(load):
    latex = render.latex_algorithm(load(BRANCHES.replace("    OTHERWISE\n", "")))
    assert latex.count(r"\theta_{t-1}") == 2
    assert r"\quad \theta_t \gets \theta_{t-1} & \\" in latex
    assert r"\quad \quad \theta_t \gets \theta_t - g_t & \texttt{late}" in latex


@pytest.mark.parametrize(
    ("name", "latex", "text"),
    [
        ("theta", r"\theta", "θ"),
        ("eps", r"\epsilon", "ε"),
        ("m", "m", "m"),
        ("c1", "c_1", "c₁"),
        ("beta12", r"\beta_{12}", "β₁₂"),
        ("v_hat", r"\hat{v}", "v̂"),
        ("x_bar", r"\bar{x}", "x̄"),
        ("g_i", "g_i", "gᵢ"),
        ("v_max", r"v_{\mathrm{max}}", "vₘₐₓ"),
        ("g_quick", r"g_{\mathrm{quick}}", "g_quick"),
        ("step_size", r"\mathrm{step\_size}", "step_size"),
        ("step_hat", r"\hat{\mathrm{step}}", "step_hat"),
        ("Gamma", r"\Gamma", "Γ"),
    ],
)
def test_symbols_without_latex_are_made_of_their_names(name, latex, text):
    assert LatexPrinter({}, frozenset()).show(ir.Sym(name)) == latex
    assert render.expression_text(ir.Sym(name)) == text


@pytest.mark.parametrize(
    ("latex", "index", "found"),
    [
        ("m", "t", "m_t"),
        ("m", "t-1", "m_{t-1}"),
        (r"\hat m", "t", r"\hat m_t"),
        ("x_i", "t", "x_{i,t}"),
        (r"x_{i}", "t-1", "x_{i,t-1}"),
        (r"s_{\mathrm{x}}", "t", r"s_{\mathrm{x},t}"),
        (r"v^{\max}", "t", r"v^{\max}_t"),
        ("x_i^2", "t", "{x_i^2}_t"),
        (r"x_{i}y_{j}", "t", "{x_{i}y_{j}}_t"),
        (r"\mathrm{a\_b}", "t", r"\mathrm{a\_b}_t"),
    ],
)
def test_the_step_joins_the_subscript_that_is_there(latex, index, found):
    assert with_index(latex, index) == found


def test_declared_latex_gives_the_text_too_and_no_two_symbols_look_alike(load):
    algorithm = load(r"""
lr = hyper("lr", 1.0, latex=r"\eta")
gamma = hyper("gamma", 1.0)
x = hyper("x", 1.0, latex=r"\gamma")
f = hyper("f", 1.0)
y = hyper("y", 1.0, latex=r"\mathcal{Y}")
z = hyper("z", 1.0, latex=r"\tilde z_{q}")
eps = hyper("eps", 1.0, latex=r"\epsilon")
e = hyper("e", 1.0, latex=r"\varepsilon")
let("update", theta, theta - lr * gamma * x * f * y * z * eps * e * grad(theta))
""")
    latex, text = render.latex_names(algorithm), render.text_names(algorithm)
    assert latex == {
        "theta": r"\theta", "lr": r"\eta", "gamma": r"\mathrm{gamma}", "x": r"\gamma",
        "f": r"\mathrm{f}", "y": r"\mathcal{Y}", "z": r"\tilde z_{q}",
        "eps": r"\epsilon", "e": r"\varepsilon",
    }  # fmt: skip
    assert len(set(latex.values())) == len(latex)
    assert text == {
        "theta": "θ", "lr": "η", "gamma": "gamma", "x": "γ", "f": "f", "y": "y", "z": "z",
        "eps": "ε", "e": "e",
    }  # fmt: skip
    assert render.text_names(algorithm, ascii=True) == {name: name for name in latex}
    assert r"- \eta \mathrm{gamma} \gamma" in render.latex_equation(algorithm, "update")


def test_the_letter_of_the_step_is_one_that_no_symbol_bears(load):
    algorithm = load("""
t = hyper("t", 1.0)
n = state("n", "buffer")
let("count", n, prev(n) + t)
let("update", theta, theta - n * grad(theta))
""")
    assert render.text_equation(algorithm, "count") == "n ← nₖ₋₁ + t"
    assert render.latex_equation(algorithm, "count") == r"n_k \gets n_{k-1} + t"
