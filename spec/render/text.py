"""Plain text for a terminal: Unicode, or ASCII in the words of the specification itself.

A symbol is its current value, as in a program; only the stored one bears an index: `m` and `mₜ₋₁`,
in ASCII `m` and `prev(m)`. ASCII expressions are valid Python.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import ClassVar

from instep.spec import ir
from instep.spec.arguments import OptionValue
from instep.spec.errors import SpecError
from instep.spec.model import Algorithm
from instep.spec.render import listing
from instep.spec.render.columns import Row, columns
from instep.spec.render.listing import Line, View
from instep.spec.render.precedence import Level, Printed, Printer
from instep.spec.render.symbols import (
    OBJECTIVE,
    default_latex,
    is_lowered,
    is_raised,
    step_name,
    subscript,
    superscript,
    text_names,
    to_unicode,
)


class AsciiPrinter(Printer):
    """Expressions in ASCII: Python, with the functions of the authoring vocabulary.

    Args:
        names: how symbols are written; those without keep their names.
    """

    arrow: ClassVar[str] = "<-"
    first: ClassVar[str] = "0"

    def __init__(self, names: Mapping[str, str] | None = None) -> None:
        self.names = names or {}

    def bare(self, name: str) -> str:
        """A symbol as it stands for its current value."""
        return self.names.get(name, name)

    def symbol(self, name: str) -> Printed:
        return Printed(self.bare(name), Level.ATOM)

    def previous(self, name: str) -> Printed:
        return Printed(f"prev({self.bare(name)})", Level.ATOM)

    def fraction(self, value: Fraction) -> Printed:
        text = f"{abs(value.numerator)}/{value.denominator}"
        return Printed(self.minus * (value < 0) + text, Level.MODULO)

    def power(self, base: ir.Expr, exponent: ir.Expr) -> Printed:
        text = self.operand(base, Level.ATOM) + "**" + self.operand(exponent, Level.ATOM)
        return Printed(text, Level.POWER)

    def call(self, function: str, xs: Sequence[ir.Expr]) -> Printed:
        if not xs:
            return self.constant(function)
        return Printed(f"{function}({self.arguments(xs)})", Level.ATOM)

    def constant(self, name: str) -> Printed:
        """A number that has a name of its own."""
        return Printed(name, Level.ATOM)

    def where(self, condition: ir.Expr, a: ir.Expr, b: ir.Expr) -> Printed:
        return Printed(f"where({self.arguments([condition, a, b])})", Level.ATOM)

    def reduce(self, op: str, over: str, x: ir.Expr) -> Printed:
        axis = "" if over == "all" else f", {over}"
        return Printed(f"{op}({self.show(x)}{axis})", Level.ATOM)

    def transpose(self, x: ir.Expr) -> Printed:
        return Printed(f"transpose({self.show(x)})", Level.ATOM)

    def gradient(self, at: ir.Expr) -> Printed:
        return Printed(f"grad({self.show(at)})", Level.ATOM)

    def loss(self, at: ir.Expr) -> Printed:
        return Printed(f"loss({self.show(at)})", Level.ATOM)

    def entry(self, name: str, index: ir.Expr) -> Printed:
        return Printed(f"{self.bare(name)}[{self.show(index)}]", Level.ATOM)

    def length(self, name: str) -> Printed:
        return Printed(f"len({self.bare(name)})", Level.ATOM)

    def absent(self, state: str) -> Printed:
        return Printed(f"absent({self.bare(state)})", Level.ATOM)

    def touched(self) -> Printed:
        return Printed(f"touched({self.bare(ir.THETA)})", Level.ATOM)

    def switch(self, option: str) -> Printed:
        return Printed(option, Level.ATOM)

    def option_value(self, value: str | bool) -> Printed:
        return Printed(repr(value), Level.ATOM)


class UnicodePrinter(AsciiPrinter):
    """Expressions in Unicode.

    Args:
        names: how symbols are written; those without are made of the name.
        step: the letter that counts steps.
    """

    arrow = "←"
    first = "₀"
    minus = "−"
    sums: ClassVar[dict[str, str]] = {"+": " + ", "-": " − "}
    products: ClassVar[dict[str, str]] = {"*": "·", "/": "/"}
    modulo = " mod "
    relations: ClassVar[dict[str, str]] = {
        "==": " = ", "!=": " ≠ ", "<": " < ", "<=": " ≤ ", ">": " > ", ">=": " ≥ ",
    }  # fmt: skip

    def __init__(self, names: Mapping[str, str] | None = None, step: str = "t") -> None:
        super().__init__(names)
        self.step = step

    def bare(self, name: str) -> str:
        return self.names.get(name) or to_unicode(default_latex(name)) or name

    def symbol(self, name: str) -> Printed:
        text = self.bare(name)
        return Printed(text, Level.POWER if is_raised(text) else Level.ATOM)

    def constant(self, name: str) -> Printed:
        return Printed(to_unicode(rf"\{name}") or name, Level.ATOM)

    def previous(self, name: str) -> Printed:
        text, index = self.bare(name), subscript(f"{self.step}-1")
        if index is None or is_lowered(text):
            return Printed(f"{text}[{self.step}−1]", Level.ATOM)
        return Printed(text + index, Level.ATOM)

    def infix(self, sign: str, a: ir.Expr, b: ir.Expr, level: Level) -> Printed:
        text, found = super().infix(sign, a, b, level)
        # `a/b·c` is read in both ways, `a·b/c` means the same in both.
        if level == Level.PRODUCT and isinstance(a, ir.Binary) and a.op == "/":
            text = self.wrapped(self.show(a)) + sign + self.operand(b, Level.POWER, right=True)
        return Printed(text, found)

    def power(self, base: ir.Expr, exponent: ir.Expr) -> Printed:
        left = self.operand(base, Level.ATOM)
        raised = superscript(self.show(exponent).replace(self.minus, "-"))
        if raised is not None and not isinstance(exponent, ir.Binary):
            return Printed(left + raised, Level.POWER)
        return Printed(f"{left}^{self.operand(exponent, Level.ATOM)}", Level.POWER)

    def call(self, function: str, xs: Sequence[ir.Expr]) -> Printed:
        if not xs:
            return self.constant(function)
        inside = self.arguments(xs)
        if function == "sqrt":
            return Printed("√" + self.operand(xs[0], Level.ATOM), Level.POWER)
        if function == "abs":
            return Printed(f"|{inside}|", Level.ATOM)
        if function == "floor":
            return Printed(f"⌊{inside}⌋", Level.ATOM)
        return Printed(f"{function}({inside})", Level.ATOM)

    def transpose(self, x: ir.Expr) -> Printed:
        return Printed(self.operand(x, Level.ATOM) + "ᵀ", Level.POWER)

    def gradient(self, at: ir.Expr) -> Printed:
        return Printed(f"∇{OBJECTIVE}({self.show(at)})", Level.ATOM)

    def loss(self, at: ir.Expr) -> Printed:
        return Printed(f"{OBJECTIVE}({self.show(at)})", Level.ATOM)

    def absent(self, state: str) -> Printed:
        return Printed(f"{self.bare(state)} is absent", Level.COMPARE)

    def touched(self) -> Printed:
        return Printed("touched", Level.ATOM)

    def present(self, state: str) -> Printed:
        return Printed(f"{self.bare(state)} is present", Level.COMPARE)

    def option_value(self, value: str | bool) -> Printed:
        return Printed(str(value).lower(), Level.ATOM)


def expression_text(
    expr: ir.Expr, names: Mapping[str, str] | None = None, *, ascii: bool = False
) -> str:
    """An expression as text.

    Args:
        expr: the expression; a node that the printer does not know is a SpecError that names it.
        names: how symbols are written, as `text_names` gives them; others are made of the name.
        ascii: in ASCII, valid as Python, instead of Unicode.
    """
    return (AsciiPrinter(names) if ascii else UnicodePrinter(names)).show(expr)


def text_equation(
    algorithm: Algorithm,
    equation: str,
    options: Mapping[str, OptionValue] | None = None,
    *,
    ascii: bool = False,
) -> str:
    """One equation of a dialect: `denominator`, or `denominator@hat` for one form of it.

    Several lines that bear the name stand below each other, each with its condition. Raises
    SpecError for a name that there is not, also where only other options have it.
    """
    printer = _printer(algorithm, ascii=ascii)
    found = listing.equation_lines(listing.view(algorithm, options), equation, indexed=False)
    if len(found) == 1:
        return _item(found[0].item, printer)
    rows = []
    for line in found:
        condition = printer.show(ir.Logic("and", line.path)) if line.path else ""
        rows.append(_item(line.item, printer) + (f"    if {condition}" if condition else ""))
    return "\n".join(rows)


def text_algorithm(
    algorithm: Algorithm,
    options: Mapping[str, OptionValue] | None = None,
    *,
    keep: Mapping[str, tuple[OptionValue, ...]] | None = None,
    ascii: bool = False,
    width: int = 80,
) -> str:
    """A dialect as a block: input, initial values, and the loop; to the right, names that cite.

    Args:
        algorithm: the specification, seen through a dialect or not.
        options: values that differ from the dialect's.
        keep: options with the values they may have, printed as branches; `switches(algorithm)`
            keeps all of them.
        ascii: in ASCII instead of Unicode.
        width: columns of the terminal.
    """
    shown = listing.view(algorithm, options, keep)
    printer = _printer(algorithm, ascii=ascii)
    rows = [*_input(shown, printer), *_start(shown, printer), *_loop(shown, printer)]
    rows += [*_views(shown, printer), *_closed(shown, printer)]
    return "\n".join(columns(rows, width))


def _input(shown: View, printer: AsciiPrinter) -> Iterator[Row]:
    algorithm = shown.algorithm
    yield 0, "input", ""
    for h in shown.hyperparameters():
        key = h.key if h.index is None else f"{h.key}[{h.index}]"
        yield 1, f"{printer.bare(h.name)} = {printer.default(h.default)}", key
    for name in algorithm.inputs:
        yield 1, printer.bare(name), shown.source(name)
    for name, values in shown.keep.items():
        yield 1, f"{name} = {' | '.join(printer.option_value(v).text for v in values)}", "option"
    for slot in algorithm.slots:
        yield 1, slot, "another algorithm"
    if shown.moves_parameters():
        yield 1, printer.bare(ir.THETA), "parameters"


def _start(shown: View, printer: AsciiPrinter) -> Iterator[Row]:
    states = shown.states()
    if states:
        yield 0, "start", ""
    for s in states:
        name = printer.bare(s.name)
        if s.shape == "history":
            yield 1, f"{name} {printer.arrow} ()", s.key
        elif s.init is None:
            yield 1, printer.absent(s.name).text, s.key
        else:
            yield 1, f"{name} {printer.arrow} {printer.show(s.init)}", s.key


def _loop(shown: View, printer: AsciiPrinter) -> Iterator[Row]:
    yield 0, f"for {printer.bare(step_name(shown.algorithm))} = {shown.steps()}...", ""
    for line in shown.lines(indexed=False):
        yield line.depth + 1, _item(line.item, printer), _label(line)


def _views(shown: View, printer: AsciiPrinter) -> Iterator[Row]:
    theta = printer.bare(ir.THETA)
    if shown.algorithm.views:
        yield 0, "between steps", ""
    for v in shown.algorithm.views:
        yield 1, f"{theta}[{v.name}] = {printer.show(v.value)}", v.name
        if v.inverse is not None:
            yield 1, f"back: {theta} {printer.arrow} {printer.show(v.inverse)}", ""


def _closed(shown: View, printer: AsciiPrinter) -> Iterator[Row]:
    found = shown.closed_lines(indexed=False)
    if found:
        yield 0, "closed form", ""
    for line in found:
        yield line.depth + 1, _item(line.item, printer), _label(line)


def _label(line: Line) -> str:
    match line.item:
        case listing.Assign(label=label) | listing.Append(label=label):
            return label
    return ""


def _item(item: listing.Item, printer: AsciiPrinter) -> str:
    show = printer.show
    match item:
        case listing.Assign(target, value):
            return f"{show(target)} {printer.arrow} {show(value)}"
        case listing.Branch(condition, chained):
            return f"{'else if' if chained else 'if'} {show(condition)}"
        case listing.Else():
            return "else"
        case listing.Loop(variable, first, last, down):
            ends = (last, first) if down else (first, last)
            return f"for {printer.bare(variable)} = {show(ends[0])}, ..., {show(ends[1])}"
        case listing.Until(condition):
            return f"until {show(condition)}"
        case listing.Append(history, value, size):
            name = printer.bare(history)
            return f"{name} {printer.arrow} last {show(size)} of ({name}, {show(value)})"
        case listing.Step(slot, point, gradient):
            given = "" if gradient is None else f", {show(gradient)}"
            return f"{show(ir.Sym(ir.THETA))} {printer.arrow} {slot}({show(point)}{given})"
    raise SpecError(f"the printer does not know the line {type(item).__name__}")


def _printer(algorithm: Algorithm, *, ascii: bool) -> AsciiPrinter:
    names = text_names(algorithm, ascii=ascii)
    if ascii:
        return AsciiPrinter(names)
    name = step_name(algorithm)
    return UnicodePrinter(names, names.get(name, name))
