r"""LaTeX: single equations and whole algorithms, with the step as an index, as papers write them.

Only what KaTeX knows: `array`, `cases`, `aligned`, `\frac`, `\operatorname`, text fonts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from math import isinf
from typing import ClassVar

from instep.spec import ir
from instep.spec.arguments import OptionValue
from instep.spec.errors import SpecError
from instep.spec.model import Algorithm
from instep.spec.render import listing
from instep.spec.render.listing import Line, View
from instep.spec.render.precedence import Level, Printed, Printer
from instep.spec.render.symbols import (
    OBJECTIVE,
    default_latex,
    escaped,
    latex_names,
    step_name,
    with_index,
)

_SPACE = r"\quad "
_FUNCTIONS = {"cos": r"\cos", "exp": r"\exp", "log": r"\log", "max": r"\max", "min": r"\min"}


class LatexPrinter(Printer):
    """Expressions in LaTeX.

    Args:
        names: LaTeX of symbols; those without are made of the name.
        indexed: symbols that bear the step as an index.
        step: index of a current value; the stored one has `step - 1`.
    """

    type_eps = r"\text{machine epsilon}"
    parentheses = (r"\left(", r"\right)")
    modulo = r" \bmod "
    matrix_product = r" \, "
    relations: ClassVar[dict[str, str]] = {
        "==": " = ", "!=": r" \neq ", "<": " < ", "<=": r" \leq ", ">": " > ", ">=": r" \geq ",
    }  # fmt: skip
    words: ClassVar[dict[str, str]] = {
        "and": r" \ \textbf{and}\ ", "or": r" \ \textbf{or}\ ", "not": r"\textbf{not}\ ",
    }  # fmt: skip

    def __init__(self, names: Mapping[str, str], indexed: frozenset[str], step: str = "t") -> None:
        self.names, self.indexed, self.step = names, indexed, step

    def bare(self, name: str) -> str:
        """A symbol without an index."""
        return self.names.get(name) or default_latex(name)

    def symbol(self, name: str) -> Printed:
        text = self.bare(name)
        if name in self.indexed:
            text = with_index(text, self.step)
        return Printed(text, Level.POWER if "^" in text else Level.ATOM)

    def previous(self, name: str) -> Printed:
        text = with_index(self.bare(name), f"{self.step}-1")
        return Printed(text, Level.POWER if "^" in text else Level.ATOM)

    def digits(self, value: int | float) -> str:
        if isinf(value):
            return r"\infty"
        mantissa, _, exponent = repr(value).partition("e")
        if not exponent:
            return mantissa
        power = f"10^{{{int(exponent)}}}"
        return power if mantissa == "1" else rf"{mantissa} \cdot {power}"

    def number(self, value: ir.Number) -> Printed:
        text, level = super().number(value)
        plain = level != Level.ATOM or r"\cdot" not in text
        return Printed(text, level if plain else Level.PRODUCT)

    def fraction(self, value: Fraction) -> Printed:
        text = rf"\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"
        return Printed(text, Level.POWER) if value >= 0 else Printed("-" + text, Level.NEGATE)

    def product(self, a: ir.Expr, b: ir.Expr) -> Printed:
        left = self.operand(a, Level.PRODUCT)
        right = self.operand(b, Level.POWER, right=True)
        # Juxtaposed digits would read as one number.
        sign = r" \cdot " if right[0].isdigit() else " "
        return Printed(left + sign + right, Level.PRODUCT)

    def quotient(self, a: ir.Expr, b: ir.Expr) -> Printed:
        return Printed(rf"\frac{{{self.show(a)}}}{{{self.show(b)}}}", Level.POWER)

    def power(self, base: ir.Expr, exponent: ir.Expr) -> Printed:
        return Printed(f"{self.operand(base, Level.ATOM)}^{{{self.show(exponent)}}}", Level.POWER)

    def call(self, function: str, xs: Sequence[ir.Expr]) -> Printed:
        inside = self.arguments(xs)
        if function == "pi":
            return Printed(r"\pi", Level.ATOM)
        if function == "sqrt":
            return Printed(rf"\sqrt{{{inside}}}", Level.POWER)
        if function == "abs":
            return Printed(rf"\left\lvert {inside} \right\rvert", Level.ATOM)
        if function == "floor":
            return Printed(rf"\left\lfloor {inside} \right\rfloor", Level.ATOM)
        name = _FUNCTIONS.get(function) or rf"\operatorname{{{function}}}"
        return Printed(name + self.wrapped(inside), Level.ATOM)

    def where(self, condition: ir.Expr, a: ir.Expr, b: ir.Expr) -> Printed:
        then = rf"{self.show(a)} & \text{{if }} {self.show(condition)}"
        text = rf"\begin{{cases}} {then} \\ {self.show(b)} & \text{{otherwise}} \end{{cases}}"
        return Printed(text, Level.OR)

    def reduce(self, op: str, over: str, x: ir.Expr) -> Printed:
        name = rf"\operatorname{{{op}}}"
        axis = "" if over == "all" else rf"_{{\text{{{over}}}}}"
        return Printed(f"{name}{axis}{self.wrapped(self.show(x))}", Level.ATOM)

    def transpose(self, x: ir.Expr) -> Printed:
        return Printed(rf"{self.operand(x, Level.ATOM)}^{{\top}}", Level.POWER)

    def gradient(self, at: ir.Expr) -> Printed:
        point = self.wrapped(self.show(at))
        return Printed(rf"\nabla {with_index(OBJECTIVE, self.step)}{point}", Level.POWER)

    def loss(self, at: ir.Expr) -> Printed:
        return Printed(with_index(OBJECTIVE, self.step) + self.wrapped(self.show(at)), Level.ATOM)

    def entry(self, name: str, index: ir.Expr) -> Printed:
        return Printed(with_index(self.bare(name), self.show(index)), Level.ATOM)

    def length(self, name: str) -> Printed:
        return Printed(rf"\operatorname{{len}}{self.wrapped(self.bare(name))}", Level.ATOM)

    def absent(self, state: str) -> Printed:
        return Printed(rf"{self.previous(state).text}\ \text{{is absent}}", Level.COMPARE)

    def touched(self) -> Printed:
        return Printed(r"\text{touched}", Level.ATOM)

    def present(self, state: str) -> Printed:
        return Printed(rf"{self.previous(state).text}\ \text{{is present}}", Level.COMPARE)

    def switch(self, option: str) -> Printed:
        return Printed(rf"\textit{{{escaped(option)}}}", Level.ATOM)

    def option_value(self, value: str | bool) -> Printed:
        return Printed(rf"\text{{{escaped(str(value).lower())}}}", Level.ATOM)


def latex_expression(expr: ir.Expr, algorithm: Algorithm) -> str:
    """An expression over the symbols of an algorithm; theta stands for its current value."""
    return _printer(algorithm).show(expr)


def latex_equation(
    algorithm: Algorithm, equation: str, options: Mapping[str, OptionValue] | None = None
) -> str:
    """One equation of a dialect: `denominator`, or `denominator@hat` for one form of it.

    Several lines that bear the name stand below each other, each with its condition. Raises
    SpecError for a name that there is not, also where only other options have it.
    """
    printer = _printer(algorithm)
    found = listing.equation_lines(listing.view(algorithm, options), equation, indexed=True)
    if len(found) == 1:
        return _item(found[0].item, printer)
    rows = []
    for line in found:
        condition = printer.show(ir.Logic("and", line.path)) if line.path else ""
        note = rf"& \text{{if }} {condition}" if condition else "&"
        rows.append(f"& {_item(line.item, printer)} {note}")
    return _environment("aligned", "", rows)


def latex_algorithm(
    algorithm: Algorithm,
    options: Mapping[str, OptionValue] | None = None,
    *,
    keep: Mapping[str, tuple[OptionValue, ...]] | None = None,
) -> str:
    """A dialect as a block: input, initial values, and the loop; to the right, names that cite.

    Args:
        algorithm: the specification, seen through a dialect or not.
        options: values that differ from the dialect's.
        keep: options with the values they may have, printed as branches; `switches(algorithm)`
            keeps all of them.
    """
    shown = listing.view(algorithm, options, keep)
    rows = [*_input(shown), *_start(shown), *_loop(shown), *_views(shown), *_closed(shown)]
    return _environment("array", "{ll}", [f"{left} & {right}".rstrip() for left, right in rows])


Row = tuple[str, str]


def _input(shown: View) -> Iterator[Row]:
    algorithm, printer = shown.algorithm, _printer(shown.algorithm, step="0")
    yield r"\textbf{input}", ""
    for h in shown.hyperparameters():
        key = h.key if h.index is None else f"{h.key}[{h.index}]"
        yield f"{_SPACE}{printer.bare(h.name)} = {printer.default(h.default)}", _cite(key)
    for name in algorithm.inputs:
        source = shown.source(name)
        cited = rf"\text{{{source}}}" if " " in source else _cite(source)
        yield _SPACE + printer.bare(name), cited
    for name, values in shown.keep.items():
        shows = r",\ ".join(printer.option_value(v).text for v in values)
        yield rf"{_SPACE}{printer.switch(name).text} \in \{{{shows}\}}", _cite(name)
    for slot in algorithm.slots:
        yield rf"{_SPACE}\mathrm{{{escaped(slot)}}}", r"\text{another algorithm}"
    if shown.moves_parameters():
        objective = rf"{OBJECTIVE}_1, {OBJECTIVE}_2, \ldots"
        yield rf"{_SPACE}{printer.symbol(ir.THETA).text},\ {objective}", r"\text{parameters, loss}"


def _start(shown: View) -> Iterator[Row]:
    counter = shown.algorithm.counter
    before = "0" if counter is None else str(counter.start - 1)
    printer = _printer(shown.algorithm, step=before)
    states = shown.states()
    if states:
        yield r"\textbf{start}", ""
    for s in states:
        left = with_index(printer.bare(s.name), before)
        if s.shape == "history":
            yield rf"{_SPACE}{printer.bare(s.name)} \gets ()", _cite(s.key)
        elif s.init is None:
            yield rf"{_SPACE}{left}\ \text{{is absent}}", _cite(s.key)
        else:
            yield rf"{_SPACE}{left} \gets {printer.show(s.init)}", _cite(s.key)


def _loop(shown: View) -> Iterator[Row]:
    printer = _printer(shown.algorithm)
    yield rf"\textbf{{for}}\ {printer.step} = {shown.steps()}\ldots\ \textbf{{do}}", ""
    for line in shown.lines(indexed=True):
        yield _SPACE * (line.depth + 1) + _item(line.item, printer), _label(line)
    if shown.moves_parameters() and shown.algorithm.result == "parameters":
        yield rf"\textbf{{return}}\ {printer.symbol(ir.THETA).text}", ""


def _views(shown: View) -> Iterator[Row]:
    """Points read between steps; the way back, where theta stands for the point."""
    printer = _printer(shown.algorithm)
    if shown.algorithm.views:
        yield r"\textbf{between steps}", ""
    for v in shown.algorithm.views:
        point = rf"{printer.bare(ir.THETA)}^{{\mathrm{{{escaped(v.name)}}}}}"
        yield rf"{_SPACE}{point} = {printer.show(v.value)}", _cite(v.name)
        if v.inverse is not None:
            back = rf"{printer.symbol(ir.THETA).text} \gets {printer.show(v.inverse)}"
            yield rf"{_SPACE}{back}", r"\text{back}"


def _closed(shown: View) -> Iterator[Row]:
    found = shown.closed_lines(indexed=True)
    printer = _printer(shown.algorithm)
    if found:
        yield r"\textbf{closed form}", ""
    for line in found:
        yield _SPACE * (line.depth + 1) + _item(line.item, printer), _label(line)


def _label(line: Line) -> str:
    match line.item:
        case listing.Assign(label=label) | listing.Append(label=label) if label:
            return _cite(label)
    return ""


def _cite(name: str) -> str:
    return rf"\texttt{{{escaped(name)}}}"


def _item(item: listing.Item, printer: LatexPrinter) -> str:
    show = printer.show
    match item:
        case listing.Assign(target, value):
            return rf"{show(target)} \gets {show(value)}"
        case listing.Branch(condition, chained):
            word = "else if" if chained else "if"
            return rf"\textbf{{{word}}}\ {show(condition)}"
        case listing.Else():
            return r"\textbf{else}"
        case listing.Loop(variable, first, last, down):
            ends = (last, first) if down else (first, last)
            span = rf"{show(ends[0])}, \ldots, {show(ends[1])}"
            return rf"\textbf{{for}}\ {printer.bare(variable)} = {span}\ \textbf{{do}}"
        case listing.Until(condition):
            return rf"\textbf{{until}}\ {show(condition)}"
        case listing.Append(history, value, size):
            name = printer.bare(history)
            longer = rf"\left({name}, {show(value)}\right)"
            return rf"{name} \gets \text{{last }} {show(size)} \text{{ of }} {longer}"
        case listing.Step(slot, point, gradient):
            given = "" if gradient is None else f",\\ {show(gradient)}"
            moved = show(ir.Sym(ir.THETA))
            return rf"{moved} \gets \mathrm{{{escaped(slot)}}}\left({show(point)}{given}\right)"
    raise SpecError(f"the printer does not know the line {type(item).__name__}")


def _printer(algorithm: Algorithm, step: str = "") -> LatexPrinter:
    """A printer for an algorithm's symbols; what changes from step to step bears the step."""
    indexed = ir.assigned(algorithm.body) | set(algorithm.inputs) | {ir.THETA}
    if algorithm.schedule is not None:  # of what it reads, the constructor and the group stay
        indexed |= ir.assigned(algorithm.schedule.closed)
        indexed -= {g.name for g in algorithm.schedule.given if g.kind in ("group", "list")}
    names = latex_names(algorithm)
    name = step_name(algorithm)
    return LatexPrinter(names, frozenset(indexed), step or names.get(name, name))


def _environment(name: str, columns: str, rows: Sequence[str]) -> str:
    body = " \\\\\n".join(rows)
    return f"\\begin{{{name}}}{columns}\n{body}\n\\end{{{name}}}"
