"""A trace: parameters, gradients, state and hyperparameters, before and after some steps."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

FORMAT = "instep-trace@1"
Entry = Any  # a number, a truth value, a text, None, or a tuple of such: what a group holds


@dataclass(frozen=True, slots=True)
class Leaf:
    """One number or tensor that is kept for a parameter, in float64, and the type it is kept in."""

    value: Any
    dtype: str = ""


@dataclass(frozen=True, slots=True)
class TracedParameter:
    """One parameter.

    Attributes:
        name: what it is called.
        dtype: float64, float32, bfloat16 or float16.
        shape: of what was recorded.
        group: which parameter group it is in.
        lanes: flat indices of the lanes that were recorded, empty for all.
        size: how many lanes there are, if not all were recorded.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    group: int
    lanes: tuple[int, ...] = ()
    size: int = 0


@dataclass(frozen=True, slots=True)
class TracedMoment:
    """Every parameter, and what is kept for it by path, between two steps."""

    parameters: tuple[Any, ...]
    state: tuple[Mapping[str, Leaf], ...]


@dataclass(frozen=True, slots=True)
class TracedStep:
    """What a step was given, and what there was after it."""

    groups: tuple[Mapping[str, Entry], ...]
    gradients: tuple[Any | None, ...]
    after: TracedMoment


@dataclass(frozen=True)
class Trace:
    """Some steps of one optimizer.

    Attributes:
        subject: how it is called.
        begins: number of the first step, None where it is not known.
        environment: versions, for the report.
    """

    subject: str
    begins: int | None
    parameters: tuple[TracedParameter, ...]
    start: TracedMoment
    steps: tuple[TracedStep, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def moments(self) -> Sequence[TracedMoment]:
        """One before the first step and one after every step."""
        return (self.start, *(step.after for step in self.steps))


def schema() -> dict[str, Any]:
    """The published JSON Schema (draft 2020-12) of a trace."""
    home = resources.files("instep.conformance.traces")
    return dict(json.loads(home.joinpath("trace.schema.json").read_text("utf-8")))
