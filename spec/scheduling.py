"""The vocabulary of learning-rate schedules, on top of that of algorithms.

    with schedule("step-lr", "StepLR") as spec:
        n = hyper("step_size", 30, domain="Z[1,inf)")
        with when(holds(t > 0) & equal(t % n, 0)):
            let("decay", lr, lr / 10)
        with closed_form():
            let("closed", lr, base_lr * 10 ** -floor(t / n))

The body is what one step does to one parameter group. Construction is the step of epoch t = 0, in
which `prev(lr)` is `base_lr`, the rate from before the schedule. `lr`, `base_lr` and `t` are there
without being declared; hyperparameters and other state belong to the schedule as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import sympy

from instep.spec import author, ir, model
from instep.spec.arguments import Domain
from instep.spec.author import (
    absent,
    choose,
    cos,
    dialect,
    equal,
    exclude,
    exp,
    floor,
    holds,
    let,
    local,
    log,
    maximum,
    minimum,
    option,
    otherwise,
    pi,
    prev,
    reference,
    require,
    sign,
    sqrt,
    total,
    when,
    where,
)  # fmt: skip
from instep.spec.recording import Draft, block, current, fail, finished, frozen, recording

# What `from instep.spec.scheduling import *` puts into a specification file, and nothing else.
__all__ = [
    "absent", "base_lr", "choose", "closed_form", "cos", "count", "dialect", "entry", "equal",
    "exclude", "exp", "floor", "function_of_epoch", "holds", "hyper", "lasts", "let", "local",
    "log", "lr", "maximum", "metric", "minimum", "numbers", "option", "otherwise", "pi",
    "prev", "reference", "require", "schedule", "sign", "sqrt", "state", "t", "total", "when",
    "where",
]  # fmt: skip

EPOCH, RATE, BASE = "t", "lr", "base_lr"
lr, base_lr, t = (sympy.Symbol(name, real=True) for name in (RATE, BASE, EPOCH))
hyper = partial(author.hyper, scope="optimizer")
state = partial(author.state, scope="optimizer", shape="scalar")


@contextmanager
def schedule(name: str, title: str, *, version: int = 1) -> Iterator[Draft]:
    """Open the specification of a schedule; on leaving it is validated.

    Raises SpecError that names file, line and equation for anything that does not make sense.
    """
    from instep.spec.validate import validate

    with recording(name, title, version) as builder:
        counter = model.Counter(EPOCH, "last_epoch", "optimizer", start=0)
        builder.spec = replace(builder.spec, counter=counter, schedule=model.Schedule())
        before = "rate before the schedule"
        given(BASE, "group", "initial_lr", latex=r"\bar{\gamma}", description=before)
        entry(RATE, "lr", init=base_lr, latex=r"\gamma", description="learning rate")
        draft = Draft(builder.path)
        yield draft
        draft.algorithm = validate(builder.complete())
    finished.append(draft)


def _part() -> model.Schedule:
    """The part of the specification that is about schedules."""
    found = current().spec.schedule
    if found is None:
        fail("schedule", "this belongs inside `with schedule(...)`")
    return found


def given(
    name: str,
    kind: Any,
    key: str,
    *,
    domain: str = "(-inf,inf)",
    probe: tuple[int | float, ...] = (),
    latex: str = "",
    description: str = "",
) -> Any:
    """Declare what the schedule reads besides hyperparameters; see `model.Given`."""
    item = model.Given(name, kind, key, Domain.parse(domain), probe, description)
    part = replace(_part(), given=(*_part().given, item))
    current().spec = replace(current().spec, schedule=part)
    symbol = author.inputs(name)
    if latex:
        current().add("latex", (name, latex))
    return symbol


def metric(name: str, *, description: str = "") -> Any:
    """Declare the number that every step receives, and the construction does not."""
    return given(name, "metric", name, description=description)


def numbers(
    name: str, key: str, *, probe: tuple[int | float, ...], domain: str, description: str = ""
) -> Any:
    """Declare a list of numbers that the constructor gets; `count` and `total` read it."""
    return given(name, "list", key, probe=probe, domain=domain, description=description)


def function_of_epoch(name: str, key: str, *, latex: str = "", description: str = "") -> Any:
    """Declare a function that the constructor gets; the symbol is its value at epoch t."""
    return given(name, "function", key, latex=latex, description=description)


def entry(
    name: str,
    key: str,
    *,
    init: Any = None,
    when: Any = None,
    latex: str = "",
    description: str = "",
) -> Any:
    """Declare another entry of the parameter group that the schedule writes (`momentum`)."""
    part = replace(_part(), entries=(*_part().entries, (name, key)))
    current().spec = replace(current().spec, schedule=part)
    return state(name, key, init=init, when=when, latex=latex, description=description)


def count(condition: Any) -> Any:
    """How many numbers of a list a condition holds for."""
    return total(where(condition, 1, 0))


def lasts(epoch: Any) -> None:
    """Declare the last epoch that the schedule speaks of."""
    last = frozen("lasts", epoch)
    current().spec = replace(current().spec, schedule=replace(_part(), last=last))


@contextmanager
def closed_form() -> Iterator[None]:
    """The same entries from the epoch alone, without the values of the epoch before."""
    if _part().closed:
        fail("closed_form", "there is a closed form already")
    with block() as body:
        yield
    for node in ir.nodes(tuple(body)):
        if isinstance(node, ir.Prev):
            fail("closed_form", f"reads prev({node.name}); a closed form remembers nothing")
    current().spec = replace(current().spec, schedule=replace(_part(), closed=tuple(body)))
