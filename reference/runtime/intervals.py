"""Where the values of hyperparameters may lie, and the one-line errors that say so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Interval:
    """Allowed values from `lower` to `upper`; `ends` tells which of the two belong to them.

    `none` allows None as well, which stands for a value that depends on the parameter.
    """

    lower: float
    upper: float
    ends: str = "[]"
    integer: bool = False
    none: bool = False

    def __contains__(self, value: float) -> bool:
        """Whether a number lies in the interval; NaN never does."""
        above = value >= self.lower if self.ends[0] == "[" else value > self.lower
        below = value <= self.upper if self.ends[1] == "]" else value < self.upper
        return above and below and (not self.integer or float(value).is_integer())

    def __str__(self) -> str:
        numbers = "an integer in " if self.integer else ""
        return f"{numbers}{self.ends[0]}{self.lower:g}, {self.upper:g}{self.ends[1]}"


Domain = Interval | tuple[Interval, ...]


def check_domains(group: Mapping[str, Any], domains: Mapping[str, Domain]) -> None:
    """Refuse the first hyperparameter outside its domain.

    Raises:
        ValueError: a number outside its interval, a tensor of several numbers, a wrong length.
        TypeError: neither a number nor a tensor.
    """
    for name, domain in domains.items():
        if isinstance(domain, Interval):
            _check(name, group[name], domain)
        else:
            _check_each(name, group[name], domain)


def check_entries(group: Mapping[str, Any], domains: Mapping[str, Domain]) -> None:
    """Refuse entries of a group that are no numbers; schedules may leave the domains, as in torch.

    Raises:
        ValueError: a tensor of several numbers, a wrong length, an entry that is missing.
        TypeError: neither a number nor a tensor.
    """
    for name, domain in domains.items():
        if name not in group:
            raise ValueError(f"a parameter group has lost its entry {name}")
        if isinstance(domain, Interval):
            _number(name, group[name], domain)
            continue
        if not isinstance(group[name], tuple | list) or len(group[name]) != len(domain):
            raise ValueError(f"{name} must be {len(domain)} numbers, got {group[name]!r}")
        for index, (value, own) in enumerate(zip(group[name], domain, strict=True)):
            _number(f"{name}[{index}]", value, own)


def check_switches(group: Mapping[str, Any], names: Iterable[str]) -> None:
    """Refuse switches of a group that are neither on nor off.

    Raises:
        ValueError: a tensor of several values, or an entry that is missing.
    """
    for name in names:
        if name not in group:
            raise ValueError(f"a parameter group has lost its entry {name}")
        value = group[name]
        if isinstance(value, Tensor) and value.numel() != 1:
            raise ValueError(f"{name}: a tensor must hold one value, got shape {(*value.shape,)}")


def check_choices(group: Mapping[str, Any], choices: Mapping[str, tuple[object, ...]]) -> None:
    """Refuse a form that there is not.

    Raises:
        ValueError: an unknown value, or an entry that is missing.
    """
    for name, values in choices.items():
        if name not in group:
            raise ValueError(f"a parameter group has lost its entry {name}")
        if isinstance(group[name], Tensor) or group[name] not in values:
            known = ", ".join(map(repr, values))
            raise ValueError(f"{name} must be one of {known}, got {group[name]!r}")


def _number(name: str, value: Any, domain: Interval) -> None:
    if value is None and domain.none:
        return
    if isinstance(value, Tensor):
        if value.numel() != 1:
            shape = tuple(value.shape)
            raise ValueError(f"{name}: a tensor must hold one number, got shape {shape}")
        return
    try:
        float(value)
    except (TypeError, ValueError):
        given = f"{type(value).__name__} {value!r}"
        raise TypeError(f"{name} must be a number or a one-element tensor, got {given}") from None


def _check_each(name: str, values: Any, domains: tuple[Interval, ...]) -> None:
    if not isinstance(values, tuple | list) or len(values) != len(domains):
        raise ValueError(f"{name} must be {len(domains)} numbers, got {values!r}")
    if len({isinstance(value, Tensor) for value in values if value is not None}) > 1:
        raise ValueError(f"{name} must be either all numbers or all tensors, got {values!r}")
    for index, (value, domain) in enumerate(zip(values, domains, strict=True)):
        _check(f"{name}[{index}]", value, domain)


def _check(name: str, value: Any, domain: Interval) -> None:
    _number(name, value, domain)
    if value is None:
        return
    number = value.item() if isinstance(value, Tensor) else float(value)
    if number not in domain:
        raise ValueError(f"{name} must lie in {domain}, got {number}")
