"""The frame of the eager reference: one tensor at a time, out of place."""

from __future__ import annotations

from torch import Tensor

from instep.reference.runtime.base import Reference
from instep.reference.runtime.work import (
    Group,
    State,
    as_numbers,
    close_work,
    open_work,
    read_numbers,
)


class EagerOptimizer(Reference):
    """Runs the generated equations on each parameter in turn."""

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """One step of one parameter: writes `state`, returns the new parameter."""
        raise NotImplementedError

    def _step(self) -> None:
        for p, group in list(self._with_gradient()):
            settings = {key: as_numbers(value) for key, value in group.items() if key != "params"}
            work = open_work(p, self.state.get(p, {}), masked=self._accepts.masked)
            self._initialize(work.state, work.theta, settings)
            read_numbers(work, self._layout)
            theta = self._update(work.theta, work.grad, work.state, settings)
            # Asking for the state of a parameter makes an entry; one that keeps nothing gets none.
            close_work(work, theta, self.state[p] if work.state else {}, self._layout)
