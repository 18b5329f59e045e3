"""From equations to operations on lists of tensors: in which order and by which names, in place.

An operation overwrites an operand that nothing reads again and that is ours to write: a temporary,
or the tensors of the very state (or parameter) whose new value is being computed.
"""

from __future__ import annotations

from collections.abc import Iterator

from instep.reference.generate.errors import NoListFormError
from instep.reference.generate.lower.evaluate import Evaluation
from instep.reference.generate.lower.form import (
    Assign,
    Block,
    Branch,
    Program,
    leaves,
    symbol,
)
from instep.reference.generate.lower.liveness import with_liveness
from instep.reference.generate.lower.place import FOREIGN, TEMPORARY, Place, Storage, unused
from instep.reference.generate.lower.shapes import Shapes
from instep.reference.generate.lower.steps import (
    Alias,
    Choice,
    Equation,
    Number,
    Schedule,
    Step,
    Steps,
    Store,
)
from instep.spec import ir
from instep.spec.model import Algorithm


def schedule(algorithm: Algorithm, program: Program) -> Schedule:
    """Operations for a whole program.

    Raises:
        NoListFormError: a branch that the data of each tensor decides.
    """
    scheduler = _Scheduler(algorithm, program)
    place = scheduler.entry()
    steps = scheduler.block(program.block, {program.result}, place)
    return Schedule(steps, place.variables[program.result])


class _Scheduler:
    """One pass over a program; `place` tells where values are at the point that it has reached."""

    def __init__(self, algorithm: Algorithm, program: Program) -> None:
        self.algorithm, self.program = algorithm, program
        self.shapes = Shapes(algorithm, program)
        self.storages = 0

    def entry(self) -> Place:
        """Before the first equation: the parameter and its state in their own tensors."""
        place = Place()
        place.put("grad", "grad", self.storage(FOREIGN))
        for name in (*(s.name for s in self.algorithm.states), ir.THETA):
            place.put(f"{name}.0", name, self.storage(name))
            place.kept[name] = place.storages[f"{name}.0"]
        return place

    def storage(self, owner: str) -> Storage:
        self.storages += 1
        return Storage(self.storages, owner)

    def block(self, block: Block, live: set[str], place: Place) -> Steps:
        """Steps of a block; `live` are the names read after it."""
        steps: list[Step] = []
        for statement, after in with_liveness(block, live):
            match statement:
                case Assign():
                    steps += self.assign(statement, after, place)
                case Branch():
                    steps.append(self.branch(statement, after, place))
        return tuple(steps)

    # ---- assignments

    def assign(self, statement: Assign, after: set[str], place: Place) -> Iterator[Step]:
        if statement.sources:
            yield Equation(statement.sources)
        if self.program.on_host(statement.value):
            yield from self.number(statement, after, place)
        elif isinstance(statement.value, ir.Sym | ir.Grad):
            yield from self.copy(statement, after, place)
        else:
            evaluation = Evaluation(
                self.program, self.shapes, self.storage, statement, after, place
            )
            value = evaluation.run()
            yield from evaluation.steps
            place.put(statement.target, *value)
            yield from self.store(statement, place)

    def number(self, statement: Assign, after: set[str], place: Place) -> Iterator[Step]:
        value = place.spelled(statement.value)
        variable = unused(symbol(statement.target), place.taken(after - {statement.target}))
        place.put(statement.target, variable, self.storage(FOREIGN))
        yield Number(variable, value)
        if statement.stores:
            yield Store(statement.stores, variable)

    def copy(self, statement: Assign, after: set[str], place: Place) -> Iterator[Step]:
        """Another name; a state gets tensors of its own, or it would be the gradient itself."""
        source = next(leaves(statement.value))
        variable, storage = place.variables[source], place.storages[source]
        if statement.stores and storage.owner != statement.stores:
            taken = place.taken(after - {statement.target})
            own = unused(symbol(statement.target), taken)
            yield Alias(own, variable, copy=True)
            variable, storage = own, self.storage(TEMPORARY)
        place.put(statement.target, variable, storage)
        yield from self.store(statement, place)

    def store(self, statement: Assign, place: Place) -> Iterator[Step]:
        """Keep new tensors as the state; those that are the state's already need nothing."""
        target, owner = statement.target, statement.stores
        if not owner or place.storages[target] == place.kept.get(owner):
            return
        place.storages[target] = place.kept[owner] = self.storage(owner)
        if owner != ir.THETA:
            yield Store(owner, place.variables[target])

    # ---- branches

    def branch(self, branch: Branch, after: set[str], place: Place) -> Choice:
        condition = place.spelled(branch.condition)
        if not self.program.on_host(branch.condition):
            raise NoListFormError("a branch that the data of each tensor decides has no list form")
        first, second = place.copy(), place.copy()
        then = self.block(branch.then, after, first)
        otherwise = self.block(branch.otherwise, after, second)
        joins = sorted(self.joins(place, first, second, after))
        for name in joins:
            others = [n for n in joins if n != name]
            taken = first.taken([*after - {name}, *others]) | second.taken(
                [*after - {name}, *others]
            )
            variable = unused(symbol(name), taken)
            then += _rename(variable, first.variables[name])
            otherwise += _rename(variable, second.variables[name])
            place.put(name, variable, self.joined(first.storages[name], second.storages[name]))
            first.variables[name] = second.variables[name] = variable
        place.kept = {s: at for s, at in first.kept.items() if second.kept.get(s) == at}
        return Choice(condition, then, otherwise)

    def joins(self, place: Place, first: Place, second: Place, after: set[str]) -> Iterator[str]:
        """Names that both sides define and something reads; one side's own are taken over."""
        for name in (first.variables.keys() | second.variables.keys()) - place.variables.keys():
            sides = [side for side in (first, second) if name in side.variables]
            if len(sides) == 2 and name in after:
                yield name
            elif name in after:
                place.put(name, sides[0].variables[name], sides[0].storages[name])

    def joined(self, first: Storage, second: Storage) -> Storage:
        """One storage for both sides: writable if both are, for the same owner."""
        if first == second:
            return first
        return self.storage(first.owner if first.owner == second.owner else FOREIGN)


def _rename(variable: str, source: str) -> Steps:
    return () if variable == source else (Alias(variable, source),)
