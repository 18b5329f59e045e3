"""The eager target: the equations as they stand, out of place, one a line, in the paper's names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field
from itertools import chain, count

from instep.reference.generate.emit.lines import Lines
from instep.reference.generate.emit.printer import Names, Printer
from instep.reference.generate.errors import GenerateError, unknown
from instep.reference.generate.frame import Frame
from instep.reference.generate.lower.rows import masked
from instep.reference.generate.naming import Naming
from instep.spec import ir
from instep.spec.arguments import Hyperparameter, Spelling, TypeEps
from instep.spec.gradients import needs_closure, reads, reads_loss
from instep.spec.model import State
from instep.spec.scope import Scope, infer


def emit(frame: Frame, *, waits: bool = False) -> list[str]:
    """Lines of the function body that runs the equations on one parameter.

    With `waits` it asks for its gradient as parameters do that wait for each other.
    """
    return _Emitter(frame, waits).function()


def by_type(hyperparameters: Iterable[Hyperparameter], like: str = ir.THETA) -> Iterator[str]:
    """Lines that put the machine epsilon of a tensor's type in the place of None."""
    for h in hyperparameters:
        if isinstance(h.default, TypeEps):
            yield f"if {h.name} is None:"
            yield f"    {h.name} = torch.finfo({like}.dtype).eps"


def is_lockstep(frame: Frame) -> bool:
    """Whether parameters wait for each other: for shared state, sums over them, or a closure."""
    algorithm = frame.algorithm
    counter = algorithm.counter
    if counter is not None and counter.scope != "parameter":
        return True
    if any(s.scope != "parameter" for s in frame.states()):
        return True
    over_params = (isinstance(n, ir.Reduce) and n.over == "params" for n in ir.nodes(frame.body))
    return any(over_params) or needs_closure(frame.body)


@dataclass
class _Emitter:
    """One function body in the making."""

    frame: Frame
    waits: bool = False
    lines: Lines = field(default_factory=Lines)
    # The block that is being printed, and the one in which each symbol was assigned last.
    block: str = ""
    blocks: dict[str, str] = field(default_factory=dict)
    points: dict[ir.Expr, str] = field(default_factory=dict)
    valid: frozenset[ir.Expr] = frozenset()

    def __post_init__(self) -> None:
        frame = self.frame
        self.types = frame.algorithm.narrow
        self.naming = Naming(frame)
        self.lockstep = self.waits or is_lockstep(frame)
        self.scopes = infer(frame.algorithm, frame.body)
        names = Names(
            symbol=lambda name: self._cast(name, self.blocks.get(name, "")),
            previous=lambda name: self._cast(self.naming.previous(name)),
            absent=lambda name: f"{self.naming.previous(name)} is None",
            option=self._option,
            gradient=self._gradient,
            total=lambda node: self.totals[node],
            touched=self.naming.option("touched"),
        )
        self.print = _Printer("eager", names, self.scopes.of)
        self.totals: dict[ir.Reduce, str] = {}
        outside = (let for let in ir.lets(frame.body) if let.block not in self.types)
        nodes = (n for let in outside for n in ir.walk(let.value))
        self.read_outside = Counter(n.name for n in nodes if isinstance(n, ir.Sym))

    # ---- before and after the equations

    def function(self) -> list[str]:
        self._unpack()
        self._load()
        if masked(self.frame.body):
            self._spread()
        self.lines.blank()
        self._body(self.frame.body)
        self.lines.add(f"return {ir.THETA}")
        return self.lines.texts

    def _spread(self) -> None:
        """The lanes that the gradient names, where the equations ask for them."""
        if self.lockstep:
            name = self.frame.algorithm.full_name
            raise GenerateError(f"{name}: touched() where parameters wait for each other")
        self.lines.add(f"grad, {self.naming.option('touched')} = spread(grad)")

    def _unpack(self) -> None:
        """Hyperparameters and options out of the group."""
        read = self._names_read()
        for key, hyperparameters in self.frame.hyperparameters():
            names = [h.name if h.name in read else "_" for h in hyperparameters]
            if set(names) != {"_"}:
                self.lines.add(f'{", ".join(names)} = group["{key}"]')
            self.lines.texts += by_type(h for h in hyperparameters if h.name in read)
        for key in self._option_keys():
            self.lines.add(f"{self.naming.option(key)} = {entry_of_option(self.frame, key)}")

    def _load(self) -> None:
        """Previous values of the states, and the step counter."""
        unsure = read_before_sure(self.frame.body)
        for s in self.frame.states():
            names = [self.naming.previous(s.name)] if self._has_previous(s) else []
            if s.name in unsure or s.shape == "history":
                names.append(s.name)
            for name, source in zip(names, [self._stored(s), *names], strict=False):
                annotation = ": Any" if ".get(" in source else ""
                self.lines.add(f"{name}{annotation} = {source}")
        for name in sorted(_indexed_locals(self.frame)):
            self.lines.add(f"{name}: dict[int, Any] = {{}}")
        self._count()
        if self._previous_theta():
            self.lines.add(f"{self.naming.previous(ir.THETA)} = {ir.THETA}")

    def _count(self) -> None:
        counter = self.frame.algorithm.counter
        if counter is None:
            return
        entry = f'{self._where(counter.scope)}["{counter.key or "step"}"]'
        name = f"{counter.name} = " if counter.name in self._names_read() else ""
        self.lines.add(f"{name}{entry} = {entry} + 1")

    def _stored(self, s: State) -> str:
        where = self._where(s.scope)
        sure = s.init is not None and not self.frame.is_conditional(s)
        return f'{where}["{s.key}"]' if sure else f'{where}.get("{s.key}")'

    def _where(self, scope: str) -> str:
        return "state" if scope == "parameter" else "shared"

    # ---- what the body mentions

    def _names_read(self) -> set[str]:
        return {n.name for n in ir.nodes(self.frame.body) if isinstance(n, ir.Sym)}

    def _option_keys(self) -> Iterator[str]:
        mentioned = {n.name for n in ir.nodes(self.frame.body) if isinstance(n, ir.Opt)}
        for o in self.frame.algorithm.options:
            if o.name in mentioned and o.argument is not None:
                yield o.argument.key

    def _has_previous(self, s: State) -> bool:
        leaves = (ir.Prev, ir.Absent)
        mentioned = (n for n in ir.nodes(self.frame.body) if isinstance(n, leaves))
        return any((n.name if isinstance(n, ir.Prev) else n.state) == s.name for n in mentioned)

    def _previous_theta(self) -> bool:
        return ir.Prev(ir.THETA) in set(ir.nodes(self.frame.body))

    def _option(self, name: str, value: str | bool) -> tuple[str, Spelling]:
        key, outer = self.frame.option_test(name, value)
        return self.naming.option(key), outer

    # ---- statements

    def _body(self, body: ir.Body) -> None:
        for statement in body:
            match statement:
                case ir.Let():
                    self._let(statement)
                case ir.If(condition, then, otherwise):
                    self._if(condition, then, otherwise)
                case ir.Repeat():
                    self._repeat(statement)
                case ir.Push():
                    self._push(statement)
                case _:
                    raise unknown("eager", statement)

    def _cast(self, name: str, block: str = "") -> str:
        """A symbol of another block, in the type of the present one."""
        if block == self.block or self.scopes.symbols.get(name, Scope.TENSOR).on_host:
            return name
        kind = f"torch.{self.types[self.block]}" if self.block else f"{ir.THETA}.dtype"
        return f"{name}.to({kind})"

    def _let(self, let: ir.Let) -> None:
        if isinstance(let.value, ir.Reduce) and let.value.over == "params":
            self._let_sum(let, let.value)
            return
        self._evaluate(let.value)
        self.block = let.block if let.block in self.types else ""
        if not self.block:
            self._bring_back(let.value)
        self._assign(let)
        self.block = ""

    def _bring_back(self, value: ir.Expr) -> None:
        """What a block gave and several equations read is brought to the parameter's type once."""
        names = (n.name for n in ir.walk(value) if isinstance(n, ir.Sym))
        for name in dict.fromkeys(names) if self.lines.depth == 0 else ():
            text = self._cast(name, self.blocks.get(name, ""))
            if text != name and self.read_outside[name] > 1:
                self.lines.add(f"{name} = {text}")
                self.blocks[name] = ""

    def _assign(self, let: ir.Let) -> None:
        kept = self._state(let.target.name)
        value = self._value(let, kept)
        self.blocks[let.target.name] = self.block
        targets = self._targets(let)
        if self.block and (kept is not None or let.target.name == ir.THETA):
            value = f"({value}).to({ir.THETA}.dtype)"
            self.blocks[let.target.name] = ""
        self.lines.equation(f"{targets} = {value}", self.naming.equation(let))
        self._forget(let.target.name)

    def _targets(self, let: ir.Let) -> str:
        """What an equation assigns: its symbol, and the entry of the state where it is one."""
        targets = self.print(let.target)
        kept = self._state(let.target.name)
        if kept is None or kept.shape == "history":
            return targets
        return f'{targets} = {self._where(kept.scope)}["{kept.key}"]'

    def _value(self, let: ir.Let, kept: State | None) -> str:
        """The right-hand side; a state that is given a bare tensor gets its own copy of it."""
        text = self.print(let.value)
        bare = isinstance(let.value, ir.Sym | ir.Prev | ir.Grad | ir.At)
        tensor = self.scopes.of(let.value) >= Scope.REDUCED
        return f"{text}.clone()" if bare and tensor and kept is not None else text

    def _state(self, name: str) -> State | None:
        return next((s for s in self.frame.states() if s.name == name), None)

    def _if(self, condition: ir.Expr, then: ir.Body, otherwise: ir.Body, word: str = "if") -> None:
        self._evaluate(condition)
        for node in _asked_first(then) & _asked_first(otherwise):
            self._evaluate(node)
        before = self.valid
        self.lines.open(f"{word} {self.print(condition)}:")
        self._body(then)
        self.lines.close()
        after, self.valid = self.valid, before
        match otherwise:
            case (ir.If(again, yes, no),) if not _waits(again, yes, no):
                self._if(again, yes, no, "elif")
            case (_, *_):
                self.lines.open("else:")
                self._body(otherwise)
                self.lines.close()
        self.valid &= after

    def _repeat(self, loop: ir.Repeat) -> None:
        start = "" if loop.start == ir.Const(0) else f"{self._integer(loop.start)}, "
        rounds = f"range({start}{self._integer(loop.stop)})"
        for name in ir.assigned(loop.body):
            self._forget(name)
        before = self.valid
        self.lines.open(f"for {loop.variable} in {f'reversed({rounds})' if loop.down else rounds}:")
        self._body(loop.body)
        if loop.until is not None:
            self.lines.open(f"if {self.print(loop.until)}:")
            self.lines.add("break")
            self.lines.close()
        self.lines.close()
        self.valid &= before

    def _integer(self, expr: ir.Expr) -> str:
        text = self.print(expr)
        return text if isinstance(expr, ir.Len | ir.Const) else f"int({text})"

    def _push(self, push: ir.Push) -> None:
        self._evaluate(push.value)
        kept = self._state(push.history)
        assert kept is not None
        entry = f'{self._where(kept.scope)}["{kept.key}"]'
        size = self._integer(push.size)
        text = f"{push.history} = {entry} = [*{push.history}, {self.print(push.value)}][-{size}:]"
        self.lines.equation(text, self.naming.cite(push.equation))

    # ---- gradients and sums that parameters wait for

    def _evaluate(self, expr: ir.Expr) -> None:
        for child in ir.children(expr):
            self._evaluate(child)
        match expr:
            case ir.Grad(at) | ir.Loss(at) if self.lockstep and at not in self.valid:
                self._evaluate_at(at)
            case ir.Reduce(_, "params", _):
                self._sum(expr)

    def _evaluate_at(self, point: ir.Expr) -> None:
        number = len(self.points) + 1
        suffix = self.points.setdefault(point, f"_{number}" if number > 1 else "")
        both = reads_loss(self.frame.body)
        names = f"_grad{suffix}, _loss{suffix}" if both else f"_grad{suffix}"
        request = "LossAndGradient" if both else "Gradient"
        self.lines.add(f"{names} = yield {request}({self.print(point)})")
        self.valid |= {point}

    def _gradient(self, node: ir.Grad | ir.Loss) -> str:
        if isinstance(node, ir.Loss):
            return f"_loss{self.points[node.at]}"
        return self._cast(f"_grad{self.points[node.at]}" if self.lockstep else "grad")

    def _let_sum(self, let: ir.Let, node: ir.Reduce) -> None:
        """A sum that is the whole of an equation."""
        self._evaluate(node.operand)
        targets = self._targets(let)
        self.lines.equation(f"{targets} = {self._request(node)}", self.naming.equation(let))
        self._forget(let.target.name)

    def _sum(self, node: ir.Reduce) -> None:
        name = self.totals.get(node) or self._unused(f"_{node.op}")
        self.lines.add(f"{name} = {self._request(node)}")
        self.totals[node] = name

    def _request(self, node: ir.Reduce) -> str:
        if node.op == "max":  # what has no entries has no largest one
            return f"yield Max({self.print(node.operand)})"
        part = self.print(ir.Reduce(node.op, "all", node.operand))
        return f"yield {node.op.capitalize()}({part})"

    def _unused(self, name: str) -> str:
        """A name that no other sum has: two of them may stand in one equation."""
        numbered = (f"{name}_{k}" for k in count(2))
        return next(n for n in chain([name], numbered) if n not in self.totals.values())

    def _forget(self, name: str) -> None:
        self.valid = frozenset(p for p in self.valid if not reads(p, name))


def entry_of_option(frame: Frame, key: str) -> str:
    """An option's entry of the group, with what it means where it is None."""
    unsaid = frame.unsaid(key)
    entry = f'group["{key}"]'
    return entry if unsaid is None else f'{entry} or "{frame.spelled(key, unsaid)}"'


class _Printer(Printer):
    """Prints what is asked for its shape alone as it stands, in whatever type."""

    def _shaped(self, expr: ir.Expr) -> str:
        return expr.name if isinstance(expr, ir.Sym) else super()._shaped(expr)


def _waits(condition: ir.Expr, then: ir.Body, otherwise: ir.Body) -> bool:
    """Whether a branch has to ask for something before it tests its condition."""
    asks = (ir.Grad, ir.Loss)
    over_params = (isinstance(n, ir.Reduce) and n.over == "params" for n in ir.walk(condition))
    asked = any(isinstance(n, asks) for n in ir.walk(condition))
    return asked or any(over_params) or bool(_asked_first(then) & _asked_first(otherwise))


def _asked_first(body: ir.Body) -> set[ir.Expr]:
    """Gradients that the first statement of a branch needs."""
    nodes = (n for s in body[:1] for e in ir.expressions(s) for n in ir.walk(e))
    return {n for n in nodes if isinstance(n, ir.Grad | ir.Loss)}


def _indexed_locals(frame: Frame) -> set[str]:
    return {let.target.name for let in ir.lets(frame.body) if isinstance(let.target, ir.At)}


def read_before_sure(body: ir.Body) -> Set[str]:
    """Names read where not every path has assigned them (options exclude the other paths)."""
    unsure: set[str] = set()
    assigned = ir.assigned(body)

    def visit(block: ir.Body, have: set[str]) -> set[str]:
        for statement in block:
            for expr in ir.expressions(statement):
                read = {n.name for n in ir.walk(expr) if isinstance(n, ir.Sym | ir.At | ir.Len)}
                unsure.update((read & assigned) - have - {ir.THETA})
            match statement:
                case ir.Let(_, target):
                    have = have | {target.name}
                case ir.Push(_, history):
                    have = have | {history}
                case ir.If(_, then, otherwise):
                    have = visit(then, have) & visit(otherwise, have)
                case ir.Repeat(variable, body=inner):
                    visit(inner, have | {variable})
        return have

    visit(body, set())
    return unsure
