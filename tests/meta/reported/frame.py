"""What the optimizers with reported defects have in common, all of it correct."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from instep.conformance.suite import Session

State = dict[str, Any]
Group = dict[str, Any]


@dataclass(frozen=True)
class Defect:
    """A defect that was reported of a released optimizer, reproduced in a small one.

    Attributes:
        subject: a class, or what its constructor's flags make of it.
        spec: the dialect that it claims.
        source: `owner/repository#number` of the issue or pull request that tells of it.
        kind: what it is a defect of: one of KINDS.
        check: the check that has to fail.
        diagnosis: name of a candidate that the diagnosis has to give; None where it gives none.
        why: why the diagnosis names nothing.
        status: what the check says: `errored` where the defect is an exception.
    """

    subject: Any
    spec: str
    source: str
    kind: str
    check: str
    diagnosis: str | None = None
    why: str = ""
    status: str = "failed"

    @property
    def name(self) -> str:
        """How a test calls it."""
        return str(getattr(self.subject, "func", self.subject).__name__)

    @property
    def family(self) -> str:
        """The algorithm, whatever its dialect."""
        return self.spec.partition("/")[0]

    def session(self, *, explains: bool = True) -> Session:
        """What judges it; diagnoses take longer than verdicts."""
        session = Session(self.subject, self.spec)
        session.explains = explains
        return session


KINDS = ("equations", "state", "hyperparameters", "gradients", "closures", "dtypes", "flags")
TRAJECTORY = "numerics/trajectory"


class Frame(torch.optim.Optimizer):
    """The loop over groups and parameters; a subclass says how one parameter moves."""

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = None if closure is None else self.evaluate(closure)
        with torch.no_grad():
            self.update()
        return loss

    def evaluate(self, closure: Callable[[], Any]) -> Any:
        with torch.enable_grad():
            return closure()

    def update(self) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.move(p, self.gradient(p, group), self.state[p], group)

    def gradient(self, p: Tensor, group: Group) -> Tensor:
        """The gradient of what is minimised; always a new tensor."""
        assert p.grad is not None
        g = -p.grad if group["maximize"] else p.grad.clone()
        return self.penalise(g, p, group)

    def penalise(self, g: Tensor, p: Tensor, group: Group) -> Tensor:
        """Add the L2 penalty's gradient."""
        return g + group["weight_decay"] * p

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        raise NotImplementedError


def zeros(state: State, p: Tensor, *names: str) -> tuple[Tensor, ...]:
    """State that starts at zero."""
    for name in names:
        if name not in state:
            state[name] = torch.zeros_like(p)
    return tuple(state[name] for name in names)


def count(state: State) -> int:
    """The number of this step of a parameter."""
    state["step"] = state.get("step", 0) + 1
    return int(state["step"])
