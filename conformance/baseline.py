"""The base of a session: the spec and dialect, and the values around which probes vary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from instep import spec as specs
from instep.conformance.errors import UsageError
from instep.conformance.probes import ProbeFactory
from instep.conformance.subject import Subject
from instep.spec.model import Algorithm


class Baseline:
    """The base configuration: what the user gave, over what a partial bound, over the defaults."""

    def __init__(
        self,
        subject: Subject,
        algorithm: Algorithm,
        hyperparameters: Mapping[str, Any],
        fixed: Sequence[str],
    ) -> None:
        self.algorithm = algorithm
        given = {**subject.naming.bound, **hyperparameters}
        read = subject.naming.read(algorithm, given)
        _require_numbers(read)
        read_options = subject.naming.read_options(algorithm, given)
        self.values = {**algorithm.defaults(), **read}
        self.options = {**algorithm.option_defaults(), **read_options}
        known = {k.name for k in subject.naming.hyperparameters.values()}
        known |= set(subject.naming.options.values())
        subject.given = {k: v for k, v in given.items() if k not in known}
        self.fixed = frozenset(self._fixed(subject, [*fixed, *subject.naming.bound]))

    def _fixed(self, subject: Subject, names: Sequence[str]) -> Iterator[str]:
        yield from subject.naming.missing
        yield from subject.naming.idle
        for name in names:
            yield name
            for symbol, keyword in subject.naming.hyperparameters.items():
                if name in (keyword.name, self.algorithm.hyperparameter(symbol).key):
                    yield symbol
            for option, keyword_name in subject.naming.options.items():
                if name == keyword_name:
                    yield option

    def probes(self) -> ProbeFactory:
        """The factory of probes around this configuration."""
        return ProbeFactory(self.algorithm, self.values, self.options, self.fixed)


def _require_numbers(values: Mapping[str, Any]) -> None:
    for symbol, value in values.items():
        if callable(value):
            raise UsageError(f"{symbol} follows a schedule: only a number can be compared with")


def resolve_spec(spec: str | Algorithm, dialect: str | None) -> Algorithm:
    """The algorithm of a spec name and a dialect of it, `eps-hat` or `adam/eps-hat`.

    A dialect of a composed algorithm is an expression too: `lookahead/calls(adamw)`.
    """
    algorithm = specs.get(spec)
    if dialect is None:
        return algorithm
    names = [d.name for d in algorithm.dialects]
    if "(" in dialect and dialect not in names:
        dialect = specs.get(dialect).full_name
    wanted = dialect if dialect in names else f"{algorithm.name}/{dialect}"
    if wanted not in names and wanted in specs.dialects():
        return specs.get(wanted)
    if wanted not in names:
        own = ", ".join(d.name for d in algorithm.dialects if d.public_name == algorithm.name)
        raise UsageError(f"{algorithm.name} has no dialect {dialect!r}; it has {own or 'none'}")
    return algorithm.bind(next(d for d in algorithm.dialects if d.name == wanted))
