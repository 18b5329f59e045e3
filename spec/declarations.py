"""What a specification declares beside its equations: the part of the vocabulary that says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import sympy

from instep.spec import ir, model
from instep.spec.arguments import Argument, Domain, Hyperparameter, Option, OptionValue, Spelling
from instep.spec.errors import SpecError
from instep.spec.recording import (
    OptionSymbol,
    as_condition,
    check_values,
    current,
    fail,
    frozen,
    line,
    name_of,
)


def _claim(name: str) -> None:
    """Remember the line that declares a name; one that is taken is an error here and now."""
    builder = current()
    for taken, where in builder.spec.lines:
        if taken == name:
            fail(name, f"is declared twice, first in line {where}")
    builder.add("lines", (name, line()))


def _declare(kind: str, name: str, item: Any) -> None:
    _claim(name)
    current().add(kind, item)


def _symbol(name: str, latex: str = "") -> Any:
    if latex:
        current().add("latex", (name, latex))
    return sympy.Symbol(name, real=True)


def hyper(
    key: str,
    default: float | tuple[float, ...],
    *,
    name: str | None = None,
    names: tuple[str, ...] = (),
    domain: str | tuple[str, ...] = "(-inf,inf)",
    scope: Literal["group", "optimizer"] = "group",
    latex: str | tuple[str, ...] = "",
    aliases: tuple[str, ...] | tuple[tuple[str, ...], ...] = (),
    probe: Any = None,
    description: str = "",
    required: bool = False,
    unset: Any = None,
) -> Any:
    """Declare a hyperparameter; a tuple default declares and returns one per entry (`betas`).

    `probe` is the dyadic value (exact in every type) at which the suite tests it; `aliases` are
    other libraries' names; one that is `required` has no default in the constructor. `unset` is
    what None stands for there, over hyperparameters declared before; then None is the default.
    """
    domains = [domain] * (len(names) or 1) if isinstance(domain, str) else list(domain)

    none = None if unset is None else frozen(name or key, unset)

    def one(symbol: str, value: float, index: int | None, tex: Any, other: Any, dyadic: Any) -> Any:
        tex, other = str(tex), tuple(other)
        try:
            interval = Domain.parse(domains[index or 0])
        except SpecError as error:
            fail(name or key, str(error), error)
        item = Hyperparameter(
            symbol,
            key,
            value,
            index,
            interval,
            scope,
            tex,
            other,
            dyadic,
            description,
            required,
            none,
        )
        _declare("hyperparameters", symbol, item)
        return _symbol(symbol, tex)

    if not isinstance(default, tuple):
        return one(name or key, default, None, latex, aliases, probe)
    count = len(default)
    columns: dict[str, Any] = {"names": names, "latex": latex, "aliases": aliases, "probe": probe}
    columns["domain"] = domains if names else ()
    for argument, column in columns.items():
        if column and len(column) != count:
            fail(key, f"{argument} has {len(column)} entries for {count} defaults")
    if not names:
        fail(key, "a tuple of defaults needs names=(...), a symbol for each")
    rows_of = zip(
        latex or [""] * count, aliases or [()] * count, probe or [None] * count, strict=True
    )
    return [
        one(symbol, value, index, *rest)
        for index, (symbol, value, rest) in enumerate(zip(names, default, rows_of, strict=True))
    ]


def option(
    name: str,
    *values: OptionValue,
    argument: bool | str = False,
    keyword_only: bool = False,
    spelling: Mapping[Spelling, OptionValue] | None = None,
    description: str = "",
) -> OptionSymbol:
    """Declare a static switch; its first value is the default, no values mean a boolean.

    `argument` says that the constructor has it (under another keyword if a string), `keyword_only`
    that it does not take it by position; `spelling` maps the constructor's values to the option's,
    `{False: "no", True: "raw"}`. A constructor whose default is None says so by `{None: ...}`,
    beside the value that None stands for.
    """
    values = values or (False, True)
    check_values(name, values)
    spelled = tuple((spelling or {v: v for v in values}).items())
    for _, inside in spelled:
        if inside not in values:
            fail(name, f"spelling maps to {inside!r}, which is no value of the option")
    key = name if argument is True else argument
    how = Argument(key, spelled, keyword_only) if key else None
    _declare("options", name, Option(name, values, values[0], how, description))
    return OptionSymbol(name, values)


def state(
    name: str,
    key: str,
    *,
    init: Any = 0,
    scope: model.Scope = "parameter",
    shape: model.Shape = "like",
    when: Any = None,
    latex: str = "",
    aliases: tuple[str, ...] = (),
    description: str = "",
    flat: bool = False,
) -> Any:
    """Declare a state: symbol, key in torch's state, initial value (None: absent until stored).

    `when` says which options, or which shapes of a parameter, it needs. A `flat` state is one value
    for each parameter in the equations, and kept as one vector of all.
    """
    first = None if init is None else frozen(name, init)
    condition = None if when is None else as_condition(when, name)
    exists, shaped = (None, condition) if _on_shape(condition) else (condition, None)
    item = model.State(
        name, key, first, scope, shape, exists, shaped, latex, aliases, description, flat
    )
    _declare("states", name, item)
    return _symbol(name, latex)


def _on_shape(condition: ir.Expr | None) -> bool:
    nodes = () if condition is None else tuple(ir.walk(condition))
    return any(isinstance(n, ir.Call) and n.function in ir.SHAPE_FUNCTIONS for n in nodes)


def counter(
    name: str = "t",
    *,
    key: str | None = "step",
    scope: Literal["parameter", "optimizer"] = "parameter",
    tensor: bool = True,
) -> Any:
    """Declare the step counter: 1 in the first step, counted per parameter or per optimizer.

    Torch keeps it as a 0-d tensor, or where not `tensor` as a Python int.
    """
    builder = current()
    if builder.spec.counter is not None:
        fail(name, f"there is a step counter already, {builder.spec.counter.name}")
    _claim(name)
    builder.spec = replace(builder.spec, counter=model.Counter(name, key, scope, tensor=tensor))
    return _symbol(name)


def inputs(name: str) -> Any:
    """Declare a number that every step receives (a schedule's metric)."""
    _declare("inputs", name, name)
    return _symbol(name)


def inner(slot: str) -> str:
    """Declare a place for another algorithm, run by `apply(slot)`."""
    _declare("slots", slot, slot)
    return slot


def local(name: str, latex: str = "") -> Any:
    """Declare a quantity that lives for one step."""
    return _symbol(name, latex)


def reference(text: str, identifier: str) -> None:
    """Cite a publication: text, and DOI or arXiv identifier."""
    current().add("references", model.Reference(text, identifier))


def signature(*names: str) -> None:
    """Declare the constructor's arguments in torch's order; "*" opens those by keyword only.

    Of the keywords that say how a step runs (foreach, capturable, differentiable, fused) the class
    has those that are named. Without a signature the order is that of the file, and it has all.
    """
    if current().spec.signature:
        fail("signature", "is declared already")
    for name in names:
        current().add("signature", name)


def dialect(
    name: str,
    source: str,
    *,
    defaults: Mapping[str, float | int] | None = None,
    note: str = "",
    export: str = "",
    inside: Mapping[str, str] | None = None,
    precisions: Mapping[str, str] | None = None,
    **options: OptionValue,
) -> None:
    """Declare a meaning of a public name: `adamw/torch`. The first one of a name is its default.

    `defaults` are by symbol; `export` is the class that the reference generates for it. `inside`
    says what the slots of a wrapper hold, `{"fast": "radam"}`; then options and defaults may be
    those of the inner algorithm too, under the names that they have once composed. `precisions`
    are the types of blocks of equations, `{"orthogonalise": "own"}`.
    """
    chosen, changed = tuple(options.items()), tuple((defaults or {}).items())
    slots = tuple((inside or {}).items())
    types = tuple((precisions or {}).items())
    item = model.Dialect(name, chosen, changed, source, note, export, slots, types)
    _declare("dialects", name, item)


def view(name: str, value: Any, *, inverse: Any = None, description: str = "") -> None:
    """Declare a point that is read between steps: `view("eval", average)`.

    `value` may read theta, states, hyperparameters and the step counter as they are stored.
    `inverse` says what theta was, where theta stands for the point (`theta` is moved there and
    back); without it the parameter is kept while the point takes its place.
    """
    back = None if inverse is None else frozen(name, inverse)
    item = model.View(name, frozen(name, value), back, description, line())
    current().add("views", item)


def require(condition: Any, message: str) -> None:
    """Declare what hyperparameters and options must satisfy together; constructors enforce it.

    A condition on the shape of theta, `require(equal(ndim(theta), 2), ...)`, is one on every
    parameter that is given to the constructor.
    """
    item = model.Requirement(as_condition(condition, "require"), message, line())
    nodes = ir.walk(item.condition)
    shaped = any(isinstance(n, ir.Call) and n.function in ir.SHAPE_FUNCTIONS for n in nodes)
    current().add("shapes" if shaped else "requirements", item)


def refuse_nonfinite(quantity: Any, condition: Any, message: str) -> None:
    """Declare that a step is refused, nothing changed, where a quantity is infinite or NaN.

    `condition` is one on options.
    """
    name = name_of(quantity, "refuse_nonfinite")
    switch = as_condition(condition, "refuse_nonfinite")
    current().add("refusals", model.Refusal(name, switch, message, line()))


def returns(quantity: Any) -> None:
    """Declare the quantity that a step gives back (clipping: the norm before it)."""
    builder = current()
    builder.spec = replace(builder.spec, returned=name_of(quantity, "returns"))


def exclude(what: Any, condition: Any, reason: str) -> None:
    """Declare that a hyperparameter or option means nothing while a condition on options holds."""
    name = name_of(what, "exclude")
    item = model.Exclusion(name, as_condition(condition, "exclude"), reason, line())
    current().add("exclusions", item)
