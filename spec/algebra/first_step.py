"""Programs that differ in nothing but the first step of a parameter, where they do the same.

What a state starts from often makes no difference: the first step takes none of it. Then the first
steps are equal once t is 1, and all later ones once it is known what the first one stores.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace
from fractions import Fraction
from itertools import product

from instep.spec import ir
from instep.spec.algebra.program import Program
from instep.spec.arithmetic import OPERATORS
from instep.spec.rewriting import rewrite

ZERO, ONE = ir.Const(0), ir.Const(1)
_FEW = 4  # conditions on shapes, each of which doubles the cases


def same_after_first_step(a: Program, b: Program) -> bool:
    """Whether first steps are equal from either's initial values, and later ones from any state.

    Only where the counter counts a parameter's own steps, so that its first one is where t starts.
    """
    counter = a.algorithm.counter
    moves = a.algorithm.result == b.algorithm.result == "parameters"
    own = counter is not None and counter.scope == "parameter"
    if not (moves and own and _comparable(a, b)):
        return False
    shapes = sorted(_shape_conditions(a.body) | _shape_conditions(b.body), key=repr)
    if len(shapes) > _FEW:
        return False
    cases = product((True, False), repeat=len(shapes))
    return all(_same(a, b, dict(zip(shapes, case, strict=True))) for case in cases)


def _comparable(a: Program, b: Program) -> bool:
    """Whether only equations and initial values differ, without loops, histories and totals.

    A state that starts from the parameter is no number, and stays what it is when theta moves.
    """

    def rest(p: Program) -> object:
        states = tuple(replace(s, init=None) for s in p.states)
        return states, p.bindings, p.algorithm.counter, p.algorithm.hyperparameters, p.domains

    def plain(p: Program) -> bool:
        own = all(s.scope == "parameter" for s in p.states)
        return (
            own
            and all(map(_is_plain, ir.statements(p.body)))
            and not any(isinstance(n, ir.Reduce) and n.over == "params" for n in ir.nodes(p.body))
            and not any(ir.Sym(ir.THETA) in ir.walk(s.init) for s in p.states if s.init)
        )

    return rest(a) == rest(b) and plain(a) and plain(b)


def _is_plain(statement: ir.Stmt) -> bool:
    return isinstance(statement, ir.If) or (
        isinstance(statement, ir.Let) and isinstance(statement.target, ir.Sym)
    )


def _shape_conditions(body: ir.Body) -> set[ir.Expr]:
    """Conditions of branches that stay as they are for a parameter's whole life."""
    branches = (s.condition for s in ir.statements(body) if isinstance(s, ir.If))
    return {c for c in branches if all(map(_of_shape, ir.walk(c)))}


def _of_shape(node: ir.Expr) -> bool:
    inner = isinstance(node, ir.Const | ir.Compare | ir.Logic | ir.Binary)
    return (
        inner
        or (isinstance(node, ir.Call) and node.function in ir.SHAPE_FUNCTIONS)
        or (node == ir.Sym(ir.THETA))
    )


def _same(a: Program, b: Program, shapes: Mapping[ir.Expr, bool]) -> bool:
    first, other = (_Folding(p, shapes, first=True).body(p.body) for p in (a, b))
    differing = {x.name for x, y in zip(a.states, b.states, strict=True) if x.init != y.init}
    kept = {ir.THETA, *(x.name for x in a.states)}
    first, other = _only_read(first, kept)[0], _only_read(other, kept)[0]
    if first != other or differing & {n.state for n in ir.nodes(first) if isinstance(n, ir.Absent)}:
        return False
    # Both store the same in the first step; what they do not store then must never be read.
    stored = _surely_assigned(first)
    later, after = (_Folding(p, shapes, present=stored).body(p.body) for p in (a, b))
    return later == after and not (differing - stored) & _read(later)


def _read(body: ir.Body) -> set[str]:
    readers = (n for n in ir.nodes(body) if isinstance(n, ir.Sym | ir.Prev | ir.Absent))
    return {n.state if isinstance(n, ir.Absent) else n.name for n in readers}


def _surely_assigned(body: ir.Body) -> set[str]:
    """Names that every path through a body assigns."""
    out: set[str] = set()
    for statement in body:
        match statement:
            case ir.Let(_, ir.Sym(name)):
                out.add(name)
            case ir.If(_, then, otherwise):
                out |= _surely_assigned(then) & _surely_assigned(otherwise)
    return out


def _only_read(body: ir.Body, wanted: Set[str]) -> tuple[ir.Body, set[str]]:
    """What of a body the wanted names depend on after it, and the names that this reads."""
    out: list[ir.Stmt] = []
    live = set(wanted)
    for statement in reversed(body):
        match statement:
            case ir.Let(_, ir.Sym(name)) if name not in live:
                continue
            case ir.Let(_, ir.Sym(name)):
                live.discard(name)
                live |= _read((statement,))
            case ir.If(_, then, otherwise):
                sides = _only_read(then, live), _only_read(otherwise, live)
                statement = replace(statement, then=sides[0][0], otherwise=sides[1][0])
                reads = _read((replace(statement, then=(), otherwise=()),))
                live = reads | sides[0][1] | sides[1][1]
        out.insert(0, statement)
    return tuple(out), live


class _Folding:
    """A body with what is known put in.

    Args:
        program: whose initial values and domains hold.
        known: truth of conditions on shapes.
        first: whether this is the first step: t and all states are what they start from.
        present: states that are known to be stored.
    """

    def __init__(
        self,
        program: Program,
        known: Mapping[ir.Expr, bool],
        *,
        first: bool = False,
        present: Set[str] = frozenset(),
    ) -> None:
        self.program, self.known, self.present = program, known, present
        inits = {s.name: s.init for s in program.states} if first else {}
        self.absent = {name for name, init in inits.items() if init is None}
        self.starts = {name: init for name, init in inits.items() if init is not None}
        # What symbols are known to be, at this place of the body.
        self.values = dict(self.starts)
        if first and program.counter is not None:
            self.values[program.counter] = ir.Const(program.start)
        # Later the counter is beyond where it starts.
        self.over = None if first else (program.counter, program.start)

    def body(self, body: ir.Body) -> ir.Body:
        """Its statements folded, decided branches in their place."""
        out: list[ir.Stmt] = []
        for statement in body:
            out.extend(self._statement(statement))
        return tuple(out)

    def _statement(self, statement: ir.Stmt) -> ir.Body:
        match statement:
            case ir.Let(_, ir.Sym(name), value):
                folded = self.fold(value)
                self.values.pop(name, None)
                self.absent.discard(name)
                if isinstance(folded, ir.Const):
                    self.values[name] = folded
                return (ir.Let("", statement.target, folded, block=statement.block),)
            case ir.If(condition, then, otherwise):
                truth = self._truth(condition)
                if truth is not None:
                    return self.body(then if truth else otherwise)
                return (self._branches(statement, self.fold(condition)),)
        raise TypeError(f"{type(statement).__name__} is no plain statement")

    def _branches(self, statement: ir.If, condition: ir.Expr) -> ir.If:
        values, absent = dict(self.values), set(self.absent)
        then = self.body(statement.then)
        (after, missing), self.values, self.absent = (self.values, self.absent), values, absent
        otherwise = self.body(statement.otherwise)
        self.values = {k: v for k, v in self.values.items() if after.get(k) == v}
        self.absent &= missing
        return replace(statement, condition=condition, then=then, otherwise=otherwise)

    def _truth(self, condition: ir.Expr) -> bool | None:
        match condition:
            case ir.Absent(state) if state in self.present:
                return False
            case ir.Absent(state) if state in self.absent:
                return True
            case ir.Compare(op, ir.Sym(name), ir.Const(x)) if (name, x) == self.over:
                return op in (">", ">=", "!=")
            case ir.Logic("not", (operand,)):
                truth = self._truth(operand)
                return None if truth is None else not truth
            case ir.Compare(op, a, b):
                left, right = self.fold(a), self.fold(b)
                if isinstance(left, ir.Const) and isinstance(right, ir.Const):
                    return bool(OPERATORS[op](left.value, right.value))
        return self.known.get(condition)

    def fold(self, expr: ir.Expr) -> ir.Expr:
        """The expression with numbers in the place of what is known to be one."""
        match expr:
            case ir.Sym(name):
                return self.values.get(name, expr)
            case ir.Prev(name):
                return self.starts.get(name, expr)
            case ir.Where(condition, then, otherwise):
                truth = self._truth(condition)
                if truth is not None:
                    return self.fold(then if truth else otherwise)
        inner = rewrite(expr, lambda node: None if node is expr else self.fold(node))
        return self._simplified(inner)

    def _simplified(self, expr: ir.Expr) -> ir.Expr:
        match expr:
            case ir.Binary(op, ir.Const(x), ir.Const(y)) if op in ("+", "-", "*"):
                return ir.Const(OPERATORS[op](Fraction(x), Fraction(y)))
            case ir.Binary("*", a, b) if ZERO in (a, b):
                return ZERO
            case ir.Binary("*", ir.Const(1), a) | ir.Binary("*" | "/" | "**", a, ir.Const(1)):
                return a
            case ir.Binary("+", ir.Const(0), a) | ir.Binary("+" | "-", a, ir.Const(0)):
                return a
            case ir.Binary("**", ir.Const(1), _):
                return ONE
            case ir.Binary("-", a, b) if a == b:
                return ZERO
            case ir.Binary("/", ir.Const(0), b) if self._never_zero(b):
                return ZERO
            case ir.Call("max", (ir.Const(x), ir.Binary("-", ir.Const(y), ir.Sym(name)))):
                return ir.Const(x) if x >= y and self._least(name) >= 0 else expr
            case ir.Reduce(_, _, ir.Const(0)):
                return ZERO
        return expr

    def _never_zero(self, expr: ir.Expr) -> bool:
        match expr:
            case ir.Const(x):
                return x != 0
            case ir.Binary("-", ir.Const(1), ir.Sym(name)):
                domain = self.program.domains.get(name)
                return domain is not None and not domain.contains(1)
        return False

    def _least(self, name: str) -> float:
        domain = self.program.domains.get(name)
        return float("-inf") if domain is None else domain.lower
