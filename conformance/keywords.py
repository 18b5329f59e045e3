"""Constructor keywords that no alias tells: which numbers there are, and what they might set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations, islice, permutations
from typing import Any

from instep.conformance.naming import infer_naming, signature
from instep.spec.arguments import Hyperparameter
from instep.spec.model import Algorithm

_MOST_GUESSES = 6
_MOST_CONSIDERED = 5000


def numbers(factory: Any) -> dict[str, float]:
    """Keywords whose default is a number, with it, in the order of the signature."""
    keywords, _ = signature(factory)
    plain = {k: v for k, v in keywords.items() if isinstance(v, int | float)}
    return {k: v for k, v in plain.items() if not isinstance(v, bool)}


def guesses(
    factory: Any, algorithm: Algorithm, rename: Mapping[str, str]
) -> Iterator[dict[str, str]]:
    """Renames that map symbols without a keyword to keywords without a symbol.

    A keyword may be what a symbol is called if its default lies in the symbol's domain. The six
    with the most defaults in common are tried, since each costs a run; ties go by the signature.
    """
    naming = infer_naming(factory, algorithm, rename)
    used = {k.name for k in naming.hyperparameters.values()} | set(naming.options.values())
    free = {k: v for k, v in numbers(factory).items() if k not in used and k not in naming.bound}
    missing = [h for h in algorithm.hyperparameters if h.name in naming.missing]
    defaults = _defaults(algorithm)
    possible = islice(_assignments(missing, free), _MOST_CONSIDERED)

    def in_common(rename: Mapping[str, str]) -> int:
        return sum(free[name] in defaults[symbol] for symbol, name in rename.items())

    yield from sorted(possible, key=in_common, reverse=True)[:_MOST_GUESSES]


def _defaults(algorithm: Algorithm) -> dict[str, set[float]]:
    """Every default that a hyperparameter has in some dialect."""
    out = {h.name: {float(h.default)} for h in algorithm.hyperparameters}
    for dialect in algorithm.dialects:
        for symbol, value in dialect.defaults:
            out[symbol].add(float(value))
    return out


def _assignments(
    missing: list[Hyperparameter], free: Mapping[str, float]
) -> Iterator[dict[str, str]]:
    """Every way to give as many symbols as possible a keyword of their domain."""
    most = min(len(missing), len(free))
    if most == 0:
        return
    for names in permutations(free, most):
        for symbols in combinations(missing, most):
            pairs = list(zip(symbols, names, strict=True))
            if all(h.domain.contains(free[name]) for h, name in pairs):
                yield {h.name: name for h, name in pairs}
