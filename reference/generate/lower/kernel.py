"""The form from which kernels are printed: lanes with their variables, and the host's part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from instep.reference.generate.errors import NoListFormError
from instep.reference.generate.frame import Frame
from instep.reference.generate.lower.form import Assign, Block, Branch, assigns, leaves
from instep.reference.generate.lower.memory import FIRST, LANE, read_and_write, version_before
from instep.reference.generate.lower.pipeline import lower
from instep.reference.generate.lower.rows import masked
from instep.reference.generate.lower.spell import Names, spell, spelled
from instep.reference.generate.lower.split_host import Parts, split_host
from instep.spec import ir
from instep.spec.model import State
from instep.spec.scope import Scope

GRADIENT = "grad"
Way = tuple[ir.Expr, ...]


@dataclass(frozen=True, slots=True)
class Switch:
    """A branch that the host decides: its name in the kernel, and when it is on."""

    name: str
    condition: ir.Expr


@dataclass(frozen=True, slots=True)
class KernelForm:
    """One kernel.

    Attributes:
        states: states that have lanes, in the order in which the kernel takes them.
        made: those among them that only a step makes.
        switches: what the kernel is specialised on.
        numbers: variables that the host fills, in the order in which the kernel takes them.
        values: what the host computes for those that are no hyperparameters.
        totals: variables of sums over the lanes of a tensor, each with its operation.
        scalars: variables that lanes read and that are one for each tensor.
        sums: statements for each lane that lead to sums.
        whole: statements for each tensor, from its sums to its scalars.
        lanes: statements for each lane.
        host: statements of the host; one that makes a state assigns the state to itself.
    """

    states: tuple[State, ...]
    made: tuple[State, ...]
    switches: tuple[Switch, ...]
    numbers: tuple[str, ...]
    values: dict[str, ir.Expr]
    totals: tuple[tuple[str, str], ...]
    scalars: tuple[str, ...]
    sums: Block
    whole: Block
    lanes: Block
    host: Block


def kernel_form(frame: Frame) -> KernelForm:
    """The kernel of a class.

    Raises:
        NoListFormError: its equations are not the same for each lane alone.
    """
    if frame.algorithm.narrow or masked(frame.body):
        raise NoListFormError("equations in several types, or of some lanes alone, have no kernel")
    parts = split_host(lower(frame.algorithm, frame.body))
    states = tuple(s for s in frame.states() if s.shape != "scalar")
    if any(s.shape not in ("like", "reduced") or s.scope != "parameter" for s in states):
        raise NoListFormError("states of other shapes than the parameter's have no kernel")
    names: Names = {f"{s.name}.0": s.name for s in frame.states() if s.shape == "scalar"}
    names |= dict.fromkeys(_asked_for_shape(parts), ir.THETA)
    read_last = {*parts.numbers, *(n for c in parts.switches for n in leaves(c))}
    host = spell(parts.host, read_last, names)
    numbers = tuple(names.get(n, n) for n in parts.numbers)
    memory = _Memory(frame, [s for s in states if s.shape == "like"], names)
    reduced = _Memory(frame, [s for s in states if s.shape == "reduced"], names)
    scalars = dict(names)
    whole = reduced.spelled(parts.whole, set(parts.scalars), scalars, FIRST)
    return KernelForm(
        states,
        tuple(s for s in states if s.init is None),
        tuple(_switches(parts.switches, names, frame)),
        numbers,
        {s.target: s.value for s in assigns(host) if s.target in numbers},
        parts.totals,
        tuple(scalars[n] for n in parts.scalars),
        memory.spelled(parts.sums, set(), dict(names), LANE, lanes=True),
        whole,
        memory.spelled(parts.lanes, set(), scalars, LANE, lanes=True),
        host,
    )


@dataclass(frozen=True, slots=True)
class _Memory:
    """Arrays of one shape, and the variables of those who read them."""

    frame: Frame
    states: list[State]
    names: Names

    def spelled(
        self, block: Block, live: set[str], names: Names, index: ir.Expr, *, lanes: bool = False
    ) -> Block:
        """A block that loads and stores what it needs; fills in `names`."""
        found = [s for s in self.states if s.init is not None]
        sure = [s.name for s in found if not self.frame.is_conditional(s)]
        unsure = [s.name for s in self.states if s.name not in sure]
        own = [GRADIENT, ir.THETA] if lanes else []
        names |= {version_before(a): a for a in (*own, *sure, *unsure)}
        return spell(read_and_write(block, [*own, *sure], unsure, index), live, names)


def _asked_for_shape(parts: Parts) -> set[str]:
    """Tensors that the host reads: it asks for their shape alone, which is the parameter's."""
    scopes = parts.program.scopes.symbols
    read = {n for s in assigns(parts.host) for n in leaves(s.value)}
    read |= {n for c in parts.switches for n in leaves(c)}
    return {n for n in read if not scopes.get(n, Scope.STATIC).on_host}


def _switches(conditions: tuple[ir.Expr, ...], names: Names, frame: Frame) -> Iterator[Switch]:
    taken: set[str] = set()
    for condition in conditions:
        wanted = _named(condition)
        name = next(n for n in (wanted, *(f"{wanted}_{k}" for k in range(2, 99))) if n not in taken)
        taken.add(name)
        yield Switch(name, spelled(condition, names))


def _named(condition: ir.Expr) -> str:
    """A name in capitals that says what is asked."""
    match condition:
        case ir.Compare("==", ir.Opt(name), ir.Value(bool(value))):
            return name.upper() if value else f"NOT_{name.upper()}"
        case ir.Compare("==", ir.Opt(name), ir.Value(value)):
            return f"{name}_{value}".upper().replace("-", "_")
        case ir.Compare("!=", ir.Sym(name), ir.Const(0)):
            return name.split(".")[0].upper()
        case ir.Absent(state):
            return f"{state}_ABSENT".upper()
        case ir.Compare(op, left, right):
            words = {"==": "IS", "!=": "IS_NOT", "<": "BELOW", "<=": "UP_TO", ">": "ABOVE"}
            return f"{_named(left)}_{words.get(op, 'FROM')}_{_named(right)}"
        case ir.Logic("not", (operand,)):
            name = _named(operand)
            return name.removeprefix("NOT_") if name.startswith("NOT_") else f"NOT_{name}"
        case ir.Binary("%", left, right):
            return f"{_named(left)}_MODULO_{_named(right)}"
        case ir.Logic(op, operands):
            return f"_{op.upper()}_".join(map(_named, operands))
        case ir.Sym(name):
            return name.split(".")[0].upper()
        case ir.Const(value):
            return str(value).replace(".", "_").replace("-", "MINUS_").replace("/", "_")
    return "CONDITION"


def making(form: KernelForm) -> Iterator[tuple[State, ir.Expr | None]]:
    """States that only a step makes, with the condition under which it does; None for always."""
    for state in form.made:
        ways = {_without(way, state) for way in _ways((*form.whole, *form.lanes), state.name, ())}
        if () in ways:
            yield state, None
        elif ways:
            either = [_all(way) for way in sorted(ways, key=str)]
            yield state, either[0] if len(either) == 1 else ir.Logic("or", tuple(either))


def _ways(block: Block, state: str, under: Way) -> Iterator[Way]:
    """The conditions on the way to every equation that stores a state."""
    for s in block:
        match s:
            case Assign(stores=stores) if stores == state:
                yield under
            case Branch(condition, then, otherwise):
                yield from _ways(then, state, (*under, condition))
                yield from _ways(otherwise, state, (*under, ir.Logic("not", (condition,))))


def _without(way: Way, state: State) -> Way:
    """The same, whether the state is there yet or not."""
    absent = ir.Absent(state.name)
    return tuple(c for c in way if c not in (absent, ir.Logic("not", (absent,))))


def _all(way: Way) -> ir.Expr:
    return way[0] if len(way) == 1 else ir.Logic("and", way)
