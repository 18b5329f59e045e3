"""Whether a specification makes sense, said with file, line, algorithm, equation and reason.

The heart is definite assignment on the body that every assignment of options leaves; beside it:
names, kinds, scopes, and that no hyperparameter, option or state is idle without saying why.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from instep.spec import ir, model
from instep.spec.assignment import Paths, describe, fail, label
from instep.spec.errors import SpecError
from instep.spec.kinds import require_condition, require_number
from instep.spec.options import assignments, decide, options_of

# Names that generated code or the recording of a step uses itself.
RESERVED = frozenset(
    {"p", "params", "group", "state", "grad", "loss", "closure", "self", "math", "torch", "index"}
)
# Dots follow the names of composed algorithms, which may have hyphens.
_EQUATION = re.compile(r"([a-z][a-z0-9_-]*\.)*[a-z][a-z0-9_]*")
_NARROW = ("bfloat16", "float16", "float32", model.OWN)
_FORM = re.compile(r"[a-z0-9][a-z0-9_-]*")
_DIALECT = re.compile(r"[a-z][a-z0-9-]*/[a-z0-9][a-z0-9-]*")
_COMPOSED = re.compile(r"[a-z][a-z0-9/().-]*")


def validate(algorithm: model.Algorithm) -> model.Algorithm:
    """Return the algorithm unchanged, or raise SpecError naming file, equation and reason."""
    _names(algorithm)
    _hyperparameters(algorithm)
    _signature(algorithm)
    _conditions(algorithm)
    _shapes(algorithm)
    _blocks(algorithm)
    _dialects(algorithm)
    _statements(algorithm)
    _equations(algorithm)
    _histories(algorithm)
    _views(algorithm)
    used = _every_assignment(algorithm)
    _idle(algorithm, used)
    if algorithm.schedule is not None:
        _closed_form(algorithm, algorithm.schedule)
    return algorithm


def _closed_form(algorithm: model.Algorithm, schedule: model.Schedule) -> None:
    """A closed form is a body of its own, which assigns what the schedule writes."""
    if not schedule.closed:
        return
    closed = replace(algorithm, body=schedule.closed)
    _statements(closed)
    _equations(closed)
    for options in assignments(algorithm):
        Paths(closed).check(options)
    for name, _ in schedule.entries:
        if name not in ir.assigned(schedule.closed):
            fail(algorithm, "closed_form", f"does not assign {name}")


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
            fail(algorithm, name, "is declared twice")
        seen.add(name)
    loops = (s for s in ir.statements(algorithm.body) if isinstance(s, ir.Repeat))
    for name in sorted(seen | ir.assigned(algorithm.body) | {loop.variable for loop in loops}):
        if name in RESERVED or name.startswith("_"):
            fail(algorithm, name, "is a name that generated code uses itself; choose another")
        if not name.isidentifier() or keyword.iskeyword(name):
            fail(algorithm, name, f"{name!r} is no identifier of Python; choose another name")
    _distinct(algorithm, "state key", ((s.name, s.key) for s in algorithm.states))
    keys = ((h.name, f"{h.key}[{h.index}]") for h in algorithm.hyperparameters)
    _distinct(algorithm, "constructor argument", keys)


def _distinct(algorithm: model.Algorithm, what: str, pairs: Iterator[tuple[str, str]]) -> None:
    owners: dict[str, str] = {}
    for name, key in pairs:
        if key in owners:
            fail(algorithm, name, f"has the {what} of {owners[key]}, {key.removesuffix('[None]')}")
        owners[key] = name


def _hyperparameters(algorithm: model.Algorithm) -> None:
    for h in algorithm.hyperparameters:
        if not h.domain.contains(h.default):
            fail(algorithm, h.name, f"default {h.default} is outside its domain {h.domain}")
        if h.probe is not None and not h.domain.contains(h.probe):
            fail(algorithm, h.name, f"probe {h.probe} is outside its domain {h.domain}")


def _signature(algorithm: model.Algorithm) -> None:
    """A declared signature names every argument once, and nothing else."""
    declared = list(algorithm.signature)
    if not declared:
        return
    own = [h.key for h in algorithm.hyperparameters]
    own += [o.argument.key for o in algorithm.options if o.argument is not None]
    for name in declared:
        if declared.count(name) > 1:
            fail(algorithm, "signature", f"names {name} twice")
        if name not in (*own, "*", *model.RUN_KEYWORDS):
            known = ", ".join(dict.fromkeys([*own, *model.RUN_KEYWORDS]))
            fail(algorithm, "signature", f"{name} is no argument; there are {known}")
    for key in own:
        if key not in declared:
            fail(algorithm, "signature", f"leaves out the argument {key}")


def _conditions(algorithm: model.Algorithm) -> None:
    """Requirements speak of hyperparameters and options; exclusions and `when=` of options only."""
    constants = {h.name for h in algorithm.hyperparameters}
    for r in algorithm.requirements:
        strangers = {n.name for n in ir.walk(r.condition) if isinstance(n, ir.Sym)} - constants
        if strangers:
            reason = f"{min(strangers)} is no hyperparameter ({r.message})"
            fail(algorithm, "require", reason, r.line)
    for name in ("sparse", "rows"):
        condition = getattr(algorithm.gradients, name)
        if not isinstance(condition, bool):
            strangers = {n.name for n in ir.walk(condition) if isinstance(n, ir.Sym)} - constants
            if strangers:
                reason = f"{name}= speaks of {min(strangers)}, which is no hyperparameter"
                fail(algorithm, "accept", reason, algorithm.gradients.line)
    if algorithm.gradients.sparse is False and ir.Touched() in set(ir.nodes(algorithm.body)):
        fail(algorithm, "accept", "touched() needs accept(sparse=...): all is touched otherwise")
    for e in algorithm.exclusions:
        if e.name not in constants | {o.name for o in algorithm.options}:
            fail(algorithm, "exclude", f"{e.name} is neither hyperparameter nor option", e.line)
        if not ir.is_static(e.condition):
            fail(algorithm, "exclude", f"the condition on {e.name} must be one on options", e.line)
    for refusal in algorithm.refusals:
        if not ir.is_static(refusal.condition):
            reason = "its condition must be one on options"
            fail(algorithm, "refuse_nonfinite", reason, refusal.line)
    for name in (*(r.quantity for r in algorithm.refusals), algorithm.returned):
        if name and name not in ir.assigned(algorithm.body):
            fail(algorithm, name, "no equation assigns what is returned or refused")
    for s in algorithm.states:
        if s.when is not None and not ir.is_static(s.when):
            fail(algorithm, s.name, "when= must be a condition on options, or one on a shape")
        if s.shaped is not None and not _of_theta(s.shaped):
            fail(algorithm, s.name, "when= must speak of the shape of theta, and of nothing else")
        _initial_value(algorithm, s, constants | set(algorithm.inputs))


def _of_theta(condition: ir.Expr) -> bool:
    """Whether a condition compares numbers and shape queries of the parameter."""
    match condition:
        case ir.Call(function, (ir.Sym(ir.THETA),)):
            return function in ir.SHAPE_FUNCTIONS
        case ir.Const():
            return True
        case ir.Compare() | ir.Logic() | ir.Binary():
            return all(map(_of_theta, ir.children(condition)))
    return False


def _shapes(algorithm: model.Algorithm) -> None:
    """Requirements on shapes speak of theta's shape and of nothing else."""
    for r in algorithm.shapes:
        symbols = {n.name for n in ir.walk(r.condition) if isinstance(n, ir.Sym)}
        options = any(isinstance(n, ir.Opt) for n in ir.walk(r.condition))
        if symbols != {ir.THETA} or options:
            reason = f"a condition on shapes asks for that of theta alone ({r.message})"
            fail(algorithm, "require", reason, r.line)


def _blocks(algorithm: model.Algorithm) -> None:
    """Every block has a name of its own, a known type, and equations."""
    used = {let.block for let in ir.lets(algorithm.body)}
    for k, block in enumerate(algorithm.blocks):
        if block.narrowest not in _NARROW:
            fail(algorithm, block.name, _no_type(block.narrowest), block.line)
        if block.name in (other.name for other in algorithm.blocks[:k]):
            fail(algorithm, block.name, "two blocks of this precision have one name", block.line)
        if block.name not in used:
            fail(algorithm, block.name, "the block holds no equation", block.line)


def _no_type(name: str) -> str:
    return f"its narrowest type is one of {', '.join(_NARROW)}, not {name!r}"


def _initial_value(algorithm: model.Algorithm, state: model.State, constants: set[str]) -> None:
    if state.init is None:
        return
    for node in ir.walk(state.init):
        if isinstance(node, ir.Sym) and node.name not in constants | {ir.THETA}:
            reason = f"its initial value reads {node.name}; it may read hyperparameters and theta"
            fail(algorithm, state.name, reason)
        if isinstance(node, ir.Prev | ir.Grad | ir.Loss | ir.Absent | ir.At | ir.Len):
            fail(algorithm, state.name, "its initial value may read hyperparameters and theta only")


def _dialects(algorithm: model.Algorithm) -> None:
    known = {o.name: o.values for o in algorithm.options}
    for d in algorithm.dialects:
        if not (_COMPOSED if "(" in algorithm.name else _DIALECT).fullmatch(d.name):
            fail(algorithm, d.name, "a dialect is named as in adamw/decay-after")
        if d.inner:  # Its names are those of the composed algorithm, and are checked there.
            _slots(algorithm, d)
            continue
        for name, value in d.options:
            if name not in known:
                fail(algorithm, d.name, f"there is no option {name}; it has {', '.join(known)}")
            if value not in known[name]:
                values = ", ".join(map(repr, known[name]))
                fail(algorithm, d.name, f"option {name} has no value {value!r}; it has {values}")
        for name, default in d.defaults:
            if name not in {h.name for h in algorithm.hyperparameters}:
                fail(algorithm, d.name, f"there is no hyperparameter {name}")
            if not algorithm.hyperparameter(name).domain.contains(default):
                fail(algorithm, d.name, f"default {name}={default} is outside its domain")
        _dialect_precisions(algorithm, d)
        _dialect_requirements(algorithm, d)


def _slots(algorithm: model.Algorithm, dialect: model.Dialect) -> None:
    if {slot for slot, _ in dialect.inner} != set(algorithm.slots):
        slots = ", ".join(algorithm.slots) or "no slot"
        fail(algorithm, dialect.name, f"inside= must fill {slots}")


def _dialect_precisions(algorithm: model.Algorithm, dialect: model.Dialect) -> None:
    known = [b.name for b in algorithm.blocks]
    for name, narrowest in dialect.precisions:
        if name not in known:
            reason = f"there is no block {name}; it has {', '.join(known) or 'none'}"
            fail(algorithm, dialect.name, reason)
        if narrowest not in _NARROW:
            fail(algorithm, dialect.name, f"{name}: {_no_type(narrowest)}")


def _dialect_requirements(algorithm: model.Algorithm, dialect: model.Dialect) -> None:
    chosen = algorithm.option_defaults() | dict(dialect.options)
    for r in algorithm.requirements:
        if ir.is_static(r.condition) and not decide(r.condition, chosen):
            fail(algorithm, dialect.name, f"its options are not allowed together: {r.message}")


def _statements(algorithm: model.Algorithm) -> None:
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


def _equations(algorithm: model.Algorithm) -> None:
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


def _histories(algorithm: model.Algorithm) -> None:
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


def _views(algorithm: model.Algorithm) -> None:
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


def _read_by_views(algorithm: model.Algorithm) -> set[str]:
    exprs = [x for v in algorithm.views for x in (v.value, v.inverse) if x is not None]
    return {n.name for x in exprs for n in ir.walk(x) if isinstance(n, ir.Sym)}


def _every_assignment(algorithm: model.Algorithm) -> set[str]:
    """Check every body that options can leave; return the names that any of them reads."""
    paths, used, count = Paths(algorithm), _read_by_views(algorithm), 0
    for options in assignments(algorithm):
        read = paths.check(options) | _read_by_views(algorithm)
        _idle_hyperparameters(algorithm, options, read)
        used |= read
        count += 1
    if count == 0:
        fail(algorithm, "require", "no assignment of options meets the requirements")
    return used


def _idle_hyperparameters(
    algorithm: model.Algorithm, options: Mapping[str, model.OptionValue], read: set[str]
) -> None:
    idle = [h.name for h in algorithm.hyperparameters if h.name not in read]
    if not idle:
        return
    excused = {e.name for e in algorithm.exclusions if decide(e.condition, options)}
    for name in idle:
        if name not in excused:
            chosen = describe(algorithm, options)
            fail(algorithm, name, f"is never used{chosen}; use it, or exclude() it there")


def _remembers(s: model.State) -> bool:
    """Whether a state tells where the parameter began, if nothing is ever stored in it."""
    return s.init is not None and ir.Sym(ir.THETA) in ir.walk(s.init)


def _idle(algorithm: model.Algorithm, used: set[str]) -> None:
    """No option, state or local is without effect."""
    mentioned = {n.name for n in ir.nodes(algorithm.body) if isinstance(n, ir.Opt)}
    mentioned |= {name for r in algorithm.refusals for name in options_of(r.condition)}
    for o in algorithm.options:
        if o.name not in mentioned and len(o.values) > 1:
            fail(algorithm, o.name, "the option changes nothing; use it, or leave it out")
    written = ir.assigned(algorithm.body)
    if algorithm.schedule is not None:  # the optimizer reads them
        used = used | {name for name, _ in algorithm.schedule.entries}
    for s in algorithm.states:
        if s.name not in written and not _remembers(s):
            fail(algorithm, s.name, "the state is never written")
        if s.name not in used:
            fail(algorithm, s.name, "the state is never read")
    for let in ir.lets(algorithm.body):
        if let.target.name not in used | {ir.THETA}:
            fail(algorithm, let.equation, f"{let.target.name} is never read", let.line)
