"""Whether equations, histories and views are well formed, each by itself."""

from __future__ import annotations

import re

from instep.spec import ir, model
from instep.spec.assignment import fail, label
from instep.spec.errors import SpecError
from instep.spec.kinds import require_condition, require_number
from instep.spec.options import options_of

# Dots follow the names of composed algorithms, which may have hyphens.
_EQUATION = re.compile(r"([a-z][a-z0-9_-]*\.)*[a-z][a-z0-9_]*")
_FORM = re.compile(r"[a-z0-9][a-z0-9_-]*")


def statements(algorithm: model.Algorithm) -> None:
    """Kinds of every expression; options decide branches by themselves and appear nowhere else."""
    for statement in ir.statements(algorithm.body):
        try:
            for expr in ir.expressions(statement):
                decides = isinstance(statement, ir.If) or (
                    isinstance(statement, ir.Repeat) and expr is statement.until
                )
                (require_condition if decides else require_number)(expr)
        except SpecError as error:
            fail(algorithm, label(statement), str(error), statement.line)
        match statement:
            case ir.If(condition) if options_of(condition) and not ir.is_static(condition):
                reason = "a condition that mixes options with values; nest two when()"
                fail(algorithm, "when", reason, statement.line)
            case ir.Repeat(until=ir.Compare() | ir.Logic() as until) if options_of(until):
                fail(algorithm, "repeat", "until= cannot depend on options", statement.line)


def equations(algorithm: model.Algorithm) -> None:
    """One quantity per equation name; nothing assigned that must not be."""
    constants = {h.name for h in algorithm.hyperparameters} | set(algorithm.inputs)
    targets: dict[str, str] = {}
    for let in ir.lets(algorithm.body):
        name, where, line = let.target.name, let.equation, let.line
        if not _EQUATION.fullmatch(where):
            fail(algorithm, where, "an equation is named in small letters, as second_moment", line)
        if let.form and not _FORM.fullmatch(let.form):
            fail(algorithm, where, f"form {let.form!r} is no word of small letters", line)
        if targets.setdefault(where, name) != name:
            reason = f"names two quantities, {targets[where]} and {name}; name each after its own"
            fail(algorithm, where, reason, line)
        if name in constants:
            fail(algorithm, where, f"assigns the hyperparameter {name}; use a local", line)
        if algorithm.counter is not None and name == algorithm.counter.name:
            fail(algorithm, where, f"assigns the step counter {name}", line)
    applied = {s.slot: s.line for s in ir.statements(algorithm.body) if isinstance(s, ir.Apply)}
    for slot in sorted(set(applied) ^ set(algorithm.slots)):
        reason = "is not declared; use inner(...)" if slot in applied else "is never applied"
        fail(algorithm, slot, f"the slot {reason}", applied.get(slot, 0))
    if ir.THETA not in targets.values() and not algorithm.inputs and not algorithm.slots:
        fail(algorithm, "body", "no equation assigns theta: the parameters would never move")


def histories(algorithm: model.Algorithm) -> None:
    """Histories are pushed to, indexed and counted; nothing else is, but for indexed locals."""
    histories = {s.name for s in algorithm.states if s.shape == "history"}
    indexed = {let.target.name for let in ir.lets(algorithm.body) if isinstance(let.target, ir.At)}
    never_absent = {s.name for s in algorithm.states if s.init is not None}
    for statement in ir.statements(algorithm.body):
        where, line = label(statement), statement.line
        if isinstance(statement, ir.Push) and statement.history not in histories:
            reason = f"{statement.history} is no state of shape='history'"
            fail(algorithm, where, reason, line)
        for node in (n for expr in ir.expressions(statement) for n in ir.walk(expr)):
            match node:
                case ir.At(name, _) if name not in histories | indexed:
                    fail(algorithm, where, f"{name} has no entries to index", line)
                case ir.Len(name) if name not in histories:
                    fail(algorithm, where, f"length({name}): {name} is no history", line)
                case ir.Sym(name) | ir.Prev(name) if name in histories:
                    fail(algorithm, where, f"{name} is a history; read at({name}, i)", line)
                case ir.Absent(name) if name in never_absent:
                    reason = f"absent({name}) never holds; declare the state with init=None"
                    fail(algorithm, where, reason, line)


def views(algorithm: model.Algorithm) -> None:
    """Views are named apart, and read only what is stored, whatever the options."""
    stored = {h.name for h in algorithm.hyperparameters} | {ir.THETA}
    stored |= {s.name for s in algorithm.states if s.when is None and s.shape != "history"}
    if algorithm.counter is not None:
        stored.add(algorithm.counter.name)
    for v in algorithm.views:
        if [x.name for x in algorithm.views].count(v.name) > 1 or not v.name.isidentifier():
            fail(algorithm, v.name, "a view needs a name of its own, an identifier", v.line)
        for expr in (v.value, v.inverse or v.value):
            try:
                require_number(expr)
            except SpecError as error:
                fail(algorithm, v.name, str(error), v.line)
            _stored_only(algorithm, v, expr, stored)


def _stored_only(
    algorithm: model.Algorithm, view: model.View, expr: ir.Expr, stored: set[str]
) -> None:
    for node in ir.walk(expr):
        match node:
            case ir.Sym(name) if name not in stored:
                reason = f"a view cannot read {name}: it is not stored under all options"
                fail(algorithm, view.name, reason, view.line)
            case ir.Prev() | ir.Grad() | ir.Loss() | ir.Absent() | ir.At() | ir.Len():
                reason = "a view is read between steps: theta, states and hyperparameters alone"
                fail(algorithm, view.name, reason, view.line)
            case ir.Reduce(_, "params", _):
                fail(algorithm, view.name, "a view cannot sum over parameters", view.line)
