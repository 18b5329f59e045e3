"""Options decided: which assignments exist, and the body that one of them leaves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain, product

from instep.spec import ir
from instep.spec.arguments import OptionValue
from instep.spec.errors import SpecError
from instep.spec.model import Algorithm
from instep.spec.remembered import remembered


def decide(condition: ir.Expr, options: Mapping[str, OptionValue]) -> bool:
    """The truth of a static condition under an assignment of options."""
    match condition:
        case ir.Compare("==", ir.Opt(name), ir.Value(value)):
            return options[name] == value
        case ir.Logic("not", (a,)):
            return not decide(a, options)
        case ir.Logic("and", xs):
            return all(decide(x, options) for x in xs)
        case ir.Logic("or", xs):
            return any(decide(x, options) for x in xs)
    raise SpecError(f"{type(condition).__name__} is no condition on options")


def options_of(condition: ir.Expr) -> set[str]:
    """Names of the options that a condition mentions."""
    return {node.name for node in ir.walk(condition) if isinstance(node, ir.Opt)}


def assignments(algorithm: Algorithm) -> Iterator[dict[str, OptionValue]]:
    """Every assignment of the options that the requirements between options allow."""
    static = [r.condition for r in algorithm.requirements if ir.is_static(r.condition)]
    names = [o.name for o in algorithm.options]
    for values in product(*(o.values for o in algorithm.options)):
        chosen = dict(zip(names, values, strict=True))
        if all(decide(condition, chosen) for condition in static):
            yield chosen


def resolve(
    body: ir.Body,
    options: Mapping[str, OptionValue],
    keep: Mapping[str, tuple[OptionValue, ...]] | None = None,
) -> ir.Body:
    """Partial evaluation: branches on options are taken, those on `keep` stay run-time branches.

    `keep` maps an option to the values it may still have; a branch that none reaches is dropped.
    """
    return _resolve(body, tuple(options.items()), tuple((keep or {}).items()))


@remembered
def _resolve(
    body: ir.Body,
    chosen: tuple[tuple[str, OptionValue], ...],
    kept: tuple[tuple[str, tuple[OptionValue, ...]], ...],
) -> ir.Body:
    options, keep = dict(chosen), dict(kept)
    out: list[ir.Stmt] = []
    for statement in body:
        match statement:
            case ir.If(condition, then, otherwise) if ir.is_static(condition):
                truth = _possible(condition, options, keep)
                if len(truth) == 1:
                    out.extend(resolve(then if True in truth else otherwise, options, keep))
                else:
                    out.append(_inside(statement, options, keep))
            case ir.If() | ir.Repeat():
                out.append(_inside(statement, options, keep))
            case _:
                out.append(statement)
    return tuple(out)


def _inside(
    statement: ir.If | ir.Repeat,
    options: Mapping[str, OptionValue],
    keep: Mapping[str, tuple[OptionValue, ...]],
) -> ir.Stmt:
    """The statement itself, its bodies resolved."""
    if isinstance(statement, ir.Repeat):
        return replace(statement, body=resolve(statement.body, options, keep))
    then = resolve(statement.then, options, keep)
    return ir.If(
        statement.condition, then, resolve(statement.otherwise, options, keep), statement.line
    )


def _possible(
    condition: ir.Expr,
    options: Mapping[str, OptionValue],
    keep: Mapping[str, tuple[OptionValue, ...]],
) -> set[bool]:
    """Truth values that a condition can take over the values of the options kept open."""
    free = sorted(options_of(condition) & set(keep)) if keep else ()
    return {
        decide(condition, {**options, **dict(zip(free, values, strict=True))})
        for values in product(*(keep[name] for name in free))
    }


def live_states(algorithm: Algorithm, options: Mapping[str, OptionValue]) -> tuple[str, ...]:
    """Names of the states that exist under an assignment of options."""
    return tuple(s.name for s in algorithm.states if s.when is None or decide(s.when, options))


def silent_states(algorithm: Algorithm, options: Mapping[str, OptionValue]) -> tuple[str, ...]:
    """Symbols of the states that exist under these options and that theta never depends on."""
    body = resolve(algorithm.body, options)
    heard, size = {ir.THETA}, 0
    while size != len(heard):
        size = len(heard)
        heard |= _read_for(body, heard)
    return tuple(name for name in live_states(algorithm, options) if name not in heard)


def _read_for(body: ir.Body, wanted: set[str]) -> set[str]:
    """Names that the statements read that decide about the wanted ones."""
    found: set[str] = set()
    for statement in ir.statements(body):
        if ir.assigned((statement,)) & wanted:
            nodes = (n for expr in ir.expressions(statement) for n in ir.walk(expr))
            found |= {
                n.state if isinstance(n, ir.Absent) else n.name
                for n in nodes
                if isinstance(n, ir.Sym | ir.Prev | ir.At | ir.Len | ir.Absent)
            }
    return found


def hyperparameters_read(
    algorithm: Algorithm, options: Mapping[str, OptionValue]
) -> frozenset[str]:
    """Symbols that the equations and the first values of states read under some options."""
    live = live_states(algorithm, options)
    starts = [s.init for s in algorithm.states if s.init is not None and s.name in live]
    nodes = chain(ir.nodes(resolve(algorithm.body, options)), *map(ir.walk, starts))
    names = {n.name for n in nodes if isinstance(n, ir.Sym)}
    return frozenset(h.name for h in algorithm.hyperparameters if h.name in names)


def open_choices(algorithm: Algorithm) -> Iterator[tuple[str, OptionValue]]:
    """(option, value) besides the defaults, where the dialect leaves it to the constructor."""
    for name, (_, *others) in _given(algorithm).items():
        for value in others:
            yield name, value


def meaningless(algorithm: Algorithm) -> frozenset[str]:
    """Hyperparameters and options excluded in this dialect, whatever the constructor is given."""
    chosen, given = algorithm.option_defaults(), _given(algorithm)
    return frozenset(
        e.name for e in algorithm.exclusions if _possible(e.condition, chosen, given) == {True}
    )


def idle_hyperparameters(algorithm: Algorithm) -> frozenset[str]:
    """Symbols that nobody sets in this dialect; a tuple stays whole while one entry is read."""
    unused = meaningless(algorithm)
    read = {h.key for h in algorithm.hyperparameters if h.name not in unused}
    return frozenset(h.name for h in algorithm.hyperparameters if h.key not in read)


def _given(algorithm: Algorithm) -> dict[str, tuple[OptionValue, ...]]:
    """Options that the dialect leaves to an argument: the default, and what else that expresses."""
    return {
        o.name: tuple(dict.fromkeys((o.default, *(inner for _, inner in o.argument.values))))
        for o in algorithm.options
        if o.argument is not None and o.name not in algorithm.pinned
    }
