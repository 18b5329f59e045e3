"""Which library is which dialect: every optimizer class of several packages, identified.

What a class is called decides nothing about the verdict; here it says what the class claims to be,
so that claims and verdicts can be set against each other.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import io
import re
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib.metadata import packages_distributions, version
from typing import Any

import torch

from instep import spec
from instep.conformance.errors import SubjectError
from instep.conformance.identify import identify
from instep.conformance.limits import limited

PACKAGES = (
    "torch.optim", "pytorch_optimizer", "torch_optimizer", "optimi", "schedulefree", "prodigyopt",
    "lion_pytorch", "dadaptation", "madgrad", "adabelief_pytorch", "adamp",
)  # fmt: skip

# What a constructor cannot do without, or what it prints unless told otherwise.
NEEDED: Mapping[str, Mapping[str, Any]] = {
    "optimi": {"lr": 1e-3},
    "adabelief_pytorch": {"print_change_log": False},
    "adamp:SGDP": {"lr": 1e-3},
    "pytorch_optimizer:Ranger21": {"num_iterations": 1000},
}
# Settings that make another dialect of a class; its defaults are always surveyed.
VARIANTS: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "torch.optim:SGD": ({"momentum": 0.5, "nesterov": True},),
    "torch.optim:Adam": ({"amsgrad": True},),
    "torch.optim:RMSprop": ({"centered": True},),
}
# Seconds for one class: some never return.
LIMIT = 120


@dataclass(frozen=True)
class Target:
    """One class in one configuration."""

    package: str
    name: str
    keywords: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """`torch.optim:Adam(amsgrad=True)`."""
        bound = ", ".join(f"{k}={v!r}" for k, v in self.keywords.items())
        return f"{self.package}:{self.name}" + (f"({bound})" if bound else "")


@dataclass(frozen=True)
class Finding:
    """What was found of a target.

    Attributes:
        claim: the public name that the class bears, empty if the catalogue has none such.
        matches: dialects that it is in step with at the values that are its own, the best first.
        hyperparameters: of the best match, {spec symbol: keyword}.
        notes: what the best match leaves alone, cannot set, or fails nevertheless, and which other
            dialects it is with other values.
        reason: why it could not be run, empty if it ran.
        seconds: what it took.
    """

    package: str
    version: str
    name: str
    keywords: Mapping[str, Any]
    claim: str
    matches: tuple[str, ...]
    hyperparameters: Mapping[str, str]
    notes: tuple[str, ...]
    reason: str
    seconds: float

    @property
    def outcome(self) -> str:
        """How claim and verdict agree."""
        if self.reason:
            return "does not run"
        if not self.matches:
            return "nothing known"
        # A setting may make another public name of the same equations: SGD(nesterov=True).
        found = {spec.get(name).spec for name in self.matches}
        same = self.claim and spec.get(self.claim).spec in found
        return "the name it bears" if same else "another name"

    def to_json(self) -> dict[str, Any]:
        """Plain data, without what changes from run to run."""
        plain = asdict(self)
        del plain["seconds"]
        return plain


def targets(package: str) -> Iterator[Target]:
    """Every optimizer class that a package defines and exports, in every configuration."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = importlib.import_module(package)
    own = package.partition(".")[0]
    for name, found in sorted(vars(module).items()):
        if (
            inspect.isclass(found)
            and issubclass(found, torch.optim.Optimizer)
            and found is not torch.optim.Optimizer
            and found.__module__.partition(".")[0] == own
            and found.__name__ == name
        ):
            yield Target(package, name)
            yield from (Target(package, name, v) for v in VARIANTS.get(f"{package}:{name}", ()))


def survey(target: Target) -> Finding:
    """Identify one target; nothing that it does stops the survey."""
    torch.set_num_threads(1)
    started = time.perf_counter()
    needed = {**NEEDED.get(target.package, {}), **NEEDED.get(_key(target), {})}
    own: tuple[Any, ...] = ()
    others: list[Any] = []
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        subject = getattr(importlib.import_module(target.package), target.name)
        if target.keywords:
            subject = partial(subject, **target.keywords)
        try:
            with limited(LIMIT):
                found = identify(subject, hyperparameters=needed)
            matches, reason = found.matches, found.reason
            # What it becomes by other values is said, but is not what it is.
            own = tuple(m for m in matches if not m.settings) or matches[:1]
            others = [m for m in matches if m not in own]
        except SubjectError as error:
            reason = str(error)
    return Finding(
        target.package,
        release(target.package),
        target.name,
        dict(target.keywords),
        claim(target.name),
        tuple(m.name for m in own),
        dict(own[0].hyperparameters) if own else {},
        _notes(own[0], others) if own else (),
        reason,
        time.perf_counter() - started,
    )


def _key(target: Target) -> str:
    return f"{target.package}:{target.name}"


def _notes(match: Any, others: Iterable[Any]) -> tuple[str, ...]:
    labelled = {
        "with": _assignments(match.settings),
        "but with": _assignments(match.options),
        "cannot set": ", ".join(match.fixed),
        "left alone": _assignments(match.other),
        "but fails": ", ".join(match.failing),
        "is": "; ".join(f"{m.name} with {_assignments(m.settings)}" for m in others),
    }
    return tuple(f"{label} {text}" for label, text in labelled.items() if text)


def _assignments(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{k} = {v!r}" for k, v in values.items())


def release(package: str) -> str:
    """The version of the distribution that a module comes from, without a local suffix."""
    distribution = packages_distributions()[package.partition(".")[0]][0]
    return version(distribution).partition("+")[0]


def claim(name: str) -> str:
    """The public name of the catalogue that a class name spells, in whatever order of its words."""
    spelled = {_letters(known): known for known in spec.names()}
    return spelled.get(_letters(name), "")


def _letters(name: str) -> str:
    """Letters alone; `AdamWScheduleFree` and `schedulefree-adamw` are spelled alike."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    head, free, tail = plain.partition("schedulefree")
    return f"{free}{head or tail}" if free else plain
