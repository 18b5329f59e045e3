"""Parts of a generated class that no target changes: documentation, constructor, first state."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from instep.reference.generate.emit.lines import LINE_LENGTH, Lines
from instep.reference.generate.emit.printer import Names, Printer
from instep.reference.generate.errors import GenerateError, unknown
from instep.reference.generate.frame import Frame, Parameter
from instep.reference.generate.lower.resolve_options import negation
from instep.reference.generate.naming import Naming
from instep.spec import ir, model
from instep.spec.arguments import Hyperparameter, OptionValue, Spelling, TypeEps
from instep.spec.scope import Scope, infer

COMMAND = "python -m instep.reference.generate"
# Keeps its own hyphens and identifiers whole.
_WRAP: dict[str, Any] = {"break_long_words": False, "break_on_hyphens": False}


_FLAGS = (
    Parameter("foreach", "bool | None", None, "run on lists of tensors (True), or not", True),
    Parameter(
        "capturable", "bool", False, "keep the step counter and tensor lr on the device", True
    ),
    Parameter("differentiable", "bool", False, "let autograd run through the step", True),
    Parameter("fused", "bool | None", None, "run a fused kernel where there is one", True),
)


def backend(frame: Frame) -> Parameter:
    """The keyword that chooses how a step runs."""
    agree = "; the keywords foreach and fused must agree with it" if flags(frame) else ""
    what = f'"auto", "foreach", "fused" or "eager"{agree}'
    return Parameter("backend", "Backend", "auto", what, keyword_only=True)


def flags(frame: Frame) -> list[Parameter]:
    """Torch's keywords that tell how a step runs; graph capture is a matter of the step counter.

    One for all parameters together is a number of the host.
    """
    declared = frame.algorithm.signature
    counter = frame.algorithm.counter
    counted = counter is not None and counter.scope == "parameter"
    return [
        flag
        for flag in _FLAGS
        if (flag.key in declared if declared else flag.key != "capturable" or counted)
    ]


def source_file(algorithm: model.Algorithm) -> str:
    """The specification's files as a header cites them; a composed one has several."""
    return " and ".join(map(_source_file, algorithm.file.split(", ")))


def _source_file(file: str) -> str:
    from instep.spec import algorithms, transforms

    for package in (algorithms, transforms):
        if any((Path(folder) / file).is_file() for folder in package.__path__):
            return f"spec/{package.__name__.rpartition('.')[2]}/{file}"
    return file


def documentation(frame: Frame, keywords: tuple[Parameter, ...] = ()) -> list[str]:
    """Lines of the class's docstring, without quotes."""
    algorithm = frame.algorithm
    lines = [f"{algorithm.title}."]
    if algorithm.dialect is not None:
        dialect = algorithm.dialect
        meaning = f"The dialect is {dialect.name}: {dialect.source}. {dialect.note}"
        lines += ["", *_wrapped(meaning.rstrip())]
    lines += ["", "Args:", *_entry("params: parameters to optimize, or dicts that define groups.")]
    for argument in frame.in_order([*frame.arguments(), *keywords]):
        lines += _entry(f"{argument.key}: {argument.description} (default: {argument.default!r}).")
    lines += ["", "Raises:", *_entry("ValueError: a hyperparameter lies outside its domain.")]
    for message in [m for _, m in frame.requirements()] + [r.message for r in algorithm.shapes]:
        lines += _entry(f"ValueError: {message}.")
    if algorithm.references:
        lines += ["", "References:"]
        for r in algorithm.references:
            lines += _entry(f"{r.text}, {r.identifier}")
    return lines


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, LINE_LENGTH - 4, **_WRAP)


def _entry(text: str) -> list[str]:
    return textwrap.wrap(
        text, LINE_LENGTH - 4, initial_indent="    ", subsequent_indent=" " * 8, **_WRAP
    )


def interval(h: Hyperparameter) -> str:
    """A domain as the runtime's `Interval`."""
    domain = h.domain
    ends = ("[" if domain.lower_closed else "(") + ("]" if domain.upper_closed else ")")
    more = ", integer=True" if domain.integer else ""
    more += ", none=True" if isinstance(h.default, TypeEps) else ""
    return f'Interval({_bound(domain.lower)}, {_bound(domain.upper)}, "{ends}"{more})'


def _bound(value: float) -> str:
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return repr(int(value)) if value == int(value) else repr(value)


def domains(frame: Frame) -> dict[str, str]:
    """Text of the domain of every constructor key."""
    out = {}
    for key, hyperparameters in frame.hyperparameters():
        texts = [interval(h) for h in hyperparameters]
        out[key] = texts[0] if hyperparameters[0].index is None else f"({', '.join(texts)})"
    return out


def number_keys(frame: Frame) -> list[str]:
    """Keys of the state that is one number per parameter, the step counter first."""
    counter = frame.algorithm.counter
    counted = counter is not None and counter.scope == "parameter"
    keys = [counter_key(frame)] if counted else []
    keys += [s.key for s in frame.states() if s.scope == "parameter" and s.shape == "scalar"]
    return [key for key in keys if key is not None]


def layout(frame: Frame) -> str:
    """How the state of a parameter is kept, as arguments of `Layout`; empty if all is usual."""
    numbers, parts = number_keys(frame), []
    counter = frame.algorithm.counter
    late = {
        "late": [s.key for s in frame.states() if s.init is None and s.shape == "like"],
        "late_reduced": [s.key for s in frame.states() if s.init is None and s.shape == "reduced"],
    }
    if numbers:
        parts.append(f"numbers={_frozenset(numbers)}")
    if counter is not None and counter.scope == "parameter" and counter_key(frame) is not None:
        parts.append(f'counter="{counter_key(frame)}"')
        parts += [] if counter.tensor else ["tensor=False"]
    parts += [f"{name}={_frozenset(keys)}" for name, keys in late.items() if keys]
    return ", ".join(parts)


def _frozenset(keys: Iterable[str]) -> str:
    return "frozenset({" + ", ".join(f'"{key}"' for key in keys) + "})"


def shared_keys(frame: Frame) -> list[str]:
    """Keys of the state that parameters share."""
    counter = frame.algorithm.counter
    counted = counter is not None and counter.scope != "parameter"
    keys = [counter_key(frame)] if counted else []
    keys += [s.key for s in frame.states() if s.scope != "parameter"]
    return [key for key in keys if key is not None]


def group_keys(frame: Frame) -> list[str]:
    """Keys of the state that each group has for itself."""
    return [s.key for s in frame.states() if s.scope == "group"]


def common_keys(frame: Frame) -> list[str]:
    """Entries of the groups that all of them share: what belongs to the whole optimizer.

    Those are its hyperparameters, and options that decide how it computes what parameters share.
    """
    algorithm = frame.algorithm
    whole = [key for key, hs in frame.hyperparameters() if any(h.scope == "optimizer" for h in hs)]
    if not whole:
        return []
    scope = infer(algorithm, frame.body)
    deciding = set()
    for branch in ir.statements(frame.body):
        if isinstance(branch, ir.If) and ir.is_static(branch.condition):
            targets = [let.target for let in ir.lets((branch,))]
            if any(scope.of(x) <= Scope.OPTIMIZER for x in targets):
                deciding |= {n.name for n in ir.walk(branch.condition) if isinstance(n, ir.Opt)}
    named = ((o.name, o.argument) for o in algorithm.options if o.name in frame.kept)
    return whole + [a.key for name, a in named if a is not None and name in deciding]


def counter_key(frame: Frame) -> str | None:
    """Key of the step counter in the state; who counts keeps one, even where torch does not."""
    counter = frame.algorithm.counter
    return None if counter is None else counter.key or "step"


def unset(frame: Frame) -> list[str]:
    """Lines that put what None stands for in its place."""
    printer = group_printer(frame, "{key}")
    lines = Lines()
    for key, (h, *_) in frame.hyperparameters():
        if h.unset is not None:
            lines.open(f"if {key} is None:")
            whole = (
                h.domain.integer and isinstance(h.unset, ir.Call) and h.unset.function == "floor"
            )
            given = sorted(
                frame.algorithm.hyperparameter(n.name).key
                for n in ir.walk(h.unset)
                if isinstance(n, ir.Sym)
            )
            lines.add(f"self._check_domains({', '.join(f'{k}={k}' for k in given)})")
            text = f"int({printer(ir.children(h.unset)[0])})" if whole else printer(h.unset)
            lines.add(f"{key} = {text}")
            lines.close()
    return lines.texts


def group_printer(frame: Frame, entry: str = 'group["{key}"]') -> Printer:
    """Prints expressions over hyperparameters, read from `group` or as `entry` says."""
    hyperparameters = {h.name: h for h in frame.algorithm.hyperparameters}
    present = {h.name for _, hs in frame.hyperparameters() for h in hs}
    naming = Naming(frame)

    def symbol(name: str) -> str:
        if name == ir.THETA:
            return name
        h = hyperparameters[name]
        if name not in present:
            return repr(h.default)
        return entry.format(key=h.key) + ("" if h.index is None else f"[{h.index}]")

    def option(name: str, value: OptionValue) -> tuple[str, Spelling]:
        key, outer = frame.option_test(name, value)
        return entry.format(key=key), outer

    def refuse(what: Any) -> str:
        raise unknown("constructor", what)

    names = Names(symbol, naming.previous, refuse, option, refuse, refuse)
    return Printer("constructor", names, infer(frame.algorithm, frame.body).of)


def initial_state(frame: Frame) -> list[str]:
    """Lines that fill in the state of a parameter that lacks it."""
    counter = frame.algorithm.counter
    lines = Lines()
    if counter is not None and counter.scope == "parameter":
        lines.add(f'state.setdefault("{counter_key(frame)}", 0.0)')
    for s in frame.states():
        if s.scope == "parameter" and (s.init is not None or s.shape == "history"):
            _initial(frame, s, lines)
    return lines.texts


def shared_state(frame: Frame) -> list[str]:
    """Lines that fill in the state that all parameters share."""
    counter = frame.algorithm.counter
    lines = Lines()
    if counter is not None and counter.scope != "parameter":
        lines.add(f'shared.setdefault("{counter_key(frame)}", 0)')
    printer = group_printer(frame)
    for s in frame.states():
        if s.scope == "parameter" or (s.init is None and s.shape != "history"):
            continue
        first = "[]" if s.shape == "history" or s.init is None else printer(s.init)
        condition = frame.condition(s)
        if condition is not None:
            lines.open(f"if {printer(condition)}:")
        lines.add(f'shared.setdefault("{s.key}", {first})')
        if condition is not None:
            lines.close()
    return lines.texts


def _initial(frame: Frame, s: model.State, lines: Lines) -> None:
    printer = group_printer(frame)
    condition = frame.condition(s)
    if condition is None and s.shape in ("scalar", "history"):
        value = "[]" if s.shape == "history" or s.init is None else printer(s.init)
        lines.add(f'state.setdefault("{s.key}", {value})')
        return
    guard = f"{printer(condition, 2)} and " if condition is not None else ""
    lines.open(f'if {guard}"{s.key}" not in state:')
    lines.add(f'state["{s.key}"] = {_first_value(frame, s, printer)}')
    lines.close()


def _first_value(frame: Frame, s: model.State, printer: Printer) -> str:
    if s.shape == "history" or s.init is None:
        return "[]"
    text = printer(s.init)
    match s.shape:
        case "scalar":
            return text
        case "reduced":
            return f"theta.new_full((), {text})"
        case "rows" | "cols":
            return f"{s.shape}_like(theta, {text})"
        case "like" if s.init == ir.Const(0):
            return "torch.zeros_like(theta)"
        case "like" if printer.scope(s.init) < Scope.REDUCED:
            return f"torch.full_like(theta, {text})"
        case "like":
            return f"{text}.clone()" if isinstance(s.init, ir.Sym | ir.Prev) else text
    raise GenerateError(f"{frame.algorithm.name}.{s.name}: unknown shape {s.shape!r}")


def requirements(frame: Frame) -> list[str]:
    """Lines that refuse hyperparameters that contradict each other."""
    printer = group_printer(frame)
    lines = Lines()
    for condition, message in frame.requirements():
        lines.open(f"if {printer(negation(condition))}:")
        lines.add(f'raise ValueError("{message}")')
        lines.close()
    return lines.texts


def shapes(frame: Frame) -> list[str]:
    """Lines that refuse a parameter of a shape that the algorithm is not defined for."""
    printer = group_printer(frame)
    lines = Lines()
    for r in frame.algorithm.shapes:
        lines.open(f"if {printer(_opposite(r.condition))}:")
        message = r.message.replace("{", "{{").replace("}", "}}").replace('"', "'")
        lines.add(f'raise ValueError(f"{message}, got shape {{tuple(theta.shape)}}")')
        lines.close()
    return lines.texts


def _opposite(condition: ir.Expr) -> ir.Expr:
    """The opposite of a condition on whole numbers, which are never NaN."""
    match negation(condition):
        case ir.Logic("not", (ir.Compare("<" | "<=" | ">" | ">=" as op, a, b),)):
            return ir.Compare({"<": ">=", "<=": ">", ">": "<=", ">=": "<"}[op], a, b)
        case other:
            return other


def signature(arguments: list[Parameter]) -> list[str]:
    """Arguments of the constructor after `params`, keyword-only ones behind a star."""
    texts = [f"{a.key}: {a.annotation} = {_literal(a.default)}" for a in arguments]
    free = sum(not a.keyword_only for a in arguments)
    if free < len(arguments):
        texts.insert(free, "*")
    return texts


def _literal(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)
