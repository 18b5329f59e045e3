"""Composition: one algorithm put into the slot of another gives a plain algorithm.

`Apply` is a macro. What comes out has no slot: hyperparameters, options, states and equations of
both, the inner ones renamed where they collide (`fast_alpha`) and cited with the inner name
(`lookahead(radam).radam.update`). No validator or back end ever meets `Apply`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from instep.spec import ir, model
from instep.spec.arguments import Hyperparameter, Option, OptionValue
from instep.spec.errors import SpecError
from instep.spec.gradients import needs_closure
from instep.spec.options import resolve
from instep.spec.renaming import Names, distinct, head, keys
from instep.spec.rewriting import rewrite_body
from instep.spec.validate import validate


def compose(outer: model.Algorithm, inner: model.Algorithm) -> model.Algorithm:
    """The algorithm `outer(inner)`, seen through the dialects of both.

    Args:
        outer: an algorithm with one slot, `inner("fast")`.
        inner: any algorithm without slots, itself composed perhaps.

    Returns:
        A validated algorithm without slots. `prev(theta)` of the inner one is the parameter where
        it is applied; its gradient is what `apply(slot, gradient=...)` gives, if it gives one.

    Raises:
        SpecError: the outer algorithm has no slot; it applies the slot in a loop; or it gives a
            gradient, and the inner one takes its own away from the stored parameter.
    """
    declared_outer, declared_inner = outer.unbound or outer, inner.unbound or inner
    slot = _slot(declared_outer)
    if _gives_gradient(declared_outer):
        _require_stored_point(declared_outer, inner)
        declared_inner = _at_stored_point(declared_inner)
    declared_outer = _with_own_counter(declared_outer, declared_inner)
    names = Names.of(declared_outer, declared_inner, slot, head(inner.name))
    composed = validate(_joined(declared_outer, declared_inner, names))
    wanted = _dialect_name(outer, inner)
    chosen = next((d for d in composed.dialects if d.name == wanted), None)
    return composed.bind(chosen) if chosen is not None else composed


def close(outer: model.Algorithm) -> model.Algorithm | None:
    """A transform of the gradient by itself: what it computes is the new gradient.

    None for a wrapper that is something only around another algorithm: one that moves the
    parameters itself, or evaluates the gradient elsewhere.
    """
    declared = outer.unbound or outer
    *first, last = declared.body
    if not (isinstance(last, ir.Apply) and last.gradient is not None):
        return None
    if ir.THETA in ir.assigned(tuple(first)) or needs_closure(declared.body):
        return None
    result = ir.Let("gradient", ir.Sym(ir.THETA), last.gradient, line=last.line)
    dialects = tuple(d for d in declared.dialects if not d.inner)
    closed = replace(
        declared,
        body=(*first, result),
        slots=(),
        dialects=dialects,
        dialect=None,
        unbound=None,
        result="gradient",
    )
    return validate(closed)


def _slot(outer: model.Algorithm) -> str:
    if len(outer.slots) != 1:
        reason = "has no place for another algorithm" if not outer.slots else "has several slots"
        raise SpecError(f"{outer.name} {reason}; a transform declares one with inner(...)")
    return outer.slots[0]


# ---- equations


def _expanded(outer: model.Algorithm, inner: model.Algorithm, names: Names) -> ir.Body:
    """The outer body with the inner one in the place of `Apply`."""

    def block(body: ir.Body, moved: bool) -> tuple[ir.Body, bool]:
        out: list[ir.Stmt] = []
        for statement in body:
            match statement:
                case ir.Apply(_, gradient):
                    out += _applied(inner, names, gradient, moved=moved)
                    moved = True
                case ir.If(condition, then, otherwise, line):
                    (yes, after_yes), (no, after_no) = block(then, moved), block(otherwise, moved)
                    out.append(ir.If(condition, yes, no, line))
                    moved = after_yes or after_no
                case ir.Repeat(body=loop):
                    if any(isinstance(s, ir.Apply) for s in ir.statements(loop)):
                        raise SpecError(f"{outer.name}: apply({names.slot}) stands in a loop")
                    out.append(statement)
                case _:
                    out.append(statement)
                    moved = moved or ir.THETA in ir.assigned((statement,))
        return tuple(out), moved

    return block(outer.body, False)[0]


def _applied(
    inner: model.Algorithm, names: Names, gradient: ir.Expr | None, *, moved: bool
) -> ir.Body:
    """The inner body in the composed names; theta's start is kept where it is read."""
    start = moved and ir.Prev(ir.THETA) in set(ir.nodes(inner.body))

    def rule(expr: ir.Expr) -> ir.Expr | None:
        if isinstance(expr, ir.Grad) and gradient is not None:
            return gradient
        if start and expr == ir.Prev(ir.THETA):
            return ir.Sym(names.start)
        return names.rule(expr)

    body = rewrite_body(inner.body, rule, lambda equation: f"{names.prefix}.{equation}")
    first = ir.Let(f"{names.prefix}.start", ir.Sym(names.start), ir.Sym(ir.THETA))
    return ((first,) if start else ()) + _unplaced(body)


def _unplaced(body: ir.Body) -> ir.Body:
    """Statements without lines, which are those of another file."""
    out: list[ir.Stmt] = []
    for s in body:
        match s:
            case ir.If(_, then, otherwise):
                s = replace(s, then=_unplaced(then), otherwise=_unplaced(otherwise))
            case ir.Repeat(body=loop):
                s = replace(s, body=_unplaced(loop))
        out.append(replace(s, line=0))
    return tuple(out)


# ---- the algorithm around them


def _joined(outer: model.Algorithm, inner: model.Algorithm, names: Names) -> model.Algorithm:
    latex = dict(outer.latex)
    latex |= {names.symbol(n): names.latex(n, t) for n, t in inner.latex if names.latex(n, t)}
    counter = outer.counter or (
        replace(inner.counter, name=names.symbol(inner.counter.name)) if inner.counter else None
    )
    return replace(
        outer,
        name=f"{outer.name}({inner.name})",
        spec=f"{outer.spec}({inner.spec})",
        title=f"{outer.title}; around {inner.title}",
        version=max(outer.version, inner.version),
        file=f"{outer.file}, {inner.file}",
        body=_expanded(outer, inner, names),
        # The constructor then takes lr first, as the inner one's does.
        hyperparameters=(*_hyperparameters(inner, names), *outer.hyperparameters),
        options=(*outer.options, *_options(inner, names)),
        states=(*outer.states, *_states(inner, names)),
        counter=counter,
        views=(*outer.views, *_views(outer, inner, names)),
        inputs=(*outer.inputs, *map(names.symbol, inner.inputs)),
        slots=(),
        signature=_signature(outer, inner, names),
        dialects=_dialects(outer, inner, names),
        requirements=(*outer.requirements, *_requirements(inner, names)),
        shapes=(*outer.shapes, *(replace(r, line=0) for r in inner.shapes)),
        blocks=tuple(dict.fromkeys((*outer.blocks, *inner.blocks))),
        exclusions=(*outer.exclusions, *_exclusions(inner, names)),
        gradients=_accepted(outer.gradients, inner.gradients),
        refusals=(*outer.refusals, *_refusals(inner, names)),
        # The whole moves the parameters, and step() gives back the loss.
        returned="",
        references=tuple(dict.fromkeys((*outer.references, *inner.references))),
        latex=tuple(latex.items()),
        dialect=None,
        unbound=None,
        lines=(),
    )


def _with_own_counter(outer: model.Algorithm, inner: model.Algorithm) -> model.Algorithm:
    """The outer algorithm with its counter as a state, where the inner one counts otherwise."""
    own, other = outer.counter, inner.counter
    if own is None or other is None or own.scope == other.scope:
        return outer
    symbol = ir.Sym(own.name)
    count = ir.Let("count", symbol, ir.Binary("+", ir.Prev(own.name), ir.Const(1)))
    key = f"{head(outer.name)}_{own.key or 'step'}"
    kept = model.State(own.name, key, ir.Const(0), own.scope, "scalar", description="steps")
    states = (*outer.states, kept)
    return replace(outer, counter=None, states=states, body=(count, *outer.body))


def _hyperparameters(inner: model.Algorithm, names: Names) -> Iterator[Hyperparameter]:
    for h in inner.hyperparameters:
        latex = names.latex(h.name, h.latex)
        yield replace(h, name=names.symbol(h.name), key=names.keys[h.key], latex=latex)


def _signature(outer: model.Algorithm, inner: model.Algorithm, names: Names) -> tuple[str, ...]:
    """The inner arguments as they are, the outer ones behind those that go by position."""
    if not (outer.signature or inner.signature):
        return ()
    own = [n for n in outer.signature or dict.fromkeys(keys(outer)) if n != "*"]
    theirs = [names.keys.get(n, n) for n in inner.signature or dict.fromkeys(keys(inner))]
    place = theirs.index("*") if "*" in theirs else len(theirs)
    return (*theirs[:place], *own, *theirs[place:])


def _options(inner: model.Algorithm, names: Names) -> Iterator[Option]:
    for o in inner.options:
        argument = o.argument
        if argument is not None:
            argument = replace(argument, key=names.keys[argument.key])
        yield replace(o, name=names.symbol(o.name), argument=argument)


def _states(inner: model.Algorithm, names: Names) -> Iterator[model.State]:
    for s in inner.states:
        yield replace(
            s,
            name=names.symbol(s.name),
            key=names.state_keys[s.key],
            init=None if s.init is None else names.expression(s.init),
            when=None if s.when is None else names.expression(s.when),
            latex=names.latex(s.name, s.latex),
        )


def _views(outer: model.Algorithm, inner: model.Algorithm, names: Names) -> Iterator[model.View]:
    own = distinct((v.name for v in inner.views), (v.name for v in outer.views), names.slot)
    for v in inner.views:
        yield replace(
            v,
            name=own[v.name],
            value=names.expression(v.value),
            inverse=None if v.inverse is None else names.expression(v.inverse),
        )


def _requirements(inner: model.Algorithm, names: Names) -> Iterator[model.Requirement]:
    for r in inner.requirements:
        yield replace(r, condition=names.expression(r.condition), line=0)


def _exclusions(inner: model.Algorithm, names: Names) -> Iterator[model.Exclusion]:
    for e in inner.exclusions:
        yield replace(e, name=names.symbol(e.name), condition=names.expression(e.condition), line=0)


def _accepted(outer: model.Gradients, inner: model.Gradients) -> model.Gradients:
    """What both accept; sparse gradients only where the outer algorithm says so itself."""
    complex_ = inner.complex if outer.complex is None else outer.complex
    return replace(outer, dense=outer.dense and inner.dense, complex=complex_)


def _refusals(inner: model.Algorithm, names: Names) -> Iterator[model.Refusal]:
    for r in inner.refusals:
        quantity, condition = names.symbol(r.quantity), names.expression(r.condition)
        yield replace(r, quantity=quantity, condition=condition, line=0)


# ---- dialects


def _dialect_name(outer: model.Algorithm, inner: model.Algorithm) -> str:
    """`lookahead/paper(adamw/torch)`."""
    return f"{outer.full_name}({inner.full_name})"


def _dialects(
    outer: model.Algorithm, inner: model.Algorithm, names: Names
) -> tuple[model.Dialect, ...]:
    """Every dialect of the one with every dialect of the other, and those with a name of theirs."""
    mine: list[model.Dialect | None] = [d for d in outer.dialects if not d.inner] or [None]
    theirs: list[model.Dialect | None] = [*inner.dialects] or [None]
    if mine == [None] and theirs == [None]:
        return ()
    pairs = [_pair(outer, a, inner, b, names) for a in mine for b in theirs]
    return (*pairs, *_named(outer, inner, names))


def _pair(
    outer: model.Algorithm,
    mine: model.Dialect | None,
    inner: model.Algorithm,
    other: model.Dialect | None,
    names: Names,
) -> model.Dialect:
    a = mine or model.Dialect(outer.name, (), (), "")
    b = other or model.Dialect(inner.name, (), (), "")
    return model.Dialect(
        f"{a.name}({b.name})",
        (*a.options, *((names.symbol(n), v) for n, v in b.options)),
        (*a.defaults, *((names.symbol(n), v) for n, v in b.defaults)),
        "; ".join(x for x in (a.source, b.source) if x),
        " ".join(x for x in (a.note, b.note) if x),
        a.export + b.export if a.export and b.export else "",
        precisions=(*a.precisions, *b.precisions),
    )


def _named(outer: model.Algorithm, inner: model.Algorithm, names: Names) -> Iterator[model.Dialect]:
    """Dialects of the outer algorithm that name what they wrap: Ranger wraps RAdam."""
    theirs = {d.name: d for d in inner.dialects}
    public = {d.public_name: d for d in reversed(inner.dialects)}
    for d in outer.dialects:
        wanted = dict(d.inner).get(names.slot, "")
        other = theirs.get(wanted, public.get(wanted))
        if not wanted or (other is None and wanted not in (inner.name, inner.full_name)):
            continue
        pair = _pair(outer, d, inner, other, names)
        yield replace(
            pair,
            name=d.name,
            options=tuple((dict(pair.options) | dict(d.options)).items()),
            defaults=tuple((dict(pair.defaults) | dict(d.defaults)).items()),
            source=d.source,
            note=d.note,
            export=d.export,
        )


# ---- another gradient in the place of the inner algorithm's own


def _gives_gradient(outer: model.Algorithm) -> bool:
    applied = (s for s in ir.statements(outer.body) if isinstance(s, ir.Apply))
    return any(s.gradient is not None for s in applied)


def _require_stored_point(outer: model.Algorithm, inner: model.Algorithm) -> None:
    if needs_closure(resolve(inner.body, inner.option_defaults())):
        raise SpecError(
            f"{outer.name}({inner.full_name}): {inner.full_name} takes its gradient away from the "
            f"stored parameter, {outer.name} replaces the one there"
        )


def _at_stored_point(inner: model.Algorithm) -> model.Algorithm:
    """The algorithm without option values under which it takes its gradient elsewhere."""
    defaults = inner.option_defaults()

    def stays(option: Option, value: OptionValue) -> bool:
        return not needs_closure(resolve(inner.body, {**defaults, option.name: value}))

    options = tuple(replace(o, values=tuple(v for v in o.values if stays(o, v)))
                    for o in inner.options)  # fmt: skip
    allowed = {o.name: o.values for o in options}
    dialects = tuple(d for d in inner.dialects if all(v in allowed[n] for n, v in d.options))
    body = resolve(inner.body, defaults, allowed)
    return replace(inner, options=options, dialects=dialects, body=body)
