"""What a specification has besides equations: arguments, state, conditions, dialects."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from instep.spec import ir
from instep.spec.arguments import REALS, Domain, Hyperparameter, Option, OptionValue
from instep.spec.errors import SpecError

Scope = Literal["parameter", "group", "optimizer"]
StateFrom = Literal["first step", "construction"]
Shape = Literal["like", "scalar", "reduced", "rows", "cols", "history"]
# The type of a block that is computed in whatever type the parameter has.
OWN = "own"
# What follows the public name in the name of a dialect.
_VARIANT = re.compile(r"/[a-z0-9-]+")


@dataclass(frozen=True, slots=True)
class State:
    """What is kept between steps: symbol, key in torch's state_dict, initial value, shape.

    A scalar is a host number for each parameter; a reduced state is computed from a parameter's
    data and stays on its device. `when` is a condition on options, `shaped` one on the shape of the
    parameters that have the state. A `flat` one is kept for all parameters together, as one vector.
    """

    name: str
    key: str
    init: ir.Expr | None
    scope: Scope = "parameter"
    shape: Shape = "like"
    when: ir.Expr | None = None
    shaped: ir.Expr | None = None
    latex: str = ""
    aliases: tuple[str, ...] = ()
    description: str = ""
    flat: bool = False


@dataclass(frozen=True, slots=True)
class Counter:
    """The step counter: symbol, key in the state (None: torch keeps none), what it counts for.

    `start` is its value in the first step; that of a schedule is its construction, at 0. Torch
    keeps it as a 0-d tensor, or where not `tensor` as a Python int.
    """

    name: str
    key: str | None
    scope: Literal["parameter", "optimizer"] = "parameter"
    start: int = 1
    tensor: bool = True


@dataclass(frozen=True, slots=True)
class Given:
    """What a schedule reads besides hyperparameters, and where it comes from.

    Attributes:
        name: the symbol.
        kind: `group` is an entry of the parameter group from before the schedule, `metric` the
            argument of every step, `list` several numbers that the constructor gets, `function` the
            value at the present epoch of a function that it gets.
        key: the entry of the group, or the constructor's argument.
        domain: that of each number.
        probe: values at which the suite tests a list.
        description: one clause.
    """

    name: str
    kind: Literal["group", "metric", "list", "function"]
    key: str
    domain: Domain = REALS
    probe: tuple[int | float, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """What makes a specification that of a learning-rate schedule.

    Attributes:
        closed: the closed form: entries of the group from the epoch and what they were at first,
            empty where the schedule remembers more than that.
        entries: symbol and key of each entry of a parameter group that the schedule writes.
        given: what it reads besides hyperparameters.
        last: the last epoch that it speaks of, None where it goes on for ever.
    """

    closed: ir.Body = ()
    entries: tuple[tuple[str, str], ...] = ()
    given: tuple[Given, ...] = ()
    last: ir.Expr | None = None


@dataclass(frozen=True, slots=True)
class View:
    """A point that is read between steps: an average, or where the model is to be evaluated.

    Attributes:
        name: `eval` for the point of evaluation.
        value: the point, over theta, states, hyperparameters and the step counter as stored.
        inverse: theta again, where theta stands for the point; None where it has to be kept.
    """

    name: str
    value: ir.Expr
    inverse: ir.Expr | None = None
    description: str = ""
    line: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Requirement:
    """A condition between hyperparameters and options that every constructor enforces."""

    condition: ir.Expr
    message: str
    line: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Block:
    """Equations that have a type of their own: they may be computed narrowly, but in none beyond.

    `narrowest` is that type, `bfloat16` say, which generated code computes in; `own` is that of the
    parameter, where a dialect decides.
    """

    name: str
    narrowest: str
    line: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A hyperparameter or option that means nothing while a condition on options holds, and why."""

    name: str
    condition: ir.Expr
    reason: str
    line: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A quantity that must be finite, while a condition on options holds, or the step is refused.

    A refused step raises RuntimeError and changes nothing.
    """

    quantity: str
    condition: ir.Expr
    message: str
    line: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Gradients:
    """What an algorithm accepts; `sparse` and `rows` are conditions on hyperparameters, or known.

    Attributes:
        dense: whether dense gradients are accepted.
        sparse: whether, or when, sparse ones are.
        rows: whether, or when, a sparse gradient leaves all lanes alone that it does not name.
        complex: whether complex parameters are, as pairs of real numbers; None where the equations
            decide: those that ask for shapes, means or products of matrices see another tensor.
        reason: why sparse gradients are refused where `sparse` does not hold.
    """

    dense: bool = True
    sparse: ir.Expr | bool = False
    rows: ir.Expr | bool = False
    complex: bool | None = None
    reason: str = ""
    line: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Dialect:
    """One meaning of a name: options, defaults, where it comes from, the class that bears it."""

    name: str
    options: tuple[tuple[str, OptionValue], ...]
    defaults: tuple[tuple[str, float | int], ...]
    source: str
    note: str = ""
    export: str = ""
    # What the slots of a wrapper hold in this dialect: (slot, name of a specification).
    inner: tuple[tuple[str, str], ...] = ()
    # The types of blocks of equations: (block, type).
    precisions: tuple[tuple[str, str], ...] = ()

    @property
    def public_name(self) -> str:
        """`adamw` of `adamw/decay-after`, `lookahead(adam)` of `lookahead/paper(adam/eps-hat)`."""
        return _VARIANT.sub("", self.name)


@dataclass(frozen=True, slots=True)
class Reference:
    """A publication: text as cited, and a DOI or arXiv identifier."""

    text: str
    identifier: str


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A frozen specification, seen through one of its dialects.

    `name` is the public name (`adamw`), `spec` the file that holds the equations (`adam`), `pinned`
    the options that the dialect assigns; `options` carry the dialect's values as their defaults.
    `signature` is the order of the constructor's arguments where the file declares one, and
    `state_from` tells when state begins.
    """

    name: str
    spec: str
    title: str
    version: int
    file: str
    body: ir.Body
    hyperparameters: tuple[Hyperparameter, ...] = ()
    options: tuple[Option, ...] = ()
    states: tuple[State, ...] = ()
    counter: Counter | None = None
    views: tuple[View, ...] = ()
    inputs: tuple[str, ...] = ()
    slots: tuple[str, ...] = ()
    dialects: tuple[Dialect, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    # Conditions on the shape of every parameter; optimizers refuse the others.
    shapes: tuple[Requirement, ...] = ()
    blocks: tuple[Block, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    # What the step computes: the parameters, or (clipping) a new gradient in the place of the old.
    result: Literal["parameters", "gradient"] = "parameters"
    # The quantity that the step gives back beside, if any.
    returned: str = ""
    gradients: Gradients = Gradients()
    references: tuple[Reference, ...] = ()
    signature: tuple[str, ...] = ()
    state_from: StateFrom = "first step"
    latex: tuple[tuple[str, str], ...] = ()
    dialect: Dialect | None = None
    # For schedules alone: what a step of the body does to the entries of one parameter group.
    schedule: Schedule | None = None
    # The algorithm as declared, which another dialect starts from.
    unbound: Algorithm | None = field(default=None, compare=False, repr=False)
    # Where each name is declared, for errors; (name, line).
    lines: tuple[tuple[str, int], ...] = field(default=(), compare=False, repr=False)

    @property
    def identifier(self) -> str:
        """Name and version, as a report cites it: `adamw@1`."""
        return f"{self.name}@{self.version}"

    @property
    def full_name(self) -> str:
        """The dialect's name where one is chosen, else the algorithm's."""
        return self.dialect.name if self.dialect is not None else self.name

    @property
    def pinned(self) -> dict[str, OptionValue]:
        """Options that the dialect assigns."""
        return dict(self.dialect.options) if self.dialect is not None else {}

    @property
    def narrow(self) -> dict[str, str]:
        """The blocks of equations that have a type of their own in this dialect, and which."""
        return {b.name: b.narrowest for b in self.blocks if b.narrowest != OWN}

    def option_defaults(self) -> dict[str, OptionValue]:
        """Every option's value in this dialect."""
        return {o.name: o.default for o in self.options}

    def defaults(self) -> dict[str, float | int]:
        """Every hyperparameter's default in this dialect, by symbol."""
        return {h.name: h.default for h in self.hyperparameters}

    def hyperparameter(self, name: str) -> Hyperparameter:
        """The hyperparameter with this symbol; raises SpecError when there is none."""
        for h in self.hyperparameters:
            if h.name == name:
                return h
        known = ", ".join(h.name for h in self.hyperparameters)
        raise SpecError(f"{self.name} has no hyperparameter {name!r}; it has {known}")

    def option(self, name: str) -> Option:
        """The option of this name; raises SpecError when there is none."""
        for o in self.options:
            if o.name == name:
                return o
        raise SpecError(
            f"{self.name} has no option {name!r}; it has {[o.name for o in self.options]}"
        )

    def state(self, name: str) -> State:
        """The state with this symbol; raises SpecError when there is none."""
        for s in self.states:
            if s.name == name:
                return s
        raise SpecError(
            f"{self.name} has no state {name!r}; it has {[s.name for s in self.states]}"
        )

    def view(self, name: str) -> View:
        """The view of this name; raises SpecError when there is none."""
        for v in self.views:
            if v.name == name:
                return v
        raise SpecError(f"{self.name} has no view {name!r}; it has {[v.name for v in self.views]}")

    def bind(self, dialect: Dialect) -> Algorithm:
        """The same equations seen through a dialect: its options, defaults and public name."""
        declared = self.unbound or self
        chosen, defaults = dict(dialect.options), dict(dialect.defaults)
        types = dict(dialect.precisions)
        return replace(
            declared,
            name=dialect.public_name,
            dialect=dialect,
            unbound=declared,
            options=tuple(
                replace(o, default=chosen.get(o.name, o.default)) for o in declared.options
            ),
            hyperparameters=tuple(
                replace(h, default=defaults.get(h.name, h.default))
                for h in declared.hyperparameters
            ),
            blocks=tuple(
                replace(b, narrowest=types.get(b.name, b.narrowest)) for b in declared.blocks
            ),
        )

    def with_options(self, values: Mapping[str, OptionValue]) -> Algorithm:
        """The same algorithm with some options changed; raises SpecError for unknown values."""
        for name, value in values.items():
            if value not in self.option(name).values:
                allowed = self.option(name).values
                raise SpecError(
                    f"{self.name}: option {name} has no value {value!r}; it has {allowed}"
                )
        return replace(
            self,
            options=tuple(replace(o, default=values.get(o.name, o.default)) for o in self.options),
        )
