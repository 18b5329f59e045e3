"""Record a live optimizer: hooks before and after its steps, where it has none a wrapped `step`."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from instep.conformance.errors import UsageError
from instep.conformance.observe import Moment, observe, to_array
from instep.conformance.profile import FLOAT_TYPES
from instep.conformance.subject import name_of
from instep.conformance.traces.model import (
    Entry,
    Leaf,
    Trace,
    TracedMoment,
    TracedParameter,
    TracedStep,
)
from instep.conformance.traces.writing import to_text


def record(
    optimizer: Any, path: str | Path | None = None, *, lanes: int | None = None,
    begins: int | None = None,
) -> Recorder:  # fmt: skip
    """A context manager that records the steps made inside; see `Recorder`."""
    return Recorder(optimizer, path, lanes=lanes, begins=begins)


class Recorder:
    """Records every step of an optimizer between entering and leaving.

        with record(optimizer, "run.json"):
            for batch in batches: ...

    Args:
        optimizer: anything with `step` and `param_groups`.
        path: where the trace is written on leaving; else call `save`.
        lanes: so many lanes of each larger parameter, evenly spread; enough for algorithms that
            treat each lane by itself.
        begins: number of the first step recorded, if that is not the optimizer's first one and its
            state has no counter.

    Raises:
        UsageError: the optimizer, or a step of it, cannot be recorded.
    """

    def __init__(
        self,
        optimizer: Any,
        path: str | Path | None = None,
        *,
        lanes: int | None = None,
        begins: int | None = None,
    ) -> None:
        if lanes is not None and lanes < 1:
            raise UsageError(f"lanes={lanes}: at least one has to be recorded")
        self.optimizer, self.path, self.lanes, self.begins = optimizer, path, lanes, begins
        self.parameters = _parameters(optimizer)
        self._steps: list[TracedStep] = []
        self._given: list[Any | None] = []
        self._groups: tuple[Mapping[str, Entry], ...] = ()
        self._calls: int | None = None
        self._fault = ""
        self._undo: list[Callable[[], None]] = []
        self._start: TracedMoment | None = None

    # ---- recording

    def __enter__(self) -> Self:
        self._chosen = [self._some(p) for p in self.parameters]
        self._start = self._moment()
        if self.begins is None and self._is_new(self._start):
            self.begins = 1
        self._attach()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._detach()
        if kind is None and self.path is not None:
            self.save(self.path)

    def _attach(self) -> None:
        o = self.optimizer
        try:
            self._undo.append(o.register_step_pre_hook(self._before_hook).remove)
            self._undo.append(o.register_step_post_hook(lambda *_: self._after()).remove)
        except AttributeError:  # there are none, or the constructor did not prepare for them
            self._detach()
            self._wrap()

    def _detach(self) -> None:
        while self._undo:
            self._undo.pop()()

    def _wrap(self) -> None:
        """Put a function in front of `step`."""
        o = self.optimizer
        step, own = o.step, "step" in vars(o)

        def recorded(*args: Any, **keywords: Any) -> Any:
            args, keywords = self._before(args, keywords)
            result = step(*args, **keywords)
            self._after()
            return result

        o.step = recorded
        self._undo.append(lambda: setattr(o, "step", step) if own else delattr(o, "step"))

    def _before_hook(self, _: Any, args: Any, keywords: Any) -> Any:
        (_, *rest) = args  # the optimizer itself
        rest, keywords = self._before(tuple(rest), keywords)
        return (args[0], *rest), keywords

    def _before(self, args: Any, keywords: Any) -> Any:
        """Note what the step is given; a closure is noted when it is called."""
        self._groups = tuple(_plain_group(g) for g in self.optimizer.param_groups)
        self._given, self._calls = self._gradients(), None
        if args and callable(args[0]):
            return (self._noted(args[0]), *args[1:]), keywords
        if callable(keywords.get("closure")):
            return args, {**keywords, "closure": self._noted(keywords["closure"])}
        return args, keywords

    def _noted(self, closure: Callable[[], Any]) -> Callable[[], Any]:
        self._calls = 0

        def noted() -> Any:
            loss = closure()
            self._calls = (self._calls or 0) + 1
            self._given = self._gradients()
            return loss

        return noted

    def _after(self) -> None:
        number = len(self._steps) + 1
        if self._calls not in (None, 1):
            self._fault = f"step {number} called its closure {self._calls} times"
        elif len(_parameters(self.optimizer)) != len(self.parameters):
            self._fault = f"parameters were added before step {number}"
        self._steps.append(TracedStep(self._groups, tuple(self._given), self._moment()))

    def _is_new(self, start: TracedMoment) -> bool:
        """Whether no step was made before: there is no state, and nothing but zeros elsewhere."""
        kept = (x.value for own in start.state for x in own.values() if np.ndim(x.value))
        return not getattr(self.optimizer, "state", None) and not any(map(np.any, kept))

    # ---- what is there

    def _some(self, p: torch.Tensor) -> Any | None:
        """Flat indices of the lanes of a parameter that are recorded, None for all."""
        if self.lanes is None or p.numel() <= self.lanes:
            return None
        return np.linspace(0, p.numel() - 1, self.lanes).round().astype(int)

    def _part(self, x: Any, i: int) -> Any:
        chosen = self._chosen[i]
        whole = chosen is None or np.size(x) != self.parameters[i].numel()
        return x if whole else np.ravel(x)[chosen]

    def _gradients(self) -> list[Any | None]:
        given = [p.grad for p in self.parameters]
        if any(g is not None and g.layout is not torch.strided for g in given):
            self._fault = "sparse gradients cannot be recorded"
        return [None if g is None else self._part(to_array(g), i) for i, g in enumerate(given)]

    def _moment(self) -> TracedMoment:
        now: Moment = observe(self.optimizer, self.parameters)
        state = tuple(
            {path: Leaf(self._part(x, i), now.types.get(path, "")) for path, x in own.items()}
            for i, own in enumerate(now.leaves)
        )
        return TracedMoment(tuple(self._part(p, i) for i, p in enumerate(now.parameters)), state)

    # ---- the trace

    @property
    def trace(self) -> Trace:
        """What was recorded so far.

        Raises:
            UsageError: a step could not be recorded, or none was made.
        """
        if self._fault:
            raise UsageError(f"this run cannot be judged from a trace: {self._fault}")
        if self._start is None or not self._steps:
            raise UsageError("nothing was recorded: no step was made inside the `with`")
        traced = tuple(self._traced())
        name = name_of(type(self.optimizer))
        return Trace(name, self.begins, traced, self._start, tuple(self._steps), _environment())

    def _traced(self) -> list[TracedParameter]:
        out: list[TracedParameter] = []
        for k, group in enumerate(self.optimizer.param_groups):
            names = group.get("param_names") or [""] * len(group["params"])
            for p, name in zip(group["params"], names, strict=True):
                chosen = self._chosen[len(out)]
                shape = tuple(p.shape) if chosen is None else (len(chosen),)
                lanes = () if chosen is None else tuple(chosen.tolist())
                size = p.numel() if lanes else 0
                out.append(TracedParameter(name, _type(p), shape, k, lanes, size))
        return out

    def to_json(self) -> str:
        """The trace as JSON with hex floats."""
        return to_text(self.trace)

    def save(self, path: str | Path) -> None:
        """Write it to a file."""
        text = self.to_json()
        try:
            Path(path).write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror}") from error


def _parameters(optimizer: Any) -> list[torch.Tensor]:
    groups = getattr(optimizer, "param_groups", None)
    if not groups or not callable(getattr(optimizer, "step", None)):
        raise UsageError(f"{name_of(type(optimizer))} has no step() and param_groups to record")
    out = [p for group in groups for p in group["params"]]
    for p in out:
        if _type(p) not in FLOAT_TYPES:
            raise UsageError(f"a parameter of type {_type(p)} cannot be recorded")
    return out


def _type(p: torch.Tensor) -> str:
    return str(p.dtype).removeprefix("torch.")


def _plain_group(group: Mapping[str, Any]) -> dict[str, Entry]:
    """Entries that say what is computed; what is neither number nor text is left out."""
    out: dict[str, Entry] = {}
    for key, value in group.items():
        if key not in ("params", "param_names"):
            try:
                out[key] = _plain(value)
            except ValueError:
                continue
    return out


def _plain(value: Any) -> Entry:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case torch.Tensor() if value.numel() == 1:
            return float(value)
        case tuple() | list():
            return tuple(_plain(x) for x in value)
    raise ValueError(f"a {type(value).__name__} is no entry of a trace")


def _environment() -> dict[str, str]:
    return {
        "torch": str(torch.__version__),
        "python": platform.python_version(),
        "platform": platform.platform(),
    }
