"""A step as a map: for each path through its branches, the new parameter and states as expressions.

The expressions are IR over `prev(theta)`, `prev(state)`, the hyperparameters, the counter and
gradients at points of the same kind; locals are substituted, in the written order and without any
simplification.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from instep.spec import ir
from instep.spec.algebra.execute import Execution, UnsupportedError, bound_values
from instep.spec.algebra.expressions import infix
from instep.spec.algebra.numeric import COMPARE
from instep.spec.algebra.program import Binding, Program, Subject, program
from instep.spec.arguments import OptionValue
from instep.spec.model import State

Literals = tuple[tuple[ir.Expr, bool], ...]


@dataclass(frozen=True, slots=True)
class Path:
    """One way through the branches: what must hold for it, and what the step leaves.

    A state that is missing from `values` is still absent afterwards.
    """

    conditions: Literals
    values: Mapping[str, ir.Expr]

    def describe(self) -> str:
        """The path's conditions as text, `always` where there are none."""
        held = (infix(c) if holds else f"not {infix(c)}" for c, holds in self.conditions)
        return " and ".join(held) or "always"


@dataclass(frozen=True, slots=True)
class StepMap:
    """All paths of one step; exactly one applies to any values."""

    program: Program
    paths: tuple[Path, ...]


def step_map(
    subject: Subject,
    *,
    options: Mapping[str, OptionValue] | None = None,
    bindings: Mapping[str, Binding] | None = None,
) -> StepMap:
    """The step of an algorithm, symbolically executed along every path.

    Raises UnsupportedError for loops whose number of rounds is not a literal, and for histories.
    """
    resolved = program(subject, options=options, bindings=bindings)
    return StepMap(resolved, tuple(_paths(resolved)))


class _BranchError(Exception):
    """A condition on which the path has not decided yet."""

    def __init__(self, condition: ir.Expr) -> None:
        super().__init__(infix(condition))
        self.condition = condition


class IrDomain:
    """Values are IR trees, conditions are IR conditions; `decide` takes the branches."""

    def __init__(self, decide: Callable[[ir.Expr], bool]) -> None:
        self.truth = decide

    def constant(self, value: ir.Number) -> ir.Expr:
        """The literal itself."""
        return ir.Const(value)

    def binary(self, op: str, a: ir.Expr, b: ir.Expr) -> ir.Expr:
        """`a op b` as it is written."""
        return ir.Binary(op, a, b)

    def negate(self, a: ir.Expr) -> ir.Expr:
        """Minus a."""
        return ir.Negate(a)

    def call(self, function: str, arguments: tuple[ir.Expr, ...]) -> ir.Expr:
        """The function applied."""
        return ir.Call(function, arguments)

    def reduce(self, op: str, over: ir.Axis, a: ir.Expr) -> ir.Expr:
        """The reduction as a node."""
        return ir.Reduce(op, over, a)

    def matmul(self, a: ir.Expr, b: ir.Expr) -> ir.Expr:
        """The product as a node."""
        return ir.MatMul(a, b)

    def transpose(self, a: ir.Expr) -> ir.Expr:
        """The transpose as a node."""
        return ir.Transpose(a)

    def gradient(self, at: ir.Expr) -> ir.Expr:
        """The gradient as a node."""
        return ir.Grad(at)

    def loss(self, at: ir.Expr) -> ir.Expr:
        """The loss as a node."""
        return ir.Loss(at)

    def expand(self, state: State, value: ir.Expr, theta: ir.Expr) -> ir.Expr:
        """The value: an expression has no shape."""
        return value

    def compare(self, op: str, a: ir.Expr, b: ir.Expr) -> ir.Expr:
        """The comparison as a condition."""
        return ir.Compare(op, a, b)

    def logic(self, op: str, operands: tuple[ir.Expr, ...]) -> ir.Expr:
        """The connective as a condition."""
        return ir.Logic(op, operands)

    def where(self, condition: ir.Expr, a: ir.Expr, b: ir.Expr) -> ir.Expr:
        """The choice as a node."""
        return ir.Where(condition, a, b)

    def touched(self) -> ir.Expr:
        """The condition itself."""
        return ir.Touched()

    def integer(self, a: ir.Expr) -> int:
        """The value of a literal; anything else is not supported."""
        match a:
            case ir.Const(value) if value == int(value):
                return int(value)
        raise UnsupportedError(f"{infix(a)} is no literal number of rounds")


def given_symbols(program: Program) -> dict[str, ir.Expr]:
    """Symbols that a step receives: free hyperparameters, the counter, inputs."""
    names = [*program.domains, *program.algorithm.inputs]
    if program.counter is not None:
        names.append(program.counter)
    return {name: ir.Sym(name) for name in names}


def stored_symbols(program: Program, absent: frozenset[str]) -> dict[str, ir.Expr]:
    """The parameter and the states as they are before the step, without those that are absent."""
    names = [ir.THETA, *(s.name for s in program.states if s.name not in absent)]
    return {name: ir.Prev(name) for name in names}


def absentable(program: Program) -> tuple[str, ...]:
    """States that are absent until they are first stored."""
    return tuple(s.name for s in program.states if s.init is None and s.shape != "history")


def absences(program: Program) -> Iterator[frozenset[str]]:
    """Every set of states that may be absent before a step, all of them first."""
    names = absentable(program)
    for missing in product((True, False), repeat=len(names)):
        yield frozenset(name for name, gone in zip(names, missing, strict=True) if gone)


def _paths(program: Program) -> Iterator[Path]:
    for absent in absences(program):
        start = tuple((ir.Absent(name), name in absent) for name in absentable(program))
        yield from _continue(program, absent, start)


def _continue(program: Program, absent: frozenset[str], literals: Literals) -> Iterator[Path]:
    """Run under the literals decided so far; at an undecided condition, go on with both answers."""
    decided = dict(literals)

    def decide(condition: ir.Expr) -> bool:
        match condition:
            case ir.Compare(op, ir.Const(a), ir.Const(b)):
                return bool(COMPARE[op](a, b))
        if condition not in decided:
            raise _BranchError(condition)
        return decided[condition]

    domain, given = IrDomain(decide), given_symbols(program)
    bound = bound_values(program, domain, given)
    try:
        values = Execution(program, domain, given, stored_symbols(program, absent), bound).run()
    except _BranchError as branch:
        for answer in (True, False):
            yield from _continue(program, absent, (*literals, (branch.condition, answer)))
    else:
        yield Path(literals, values)
