"""What a check is, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from instep.conformance.verdict import Tally
from instep.spec.arguments import Hyperparameter
from instep.spec.model import Algorithm
from instep.spec.options import idle_hyperparameters

if TYPE_CHECKING:
    from instep.conformance.context import Context
    from instep.conformance.observe import Recording


@dataclass(frozen=True)
class Plan:
    """What is known before the subject is: the spec, and how thorough to be."""

    algorithm: Algorithm
    level: str = "quick"

    @property
    def thorough(self) -> bool:
        """Whether the level is `full`."""
        return self.level == "full"

    @property
    def hyperparameters(self) -> tuple[Hyperparameter, ...]:
        """Those that the dialect can read: there is nothing to ask of the others."""
        idle = idle_hyperparameters(self.algorithm)
        return tuple(h for h in self.algorithm.hyperparameters if h.name not in idle)


@dataclass
class Outcome:
    """A check that ran to its end.

    Attributes:
        tally: the lanes it compared, if it is numeric.
        recording: the run that it judged.
        message: what it observed.
    """

    tally: Tally | None = None
    recording: Recording | None = None
    message: str = ""


@dataclass(frozen=True)
class Check:
    """One requirement and the code that looks whether it is met.

    Attributes:
        name: `<topic>/<name>`, of [a-z0-9.-] only.
        level: must, should or info.
        requirement: one sentence.
        run: returns an Outcome, or raises Skip or Failure.
        numeric: whether it judges the equations themselves (its failures are diagnosed, and explain
            those of others).
        kind: the name with what the specification brings left open, empty where that can be told
            from the name.
    """

    name: str
    level: str
    requirement: str
    run: Callable[[Context], Outcome]
    numeric: bool = False
    kind: str = ""


class Skip(Exception):  # noqa: N818 - a signal, not an error
    """The check does not apply; the message is the reason."""


class Failure(Exception):  # noqa: N818 - a verdict, not an error
    """The requirement is not met.

    Args:
        message: what was observed against what is required.
        tally: the lanes that show it.
        recording: the run that shows it.
    """

    def __init__(
        self, message: str, tally: Tally | None = None, recording: Recording | None = None
    ) -> None:
        super().__init__(message)
        self.tally, self.recording = tally, recording
