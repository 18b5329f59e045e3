"""The operations of one equation, outermost last, overwriting what nothing reads again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from instep.reference.generate.lower.form import Assign, Program, leaves, symbol
from instep.reference.generate.lower.operations import COMMUTATIVE, Plan, plan
from instep.reference.generate.lower.place import TEMPORARY, Place, Storage, in_loop, unused
from instep.reference.generate.lower.shapes import Shapes
from instep.reference.generate.lower.steps import Each, Operation, Step
from instep.spec import ir
from instep.spec.rewriting import rewrite

Value = tuple[str, Storage]


class Evaluation:
    """Steps that compute the value of one assignment; `after` are the names read later on."""

    def __init__(
        self,
        program: Program,
        shapes: Shapes,
        new_storage: Callable[[str], Storage],
        statement: Assign,
        after: set[str],
        place: Place,
    ) -> None:
        self.program, self.shapes, self.new_storage = program, shapes, new_storage
        self.statement, self.after, self.place = statement, after, place
        self.to_read = Counter(leaves(statement.value))
        self.steps: list[Step] = []
        self.temporaries: set[str] = set()

    def run(self) -> Value:
        """The Python name and storage of the result; `steps` are filled."""
        return self._value(self.statement.value, symbol(self.statement.target))

    def _value(self, expr: ir.Expr, hint: str) -> Value:
        """Compute an expression; `hint` is the name that a new list should bear."""
        if isinstance(expr, ir.Sym | ir.Grad):
            name = next(leaves(expr))
            return self.place.variables[name], self.place.storages[name]
        planned = plan(self.program, expr)
        return self._each(expr, hint) if planned is None else self._operation(expr, planned, hint)

    def _operation(self, expr: ir.Expr, planned: Plan, hint: str) -> Value:
        operands = planned.operands
        values = [self._value(x, hint if i == 0 else "") for i, x in enumerate(operands)]
        writable = [self._writable(x, v, expr) for x, v in zip(operands, values, strict=True)]
        if planned.function in COMMUTATIVE and writable == [False, True]:
            values, writable = values[::-1], writable[::-1]
        self.to_read.subtract(name for x in operands for name in _leaf(x))
        names = tuple(name for name, _ in values)
        if writable[0]:
            result, storage = values[0]
        else:
            result, storage = self._fresh(hint), self.new_storage(TEMPORARY)
        numbers = tuple(map(self.place.spelled, planned.numbers))
        self.steps.append(Operation(planned.function, names, numbers, result, writable[0]))
        return result, storage

    def _each(self, expr: ir.Expr, hint: str) -> Value:
        """One comprehension for a whole subtree; inside it tensors are named with an underscore."""
        names = [n for n in dict.fromkeys(leaves(expr)) if self._is_list(n)]
        lists = {n: self.place.variables[n] for n in names}
        self.to_read.subtract(leaves(expr))
        variables = dict.fromkeys(lists.values())
        like = next((lists[n] for n in names if self.shapes.is_like_parameter(n)), ir.THETA)
        if self._asks_for_parameter(expr):
            variables |= {like: None}
        pairs = tuple((in_loop(variable), variable) for variable in variables)
        result = self._fresh(hint)
        self.steps.append(Each(result, self._inside(expr, lists), pairs, in_loop(like)))
        return result, self.new_storage(TEMPORARY)

    def _asks_for_parameter(self, expr: ir.Expr) -> bool:
        """Whether the code needs the parameter's dimensions (units) or type (of two numbers)."""
        for node in ir.walk(expr):
            match node:
                case ir.Reduce(_, "units", _):
                    return True
                case ir.Where(_, then, otherwise):
                    if self.program.on_host(then) and self.program.on_host(otherwise):
                        return True
        return False

    def _is_list(self, name: str) -> bool:
        return name == "grad" or not self.program.on_host(ir.Sym(name))

    def _inside(self, expr: ir.Expr, lists: dict[str, str]) -> ir.Expr:
        def rule(x: ir.Expr) -> ir.Expr | None:
            match x:
                case ir.Grad():
                    return ir.Sym(in_loop("grad"))
                case ir.Sym(name) if name in lists:
                    return ir.Sym(in_loop(lists[name]))
                case ir.Sym():
                    return self.place.spelled(x)
            return None

        return rewrite(expr, rule)

    def _writable(self, operand: ir.Expr, value: Value, expr: ir.Expr) -> bool:
        """Whether the result may overwrite this operand."""
        shape, (_, storage) = self.shapes.of(expr), value
        if self.shapes.of(operand) != shape or shape in ("number", "other"):
            return False
        if not storage.writable_for(self.statement.stores):
            return False
        if not isinstance(operand, ir.Sym):
            return True
        residents = self.place.residents(storage)
        reads_here = sum(self.to_read[name] for name in residents)
        return not residents & self.after and reads_here == 1

    def _fresh(self, hint: str) -> str:
        """A name for a new list: the hint, unless its present value is still to be read."""
        still_read = self.after | {name for name, count in self.to_read.items() if count > 0}
        sources = self.statement.sources
        own = sources[-1].equation.rpartition(".")[2] if sources else "value"
        wanted = hint or f"_{own}"
        name = unused(wanted, self.place.taken(still_read) | self.temporaries)
        self.temporaries.add(name)
        return name


def _leaf(expr: ir.Expr) -> list[str]:
    return list(leaves(expr)) if isinstance(expr, ir.Sym | ir.Grad) else []
