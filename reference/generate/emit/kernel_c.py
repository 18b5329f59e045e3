"""The C target: the equations of one lane in a loop over the lanes of one tensor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from instep.reference.generate.emit.c_printer import CPrinter
from instep.reference.generate.emit.frame_text import COMMAND, source_file
from instep.reference.generate.emit.kernel_call import host_printer
from instep.reference.generate.emit.lines import LINE_LENGTH
from instep.reference.generate.frame import Frame
from instep.reference.generate.lower.form import Assign, Block, Branch, Statement, assigns, uses
from instep.reference.generate.lower.kernel import GRADIENT, KernelForm, Switch
from instep.reference.generate.lower.liveness import with_liveness
from instep.reference.generate.lower.name_sums import ADDED
from instep.reference.generate.naming import Naming
from instep.spec import ir

_INDENT = 4


def context(frame: Frame, form: KernelForm) -> dict[str, Any]:
    """What the template of a kernel asks for."""
    host = host_printer(frame)
    return {
        "source": source_file(frame.algorithm),
        "dialect": frame.algorithm.full_name,
        "command": COMMAND,
        "name": frame.name,
        "arrays": _arrays(form),
        "switches": [(s.name, host(s.condition)) for s in form.switches],
        "totals": form.totals,
        "scalars": form.scalars,
        "sums": _function(frame, form, form.sums),
        "whole": _function(frame, form, form.whole, base=4, index="0"),
        "lanes": _function(frame, form, form.lanes),
    }


def _arrays(form: KernelForm) -> list[tuple[str, int, str]]:
    """Arrays by name, with their place and what they hold."""
    own = [(ir.THETA, "the parameter"), (GRADIENT, "its gradient")]
    named = [*own, *((s.name, s.key) for s in form.states)]
    return [(name, place, key) for place, (name, key) in enumerate(named)]


def _function(
    frame: Frame, form: KernelForm, block: Block, *, base: int = 8, index: str = "i"
) -> dict[str, Any]:
    """The arrays and numbers that statements need, and their text."""
    host = host_printer(frame)
    lines = _Emitter(frame, form, base, index).lines(block)
    read = {*uses(block), *(s.value.name for s in assigns(block) if isinstance(s.value, ir.At))}
    read |= {f"{name}_" for name in _stored(block)}
    values = {n: host(form.values[n]) if n in form.values else "" for n in form.numbers}
    return {
        "arrays": [a for a in _arrays(form) if f"{a[0]}_" in read],
        "written": set(_stored(block)),
        "numbers": [(n, k, values[n]) for k, n in enumerate(form.numbers) if n in read],
        "lines": lines,
    }


@dataclass
class _Emitter:
    """The body of the loop in the making."""

    frame: Frame
    form: KernelForm
    base: int
    index: str
    texts: list[str] = field(default_factory=list)
    depth: int = 0

    def __post_init__(self) -> None:
        self.naming = Naming(self.frame)
        self.print = CPrinter(self._switch)

    def lines(self, block: Block) -> list[str]:
        """The text, without the indentation of the loop or function itself."""
        self._block(block, set(self.form.scalars), set())
        return self.texts

    def _switch(self, expr: ir.Expr) -> str | None:
        return next((s.name for s in self.form.switches if _asks(s, expr)), None)

    def _block(self, block: Block, live: set[str], declared: set[str]) -> None:
        """Statements; what a branch alone declares ends with it."""
        declared = set(declared)
        for statement, after in with_liveness(block, live):
            if isinstance(statement, Assign):
                self._assign(statement, declared)
            else:
                self._branch(statement, after, declared)

    def _assign(self, s: Assign, declared: set[str]) -> None:
        if s.stores == ADDED:
            self._equation(f"{s.target} += {self.print(s.value)};", s)
            return
        kind = "" if s.target in declared else "real "
        declared.add(s.target)
        if s.value != ir.Sym(s.target):
            self._equation(f"{kind}{s.target} = {self.print(s.value)};", s)
        if s.stores:
            self._add(f"{s.stores}_[{self.index}] = store({s.target});")

    def _equation(self, text: str, s: Assign) -> None:
        """The names of the equations beside the text, or above it where there is no room."""
        cited = ", ".join(dict.fromkeys(self.naming.equation(let) for let in s.sources))
        beside = f"{text}  // {cited}" if cited else text
        if self.base + _INDENT * self.depth + len(beside) <= LINE_LENGTH:
            self._add(beside)
            return
        self._add(f"// {cited}")
        self._add(text)

    def _branch(self, branch: Branch, after: set[str], declared: set[str]) -> None:
        joins = sorted((_assigned(branch) & after) - declared)
        if joins:
            self._add(f"real {', '.join(joins)};")
            declared |= set(joins)
        then, otherwise = branch.then, branch.otherwise
        condition = self.print(branch.condition)
        if not then:
            then, otherwise, condition = otherwise, (), f"!{condition}"
        self._add(f"if ({condition}) {{")
        self._side(then, after, declared)
        if otherwise:
            self._add("} else {")
            self._side(otherwise, after, declared)
        self._add("}")

    def _side(self, block: Block, after: set[str], declared: set[str]) -> None:
        self.depth += 1
        self._block(block, after, declared)
        self.depth -= 1

    def _add(self, text: str) -> None:
        self.texts.append(" " * _INDENT * self.depth + text)


def _asks(switch: Switch, expr: ir.Expr) -> bool:
    return switch.condition == expr


def _assigned(statement: Statement) -> set[str]:
    if isinstance(statement, Assign):
        return {statement.target}
    return {n for side in (statement.then, statement.otherwise) for s in side for n in _assigned(s)}


def _stored(block: Block) -> Iterator[str]:
    for s in block:
        if isinstance(s, Branch):
            yield from _stored(s.then)
            yield from _stored(s.otherwise)
        elif s.stores:
            yield s.stores
