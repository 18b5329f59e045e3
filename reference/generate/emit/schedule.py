"""Schedulers: the recurrence as `get_lr`, the closed form beside it, as people write them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from instep.reference.generate.emit.frame_text import COMMAND, interval
from instep.reference.generate.emit.lines import LINE_LENGTH, Lines
from instep.reference.generate.emit.printer import Names, Printer
from instep.reference.generate.errors import GenerateError
from instep.spec import ir
from instep.spec.model import Algorithm, Given, Schedule
from instep.spec.options import options_of
from instep.spec.rewriting import rewrite
from instep.spec.scheduling import BASE, EPOCH, RATE
from instep.spec.scope import Scope

_EACH = "each"


class SchedulePrinter(Printer):
    """Host numbers throughout; a list is counted by a generator expression."""

    def __init__(self, algorithm: Algorithm, part: Schedule) -> None:
        self.algorithm = algorithm
        self.lists = {g.name for g in part.given if g.kind == "list"}
        names = Names(_symbol, _previous, _unsupported, self._option, _unsupported, _unsupported)
        super().__init__("schedules", names, lambda expr: Scope.OPTIMIZER)

    def _option(self, name: str, value: Any) -> tuple[str, bool | str]:
        option = self.algorithm.option(name)
        if option.argument is None:
            raise GenerateError(f"{self.algorithm.name}: the constructor has no {name}")
        spelled = option.argument.constructor_value(value)
        return option.argument.key, value if spelled is None else spelled

    def _leaf(self, expr: ir.Expr) -> str:
        match expr:
            case ir.Reduce("sum", "all", ir.Where(condition, ir.Const(1), ir.Const(0))):
                used = {n.name for n in ir.walk(condition) if isinstance(n, ir.Sym)} & self.lists
                if len(used) == 1:
                    return self._count(condition, used.pop())
        return super()._leaf(expr)

    def _count(self, condition: ir.Expr, numbers: str) -> str:
        def one(x: ir.Expr) -> ir.Expr | None:
            return ir.Sym(_EACH) if x == ir.Sym(numbers) else None

        return f"sum({self(rewrite(condition, one))} for {_EACH} in {numbers})"


def _symbol(name: str) -> str:
    return name


def _previous(name: str) -> str:
    return f"{name}_prev"


def _unsupported(*found: Any) -> Any:
    raise GenerateError(f"schedules: {found[0]} has no meaning in a schedule")


def context(algorithm: Algorithm) -> dict[str, Any]:
    """What the template of a scheduler needs."""
    part = algorithm.schedule
    assert part is not None
    assert algorithm.dialect is not None
    metric = any(g.kind == "metric" for g in part.given)
    recurrence = _Method(algorithm, part, algorithm.body, recurrence=True).lines()
    closed = _Method(algorithm, part, part.closed).lines() if part.closed else []
    found = {
        "source": f"spec/schedules/{algorithm.file}",
        "command": COMMAND,
        "name": algorithm.dialect.export,
        "base": "MetricScheduler" if metric else "Scheduler",
        "documentation": _documentation(algorithm, part),
        "domains": {h.key: interval(h) for h in algorithm.hyperparameters},
        "functions": [f"{g.key}s" for g in part.given if g.kind == "function"],
        "signature": [*_signature(algorithm, part), *([] if metric else ["last_epoch: int = -1"])],
        "constructor": _constructor(algorithm, part, metric=metric),
        "recurrence": recurrence,
        "closed": closed,
    }
    return {**found, "imports": _imports(found)}


# ---- constructor


def _arguments(algorithm: Algorithm, part: Schedule) -> list[tuple[str, str, str]]:
    """(keyword, annotation, default) in declared order; those without a default first."""
    position = dict(algorithm.lines)
    found: list[tuple[int, tuple[str, str, str]]] = []
    for h in algorithm.hyperparameters:
        kind = "int" if h.domain.integer else "float"
        default = "" if h.required else repr(h.default)
        found.append((position[h.name], (h.key, kind, default)))
    for o in algorithm.options:
        if o.argument is not None:
            kind = "bool" if isinstance(o.default, bool) else "str"
            default = repr(o.argument.constructor_value(o.default))
            found.append((position[o.name], (o.argument.key, kind, default)))
    for g in part.given:
        if g.kind in ("list", "function"):
            found.append((position[g.name], (g.key, _annotation(g), "")))
    ordered = [argument for _, argument in sorted(found, key=lambda pair: pair[0])]
    return sorted(ordered, key=lambda argument: bool(argument[2]))


def _annotation(given: Given) -> str:
    if given.kind == "function":
        return "Function | Sequence[Function]"
    return "Iterable[int]" if given.domain.integer else "Iterable[float]"


def _signature(algorithm: Algorithm, part: Schedule) -> list[str]:
    return [
        f"{key}: {kind}" + (f" = {default}" if default else "")
        for key, kind, default in _arguments(algorithm, part)
    ]


def _constructor(algorithm: Algorithm, part: Schedule, *, metric: bool) -> list[str]:
    lines: list[str] = []
    printer = SchedulePrinter(algorithm, part)
    kinds = {g.key: g.kind for g in part.given}
    for key, kind, _ in _arguments(algorithm, part):
        match kinds.get(key):
            case "list":
                lines.append(f"self.{key} = sorted({key})")
            case "function":
                lines.append(f"self.{key}s = per_group({key}, optimizer)")
            case _:
                lines += _checked(algorithm, key) if kind == "str" else []
                lines.append(f"self.{key} = {key}")
    keys = {h.name: h.key for h in algorithm.hyperparameters}
    for requirement in algorithm.requirements:
        condition = rewrite(
            requirement.condition, lambda x: ir.Sym(keys[x.name]) if isinstance(x, ir.Sym) else None
        )
        lines.append(f"if not {printer(condition, 4)}:")
        lines.append(f"    raise ValueError({requirement.message!r})")
    for s in _own_states(algorithm, part):
        assert s.init is not None
        init = rewrite(s.init, lambda x: ir.Sym(keys[x.name]) if isinstance(x, ir.Sym) else None)
        lines.append(f"self.{s.key} = {printer(init)}")
    lines.append(
        "super().__init__(optimizer)" if metric else "super().__init__(optimizer, last_epoch)"
    )
    return lines


def _checked(algorithm: Algorithm, key: str) -> list[str]:
    """The refusal of a word that the option does not have."""
    option = next(o for o in algorithm.options if o.argument is not None and o.argument.key == key)
    assert option.argument is not None
    values = tuple(outer for outer, _ in option.argument.values)
    words = ", ".join(map(str, values))
    return [
        f"if {key} not in {values!r}:",
        f'    raise ValueError(f"{key} must be one of {words}, got {{{key}!r}}")',
    ]


def _own_states(algorithm: Algorithm, part: Schedule) -> list[Any]:
    entries = {name for name, _ in part.entries}
    return [s for s in algorithm.states if s.name not in entries]


# ---- equations


class _Method:
    """The body of one method: what all groups share, then a loop over the groups."""

    def __init__(
        self, algorithm: Algorithm, part: Schedule, body: ir.Body, *, recurrence: bool = False
    ) -> None:
        self.algorithm, self.part, self.body, self.recurrence = algorithm, part, body, recurrence
        self.printer = SchedulePrinter(algorithm, part)
        self.out = Lines()
        self.entries = [name for name, _ in part.entries if name in ir.assigned(body)]
        self.by_group = self._by_group()
        self.states = [s for s in _own_states(algorithm, part) if s.name in ir.assigned(body)]

    def lines(self) -> list[str]:
        """The text, without the indentation of the method."""
        first = next(
            (k for k, s in enumerate(self.body) if self._assigns(s) & self.by_group), len(self.body)
        )
        shared, own = self.body[:first], self.body[first:]
        late = {name for s in own for name in self._assigns(s)} & {s.name for s in self.states}
        if late:
            raise GenerateError(
                f"{self.algorithm.name}: {min(late)} is assigned after the rate of a group"
            )
        self._bind()
        self._body(shared)
        for state in self.states:
            self.out.add(f"self.{state.key} = {state.name}")
        self.out.add("rates: list[Rate] = []")
        self.out.open(f"for {self._loop(own)} in self._before():")
        for g in self.part.given:
            if g.kind == "function" and self._reads(self.body, g.name):
                self.out.add(f"{g.name} = self.{g.key}s[number]({EPOCH})")
        self._body(own)
        self.out.add(f"rates.append({RATE})")
        self._others()
        self.out.depth -= 1
        self.out.add("return rates")
        return self.out.texts

    def _others(self) -> None:
        """Entries besides the rate; where an option says whether, under it."""
        for name in self.entries:
            if name == RATE:
                continue
            when = self.algorithm.state(name).when
            if when is not None:
                self.out.open(f"if {self.printer(when)}:")
            self.out.add(f"self._set_{name}(number, {name})")
            self.out.depth -= when is not None

    def _loop(self, own: ir.Body) -> str:
        """Variables of the loop, those that nothing reads with an underscore."""
        function = any(g.kind == "function" for g in self.part.given)
        number = "number" if function or len(self.entries) > 1 else "_"
        base = BASE if self._reads(own, BASE) else "_"
        prev = f"{RATE}_prev" if self._reads_previous(own, RATE) else "_"
        return f"{number}, {base}, {prev}"

    def _bind(self) -> None:
        """Names of the paper for what the scheduler holds."""
        for h in self.algorithm.hyperparameters:
            if self._reads(self.body, h.name):
                self.out.add(f"{h.name} = self.{h.key}")
        mentioned = {
            n for s in ir.statements(self.body) for e in ir.expressions(s) for n in options_of(e)
        }
        mentioned |= {n for name in self.entries for n in _options_of_state(self.algorithm, name)}
        for o in self.algorithm.options:
            if o.name in mentioned and o.argument is not None:
                self.out.add(f"{o.argument.key} = self.{o.argument.key}")
        for g in self.part.given:
            if g.kind in ("list", "metric") and self._reads(self.body, g.name):
                self.out.add(f"{g.name} = self.{g.key}")
        for s in self.states:
            if self._reads_previous(self.body, s.name):
                self.out.add(f"{s.name}_prev = self.{s.key}")
        self._bind_epoch()
        self.out.blank()

    def _bind_epoch(self) -> None:
        last = self.part.last
        function = any(g.kind == "function" for g in self.part.given)
        if self._reads(self.body, EPOCH) or function or last is not None:
            self.out.add(f"{EPOCH} = self.last_epoch")
        if last is not None and self.recurrence:
            self.out.open(f"if {EPOCH} > {self.printer(last, 5)}:")
            self.out.add(f'raise ValueError(f"there is no epoch {{{EPOCH}}} in this schedule")')
            self.out.depth -= 1

    def _body(self, body: ir.Body) -> None:
        for statement in body:
            match statement:
                case ir.Let(equation, target, value, form):
                    cited = f"{self.algorithm.name}.{equation}" + (f"@{form}" if form else "")
                    self.out.equation(f"{target.name} = {self.printer(value)}", cited)
                case ir.If():
                    self._branch(statement, "if")
                case _:
                    raise GenerateError(f"schedules: unknown statement {type(statement).__name__}")

    def _branch(self, branch: ir.If, word: str) -> None:
        self.out.open(f"{word} {self.printer(branch.condition)}:")
        self._body(branch.then)
        self.out.close()
        match branch.otherwise:
            case ():
                return
            case (ir.If() as inner,):
                self._branch(inner, "elif")
            case _:
                self.out.open("else:")
                self._body(branch.otherwise)
                self.out.close()

    # ---- what depends on the group

    def _by_group(self) -> set[str]:
        """Names whose value differs from group to group."""
        found = {RATE, *self.entries} | {g.name for g in self.part.given if g.kind == "function"}
        sources = found | {BASE}
        while True:
            more = set(self._dependent(self.body, sources, inside=False)) - found
            if not more:
                return found
            found |= more
            sources |= more

    def _dependent(self, body: ir.Body, sources: set[str], *, inside: bool) -> Iterator[str]:
        for s in body:
            names = {
                n.name
                for e in ir.expressions(s)
                for n in ir.walk(e)
                if isinstance(n, ir.Sym | ir.Prev)
            }
            depends = inside or bool(names & sources)
            match s:
                case ir.Let(_, target) if depends:
                    yield target.name
                case ir.If(_, then, otherwise):
                    yield from self._dependent((*then, *otherwise), sources, inside=depends)

    def _assigns(self, statement: ir.Stmt) -> set[str]:
        return ir.assigned((statement,))

    def _reads(self, body: ir.Body, name: str) -> bool:
        return any(n == ir.Sym(name) for n in ir.nodes(body))

    def _reads_previous(self, body: ir.Body, name: str) -> bool:
        return any(n == ir.Prev(name) for n in ir.nodes(body))


def _options_of_state(algorithm: Algorithm, name: str) -> set[str]:
    when = algorithm.state(name).when
    return set() if when is None else options_of(when)


# ---- documentation and imports


def _documentation(algorithm: Algorithm, part: Schedule) -> list[str]:
    dialect = algorithm.dialect
    assert dialect is not None
    lines = [f"{algorithm.title}."]
    meaning = f"The dialect is {dialect.name}: {dialect.source}. {dialect.note}".rstrip()
    lines += ["", *_wrapped(meaning), "", "Args:"]
    lines += _entry("optimizer: the optimizer whose learning rates are set.")
    described = {h.key: h.description for h in algorithm.hyperparameters}
    described |= {o.argument.key: o.description for o in algorithm.options if o.argument}
    described |= {g.key: g.description for g in part.given}
    for key, _, default in _arguments(algorithm, part):
        shown = f" (default: {default})" if default else ""
        lines += _entry(f"{key}: {described[key]}{shown}.")
    if not any(g.kind == "metric" for g in part.given):
        lines += _entry("last_epoch: epoch of the rates that the optimizer has (default: -1).")
    lines += ["", "Raises:", *_entry("ValueError: a hyperparameter lies outside its domain.")]
    for r in algorithm.requirements:
        lines += _entry(f"ValueError: {r.message}.")
    if algorithm.references:
        lines += ["", "References:"]
        for reference in algorithm.references:
            lines += _entry(f"{reference.text}, {reference.identifier}")
    return lines


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, LINE_LENGTH - 4, break_long_words=False, break_on_hyphens=False)


def _entry(text: str) -> list[str]:
    return textwrap.wrap(
        text, LINE_LENGTH - 4, initial_indent="    ", subsequent_indent=" " * 8,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _imports(found: dict[str, Any]) -> str:
    equations = "\n".join([*found["recurrence"], *found["closed"], *found["constructor"]])
    signature = "\n".join(found["signature"])
    text = "\n".join([equations, *found["domains"].values()])
    abstract = [n for n in ("Iterable", "Mapping", "Sequence") if n == "Mapping" or n in signature]
    lines = [f"from collections.abc import {', '.join(abstract)}"]
    if "inf" in text.replace("info", ""):
        lines.append("from math import inf")
    lines += ["from typing import ClassVar", "", "from torch.optim import Optimizer", ""]
    runtime = "instep.reference.runtime"
    if "math." in equations:
        lines.append(f"from {runtime} import scalar_math as math")
    names = ["Domain", *(["Interval"] if found["domains"] else [])]
    lines.append(f"from {runtime}.intervals import {', '.join(names)}")
    used = ["Function"] if "Function" in signature else []
    used += [found["base"], "Rate"] + ["per_group"] * ("per_group(" in equations)
    lines.append(f"from {runtime}.scheduler import {', '.join(sorted(used, key=_import_order))}")
    return "\n".join(lines)


def _import_order(name: str) -> tuple[bool, str]:
    return name.islower(), name
