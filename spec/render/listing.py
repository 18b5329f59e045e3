"""A body as the lines of an algorithm block, the same for every notation."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from instep.spec import ir
from instep.spec.arguments import Hyperparameter, OptionValue
from instep.spec.errors import SpecError
from instep.spec.model import Algorithm, State
from instep.spec.options import assignments, decide, live_states, resolve
from instep.spec.rewriting import rewrite

_THETA = ir.Sym(ir.THETA)
_STORED = ir.Prev(ir.THETA)


@dataclass(frozen=True, slots=True)
class Assign:
    """An equation; `label` is what cites it."""

    target: ir.Sym | ir.At | ir.Grad
    value: ir.Expr
    equation: str = ""
    form: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Branch:
    """`if condition`, or `else if` after another branch."""

    condition: ir.Expr
    chained: bool = False


@dataclass(frozen=True, slots=True)
class Else:
    """The branch without a condition."""


@dataclass(frozen=True, slots=True)
class Loop:
    """The head of a loop over whole numbers, `first` to `last`, downwards if `down`."""

    variable: str
    first: ir.Expr
    last: ir.Expr
    down: bool


@dataclass(frozen=True, slots=True)
class Until:
    """The loop just printed ends early when this holds."""

    condition: ir.Expr


@dataclass(frozen=True, slots=True)
class Append:
    """A value enters a history, which keeps the last `size`."""

    history: str
    value: ir.Expr
    size: ir.Expr
    label: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of another algorithm."""

    slot: str
    point: ir.Expr
    gradient: ir.Expr | None


Item = Assign | Branch | Else | Loop | Until | Append | Step


@dataclass(frozen=True, slots=True)
class Line:
    """An item, how deep it stands, and the conditions on its path, outermost first."""

    depth: int
    item: Item
    path: tuple[ir.Expr, ...] = ()


def lines(body: ir.Body, *, indexed: bool) -> list[Line]:
    """The lines of a body.

    Where steps are `indexed`, theta is `theta_{t-1}` (a `Prev`) up to its first assignment. What
    may or may not assign it is preceded by `theta_t = theta_{t-1}`, so that the rest can read
    `theta_t`.
    """
    found, _ = _Lister(indexed).body(body, 0, (), moved=not indexed)
    return _labelled(found)


@dataclass
class _Lister:
    """One pass over a body, along with whether theta has been assigned."""

    indexed: bool

    def body(
        self, body: ir.Body, depth: int, path: tuple[ir.Expr, ...], *, moved: bool
    ) -> tuple[list[Line], bool]:
        out: list[Line] = []
        for statement in body:
            if not moved and _may_move(statement) and not _surely_moves(statement):
                out.append(Line(depth, Assign(_THETA, _STORED), path))
                moved = True
            more, moved = self.statement(statement, depth, path, moved=moved)
            out += more
        return out, moved

    def statement(
        self, statement: ir.Stmt, depth: int, path: tuple[ir.Expr, ...], *, moved: bool
    ) -> tuple[list[Line], bool]:
        def seen(expr: ir.Expr) -> ir.Expr:
            return expr if moved else rewrite(expr, _stored)

        match statement:
            case ir.Let(equation, ir.Sym() as target, value, form):
                line = Line(depth, Assign(target, seen(value), equation, form), path)
                return [line], moved or target == _THETA
            case ir.Let(equation, ir.At(name, index), value, form):
                entry = ir.At(name, seen(index))
                return [Line(depth, Assign(entry, seen(value), equation, form), path)], moved
            case ir.If():
                return self.branches(statement, depth, path, moved=moved, chained=False)
            case ir.Repeat(variable, start, stop, body, until, down):
                head = Loop(variable, seen(start), _minus_one(seen(stop)), down)
                inner, after = self.body(body, depth + 1, path, moved=moved)
                tail = [] if until is None else [Line(depth + 1, Until(until), path)]
                return [Line(depth, head, path), *inner, *tail], after
            case ir.Push(equation, history, value, size):
                return [
                    Line(depth, Append(history, seen(value), seen(size), equation), path)
                ], moved
            case ir.Apply(slot, gradient):
                given = None if gradient is None else seen(gradient)
                return [Line(depth, Step(slot, seen(_THETA), given), path)], True
        raise SpecError(f"the printer does not know the statement {type(statement).__name__}")

    def branches(
        self, first: ir.If, depth: int, path: tuple[ir.Expr, ...], *, moved: bool, chained: bool
    ) -> tuple[list[Line], bool]:
        """An If, and the Ifs that stand alone in its other branch as `else if`."""
        condition = first.condition
        head = Line(depth, Branch(condition, chained), path)
        inner, after_then = self.body(first.then, depth + 1, (*path, condition), moved=moved)
        other = (*path, ir.Logic("not", (condition,)))
        match first.otherwise:
            case ():
                return [head, *inner], after_then
            case (ir.If() as following,):
                rest, _ = self.branches(following, depth, other, moved=moved, chained=True)
            case _:
                rest, _ = self.body(first.otherwise, depth + 1, other, moved=moved)
                rest = [Line(depth, Else(), other), *rest]
        # Both branches move theta, or neither does: where they differ, it was carried over before.
        return [head, *inner, *rest], after_then


def _stored(expr: ir.Expr) -> ir.Expr | None:
    return _STORED if expr == _THETA else None


def _may_move(statement: ir.Stmt) -> bool:
    return any(
        isinstance(s, ir.Apply) or (isinstance(s, ir.Let) and s.target == _THETA)
        for s in ir.statements((statement,))
    )


def _surely_moves(statement: ir.Stmt) -> bool:
    """Whether every path through a statement assigns theta, and none reads it in a later round."""
    match statement:
        case ir.If(_, then, otherwise):
            return any(map(_surely_moves, then)) and any(map(_surely_moves, otherwise))
        case ir.Repeat():
            return False
    return _may_move(statement)


def _minus_one(stop: ir.Expr) -> ir.Expr:
    """The last index of a range that ends before `stop`."""
    if isinstance(stop, ir.Const):
        return ir.Const(stop.value - 1)
    return ir.Binary("-", stop, ir.Const(1))


def _labelled(found: list[Line]) -> list[Line]:
    """Equations named; the form is added where lines of one equation must be told apart."""
    forms = Counter(e for e, _ in {(i.equation, i.form) for i in _assigns(found)})
    out = []
    for line in found:
        item = line.item
        if isinstance(item, Assign):
            several = item.form and forms[item.equation] > 1
            label = f"{item.equation}@{item.form}" if several else item.equation
            line = replace(line, item=replace(item, label=label))
        out.append(line)
    return out


def _of_gradient(line: Line, indexed: bool) -> Line:
    """A line of an algorithm whose result is a gradient: that is what its last one assigns."""
    item = line.item
    if isinstance(item, Assign) and item.target == _THETA:
        return replace(line, item=replace(item, target=ir.Grad(_STORED if indexed else _THETA)))
    return line


def _assigns(found: list[Line]) -> Iterator[Assign]:
    return (line.item for line in found if isinstance(line.item, Assign))


@dataclass(frozen=True, slots=True)
class View:
    """An algorithm with its options decided, but for those that `keep` leaves open.

    `assignments` are those of all options that the view stands for.
    """

    algorithm: Algorithm
    options: dict[str, OptionValue]
    keep: dict[str, tuple[OptionValue, ...]]
    assignments: tuple[dict[str, OptionValue], ...]

    def lines(self, *, indexed: bool) -> list[Line]:
        """The lines of the loop's body."""
        found = lines(resolve(self.algorithm.body, self.options, self.keep), indexed=indexed)
        return (
            found
            if self.algorithm.result == "parameters"
            else [_of_gradient(x, indexed) for x in found]
        )

    def closed_lines(self, *, indexed: bool) -> list[Line]:
        """The lines of a schedule's closed form."""
        schedule = self.algorithm.schedule
        closed = () if schedule is None else schedule.closed
        return lines(resolve(closed, self.options, self.keep), indexed=indexed)

    def all_lines(self, *, indexed: bool) -> list[Line]:
        """The lines of both."""
        return [*self.lines(indexed=indexed), *self.closed_lines(indexed=indexed)]

    def steps(self) -> str:
        """The first steps as they are counted: `1, 2, `."""
        counter = self.algorithm.counter
        first = 1 if counter is None else counter.start
        return f"{first}, {first + 1}, "

    def source(self, name: str) -> str:
        """Where an input comes from."""
        schedule = self.algorithm.schedule
        for given in () if schedule is None else schedule.given:
            if given.name == name and given.kind != "metric":
                return given.key
        return "with every step"

    def moves_parameters(self) -> bool:
        """Whether the algorithm is about parameters; a schedule is not."""
        return any(map(_may_move, self.algorithm.body))

    def states(self) -> list[State]:
        """States that exist under any value of the open options."""
        live = {name for o in self.assignments for name in live_states(self.algorithm, o)}
        return [s for s in self.algorithm.states if s.name in live]

    def hyperparameters(self) -> list[Hyperparameter]:
        """Hyperparameters that mean something under any value of the open options."""
        idle = [
            {e.name for e in self.algorithm.exclusions if decide(e.condition, options)}
            for options in self.assignments
        ]
        excluded = set.intersection(*idle)
        return [h for h in self.algorithm.hyperparameters if h.name not in excluded]


def view(
    algorithm: Algorithm,
    options: Mapping[str, OptionValue] | None = None,
    keep: Mapping[str, tuple[OptionValue, ...]] | None = None,
) -> View:
    """An algorithm with some options set otherwise than in its dialect, and some left open.

    Raises SpecError for an unknown option or value, and for options not allowed together.
    """
    chosen = algorithm.with_options(options or {}).option_defaults()
    kept = dict(keep or {})
    for name, values in kept.items():
        for value in values:
            algorithm.with_options({name: value})
    allowed = {name: kept.get(name, (value,)) for name, value in chosen.items()}
    found = tuple(
        one for one in assignments(algorithm) if all(one[k] in vs for k, vs in allowed.items())
    )
    if not found:
        given = ", ".join(f"{k}={v}" for k, v in chosen.items() if k not in kept)
        raise SpecError(f"{algorithm.full_name} does not allow these options together: {given}")
    return View(algorithm, chosen, kept, found)


def equation_lines(shown: View, equation: str, *, indexed: bool) -> list[Line]:
    """The lines of one equation, `denominator` or in one form `denominator@hat`.

    Raises SpecError where there is none; it names options that have it, or the nearest names.
    """
    name, _, form = equation.partition("@")
    found = [line for line in shown.all_lines(indexed=indexed) if _is(line.item, name, form)]
    if found:
        return found
    raise SpecError(_no_equation(shown, name, form))


def _is(item: Item, name: str, form: str) -> bool:
    if isinstance(item, Append):
        return item.label == name and not form
    return isinstance(item, Assign) and item.equation == name and form in ("", item.form)


def _no_equation(shown: View, name: str, form: str) -> str:
    algorithm = shown.algorithm
    full = f"{name}@{form}" if form else name
    elsewhere = options_with(algorithm, full)
    if elsewhere is None:
        named = (s for s in ir.statements(_bodies(algorithm)) if isinstance(s, ir.Let | ir.Push))
        known = sorted({s.equation for s in named})
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.3) or known
        return f"{algorithm.full_name} has no equation {full!r}; nearest: {', '.join(near)}"
    changed = {k: v for k, v in elsewhere.items() if v != shown.options[k]}
    other = ", ".join(f"{k}={v}" for k, v in changed.items())
    return f"{algorithm.full_name} has no equation {full!r} with these options; it has with {other}"


def options_with(algorithm: Algorithm, equation: str) -> dict[str, OptionValue] | None:
    """The options nearest to the dialect's that have an equation, None if there are none."""
    name, _, form = equation.partition("@")
    own = algorithm.option_defaults()

    def distance(options: dict[str, OptionValue]) -> int:
        return sum(options[k] != v for k, v in own.items())

    for options in sorted(assignments(algorithm), key=distance):
        for statement in ir.statements(resolve(_bodies(algorithm), options)):
            match statement:
                case ir.Let(equation=found, form=other) if found == name and form in ("", other):
                    return options
                case ir.Push(equation=found) if found == name and not form:
                    return options
    return None


def _bodies(algorithm: Algorithm) -> ir.Body:
    """The body, and the closed form of a schedule."""
    closed = () if algorithm.schedule is None else algorithm.schedule.closed
    return (*algorithm.body, *closed)


def switches(algorithm: Algorithm) -> dict[str, tuple[OptionValue, ...]]:
    """Every option with all its values: `keep=` this to print them as branches."""
    return {o.name: o.values for o in algorithm.options}
