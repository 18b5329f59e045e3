"""What a generated class needs besides its equations: name, constructor, groups, state."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from instep.reference.generate.lower.resolve_options import kept_options, possible, simplify
from instep.spec import ir, model
from instep.spec.arguments import (
    REALS,
    Argument,
    Domain,
    Hyperparameter,
    Option,
    OptionValue,
    Spelling,
    TypeEps,
)
from instep.spec.render.text import expression_text
from instep.spec.rewriting import rewrite


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of the constructor, which is also an entry of every group."""

    key: str
    annotation: str
    default: Any
    description: str
    keyword_only: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """An algorithm as one class: what its constructor takes and what its options have become."""

    algorithm: model.Algorithm
    body: ir.Body

    @property
    def name(self) -> str:
        """Name of the class: the exported one, or the dialect's in capitals and small letters."""
        dialect = self.algorithm.dialect
        if dialect is not None and dialect.export:
            return dialect.export
        words = re.split(r"[^A-Za-z0-9]+", self.algorithm.full_name)
        return "".join(word[:1].upper() + word[1:] for word in words)

    @property
    def kept(self) -> dict[str, tuple[OptionValue, ...]]:
        """Options that are arguments of the constructor, with the values they can have."""
        return kept_options(self.algorithm)

    def hyperparameters(self) -> Iterator[tuple[str, tuple[Hyperparameter, ...]]]:
        """Constructor key and the hyperparameters behind it; none that means nothing here.

        A tuple stays whole while any of its entries means something.
        """
        by_key: dict[str, list[Hyperparameter]] = {}
        for h in self.algorithm.hyperparameters:
            by_key.setdefault(h.key, []).append(h)
        for key, hs in by_key.items():
            if not all(self._excluded(h.name) for h in hs):
                yield key, tuple(hs)

    def _excluded(self, name: str) -> bool:
        options = self.algorithm.option_defaults()
        conditions = [e.condition for e in self.algorithm.exclusions if e.name == name]
        return any(possible(c, options, self.kept) == {True} for c in conditions)

    def arguments(self) -> list[Parameter]:
        """The constructor's arguments: hyperparameters, then options, in the order of the file."""
        out = [_number_argument(key, hs) for key, hs in self.hyperparameters()]
        for o in self.algorithm.options:
            if o.name in self.kept and o.argument is not None:
                out.append(_option_argument(o, o.argument))
        return out

    def unsaid(self, key: str) -> OptionValue | None:
        """What None stands for in a constructor's argument, if it takes None."""
        arguments = (o.argument for o in self.algorithm.options if o.name in self.kept)
        found = next((a for a in arguments if a is not None and a.key == key), None)
        return found.unsaid if found is not None else None

    def spelled(self, key: str, value: OptionValue) -> Spelling:
        """The constructor's spelling of an option value."""
        arguments = (o.argument for o in self.algorithm.options if o.argument is not None)
        return next(a.constructor_value(value) for a in arguments if a.key == key)

    def choices(self) -> dict[str, tuple[Spelling, ...]]:
        """Values of the arguments that name one of several forms."""
        arguments = (o.argument for o in self.algorithm.options if o.name in self.kept)
        named = (a for a in arguments if a is not None)
        values = {a.key: tuple(outer for outer, _ in a.values) for a in named}
        return {k: vs for k, vs in values.items() if any(isinstance(v, str) for v in vs)}

    def in_order(self, arguments: list[Parameter]) -> list[Parameter]:
        """Arguments as the constructor takes them: by the declared signature, if there is one."""
        declared = self.algorithm.signature
        if not declared:
            return sorted(arguments, key=lambda a: a.keyword_only)
        place = {name: i for i, name in enumerate(declared)}
        star = place.get("*", len(declared))
        known = [replace(a, keyword_only=place[a.key] > star) for a in arguments if a.key in place]
        return [
            *sorted(known, key=lambda a: place[a.key]),
            *(a for a in arguments if a.key not in place),
        ]

    def pinned(self) -> dict[str, Any]:
        """Entries of every group that the dialect fixes, as torch's constructor spells them."""
        out = {}
        for o in self.algorithm.options:
            argument = o.argument if o.name not in self.kept else None
            if argument is not None and argument.expresses(o.default):
                out[argument.key] = argument.constructor_value(o.default)
        return out

    def states(self) -> list[model.State]:
        """States that some call of the constructor needs."""
        options = self.algorithm.option_defaults()
        return [
            s
            for s in self.algorithm.states
            if s.when is None or True in possible(s.when, options, self.kept)
        ]

    def is_conditional(self, state: model.State) -> bool:
        """Whether an argument of the constructor, or a shape, decides that a state exists."""
        return self.condition(state) is not None

    def condition(self, state: model.State) -> ir.Expr | None:
        """When the state exists, None for always."""
        if state.when is None:
            return state.shaped
        simple = simplify(state.when, self.algorithm.option_defaults(), self.kept)
        return None if isinstance(simple, bool) else simple

    def requirements(self) -> list[tuple[ir.Expr, str]]:
        """Conditions that the constructor has to test, with their messages."""
        options = self.algorithm.option_defaults()
        out = []
        for r in self.algorithm.requirements:
            simple = simplify(self._with_constants(r.condition), options, self.kept)
            if not isinstance(simple, bool):
                out.append((simple, r.message))
        return out

    def simplified(self, condition: ir.Expr) -> ir.Expr | bool:
        """A condition between hyperparameters and options as this class can test it."""
        return simplify(
            self._with_constants(condition), self.algorithm.option_defaults(), self.kept
        )

    def _with_constants(self, condition: ir.Expr) -> ir.Expr:
        """A condition in which hyperparameters that mean nothing here have their defaults."""
        present = {h.name for _, hs in self.hyperparameters() for h in hs}

        def constant(x: ir.Expr) -> ir.Expr | None:
            if isinstance(x, ir.Sym) and x.name not in present:
                return ir.Const(self.algorithm.hyperparameter(x.name).default)
            return None

        return rewrite(condition, constant)

    def option_test(self, name: str, value: OptionValue) -> tuple[str, Spelling]:
        """The constructor's key and value for a test of an open option."""
        argument = self.algorithm.option(name).argument
        assert argument is not None
        return argument.key, argument.constructor_value(value)


def _option_argument(option: Option, argument: Argument) -> Parameter:
    default = argument.constructor_value(option.default)
    annotation = _option_type([outer for outer, _ in argument.values])
    if argument.unsaid is not None:
        default = None if argument.unsaid == option.default else default
    return Parameter(argument.key, annotation, default, option.description, argument.keyword_only)


def _number_argument(key: str, hyperparameters: tuple[Hyperparameter, ...]) -> Parameter:
    first = hyperparameters[0]
    if first.index is None and first.unset is not None:
        described = f"{_described(first.description, first.domain)}; None is {_unset(first)}"
        return Parameter(key, f"{_annotation(first)} | None", None, described)
    if first.index is None:
        described = _described(first.description, first.domain) + _by_type(first)
        return Parameter(key, _annotation(first), _default(first), described)
    entries = ", ".join(map(_annotation, hyperparameters))
    default = tuple(map(_default, hyperparameters))
    domains = {str(h.domain) for h in hyperparameters}
    where = (
        f"each in {first.domain}"
        if len(domains) == 1
        else "in " + " and ".join(str(h.domain) for h in hyperparameters)
    )
    where += "".join(map(_by_type, hyperparameters))
    return Parameter(key, f"tuple[{entries}]", default, f"{first.description}, {where}")


def _annotation(h: Hyperparameter) -> str:
    kind = "int" if h.domain.integer else "float | Tensor"
    return f"{kind} | None" if isinstance(h.default, TypeEps) else kind


def _default(h: Hyperparameter) -> float | None:
    return None if isinstance(h.default, TypeEps) else h.default


def _by_type(h: Hyperparameter) -> str:
    return "; None is the parameter's machine epsilon" if _default(h) is None else ""


def _unset(h: Hyperparameter) -> str:
    assert h.unset is not None
    return expression_text(h.unset, ascii=True)


def _option_type(values: list[Spelling]) -> str:
    """The type of an option's argument."""
    types = [name for kind, name in ((bool, "bool"), (str, "str")) if _has(values, kind)]
    return " | ".join([*types, *["None"] * (None in values)])


def _has(values: list[Spelling], kind: type) -> bool:
    return any(isinstance(value, kind) for value in values)


def _described(description: str, domain: Domain) -> str:
    if domain == REALS:
        return description
    kind = "an integer in " if domain.integer else "in "
    return f"{description}, {kind}{str(domain).removeprefix('Z')}"
