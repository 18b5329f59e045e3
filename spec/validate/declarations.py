"""Whether names, hyperparameters, conditions, states and blocks are declared soundly."""

from __future__ import annotations

import keyword
from collections.abc import Iterator

from instep.spec import ir, model
from instep.spec.arguments import RUN_KEYWORDS
from instep.spec.assignment import fail

# Names that generated code or the recording of a step uses itself.
RESERVED = frozenset(
    {"p", "params", "group", "state", "grad", "loss", "closure", "self", "math", "torch", "index"}
)
NARROW = ("bfloat16", "float16", "float32", model.OWN)


def names(algorithm: model.Algorithm) -> None:
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


def _declared(algorithm: model.Algorithm) -> Iterator[str]:
    yield from (h.name for h in algorithm.hyperparameters)
    yield from (o.name for o in algorithm.options)
    yield from (s.name for s in algorithm.states)
    yield from algorithm.inputs
    if algorithm.counter is not None:
        yield algorithm.counter.name


def _distinct(algorithm: model.Algorithm, what: str, pairs: Iterator[tuple[str, str]]) -> None:
    owners: dict[str, str] = {}
    for name, key in pairs:
        if key in owners:
            fail(algorithm, name, f"has the {what} of {owners[key]}, {key.removesuffix('[None]')}")
        owners[key] = name


def hyperparameters(algorithm: model.Algorithm) -> None:
    """Defaults and probes lie in their domains."""
    for h in algorithm.hyperparameters:
        if not h.domain.contains(h.default):
            fail(algorithm, h.name, f"default {h.default} is outside its domain {h.domain}")
        if h.probe is not None and not h.domain.contains(h.probe):
            fail(algorithm, h.name, f"probe {h.probe} is outside its domain {h.domain}")


def signature(algorithm: model.Algorithm) -> None:
    """A declared signature names every argument once, and nothing else."""
    declared = list(algorithm.signature)
    if not declared:
        return
    own = [h.key for h in algorithm.hyperparameters]
    own += [o.argument.key for o in algorithm.options if o.argument is not None]
    for name in declared:
        if declared.count(name) > 1:
            fail(algorithm, "signature", f"names {name} twice")
        if name not in (*own, "*", *RUN_KEYWORDS):
            known = ", ".join(dict.fromkeys([*own, *RUN_KEYWORDS]))
            fail(algorithm, "signature", f"{name} is no argument; there are {known}")
    for key in own:
        if key not in declared:
            fail(algorithm, "signature", f"leaves out the argument {key}")


def conditions(algorithm: model.Algorithm) -> None:
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


def _initial_value(algorithm: model.Algorithm, state: model.State, constants: set[str]) -> None:
    if state.init is None:
        return
    for node in ir.walk(state.init):
        if isinstance(node, ir.Sym) and node.name not in constants | {ir.THETA}:
            reason = f"its initial value reads {node.name}; it may read hyperparameters and theta"
            fail(algorithm, state.name, reason)
        if isinstance(node, ir.Prev | ir.Grad | ir.Loss | ir.Absent | ir.At | ir.Len):
            fail(algorithm, state.name, "its initial value may read hyperparameters and theta only")


def shapes(algorithm: model.Algorithm) -> None:
    """Requirements on shapes speak of theta's shape and of nothing else."""
    for r in algorithm.shapes:
        symbols = {n.name for n in ir.walk(r.condition) if isinstance(n, ir.Sym)}
        options = any(isinstance(n, ir.Opt) for n in ir.walk(r.condition))
        if symbols != {ir.THETA} or options:
            reason = f"a condition on shapes asks for that of theta alone ({r.message})"
            fail(algorithm, "require", reason, r.line)


def blocks(algorithm: model.Algorithm) -> None:
    """Every block has a name of its own, a known type, and equations."""
    used = {let.block for let in ir.lets(algorithm.body)}
    for k, block in enumerate(algorithm.blocks):
        if block.narrowest not in NARROW:
            fail(algorithm, block.name, no_type(block.narrowest), block.line)
        if block.name in (other.name for other in algorithm.blocks[:k]):
            fail(algorithm, block.name, "two blocks of this precision have one name", block.line)
        if block.name not in used:
            fail(algorithm, block.name, "the block holds no equation", block.line)


def no_type(name: str) -> str:
    """Why a block cannot have this type."""
    return f"its narrowest type is one of {', '.join(NARROW)}, not {name!r}"
