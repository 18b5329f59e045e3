"""Points that are read between steps: averages, and where the model is to be evaluated.

optimizer.eval()                # parameters move to the point of evaluation
loss = validate(model)
optimizer.train()               # and back
with optimizer.evaluating():    # both at once
    loss = validate(model)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from instep.reference.runtime.base import Closure, Reference
from instep.reference.runtime.work import Group, State, as_numbers, open_work, read_numbers, real

# Where a parameter is kept while its point of evaluation stands in its place.
_KEPT = "train_point"


class Views(Reference):
    """An optimizer with points that generated methods `_view_<name>` compute."""

    def view(self, name: str) -> list[Tensor]:
        """The point of a view for every parameter, in the order of the groups; new tensors.

        Raises:
            ValueError: there is no such view.
        """
        return [
            self._point(f"_view_{name}", p, group)
            for group in self.param_groups
            for p in group["params"]
        ]

    @torch.no_grad()
    def _point(self, method: str, p: Tensor, group: dict[str, Any]) -> Tensor:
        compute = getattr(self, method, None)
        if compute is None:
            raise ValueError(f"{type(self).__name__} has no view {method.removeprefix('_view_')!r}")
        settings = {key: as_numbers(value) for key, value in group.items() if key != "params"}
        work = open_work(p, self.state.get(p, {}))
        self._initialize(work.state, work.theta, settings)
        read_numbers(work, self._layout)
        point: Tensor = compute(work.theta, work.state, settings).to(work.theta.dtype)
        out = torch.empty_like(p)
        real(out).copy_(point)
        return out


class EvaluationPoint(Views):
    """An optimizer whose model is evaluated at another point than it is trained at.

    Which of the two the parameters hold is an entry `train_mode` of the groups, false at the point
    of evaluation, so that it travels with checkpoints.
    """

    def eval(self) -> None:
        """Move the parameters to the point of evaluation; no step may follow before `train()`."""
        for group in self.param_groups:
            if not group.get("train_mode", True):
                continue
            for p in group["params"]:
                point = self._point("_view_eval", p, group)
                if not hasattr(self, "_leave_eval"):
                    self.state[p][_KEPT] = p.detach().clone()
                _put(p, point)
            group["train_mode"] = False

    def train(self) -> None:
        """Move the parameters back to where they are trained."""
        for group in self.param_groups:
            if group.get("train_mode", True):
                continue
            for p in group["params"]:
                if hasattr(self, "_leave_eval"):
                    _put(p, self._point("_leave_eval", p, group))
                else:
                    _put(p, self.state[p].pop(_KEPT))
            group["train_mode"] = True

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """The parameters at the point of evaluation, for the length of a `with` block."""
        self.eval()
        try:
            yield
        finally:
            self.train()

    def step(self, closure: Closure | None = None) -> Any:
        """One step of every parameter that has a gradient.

        Raises:
            RuntimeError: the parameters are at the point of evaluation.
        """
        if not all(group.get("train_mode", True) for group in self.param_groups):
            name = type(self).__name__
            raise RuntimeError(f"{name} is at its point of evaluation: call train() before step()")
        return super().step(closure)

    def _view_eval(self, theta: Tensor, state: State, group: Group) -> Tensor:
        """The point of evaluation of one parameter; generated."""
        raise NotImplementedError


@torch.no_grad()
def _put(p: Tensor, value: Tensor) -> None:
    p.copy_(value)
