"""The vectorized target: operations on lists of tensors, in place, many parameters a call."""

from __future__ import annotations

from dataclasses import dataclass, field

from instep.reference.generate.emit.eager import by_type, entry_of_option, is_lockstep
from instep.reference.generate.emit.lines import Lines
from instep.reference.generate.emit.printer import Names, Printer
from instep.reference.generate.errors import NoListFormError, unknown
from instep.reference.generate.frame import Frame
from instep.reference.generate.lower.form import Branch, leaves, statements
from instep.reference.generate.lower.pipeline import lower
from instep.reference.generate.lower.place import in_loop
from instep.reference.generate.lower.resolve_options import negation
from instep.reference.generate.lower.rows import masked
from instep.reference.generate.lower.schedule import schedule
from instep.reference.generate.lower.steps import (
    Alias,
    Choice,
    Each,
    Equation,
    Number,
    Operation,
    Step,
    Steps,
    Store,
)
from instep.reference.generate.naming import Naming
from instep.spec import ir
from instep.spec.arguments import Spelling
from instep.spec.model import State
from instep.spec.scope import Scope, infer

# How the numbers of an operation are passed, and what torch calls it where the name differs.
_KEYWORDS = {"add_scaled": "alpha=", "addcmul": "value=", "addcdiv": "value="}
_TORCH = {"add_scaled": "add"}


def emit(frame: Frame) -> list[str] | None:
    """Lines of the function body for lists of tensors; None where there is no such form."""
    if is_lockstep(frame) or masked(frame.body) or frame.algorithm.narrow:
        return None
    try:
        return _Emitter(frame).function()
    except NoListFormError:
        return None


def shape_queries(frame: Frame) -> list[str]:
    """Functions of a tensor's shape that the equations ask for: tensors that share a call agree."""
    nodes = (n for n in ir.nodes(frame.body) if isinstance(n, ir.Call))
    return sorted({n.function for n in nodes if n.function in ir.SHAPE_FUNCTIONS})


@dataclass
class _Emitter:
    """One function body in the making."""

    frame: Frame
    lines: Lines = field(default_factory=Lines)

    def __post_init__(self) -> None:
        frame = self.frame
        self.naming = Naming(frame)
        self.program = lower(frame.algorithm, frame.body)
        self.schedule = schedule(frame.algorithm, self.program)
        self.print = _ListPrinter("vectorized", self._names(), self.program.scopes.of)
        scope = infer(frame.algorithm, frame.body).of
        self.authored = Printer("vectorized", self._authored_names(), scope)

    def _names(self, like: str = "theta") -> Names:
        return Names(
            symbol=lambda name: name,
            previous=lambda name: name,
            absent=self._absent,
            option=self._option,
            gradient=lambda _: "grad",
            total=lambda node: str(unknown("vectorized", node)),
            like=like,
        )

    def _authored_names(self) -> Names:
        """Equations in comments read as in the eager reference."""
        return Names(
            symbol=lambda name: name,
            previous=self.naming.previous,
            absent=lambda name: f"{name} is absent",
            option=self._option,
            gradient=lambda _: "grad",
            total=lambda node: str(unknown("vectorized", node)),
            like="theta",
        )

    def _absent(self, state: str) -> str:
        return f"_{state}_absent"

    def _option(self, name: str, value: str | bool) -> tuple[str, Spelling]:
        key, outer = self.frame.option_test(name, value)
        return self.naming.option(key), outer

    # ---- before and after the equations

    def function(self) -> list[str]:
        read = self._read()
        self._unpack(read)
        self._load(read)
        self.lines.blank()
        self._steps(self.schedule.steps)
        self.lines.add(f"return {self.schedule.result}")
        return self.lines.texts

    def _read(self) -> set[str]:
        """Names that the program reads, conditions included."""
        read: set[str] = set()
        for s in statements(self.program.block):
            read |= set(leaves(s.condition if isinstance(s, Branch) else s.value))
        return read

    def _unpack(self, read: set[str]) -> None:
        for key, hyperparameters in self.frame.hyperparameters():
            names = [h.name if h.name in read else "_" for h in hyperparameters]
            if set(names) != {"_"}:
                self.lines.add(f'{", ".join(names)} = group["{key}"]')
            told = (h for h in hyperparameters if h.name in read)
            self.lines.texts += by_type(told, f"{ir.THETA}[0]")
        for o in self.frame.algorithm.options:
            if o.name in self._options() and o.argument is not None:
                key = o.argument.key
                self.lines.add(f"{self.naming.option(key)} = {entry_of_option(self.frame, key)}")

    def _conditions(self) -> list[ir.Expr]:
        block = statements(self.program.block)
        return [s.condition for s in block if isinstance(s, Branch)]

    def _options(self) -> set[str]:
        nodes = (n for c in self._conditions() for n in ir.walk(c))
        return {n.name for n in nodes if isinstance(n, ir.Opt)}

    def _load(self, read: set[str]) -> None:
        absent = {
            n.state for c in self._conditions() for n in ir.walk(c) if isinstance(n, ir.Absent)
        }
        for s in self.frame.states():
            if f"{s.name}.0" in read or s.name in absent:
                sure = s.init is not None and not self.frame.is_conditional(s)
                source = f'state["{s.key}"]' if sure else f'state.get("{s.key}")'
                self.lines.add(f"{s.name}{'' if sure else ': Any'} = {source}")
            if s.name in absent:
                self.lines.add(f"{self._absent(s.name)} = {s.name} is None")
        counter = self.frame.algorithm.counter
        if counter is not None:
            entry = f'state["{counter.key or "step"}"]'
            name = f"{counter.name} = " if counter.name in read else ""
            self.lines.add(f"{name}{entry} = {entry} + 1")

    # ---- steps

    def _steps(self, steps: Steps) -> None:
        for step in filter(_is_told, steps):
            match step:
                case Equation(sources):
                    for let in sources:
                        self._comment(let)
                case Operation():
                    self.lines.add(self._operation(step))
                case Each():
                    self.lines.add(self._each(step))
                case Number(result, value):
                    self.lines.add(f"{result} = {self.print(value)}")
                case Alias(result, operand, copy):
                    one = in_loop(operand)
                    copies = f"tuple({one}.clone() for {one} in {operand})"
                    self.lines.add(f"{result} = {copies if copy else operand}")
                case Store(state, name):
                    self.lines.add(f'state["{self._state(state).key}"] = {name}')
                case Choice():
                    self._choice(step)

    def _comment(self, let: ir.Let) -> None:
        """The equation as the eager reference prints it."""
        text = (
            f"# {self.naming.equation(let)}: {self.print(let.target)} = {self.authored(let.value)}"
        )
        self.lines.comment(text)

    def _state(self, name: str) -> State:
        return self.frame.algorithm.state(name)

    def _operation(self, step: Operation) -> str:
        numbers = [f"{_KEYWORDS.get(step.function, '')}{self.print(n)}" for n in step.numbers]
        function = _TORCH.get(step.function, step.function)
        call = f"({', '.join([*step.operands, *numbers])})"
        if step.in_place:
            return f"torch._foreach_{function}_{call}"
        return f"{step.result} = torch._foreach_{function}{call}"

    def _each(self, step: Each) -> str:
        lanes = {name for name, _ in step.lists}
        printer = Printer("vectorized", self._names(step.like), lambda x: _scope(x, lanes))
        inner, outer = ", ".join(a for a, _ in step.lists), ", ".join(b for _, b in step.lists)
        source = outer if len(step.lists) == 1 else f"zip({outer}, strict=True)"
        return f"{step.result} = tuple({printer(step.value)} for {inner} in {source})"

    def _choice(self, step: Choice) -> None:
        then, otherwise = _has_code(step.then), _has_code(step.otherwise)
        if then:
            self._block(f"if {self.print(step.condition)}:", step.then)
        if otherwise:
            head = "else:" if then else f"if {self.print(negation(step.condition))}:"
            self._block(head, step.otherwise)

    def _block(self, head: str, steps: Steps) -> None:
        self.lines.open(head)
        self._steps(steps)
        self.lines.close()


class _ListPrinter(Printer):
    """Prints numbers; a shape is that of the first tensor, since all tensors of a call share it."""

    def _shaped(self, expr: ir.Expr) -> str:
        return f"{super()._shaped(expr)}[0]"


def _has_code(steps: Steps) -> bool:
    """Whether steps print more than comments."""
    return any(not isinstance(s, Equation) for s in filter(_is_told, steps))


def _is_told(step: Step) -> bool:
    """Whether a step says anything: where branches meet a number may keep its name."""
    return not (isinstance(step, Number) and step.value == ir.Sym(step.result))


def _scope(expr: ir.Expr, lanes: set[str]) -> Scope:
    """Inside a comprehension: a tensor if it reads one of the lists, else a number."""
    if isinstance(expr, ir.Call) and expr.function in ir.SHAPE_FUNCTIONS:
        return Scope.PARAMETER
    if isinstance(expr, ir.Sym):
        return Scope.TENSOR if expr.name in lanes else Scope.PARAMETER
    return max((_scope(x, lanes) for x in ir.children(expr)), default=Scope.STATIC)
