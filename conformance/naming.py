"""How the subject calls what the spec calls lr, betas, amsgrad: from its signature and aliases."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from instep.conformance.errors import UsageError
from instep.spec.arguments import Hyperparameter, OptionValue
from instep.spec.model import Algorithm
from instep.spec.options import idle_hyperparameters

_ENTRY = re.compile(r"(\w+)\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Keyword:
    """A constructor keyword that sets one hyperparameter, or one entry of a tuple."""

    name: str
    index: int | None = None


@dataclass(frozen=True)
class Naming:
    """Spec names to the subject's keywords.

    Attributes:
        hyperparameters: keyword by symbol, for those that the constructor takes.
        options: keyword by option, likewise.
        missing: symbols of hyperparameters that the constructor does not take.
        idle: symbols of hyperparameters that mean nothing in the dialect: neither set nor missing.
        booleans: constructor flags that the spec does not know, with their defaults.
        bound: keywords that a functools.partial fixed already.
        notes: what was inferred, one line each.
    """

    hyperparameters: Mapping[str, Keyword]
    options: Mapping[str, str]
    missing: tuple[str, ...]
    booleans: Mapping[str, bool]
    bound: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    idle: frozenset[str] = frozenset()

    def arguments(
        self,
        algorithm: Algorithm,
        values: Mapping[str, float],
        options: Mapping[str, OptionValue],
    ) -> dict[str, Any]:
        """Constructor keywords for values by symbol and options by name; the rest is left out."""
        out: dict[str, Any] = {}
        tuples: dict[str, dict[int, float]] = {}
        for symbol, value in values.items():
            keyword = self.hyperparameters.get(symbol)
            if keyword is None:
                continue
            if keyword.index is None:
                out[keyword.name] = value
            else:
                tuples.setdefault(keyword.name, {})[keyword.index] = value
        for name, entries in tuples.items():
            out[name] = tuple(entries[i] for i in sorted(entries))
        for name, chosen in options.items():
            argument = algorithm.option(name).argument
            if name in self.options and argument is not None:
                out[self.options[name]] = argument.constructor_value(chosen)
        return out

    def read(self, algorithm: Algorithm, given: Mapping[str, Any]) -> dict[str, float]:
        """Values by symbol out of keywords in the subject's names."""
        out = {}
        for symbol, keyword in self.hyperparameters.items():
            value = given.get(keyword.name)
            if value is not None:  # None leaves a hyperparameter at what means that there is none
                out[symbol] = value if keyword.index is None else value[keyword.index]
        return out

    def read_options(
        self, algorithm: Algorithm, given: Mapping[str, Any]
    ) -> dict[str, OptionValue]:
        """Options by name out of keywords in the subject's names."""
        out: dict[str, OptionValue] = {}
        for name, keyword in self.options.items():
            argument = algorithm.option(name).argument
            if keyword in given and argument is not None:
                out[name] = argument.option_value(given[keyword])
        return out


def infer_naming(
    factory: Callable[..., Any], algorithm: Algorithm, rename: Mapping[str, str] | None = None
) -> Naming:
    """Match the spec's names to the constructor's.

    Args:
        factory: the subject's constructor.
        algorithm: the spec.
        rename: {spec name: subject name}; spec names are symbols (`beta1`), keys (`betas`) or
            options; `betas[1]` is an entry of the subject's tuple.

    Raises:
        UsageError: `rename` names something that the spec or the constructor does not have.
    """
    keywords, takes_any = signature(factory)
    rename = dict(rename or {})
    _check_rename(rename, algorithm, keywords, takes_any)
    notes: list[str] = []
    found: dict[str, Keyword] = {}
    idle = idle_hyperparameters(algorithm)
    for h in algorithm.hyperparameters:
        if h.name in idle:
            continue
        keyword = _keyword_for(h, keywords, rename, takes_any)
        if keyword is not None and isinstance(keywords.get(keyword.name), bool):
            notes.append(f"the subject's {keyword.name} is a switch, not the number {h.name}")
        elif keyword is not None:
            found[h.name] = keyword
            if keyword.name != h.key:
                how = "given" if h.name in rename or h.key in rename else "alias"
                notes.append(f"hyperparameter {h.name} is the subject's {keyword.name} ({how})")
    options = {}
    for o in algorithm.options:
        if o.argument is None:
            continue
        name = rename.get(o.name, rename.get(o.argument.key, o.argument.key))
        if name in keywords:
            options[o.name] = name
    used = {k.name for k in found.values()} | set(options.values())
    return Naming(
        found,
        options,
        tuple(h.name for h in algorithm.hyperparameters if h.name not in {*found, *idle}),
        {k: d for k, d in _flags(factory).items() if k not in used},
        _bound(factory),
        tuple(notes),
        idle,
    )


def signature(factory: Callable[..., Any]) -> tuple[dict[str, Any], bool]:
    """Keyword names with their defaults, and whether any other keyword is accepted."""
    try:
        parameters = list(inspect.signature(factory).parameters.values())
    except (TypeError, ValueError):
        return {}, True
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    # The first one takes the parameters, however it is called.
    named = [p for p in parameters[1:] if p.kind in kinds]
    takes_any = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)
    empty = inspect.Parameter.empty
    return {p.name: None if p.default is empty else p.default for p in named}, takes_any


def _flags(factory: Callable[..., Any]) -> dict[str, bool]:
    """Constructor keywords that are booleans: by default, or optional ones by annotation."""
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):
        return {}
    out = {}
    for p in parameters:
        if isinstance(p.default, bool):
            out[p.name] = p.default
        elif p.default is None and "bool" in str(p.annotation):
            out[p.name] = False
    return out


def _bound(factory: Callable[..., Any]) -> dict[str, Any]:
    return dict(factory.keywords) if isinstance(factory, functools.partial) else {}


def _keyword_for(
    h: Hyperparameter, keywords: Mapping[str, Any], rename: Mapping[str, str], takes_any: bool
) -> Keyword | None:
    if h.name in rename and (h.index is None or h.name != h.key):
        return _renamed(rename[h.name])
    if h.key in rename:
        return Keyword(rename[h.key], h.index)
    if h.key in keywords:
        return Keyword(h.key, h.index)
    for alias in (h.name, *h.aliases):
        if alias in keywords:
            return Keyword(alias)
    return Keyword(h.key, h.index) if takes_any and not keywords else None


def _renamed(name: str) -> Keyword:
    """A keyword as `rename` spells it: `momentum`, or `betas[1]` for one entry of a tuple."""
    found = _ENTRY.fullmatch(name)
    return Keyword(name) if found is None else Keyword(found[1], int(found[2]))


def _check_rename(
    rename: Mapping[str, str], algorithm: Algorithm, keywords: Mapping[str, Any], takes_any: bool
) -> None:
    known = {h.name for h in algorithm.hyperparameters} | {h.key for h in algorithm.hyperparameters}
    known |= {o.name for o in algorithm.options}
    known |= {o.argument.key for o in algorithm.options if o.argument is not None}
    for ours, theirs in rename.items():
        if ours not in known:
            names = ", ".join(sorted(known))
            raise UsageError(f"rename: {algorithm.name} has no {ours!r}; it has {names}")
        if _renamed(theirs).name not in keywords and not takes_any:
            names = ", ".join(keywords) or "none"
            raise UsageError(f"rename: the constructor has no keyword {theirs!r}; it has {names}")
