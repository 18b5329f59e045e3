"""The subject: a scheduler's class and how to call it; and what a run of it shows."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch

from instep.conformance.errors import SubjectError, UsageError
from instep.conformance.quiet import quiet
from instep.conformance.schedules.oracle import UNTOUCHED
from instep.conformance.schedules.probes import Probe, factor_of_epoch, reads_metric
from instep.spec.model import Algorithm

# Entries of the group that nobody but their owner may touch.
BYSTANDERS = {"weight_decay": 0.125, "tag": "kept"}


class ConstructionError(SubjectError):
    """The constructor refused a configuration."""


@dataclass
class Moment:
    """What the run shows after a step: entries of each group, and what the scheduler says."""

    entries: list[dict[str, float]]
    last: list[float] | None = None
    epoch: int | None = None
    closed: list[float] | None = None


@dataclass
class Recording:
    """A run: the probe, and a moment for construction and every step."""

    probe: Probe
    moments: list[Moment] = field(default_factory=list)


class Subject:
    """A class or callable `(optimizer, **keywords)` that returns a scheduler.

    Args:
        factory: the class, functools.partial or function.
        algorithm: the specification that it is held against.
        rename: {spec name: the constructor's keyword}.
        keywords: what every construction gets besides.
    """

    def __init__(
        self,
        factory: Callable[..., Any],
        algorithm: Algorithm,
        rename: Mapping[str, str] | None = None,
        keywords: Mapping[str, Any] | None = None,
    ) -> None:
        if not callable(factory):
            raise UsageError(f"a scheduler is a class or a function, not {factory!r}")
        self.factory, self.algorithm = factory, algorithm
        self.keywords = dict(keywords or {})
        self.name = name_of(factory)
        self._names = _Keywords(factory, algorithm, dict(rename or {}))

    def keyword(self, symbol: str) -> str | None:
        """The constructor's keyword for a hyperparameter, option, list or function."""
        return self._names.found.get(symbol)

    @property
    def missing(self) -> list[str]:
        """Symbols that the constructor has no keyword for."""
        return [s for s in self._names.wanted if s not in self._names.found]

    def accepts(self, keyword: str) -> bool:
        """Whether the constructor has a keyword."""
        return keyword in self._names.keywords or self._names.takes_any

    def arguments(self, probe: Probe) -> dict[str, Any]:
        """Keywords of the constructor for a probe."""
        given: dict[str, Any] = {}
        for h in self.algorithm.hyperparameters:
            value = probe.values[h.name]
            self._put(given, h.name, int(value) if h.domain.integer else float(value))
        for option in self.algorithm.options:
            chosen = probe.options[option.name]
            spelled = option.argument.constructor_value(chosen) if option.argument else None
            self._put(given, option.name, chosen if spelled is None else spelled)
        assert self.algorithm.schedule is not None
        for item in self.algorithm.schedule.given:
            if item.kind == "list":
                whole = item.domain.integer
                numbers = [int(x) if whole else x for x in probe.lists[item.name]]
                self._put(given, item.name, numbers)
            if item.kind == "function":
                self._put(given, item.name, factor_of_epoch)
        return {**given, **self.keywords}

    def _put(self, given: dict[str, Any], symbol: str, value: Any) -> None:
        keyword = self.keyword(symbol)
        if keyword is not None:
            given[keyword] = value

    def build(self, optimizer: torch.optim.Optimizer, probe: Probe, **more: Any) -> Any:
        """A scheduler for a probe.

        Raises:
            ConstructionError: the constructor raised.
        """
        arguments = {**self.arguments(probe), **more}
        try:
            with quiet():
                return self.factory(optimizer, **arguments)
        except Exception as error:
            shown = ", ".join(f"{k}={v!r}" for k, v in arguments.items())
            raise ConstructionError(
                f"{self.name}({shown}) raised {type(error).__name__}: {error}"
            ) from error


class _Keywords:
    """How the constructor's keywords are found: renamed, or called like the spec's."""

    def __init__(
        self, factory: Callable[..., Any], algorithm: Algorithm, rename: dict[str, str]
    ) -> None:
        try:
            parameters = inspect.signature(factory).parameters
        except (TypeError, ValueError) as error:
            raise UsageError(f"{factory!r} has no signature: {error}") from None
        self.keywords = list(parameters)[1:]
        self.takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        self.wanted = _wanted(algorithm)
        self.found: dict[str, str] = {}
        unknown = set(rename) - {name for s, names in self.wanted.items() for name in (s, *names)}
        if unknown:
            known = ", ".join(names[0] for names in self.wanted.values())
            raise UsageError(f"rename: {algorithm.name} has no {min(unknown)!r}; it has {known}")
        for symbol, names in self.wanted.items():
            given = next((rename[n] for n in (symbol, *names) if n in rename), None)
            known_here = [n for n in names if n in self.keywords]
            if given is not None:
                self.found[symbol] = given
            elif known_here or self.takes_any:
                self.found[symbol] = known_here[0] if known_here else names[0]


def _wanted(algorithm: Algorithm) -> dict[str, tuple[str, ...]]:
    """Names under which each symbol may appear in a constructor, the likeliest first."""
    found = {h.name: (h.key, *h.aliases) for h in algorithm.hyperparameters}
    found |= {o.name: (o.argument.key if o.argument else o.name,) for o in algorithm.options}
    assert algorithm.schedule is not None
    given = (g for g in algorithm.schedule.given if g.kind in ("list", "function"))
    return found | {g.name: (g.key,) for g in given}


def name_of(factory: Any) -> str:
    """How a report calls the subject."""
    inner = factory.func if isinstance(factory, partial) else factory
    module, name = getattr(inner, "__module__", ""), getattr(inner, "__qualname__", repr(inner))
    return f"{module}.{name}" if module else name


def optimizer_for(probe: Probe) -> torch.optim.Optimizer:
    """A fresh optimizer with a parameter group for each rate."""
    groups: list[dict[str, Any]] = []
    for rate in probe.rates:
        lr: Any = torch.tensor(rate) if probe.tensor else rate
        p = torch.nn.Parameter(torch.ones(2))
        groups.append({"params": [p], "lr": lr, **BYSTANDERS})
    if probe.optimizer == "SGD":
        return torch.optim.SGD(groups, lr=1.0, momentum=UNTOUCHED["momentum"])
    if probe.optimizer == "Adagrad":
        return torch.optim.Adagrad(groups, lr=1.0)
    return torch.optim.Adam(groups, lr=1.0, betas=(UNTOUCHED["momentum"], 0.875))


class Run:
    """A scheduler at work on an optimizer of its own."""

    def __init__(self, subject: Subject, probe: Probe, **more: Any) -> None:
        self.subject, self.probe = subject, probe
        self.optimizer = optimizer_for(probe)
        self.scheduler = subject.build(self.optimizer, probe, **more)
        self.epoch = 0

    def step(self) -> None:
        """One step of the optimizer and the scheduler.

        Raises:
            SubjectError: the scheduler raised.
        """
        self.epoch += 1
        changed = self.probe.changes.get(self.epoch)
        if changed is not None:
            set_rate(self.optimizer.param_groups[changed[0]], changed[1])
        arguments = []
        if reads_metric(self.subject.algorithm):
            arguments = [self.probe.metrics[(self.epoch - 1) % len(self.probe.metrics)]]
        try:
            with quiet():
                self.optimizer.step()
                self.scheduler.step(*arguments)
        except Exception as error:
            raise SubjectError(
                f"step to epoch {self.epoch} raised {type(error).__name__}: {error}"
            ) from error

    def moment(self) -> Moment:
        """What is to be seen now."""
        moment = Moment([entries_of(g) for g in self.optimizer.param_groups])
        scheduler = self.scheduler
        epoch = getattr(scheduler, "last_epoch", None)
        moment.epoch = epoch if isinstance(epoch, int) else None
        with quiet():
            if hasattr(scheduler, "get_last_lr"):
                moment.last = _numbers(scheduler.get_last_lr())
            if hasattr(scheduler, "_get_closed_form_lr"):
                try:
                    moment.closed = _numbers(scheduler._get_closed_form_lr())
                except Exception as error:
                    raise SubjectError(
                        f"its closed form raised {type(error).__name__}: {error}"
                    ) from error
        return moment


def _numbers(values: Any) -> list[float]:
    return [float(v) for v in values]


def set_rate(group: dict[str, Any], rate: float) -> None:
    """Change a learning rate as a user does."""
    if isinstance(group["lr"], torch.Tensor):
        group["lr"].fill_(rate)
    else:
        group["lr"] = rate


def entries_of(group: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a group that a schedule may write; the first of betas counts as momentum."""
    found = {"lr": float(group["lr"])}
    if "momentum" in group:
        found["momentum"] = float(group["momentum"])
    elif "betas" in group:
        found["momentum"] = float(group["betas"][0])
    return found


def record(subject: Subject, probe: Probe) -> Recording:
    """The run of a subject on a probe.

    Raises:
        SubjectError: the scheduler raised, in its constructor or in a step.
    """
    run = Run(subject, probe)
    recording = Recording(probe, [run.moment()])
    for _ in range(probe.epochs):
        run.step()
        recording.moments.append(run.moment())
    return recording
