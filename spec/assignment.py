"""Definite assignment: along every path of a body with options decided, reads follow writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from instep.spec import ir, model
from instep.spec.arguments import OptionValue
from instep.spec.errors import SpecError
from instep.spec.options import live_states, resolve
from instep.spec.scope import Scope, Scopes, declared, infer


def fail(algorithm: model.Algorithm, where: str, reason: str, line: int = 0) -> NoReturn:
    """Raise SpecError with file, line (where known), algorithm, equation and reason."""
    line = line or dict(algorithm.lines).get(where, 0)
    file = f"{algorithm.file}:{line}" if line else algorithm.file
    raise SpecError(f"{file}: {algorithm.name}.{where}: {reason}")


def label(statement: ir.Stmt) -> str:
    """What an error calls a statement: its equation, or its kind."""
    if isinstance(statement, ir.Let | ir.Push):
        return statement.equation
    return {"If": "when"}.get(type(statement).__name__, type(statement).__name__.lower())


class Paths:
    """The check for one algorithm, assignment of options after assignment of options.

    Scopes of the whole body bound those of every resolved one from above, and the declared ones
    from below, so they are inferred anew only where these two raise a doubt. What an expression
    reads is looked up once.
    """

    def __init__(self, algorithm: model.Algorithm) -> None:
        self.algorithm = algorithm
        self.least, self.whole = declared(algorithm), infer(algorithm)
        self.state_names = {s.name for s in algorithm.states}
        self.assigned = ir.assigned(algorithm.body)
        exprs = (x for s in ir.statements(algorithm.body) for x in ir.expressions(s))
        nodes = (n for x in exprs for n in ir.walk(x))
        self.folds = any(isinstance(n, ir.Reduce) and n.over == "params" for n in nodes)
        self._reads: dict[int, tuple[ir.Expr, list[ir.Expr]]] = {}
        self.given = {h.name for h in algorithm.hyperparameters} | {ir.THETA, *algorithm.inputs}
        if algorithm.counter is not None:
            self.given.add(algorithm.counter.name)

    def check(self, options: Mapping[str, OptionValue]) -> set[str]:
        """Raise SpecError for the body that these options leave; return the names that it reads."""
        live = [self.algorithm.state(name) for name in live_states(self.algorithm, options)]
        body = resolve(self.algorithm.body, options)
        path = _Path(self, body, options, {s.name for s in live})
        path.body(body, self.given | {s.name for s in live if s.shape == "history"}, inside=False)
        for s in live:
            if s.init is not None:
                path.read |= {n.name for n in ir.walk(s.init) if isinstance(n, ir.Sym)}
        return path.read

    def reads(self, expr: ir.Expr) -> list[ir.Expr]:
        """The nodes of an expression that read something."""
        # By identity: resolved bodies share their expressions, and hashing a tree walks it.
        known = self._reads.get(id(expr))
        if known is None:
            readers = (ir.Sym, ir.At, ir.Len, ir.Prev, ir.Absent, ir.Reduce)
            known = (expr, [n for n in ir.walk(expr) if isinstance(n, readers)])
            self._reads[id(expr)] = known
        return known[1]


@dataclass
class _Path:
    """One resolved body."""

    owner: Paths
    resolved: ir.Body
    options: Mapping[str, OptionValue]
    states: set[str]
    read: set[str] = field(default_factory=set)
    cited: set[str] = field(default_factory=set)
    exact: Scopes | None = None

    def scope(self, expr: ir.Expr, limit: Scope) -> Scope:
        """A scope that is exact where the whole body's exceeds a limit."""
        rough = self.owner.whole.of(expr)
        if rough <= limit or rough == self.owner.least.of(expr):
            return rough
        if self.exact is None:
            self.exact = infer(self.owner.algorithm, self.resolved)
        return self.exact.of(expr)

    def body(self, body: ir.Body, have: set[str], *, inside: bool) -> set[str]:
        """Names definitely assigned after a body, given those before it."""
        for statement in body:
            before = ir.expressions(statement)
            if isinstance(statement, ir.Repeat):
                before = (statement.start, statement.stop)
            for expr in before:
                self.expression(expr, have, statement, inside=inside)
            have = self.statement(statement, have, inside=inside)
        return have

    def statement(self, statement: ir.Stmt, have: set[str], *, inside: bool) -> set[str]:
        match statement:
            case ir.Let(equation, target, _, form):
                self.cited_once(statement, f"{equation}@{form}" if form else equation)
                self.shared_state(statement, target.name)
                return have | {target.name}
            case ir.If():
                return self.branch(statement, have, inside=inside)
            case ir.Repeat(variable, _, _, loop, until, _):
                # A state that the loop assigns is read as the round before left it.
                have = have | self.carried(loop)
                # Tested after each round, so it may use what the round assigns.
                after = self.body(loop, have | {variable}, inside=inside)
                if until is not None:
                    self.expression(until, after, statement, inside=inside)
                return have | filled(loop)
            case ir.Push(equation, history, _, _):
                self.cited_once(statement, equation)
                return have | {history}
            case ir.Apply():
                return have | {ir.THETA}
        raise SpecError(f"unknown statement {type(statement).__name__}")

    def carried(self, loop: ir.Body) -> set[str]:
        """States that a loop assigns, and that have a value before its first round."""
        states = (self.owner.algorithm.state(name) for name in self.states & ir.assigned(loop))
        return {s.name for s in states if s.init is not None}

    def branch(self, statement: ir.If, have: set[str], *, inside: bool) -> set[str]:
        condition = statement.condition
        if self.scope(condition, Scope.REDUCED) == Scope.TENSOR and not _per_tensor(condition):
            self.fail(statement, "a branch on lanes; use where(condition, a, b)")
        # Only what is summed over all parameters asks whether all of them come by.
        deeper = inside or (
            self.owner.folds and self.scope(condition, Scope.OPTIMIZER) >= Scope.GROUP
        )
        before = set(self.cited)
        yes = self.body(statement.then, have, inside=deeper)
        cited_then, self.cited = self.cited, before
        no = self.body(statement.otherwise, have, inside=deeper)
        self.cited |= cited_then
        return yes & no

    def cited_once(self, statement: ir.Let | ir.Push, name: str) -> None:
        """A name tells the lines of one path apart; exclusive branches may share it."""
        if name in self.cited:
            reason = "two lines on one path have this name; give one of them a form="
            self.fail(statement, reason + self.chosen())
        self.cited.add(name)

    def shared_state(self, statement: ir.Let, name: str) -> None:
        if name not in self.owner.state_names:
            return
        state = self.owner.algorithm.state(name)
        limits = {"optimizer": Scope.OPTIMIZER, "group": Scope.GROUP, "parameter": Scope.TENSOR}
        limit = limits[state.scope]
        if state.scope == "parameter" and state.shape in ("scalar", "reduced"):
            limit = Scope.REDUCED
        found = self.scope(ir.Sym(name), limit)
        if found > limit:
            self.fail(statement, _too_wide(state, found))

    def expression(
        self, expr: ir.Expr, have: set[str], statement: ir.Stmt, *, inside: bool
    ) -> None:
        for node in self.owner.reads(expr):
            match node:
                case ir.Sym(name) | ir.At(name, _) | ir.Len(name):
                    self.read.add(name)
                    if name not in have:
                        self.fail(statement, self.unassigned(name))
                case ir.Prev(name):
                    self.read.add(name)
                    if name not in self.states and name != ir.THETA:
                        self.fail(statement, f"prev({name}): {self.no_state(name)}")
                case ir.Absent(name) if name not in self.states:
                    self.fail(statement, f"absent({name}): {self.no_state(name)}")
                case ir.Reduce(_, "params", _) if inside:
                    reason = "a reduction over all parameters inside a branch of one of them"
                    self.fail(statement, f"{reason}; take it before the branch")

    def unassigned(self, name: str) -> str:
        if name in self.states:
            return f"{name} is read before it is assigned; prev({name}) is the stored value"
        if name in self.owner.state_names:
            return self.no_state(name) + self.chosen()
        if name in self.owner.assigned:
            return f"{name} is read before it is assigned on every path" + self.chosen()
        return f"{name} is not declared; declare it with hyper, state, counter or local"

    def no_state(self, name: str) -> str:
        if name in self.owner.state_names:
            return f"the state {name} does not exist{self.chosen()}"
        return f"{name} is no state"

    def chosen(self) -> str:
        return describe(self.owner.algorithm, self.options)

    def fail(self, statement: ir.Stmt, reason: str) -> NoReturn:
        fail(self.owner.algorithm, label(statement), reason, statement.line)


def describe(algorithm: model.Algorithm, options: Mapping[str, OptionValue]) -> str:
    """` with nesterov=True`: the options that differ from the defaults, if there are options."""
    changed = [
        f"{o.name}={options[o.name]}" for o in algorithm.options if options[o.name] != o.default
    ]
    if not changed:
        return " with the default options" if algorithm.options else ""
    return f" with {', '.join(changed)}"


def filled(loop: ir.Body) -> set[str]:
    """Indexed locals that a loop assigns: which of their entries, no rule can tell."""
    return {let.target.name for let in ir.lets(loop) if isinstance(let.target, ir.At)}


def _too_wide(state: model.State, found: Scope) -> str:
    if state.scope == "parameter":
        return f"{state.name} has shape={state.shape!r}, but what it is assigned has lanes"
    whole = "optimizer" if state.scope == "optimizer" else "group"
    reason = (
        f"{state.name} is state of the whole {whole} but depends on a {found.name.lower()} quantity"
    )
    return f"{reason}; declare that one with scope={state.scope!r}"


def _per_tensor(condition: ir.Expr) -> bool:
    """Absence is one fact per tensor, though it speaks of a state with lanes."""
    return all(isinstance(n, ir.Absent | ir.Logic) for n in ir.walk(condition))
