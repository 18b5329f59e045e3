"""A specification while it is being written: what the vocabulary of `author` records into.

Here are the objects that an author holds (conditions, options, choices), and the rule for errors:
each is one line with file, line, algorithm, equation and reason.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, cast

import sympy

from instep.spec import ir, model
from instep.spec.arguments import OptionValue
from instep.spec.errors import SpecError
from instep.spec.freeze import freeze

# Frames that stand between a specification file and the code that records it.
_MACHINERY = (
    "instep.spec.recording",
    "instep.spec.author",
    "instep.spec.acceptance",
    "instep.spec.declarations",
    "instep.spec.functions",
    "instep.spec.scheduling",
    "contextlib",
)
_NOT_BOOLEAN = "a Python bool is no condition: `==` compared identity there; use equal(a, b)"
_NO_TRUTH = "a condition has no truth value here: use when(...), where(...), and & | ~"


class Draft:
    """What `with algorithm(...) as spec` binds; `.algorithm` is there after the block.

    `path` is the file that the algorithm was written in, as Python names it.
    """

    algorithm: model.Algorithm

    def __init__(self, path: str) -> None:
        self.path = path


# Every draft whose block was left without an error, in that order; the registry reads it.
finished: list[Draft] = []


@dataclass
class Builder:
    """A specification under construction."""

    spec: model.Algorithm
    path: str
    stack: list[list[ir.Stmt]] = field(default_factory=lambda: [[]])
    conditions: list[ir.Expr] = field(default_factory=list)
    branch: ir.If | None = None
    block: str = ""

    def add(self, kind: str, item: Any) -> None:
        """Append to one of the specification's tuples."""
        self.spec = replace(self.spec, **cast(Any, {kind: (*getattr(self.spec, kind), item)}))

    def record(self, statement: ir.Stmt) -> None:
        """Append a statement to the block that is open."""
        self.stack[-1].append(statement)
        self.branch = None

    def complete(self) -> model.Algorithm:
        """The specification as recorded so far."""
        return replace(self.spec, body=tuple(self.stack[0]))


_open: list[Builder] = []


def current() -> Builder:
    """The specification that is being written; raises SpecError outside of one."""
    if not _open:
        frame = _author_frame()
        where = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
        raise SpecError(f"{where}: this belongs inside `with algorithm(...)`")
    return _open[-1]


@contextmanager
def recording(name: str, title: str, version: int) -> Iterator[Builder]:
    """Open a specification; any error inside it leaves as a SpecError with file and line."""
    path = _author_frame().f_code.co_filename
    builder = Builder(model.Algorithm(name, name, title, version, Path(path).name, ()), path)
    _open.append(builder)
    try:
        # Without this sympy merges divisions, distributes products and forgets the written order.
        with sympy.evaluate(False):
            yield builder
    except SpecError:
        raise
    except Exception as error:
        line = _line_in(path, error)
        raise SpecError(f"{builder.spec.file}:{line}: {name}: {_explained(error)}") from error
    finally:
        _open.pop()


def _author_frame() -> FrameType:
    """The innermost frame that is not ours: the line that called the vocabulary."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__") in _MACHINERY:
        frame = frame.f_back
    return frame


def line() -> int:
    """Line of the specification file that is being executed, from within a helper too."""
    path = current().path
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename != path:
        frame = frame.f_back
    return frame.f_lineno if frame is not None else 0


def _line_in(path: str, error: Exception) -> int:
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == path]
    return (lines[-1] if lines else 0) or 0


def _explained(error: Exception) -> str:
    """One line for an error that Python or sympy raised, with a way out where one is known."""
    text = f"{type(error).__name__}: {error}".splitlines()[0]
    if "truth value of Relational" in text:
        return "a comparison has no truth value here: use maximum, minimum, where(...) or when(...)"
    if "ufunc" in text or "Cannot convert expression to float" in text:
        return "functions of numpy and math do not know symbols: use those of instep.spec.author"
    if "Choice" in text:
        return "choose(...) must be the whole right-hand side of a let(...)"
    if "Condition" in text or "OptionSymbol" in text:
        return f"{text}; conditions and options belong in when(...), where(...) and choose(...)"
    return text


def fail(what: str, reason: str, error: Exception | None = None) -> NoReturn:
    """Raise SpecError with file, line, algorithm, equation (or other name, if any) and reason."""
    spec = current().spec
    name = f"{spec.name}.{what}" if what else spec.name
    raise SpecError(f"{spec.file}:{line()}: {name}: {reason}") from error


def frozen(what: str, expr: Any) -> ir.Expr:
    """An authored expression as IR; `what` names the equation in an error."""
    if isinstance(expr, Condition | OptionSymbol):
        fail(what, "a condition is no number: use where(condition, a, b) or when(condition)")
    if isinstance(expr, Choice):
        fail(what, "choose(...) must be the whole right-hand side of a let(...)")
    try:
        return freeze(expr, current().conditions)
    except (SpecError, TypeError, sympy.SympifyError) as error:
        fail(what, str(error), error)


def as_condition(value: Any, what: str = "") -> ir.Expr:
    """An authored condition as IR: one of ours, a boolean option, or a sympy comparison."""
    if isinstance(value, Condition):
        return value.node
    if isinstance(value, OptionSymbol):
        if set(value.values) != {False, True}:
            fail(
                what,
                f"option {value.name} is no condition: write {value.name} == {value.values[0]!r}",
            )
        return ir.Compare("==", ir.Opt(value.name), ir.Value(True))
    if isinstance(value, int):  # `~False` is -1
        fail(what, _NOT_BOOLEAN)
    node = frozen(what, value)
    if not isinstance(node, ir.Compare):
        fail(what, f"{value} is a number, not a condition: compare it with one")
    return node


def name_of(symbol: Any, what: str) -> str:
    """The name of a declared symbol or option; anything else is an error."""
    if isinstance(symbol, OptionSymbol | sympy.Symbol):
        return str(symbol.name)
    fail(what, f"expects a declared symbol, not {symbol!r}")


class Condition:
    """A condition; no sympy object, because sympy sorts `And` and turns `t == 1` into a bool."""

    def __init__(self, node: ir.Expr) -> None:
        self.node = node

    def __and__(self, other: Any) -> Condition:
        return Condition(ir.Logic("and", (self.node, as_condition(other))))

    def __rand__(self, other: Any) -> Condition:
        return Condition(ir.Logic("and", (as_condition(other), self.node)))

    def __or__(self, other: Any) -> Condition:
        return Condition(ir.Logic("or", (self.node, as_condition(other))))

    def __ror__(self, other: Any) -> Condition:
        return Condition(ir.Logic("or", (as_condition(other), self.node)))

    def __invert__(self) -> Condition:
        return Condition(ir.Logic("not", (self.node,)))

    def __bool__(self) -> bool:
        fail("", _NO_TRUTH)


class OptionSymbol:
    """An option in a condition: `amsgrad == "raw"`, or the bare name of a boolean one."""

    __hash__ = None  # type: ignore[assignment]  # == builds a condition, so equality cannot hash

    def __init__(self, name: str, values: tuple[OptionValue, ...]) -> None:
        self.name, self.values = name, values

    def __eq__(self, value: object) -> Condition:  # type: ignore[override]
        for known in self.values:
            if type(known) is type(value) and known == value:
                return Condition(ir.Compare("==", ir.Opt(self.name), ir.Value(known)))
        fail("", f"option {self.name} has no value {value!r}; it has {listed(self.values)}")

    def among(self, values: Sequence[OptionValue]) -> ir.Expr:
        """The condition that the option has one of these values."""
        tests = [ir.Compare("==", ir.Opt(self.name), ir.Value(value)) for value in values]
        return tests[0] if len(tests) == 1 else ir.Logic("or", tuple(tests))

    def __ne__(self, value: object) -> Condition:  # type: ignore[override]
        return ~(self == value)

    def __and__(self, other: Any) -> Condition:
        return Condition(as_condition(self)).__and__(other)

    def __rand__(self, other: Any) -> Condition:
        return Condition(as_condition(self)).__rand__(other)

    def __or__(self, other: Any) -> Condition:
        return Condition(as_condition(self)).__or__(other)

    def __ror__(self, other: Any) -> Condition:
        return Condition(as_condition(self)).__ror__(other)

    def __invert__(self) -> Condition:
        return ~Condition(as_condition(self))

    def __bool__(self) -> bool:
        fail("", f"option {self.name} has no truth value here: use when({self.name}), and & | ~")


def listed(values: tuple[OptionValue, ...]) -> str:
    """Option values as an author writes them."""
    return ", ".join(map(repr, values))


@dataclass
class Choice:
    """Alternative right-hand sides of one equation, by option value as an author spells it."""

    option: OptionSymbol
    forms: Mapping[str, Any]

    def complete(self, equation: str) -> dict[OptionValue, Any]:
        """A form for every value of the option, `otherwise` filled in; else an error."""
        given = dict(self.forms)
        rest = given.pop("otherwise", None)
        spelled = {spelling(value): value for value in self.option.values}
        unknown = [text for text in given if text not in spelled]
        if unknown:
            known = ", ".join(spelled)
            fail(equation, f"choose({self.option.name}) has no value {unknown[0]}; it has {known}")
        forms = {value: given.get(text, rest) for text, value in spelled.items()}
        missing = [text for text, value in spelled.items() if forms[value] is None]
        if missing:
            names = ", ".join(missing)
            fail(equation, f"choose({self.option.name}) has no form for {names}; add otherwise=")
        return forms

    def groups(self, equation: str) -> list[Group]:
        """The forms, each with its values; what `otherwise` covers comes last, unnamed."""
        groups: list[Group] = []
        for value, expr in self.complete(equation).items():
            same = next((group for group in groups if group.has(expr)), None)
            if same is None:
                groups.append(Group([value], expr, form_name(value)))
            else:
                same.options.append(value)
        if "otherwise" in self.forms:
            rest = next((g for g in groups if g.has(self.forms["otherwise"])), None)
            if rest is not None:
                groups.remove(rest)
                groups.append(Group(rest.options, rest.value, ""))
        return groups


@dataclass
class Group:
    """Option values that have one form, the form, and its name."""

    options: list[OptionValue]
    value: Any
    form: str

    def has(self, expr: Any) -> bool:
        """Whether an expression is the group's form."""
        return type(expr) is type(self.value) and bool(expr == self.value)


def spelling(value: OptionValue) -> str:
    """An option value as a keyword: `eps-hat` is `eps_hat`, True is `yes`, False is `no`."""
    return ("yes" if value else "no") if isinstance(value, bool) else value.replace("-", "_")


def check_values(name: str, values: tuple[OptionValue, ...]) -> None:
    """Every value of an option can be written as a keyword, and no two alike; else an error."""
    spelled = [spelling(value) for value in values]
    for text in spelled:
        if spelled.count(text) > 1:
            fail(name, f"two values of the option are spelled {text}")
        if not text.isidentifier() or text == "otherwise":
            fail(
                name, f"an option value must be a word of letters, digits and hyphens, not {text!r}"
            )


def form_name(value: OptionValue) -> str:
    """An option value as the name of a form: `denominator@hat`, `gradient@yes`."""
    return spelling(value) if isinstance(value, bool) else value


@contextmanager
def block() -> Iterator[list[ir.Stmt]]:
    """Record into a nested body."""
    body: list[ir.Stmt] = []
    builder = current()
    builder.stack.append(body)
    builder.branch = None
    try:
        yield body
    finally:
        builder.stack.pop()
        builder.branch = None
