"""The host's part of a kernel in Python: the switches and numbers of one call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from instep.reference.generate.emit.eager import by_type, entry_of_option
from instep.reference.generate.emit.lines import Lines
from instep.reference.generate.emit.printer import Names, Printer
from instep.reference.generate.errors import unknown
from instep.reference.generate.frame import Frame
from instep.reference.generate.lower.form import Assign, Block, Branch, leaves, statements
from instep.reference.generate.lower.kernel import KernelForm, making
from instep.reference.generate.lower.resolve_options import negation
from instep.reference.generate.naming import Naming
from instep.spec import ir
from instep.spec.arguments import Spelling
from instep.spec.scope import Scope


def emit(frame: Frame, form: KernelForm) -> list[str]:
    """Lines of the method that tells a kernel what it is told."""
    return _Emitter(frame, form).function()


@dataclass
class _Emitter:
    """One function body in the making."""

    frame: Frame
    form: KernelForm
    lines: Lines = field(default_factory=Lines)
    defaulted: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.naming = Naming(self.frame)
        self.print = host_printer(self.frame)

    def function(self) -> list[str]:
        self._unpack()
        self._load()
        self.lines.blank()
        self._body(self.form.host)
        self._give_back()
        return self.lines.texts

    def _read(self) -> set[str]:
        """Names that the host reads, conditions included."""
        host = statements(self.form.host)
        exprs = [s.condition if isinstance(s, Branch) else s.value for s in host]
        exprs += [s.condition for s in self.form.switches]
        return {n for e in exprs for n in leaves(e)} | set(self.form.numbers)

    def _unpack(self) -> None:
        read = self._read()
        for key, hyperparameters in self.frame.hyperparameters():
            names = [h.name if h.name in read else "_" for h in hyperparameters]
            if set(names) != {"_"}:
                self.lines.add(f'{", ".join(names)} = group["{key}"]')
            told = (h for h in hyperparameters if h.name in read)
            self.lines.texts += by_type(told)
        for key in self._option_keys():
            self.lines.add(f"{self.naming.option(key)} = {entry_of_option(self.frame, key)}")

    def _option_keys(self) -> Iterator[str]:
        conditions = [s.condition for s in statements(self.form.host) if isinstance(s, Branch)]
        conditions += [s.condition for s in self.form.switches]
        asked = {n.name for c in conditions for n in ir.walk(c) if isinstance(n, ir.Opt)}
        for o in self.frame.algorithm.options:
            if o.name in asked and o.argument is not None:
                yield o.argument.key

    def _load(self) -> None:
        read = self._read()
        for s in self.frame.states():
            if s.shape == "scalar" and s.name in read:
                self.lines.add(f'{s.name} = state["{s.key}"]')
        counter = self.frame.algorithm.counter
        if counter is not None:
            entry = f'state["{counter.key or "step"}"]'
            name = f"{counter.name} = " if counter.name in read else ""
            self.lines.add(f"{name}{entry} = {entry} + 1")

    def _body(self, block: Block) -> None:
        for s in block:
            match s:
                case Assign(target, value, _, stores):
                    kept = f' = state["{self._key(stores)}"]' if stores else ""
                    self.lines.add(f"{target}{kept} = {self.print(value)}")
                case Branch():
                    self._branch(s)

    def _branch(self, branch: Branch) -> None:
        """Numbers of one side alone are 0 on the other, where the kernel does not read them."""
        sides = [_targets(side) for side in (branch.then, branch.otherwise)]
        alone = ((sides[0] ^ sides[1]) & set(self.form.numbers)) - self.defaulted
        if alone:
            self.lines.add(f"{' = '.join(sorted(alone))} = 0.0")
        self.defaulted |= alone
        then, otherwise, condition = branch.then, branch.otherwise, branch.condition
        if not then:
            then, otherwise, condition = otherwise, (), negation(condition)
        match then:
            case (Branch(inner, yes, ()),) if not otherwise:
                then, condition = yes, ir.Logic("and", (condition, inner))
            case (Branch(inner, (), no),) if not otherwise:
                then, condition = no, ir.Logic("and", (condition, negation(inner)))
        self.lines.open(f"if {self.print(condition)}:")
        self._body(then)
        self.lines.close()
        if otherwise:
            self.lines.open("else:")
            self._body(otherwise)
            self.lines.close()

    def _key(self, name: str) -> str:
        return self.frame.algorithm.state(name).key

    def _give_back(self) -> None:
        """The arguments of `Call`, a line each."""
        self.lines.open("return Call(")
        switches = (f'"{s.name}": {self.print(s.condition)}' for s in self.form.switches)
        self.lines.add(f"switches={{{', '.join(switches)}}},")
        self.lines.add(f"numbers={_tuple(self.form.numbers)},")
        made = [f'"{s.key}": {self._when(c)}' for s, c in making(self.form)]
        if made:
            self.lines.add(f"made={{{', '.join(made)}}},")
        self.lines.depth -= 1
        self.lines.add(")")

    def _when(self, condition: ir.Expr | None) -> str:
        return "True" if condition is None else self.print(condition)


def _tuple(names: tuple[str, ...]) -> str:
    return f"({', '.join(names)}{',' if len(names) == 1 else ''})"


def host_printer(frame: Frame) -> Printer:
    """Prints what the host computes, in the names of the class."""
    naming = Naming(frame)

    def option(name: str, value: str | bool) -> tuple[str, Spelling]:
        key, outer = frame.option_test(name, value)
        return naming.option(key), outer

    names = Names(
        symbol=lambda name: name,
        previous=naming.previous,
        absent=lambda name: f'state.get("{frame.algorithm.state(name).key}") is None',
        option=option,
        gradient=lambda node: str(unknown("kernel call", node)),
        total=lambda node: str(unknown("kernel call", node)),
    )
    return Printer("kernel call", names, lambda _: Scope.GROUP)


def _targets(block: Block) -> set[str]:
    return {s.target for s in statements(block) if isinstance(s, Assign)}
