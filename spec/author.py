"""The front end: specifications are written as sympy equations inside `with algorithm(...)`.

    with algorithm("sgd", "Stochastic gradient descent") as spec:
        lr = hyper("lr", 1e-3, domain="[0,inf)")
        let("update", theta, theta - lr * grad(theta))

Every line is recorded in order and frozen at once into the IR; leaving the block validates the
whole. `prev(x)` is the value of a state when the step began. Symbols may be rebound, as in papers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from instep.spec import ir, model
from instep.spec.acceptance import accept, touched
from instep.spec.declarations import (
    counter,
    dialect,
    exclude,
    hyper,
    inner,
    inputs,
    local,
    option,
    reference,
    refuse_nonfinite,
    require,
    returns,
    signature,
    state,
    view,
)
from instep.spec.functions import (
    absent,
    at,
    cbrt,
    col_mean,
    cols,
    cos,
    equal,
    exp,
    floor,
    grad,
    holds,
    largest,
    length,
    log,
    loss,
    matmul,
    max_over_params,
    maximum,
    mean,
    minimum,
    ndim,
    norm,
    numel,
    pi,
    prev,
    rms,
    row_mean,
    rows,
    sign,
    sqrt,
    theta,
    total,
    total_over_params,
    transpose,
    type_eps,
    unit_mean,
    unit_norm,
    unit_size,
    unit_total,
    where,
)
from instep.spec.recording import (
    Choice,
    Draft,
    Group,
    OptionSymbol,
    as_condition,
    block,
    current,
    fail,
    finished,
    frozen,
    line,
    name_of,
    recording,
)

# What `from instep.spec.author import *` puts into a specification file, and nothing else.
__all__ = [
    "absent", "accept", "algorithm", "apply", "at", "cbrt", "choose", "col_mean", "cols", "cos",
    "counter", "dialect", "equal", "exclude", "exp", "floor", "grad", "holds", "hyper", "inner",
    "inputs", "largest", "length", "let", "local", "log", "loss", "matmul", "max_over_params",
    "maximum", "mean", "minimum", "ndim", "norm", "numel", "option", "otherwise", "pi", "precision",
    "prev", "push", "reference", "refuse_nonfinite", "repeat", "require", "returns", "rms",
    "row_mean", "rows", "sign", "signature", "sqrt", "state", "theta", "total",
    "total_over_params", "touched", "transpose", "type_eps", "unit_mean", "unit_norm", "unit_size",
    "unit_total", "view", "when", "where",
]  # fmt: skip


@contextmanager
def algorithm(
    name: str, title: str, *, version: int = 1, state_from: model.StateFrom = "first step"
) -> Iterator[Draft]:
    """Open a specification; on leaving it is validated and kept for the registry.

    `state_from` says when state begins: with a parameter's first step, or with construction.

    Raises SpecError that names file, line and equation for anything that does not make sense.
    """
    from instep.spec.validate import validate

    with recording(name, title, version) as builder:
        builder.spec = replace(builder.spec, state_from=state_from)
        draft = Draft(builder.path)
        yield draft
        draft.algorithm = validate(builder.complete())
    finished.append(draft)


def choose(option: OptionSymbol, **forms: Any) -> Choice:
    """One equation with a form per option value; `otherwise=` covers the rest.

    Values that are no Python names are spelled with underscores, True is `yes` and False is `no`.
    """
    if not isinstance(option, OptionSymbol):
        fail("choose", f"its first argument is an option, not {option!r}")
    return Choice(option, forms)


def let(equation: str, target: Any, value: Any, form: str = "") -> None:
    """Record an equation, `target = value`; documents and reports cite `<spec>.<equation>`."""
    builder = current()
    if isinstance(value, Choice):
        for statement in _alternatives(equation, target, value, form):
            builder.record(statement)
        return
    node = frozen(equation, target)
    if not isinstance(node, ir.Sym | ir.At):
        fail(equation, f"cannot assign to {target}; the left side is a symbol or at(symbol, index)")
    value = frozen(equation, value)
    builder.record(ir.Let(equation, node, value, form, line(), builder.block))


def _alternatives(equation: str, target: Any, choice: Choice, form: str) -> ir.Body:
    """An If chain over the option's values; values of one form share a branch.

    What `otherwise=` covers has the form that the equation is given.
    """
    *tested, last = choice.groups(equation)

    def one(group: Group) -> ir.Body:
        with block() as body:
            let(equation, target, group.value, form=group.form or form)
        return tuple(body)

    chain = one(last)
    for group in reversed(tested):
        chain = (ir.If(choice.option.among(group.options), one(group), chain, line()),)
    return chain


def push(equation: str, history: Any, value: Any, size: Any) -> None:
    """Append to a history state that keeps at most `size` entries."""
    name, entry, most = name_of(history, equation), frozen(equation, value), frozen(equation, size)
    current().record(ir.Push(equation, name, entry, most, line()))


def apply(slot: str, gradient: Any = None) -> None:
    """One step of the algorithm in a slot, with another gradient if one is given."""
    given = None if gradient is None else frozen(slot, gradient)
    current().record(ir.Apply(slot, given, line()))


@contextmanager
def when(condition: Any) -> Iterator[None]:
    """A branch; options, shapes, scalars or one number per tensor may decide it, lanes may not."""
    node, started = as_condition(condition, "when"), line()
    with block() as body:
        yield
    branch = ir.If(node, tuple(body), (), started)
    current().record(branch)
    current().branch = branch


@contextmanager
def otherwise() -> Iterator[None]:
    """The other branch of the `when` just before."""
    builder, started = current(), line()
    last = builder.branch
    if last is None:
        fail("otherwise", "there is no when(...) right before it")
    match last.then:
        case (ir.If() as inside,) if inside.line == last.line:
            fail(
                "otherwise",
                "it follows `with when(a), when(b)`: write when(a & b), or nest the two",
            )
    with block() as body:
        yield
    if not body:
        fail("otherwise", f"the branch of line {started} is empty; leave it out")
    builder.stack[-1].pop()
    builder.record(replace(last, otherwise=tuple(body)))


@contextmanager
def precision(name: str, narrowest: str) -> Iterator[None]:
    """Equations that are computed in a type of their own: `bfloat16`, at the coarsest.

    What they read from outside is rounded to that type, and what is read of them afterwards is not.
    `own` stands for the parameter's type, from which a dialect may depart.
    """
    builder = current()
    if builder.block:
        fail(name, f"it stands inside the block {builder.block}; close that one first")
    builder.add("blocks", model.Block(name, narrowest, line()))
    builder.block = name
    try:
        yield
    finally:
        builder.block = ""


@contextmanager
def repeat(
    stop: Any, *, variable: str = "i", start: Any = 0, until: Any = None, down: bool = False
) -> Iterator[Any]:
    """A loop of a number of rounds known when it starts, left early once `until` holds."""
    started = line()
    bounds = frozen("repeat", start), frozen("repeat", stop)
    early = None if until is None else as_condition(until, "repeat")
    with block() as body:
        yield local(variable)
    current().record(ir.Repeat(variable, *bounds, tuple(body), early, down, started))
