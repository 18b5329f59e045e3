"""Schedules made of two: one on top of the other, or one after the other.

What comes out is a plain schedule: names of the second that collide are renamed (`next_gamma`),
its equations are cited with its name (`sequential(linear-lr, step-lr).step-lr.rate`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from instep.spec import ir, model
from instep.spec.arguments import Domain, Hyperparameter, Option
from instep.spec.arithmetic import OPERATORS
from instep.spec.errors import SpecError
from instep.spec.renaming import Names, distinct, free, head, keys, symbols
from instep.spec.rewriting import rewrite_body
from instep.spec.scheduling import BASE, EPOCH, RATE
from instep.spec.validate import validate

_SLOT = "next"


def chained(first: model.Algorithm, second: model.Algorithm) -> model.Algorithm:
    """Both at every epoch: the second begins with the rate that the first leaves.

    Raises:
        SpecError: the two cannot be joined; the message says why.
    """
    first, renamed = _pair("chained", first, second)
    between = ir.Sym(free("between", {*symbols(first), *symbols(renamed)}, _SLOT))
    kept = ir.Let("between", between, ir.Sym(RATE))
    body = (*first.body, kept, *_with(renamed.body, {ir.Prev(RATE): between}))
    last = _shorter(first, renamed)
    return validate(_joined("chained", first, second, renamed, body, (), last))


def sequential(first: model.Algorithm, second: model.Algorithm) -> model.Algorithm:
    """The first until a milestone; from then on the second, for which epochs begin again.

    At the milestone the second starts from the rate before the schedule, as its closed form says,
    or goes on from the present one where it has none.

    Raises:
        SpecError: the two cannot be joined; the message says why.
    """
    milestone = _milestone(first)
    before = replace(first, hyperparameters=(milestone, *first.hyperparameters))
    before, renamed = _pair("sequential", before, second)
    epoch, boundary = ir.Sym(EPOCH), ir.Sym(milestone.name)
    later = ir.Binary("-", epoch, boundary)
    further = _with(renamed.body, {epoch: later})
    whole = (ir.If(ir.Compare("==", epoch, boundary), _start(renamed), further),)
    until = ir.Compare("<", epoch, boundary)
    closed = [a.schedule.closed for a in (first, renamed) if a.schedule is not None]
    both = (ir.If(until, closed[0], _with(closed[1], {epoch: later})),) if all(closed) else ()
    last = renamed.schedule.last if renamed.schedule is not None else None
    end = None if last is None else ir.Binary("+", boundary, last)
    body = (ir.If(until, first.body, whole),)
    return validate(_joined("sequential", before, second, renamed, body, both, end))


def _milestone(first: model.Algorithm) -> Hyperparameter:
    name = free("milestone", {*symbols(first), *keys(first)}, _SLOT)
    domain = Domain.parse("Z[1,inf)")
    text = "epoch at which the second schedule begins"
    return Hyperparameter(
        name, name, 5, domain=domain, probe=4, scope="optimizer", latex="M", description=text
    )


def _start(second: model.Algorithm) -> ir.Body:
    """What a schedule does when its epochs begin in the midst of another."""
    known: dict[ir.Expr, ir.Expr] = {ir.Sym(EPOCH): ir.Const(0)}
    if second.schedule is not None and second.schedule.closed:
        known[ir.Prev(RATE)] = ir.Sym(BASE)
    return _decided(_with(second.body, known))


def _decided(body: ir.Body) -> ir.Body:
    """A body without branches that the numbers in their conditions decide."""
    out: list[ir.Stmt] = []
    for s in body:
        if not isinstance(s, ir.If):
            out.append(s)
            continue
        holds, yes, no = _truth(s.condition), _decided(s.then), _decided(s.otherwise)
        if holds is None:
            out.append(replace(s, then=yes, otherwise=no))
        else:
            out += yes if holds else no
    return tuple(out)


def _truth(condition: ir.Expr) -> bool | None:
    match condition:
        case ir.Compare(op, ir.Const(a), ir.Const(b)):
            return bool(OPERATORS[op](a, b))
        case ir.Logic("and", parts):
            found = [_truth(p) for p in parts]
            return False if False in found else None if None in found else True
    return None


# What an expression may put two schedules into: `chained(linear-lr, step-lr)`.
COMBINATIONS: dict[str, Callable[[model.Algorithm, model.Algorithm], model.Algorithm]] = {
    "chained": chained,
    "sequential": sequential,
}


def _with(body: ir.Body, known: dict[ir.Expr, ir.Expr]) -> ir.Body:
    return rewrite_body(body, known.get)


def _pair(
    how: str, first: model.Algorithm, second: model.Algorithm
) -> tuple[model.Algorithm, model.Algorithm]:
    """Both as declared, the second in names that do not collide.

    Raises SpecError for what has no meaning inside another schedule.
    """
    for algorithm in (first, second):
        _require_plain(how, algorithm)
    assert second.schedule is not None
    later = [g for g in second.schedule.given if g.kind != "group"]
    if later and how == "sequential":
        reason = f"{later[0].name} is given by epoch or as a list, which cannot begin again"
        raise SpecError(f"sequential({first.name}, {second.name}): {reason}")
    return first, _renamed(first, second)


def _require_plain(how: str, algorithm: model.Algorithm) -> None:
    if algorithm.schedule is None:
        raise SpecError(f"{how}(...) joins schedules; {algorithm.name} is none")
    if any(g.kind == "metric" for g in algorithm.schedule.given):
        raise SpecError(f"{how}(...) steps without a metric, which {algorithm.name} needs")
    if [name for name, _ in algorithm.schedule.entries] != [RATE]:
        raise SpecError(f"{how}(...) joins rates; {algorithm.name} writes other entries too")
    if algorithm.dialect is not None and algorithm.dialect.options:
        raise SpecError(f"{how}(...) joins schedules without pinned options: {algorithm.full_name}")


def _renamed(first: model.Algorithm, second: model.Algorithm) -> model.Algorithm:
    shared = {RATE, BASE, EPOCH}
    names = Names(
        _SLOT,
        head(second.name),
        distinct((n for n in symbols(second) if n not in shared), symbols(first), _SLOT),
        distinct(keys(second), keys(first), _SLOT),
        distinct((s.key for s in second.states), (s.key for s in first.states), _SLOT),
        "",
    )
    part = second.schedule
    assert part is not None

    def equations(body: ir.Body) -> ir.Body:
        return rewrite_body(body, names.rule, lambda equation: f"{names.prefix}.{equation}")

    given = tuple(
        replace(g, name=names.symbol(g.name), key=names.keys.get(g.key, g.key)) for g in part.given
    )
    last = None if part.last is None else names.expression(part.last)
    return replace(
        second,
        body=equations(second.body),
        hyperparameters=tuple(
            replace(
                h,
                name=names.symbol(h.name),
                key=names.keys[h.key],
                latex=names.latex(h.name, h.latex),
            )
            for h in second.hyperparameters
        ),
        options=tuple(_option(o, names) for o in second.options),
        states=tuple(
            replace(s, name=names.symbol(s.name), key=names.state_keys[s.key])
            for s in second.states
            if s.name not in shared
        ),
        requirements=tuple(
            replace(r, condition=names.expression(r.condition), line=0) for r in second.requirements
        ),
        exclusions=tuple(
            replace(e, name=names.symbol(e.name), condition=names.expression(e.condition), line=0)
            for e in second.exclusions
        ),
        schedule=replace(part, closed=equations(part.closed), given=given, last=last),
    )


def _option(option: Option, names: Names) -> Option:
    argument = option.argument
    if argument is not None:
        argument = replace(argument, key=names.keys[argument.key])
    return replace(option, name=names.symbol(option.name), argument=argument)


def _shorter(first: model.Algorithm, second: model.Algorithm) -> ir.Expr | None:
    """The last epoch that both speak of."""
    ends = [a.schedule.last for a in (first, second) if a.schedule and a.schedule.last is not None]
    return ir.Call("min", tuple(ends)) if len(ends) == 2 else next(iter(ends), None)


def _joined(
    how: str,
    first: model.Algorithm,
    second: model.Algorithm,
    renamed: model.Algorithm,
    body: ir.Body,
    closed: ir.Body,
    last: ir.Expr | None,
) -> model.Algorithm:
    """Everything around the equations; not validated yet where a milestone is still missing."""
    assert first.schedule is not None
    assert renamed.schedule is not None
    given = (*first.schedule.given, *(g for g in renamed.schedule.given if g.name != BASE))
    name = f"{how}({first.name}, {second.name})"
    latex = dict(first.latex) | {n: t for n, t in renamed.latex if n not in dict(first.latex)}
    return replace(
        first,
        name=name,
        spec=name,
        title=f"{first.title}; {_WORD[how]} {second.title}",
        version=max(first.version, second.version),
        file=f"{first.file}, {second.file}",
        body=body,
        hyperparameters=(*first.hyperparameters, *renamed.hyperparameters),
        options=(*first.options, *renamed.options),
        states=(*first.states, *renamed.states),
        inputs=tuple(g.name for g in given),
        requirements=(*first.requirements, *renamed.requirements),
        exclusions=(*first.exclusions, *renamed.exclusions),
        references=tuple(dict.fromkeys((*first.references, *second.references))),
        latex=tuple(latex.items()),
        schedule=replace(first.schedule, closed=closed, given=given, last=last),
        dialects=(),
        dialect=None,
        unbound=None,
        signature=(),
        lines=(),
    )


_WORD = {"chained": "times", "sequential": "then"}
