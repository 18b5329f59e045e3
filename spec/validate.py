"""Whether a specification makes sense, said with file, algorithm, equation and reason.

The heart is definite assignment on the body that every assignment of options leaves; beside it:
names, kinds, scopes, and that no hyperparameter, option or state is idle without saying why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from instep.spec import ir, model
from instep.spec.errors import SpecError
from instep.spec.options import assignments, decide, live_states, options_of, resolve
from instep.spec.scope import Scope, Scopes, infer

# Names that generated code or the recording of a step uses itself.
RESERVED = frozenset(
    {"p", "params", "group", "state", "grad", "loss", "closure", "self", "math", "torch", "index"}
)


def validate(algorithm: model.Algorithm) -> model.Algorithm:
    """Return the algorithm unchanged, or raise SpecError naming file, equation and reason."""
    _names(algorithm)
    _equations(algorithm)
    _dialects(algorithm)
    used: set[str] = set()
    for options in assignments(algorithm):
        used |= _resolved(algorithm, options)
    _idle_options(algorithm)
    for s in algorithm.states:
        if s.name not in ir.assigned(algorithm.body):
            _fail(algorithm, s.name, "the state is never written")
        if s.name not in used and not _read_anywhere(algorithm, s.name):
            _fail(algorithm, s.name, "the state is never read")
    return algorithm


def _fail(algorithm: model.Algorithm, where: str, reason: str) -> NoReturn:
    raise SpecError(f"{algorithm.file}: {algorithm.name}.{where}: {reason}")


def _declared(algorithm: model.Algorithm) -> Iterator[str]:
    yield from (h.name for h in algorithm.hyperparameters)
    yield from (o.name for o in algorithm.options)
    yield from (s.name for s in algorithm.states)
    yield from algorithm.inputs
    if algorithm.counter is not None:
        yield algorithm.counter.name


def _names(algorithm: model.Algorithm) -> None:
    """Every name is declared once, is no reserved word, and can be an identifier."""
    seen: set[str] = {ir.THETA}
    for name in _declared(algorithm):
        if name in seen:
            _fail(algorithm, name, "is declared twice")
        seen.add(name)
    for name in seen | ir.assigned(algorithm.body):
        if name in RESERVED or name.startswith("_"):
            _fail(algorithm, name, "is a name that generated code uses itself; choose another")
        if not name.isidentifier():
            _fail(algorithm, name, "is not an identifier")
    for h in algorithm.hyperparameters:
        if not h.domain.contains(h.default):
            _fail(algorithm, h.name, f"default {h.default} is outside its domain {h.domain}")


def _equations(algorithm: model.Algorithm) -> None:
    """One quantity per equation name; nothing assigned that must not be."""
    constants = {h.name for h in algorithm.hyperparameters} | set(algorithm.inputs)
    targets: dict[str, str] = {}
    for let in ir.lets(algorithm.body):
        name = let.target.name
        if targets.setdefault(let.equation, name) != name:
            _fail(
                algorithm, let.equation, f"names two quantities, {targets[let.equation]} and {name}"
            )
        if name in constants:
            _fail(algorithm, let.equation, f"assigns the hyperparameter {name}")
        if algorithm.counter is not None and name == algorithm.counter.name:
            _fail(algorithm, let.equation, f"assigns the step counter {name}")
    if ir.THETA not in targets.values() and not algorithm.inputs and not algorithm.slots:
        _fail(algorithm, "body", "no equation assigns theta: the parameters would never move")


def _dialects(algorithm: model.Algorithm) -> None:
    for d in algorithm.dialects:
        for name, value in d.options:
            if name not in {o.name for o in algorithm.options}:
                _fail(algorithm, d.name, f"there is no option {name}")
            if value not in algorithm.option(name).values:
                _fail(algorithm, d.name, f"option {name} has no value {value!r}")
        for name, default in d.defaults:
            if name not in {h.name for h in algorithm.hyperparameters}:
                _fail(algorithm, d.name, f"there is no hyperparameter {name}")
            if not algorithm.hyperparameter(name).domain.contains(default):
                _fail(algorithm, d.name, f"default {name}={default} is outside its domain")


def _idle_options(algorithm: model.Algorithm) -> None:
    mentioned: set[str] = set()
    for statement in ir.statements(algorithm.body):
        for expr in ir.expressions(statement):
            mentioned |= options_of(expr)
    for o in algorithm.options:
        if o.name not in mentioned:
            _fail(algorithm, o.name, "the option changes nothing")


def _read_anywhere(algorithm: model.Algorithm, name: str) -> bool:
    readers = (ir.Sym, ir.Prev, ir.At, ir.Len)
    return any(isinstance(n, readers) and n.name == name for n in ir.nodes(algorithm.body))


def _resolved(algorithm: model.Algorithm, options: Mapping[str, model.OptionValue]) -> set[str]:
    """Check the body that one assignment of options leaves; return the names it reads."""
    body = resolve(algorithm.body, options)
    live = [algorithm.state(name) for name in live_states(algorithm, options)]
    check = _Check(algorithm, infer(algorithm, body), {s.name for s in live})
    have = {h.name for h in algorithm.hyperparameters} | set(algorithm.inputs) | {ir.THETA}
    if algorithm.counter is not None:
        have.add(algorithm.counter.name)
    have |= {s.name for s in live if s.shape == "history"}
    check.body(body, have, inside=False)
    for s in live:
        if s.init is not None:
            check.read |= {n.name for n in ir.walk(s.init) if isinstance(n, ir.Sym)}
    _idle_hyperparameters(algorithm, options, check.read)
    return check.read


def _idle_hyperparameters(
    algorithm: model.Algorithm, options: Mapping[str, model.OptionValue], read: set[str]
) -> None:
    excused = {e.name for e in algorithm.exclusions if decide(e.condition, options)}
    for h in algorithm.hyperparameters:
        if h.name not in read and h.name not in excused:
            chosen = ", ".join(f"{k}={v}" for k, v in options.items())
            _fail(algorithm, h.name, f"is never used with {chosen}; use it, or exclude() it there")


@dataclass
class _Check:
    """Definite assignment, kinds and scopes along one resolved body."""

    algorithm: model.Algorithm
    scopes: Scopes
    states: set[str]
    read: set[str] = field(default_factory=set)

    def body(self, body: ir.Body, have: set[str], *, inside: bool) -> set[str]:
        """Names definitely assigned after the body, given those before it."""
        for statement in body:
            where = getattr(statement, "equation", type(statement).__name__.lower())
            for expr in ir.expressions(statement):
                self.expression(expr, have, where, inside=inside)
            have = self.statement(statement, have, inside=inside)
        return have

    def statement(self, statement: ir.Stmt, have: set[str], *, inside: bool) -> set[str]:
        match statement:
            case ir.Let(equation, target, _):
                self.shared_state(equation, target.name)
                return have | {target.name}
            case ir.If(condition, then, otherwise):
                if options_of(condition):
                    self.fail("if", "a condition that mixes options with values; nest two when()")
                scope = self.scopes.of(condition)
                if scope == Scope.TENSOR and not _decided_per_tensor(condition):
                    self.fail("if", "a branch on lanes; use where(condition, a, b)")
                deeper = inside or scope >= Scope.GROUP
                yes = self.body(then, have, inside=deeper)
                return yes & self.body(otherwise, have, inside=deeper)
            case ir.Repeat(variable, _, _, loop, until, _):
                after = self.body(loop, have | {variable}, inside=inside)
                if until is not None:
                    self.expression(until, after, "repeat", inside=inside)
                return have
            case ir.Push(_, history, _, _):
                return have | {history}
            case ir.Apply():
                return have | {ir.THETA}
        raise SpecError(f"unknown statement {type(statement).__name__}")

    def shared_state(self, equation: str, name: str) -> None:
        shared = any(s.name == name and s.scope == "optimizer" for s in self.algorithm.states)
        if shared and self.scopes.symbols[name] > Scope.OPTIMIZER:
            kind = self.scopes.symbols[name].name.lower()
            self.fail(
                equation,
                f"{name} is state of the whole optimizer but depends on a {kind} quantity; "
                "declare that one with scope='optimizer'",
            )

    def expression(self, expr: ir.Expr, have: set[str], where: str, *, inside: bool) -> None:
        for node in ir.walk(expr):
            match node:
                case ir.Sym(name) | ir.At(name, _) | ir.Len(name):
                    self.read.add(name)
                    if name not in have:
                        self.fail(where, self.unassigned(name))
                case ir.Prev(name):
                    self.read.add(name)
                    if name not in self.states and name != ir.THETA:
                        self.fail(where, f"prev({name}): {name} is no state here")
                case ir.Absent(name) if name not in self.states:
                    self.fail(where, f"absent({name}): {name} is no state here")
                case ir.Reduce(_, "params", _) if inside:
                    self.fail(
                        where, "a reduction over all parameters inside a branch of one of them"
                    )

    def unassigned(self, name: str) -> str:
        if name in self.states:
            return f"{name} is read before it is assigned; write prev({name}) for the stored value"
        if name in ir.assigned(self.algorithm.body):
            return f"{name} is read before it is assigned on every path"
        return f"{name} is not declared"

    def fail(self, where: str, reason: str) -> NoReturn:
        _fail(self.algorithm, where, reason)


def _decided_per_tensor(condition: ir.Expr) -> bool:
    """Absence is one fact per tensor, though it speaks of a state with lanes."""
    return all(isinstance(n, ir.Absent | ir.Logic) for n in ir.walk(condition))
