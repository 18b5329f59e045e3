# GENERATED from spec/algorithms/heun.py (dialect heun/paper) by
#     python -m instep.reference.generate
"""Heun, the eager reference: one tensor at a time, one equation a line."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import ClassVar

from torch import Tensor
from torch.optim.optimizer import ParamsT

from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.lockstep import Gradient, LockstepOptimizer, Steps
from instep.reference.runtime.work import Group, State


class Heun(LockstepOptimizer):
    """Heun's method on the gradient flow.

    The dialect is heun/paper: Heun 1900; the trapezoidal rule with a predicted end point. A step
    calls the closure twice: at the parameters, and at the predicted point.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, the step size of the method, in [0,inf) (default: 0.01).
        maximize: ascend instead of descend (default: False).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Heun, Neue Methoden zur approximativen Integration der Differentialgleichungen einer
            unabhaengigen Veraenderlichen, 1900; as in Hairer, Norsett and Wanner, Solving ordinary
            differential equations I, 1993, section II.1, doi:10.1007/978-3-540-78862-1
        Sueli and Mayers, An introduction to numerical analysis, 2003, section 12.2: the improved
            Euler method, doi:10.1017/CBO9780511801181
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {"maximize": False}
    _closure = True

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.01,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _steps(self, theta: Tensor, state: State, shared: State, group: Group) -> Steps:
        """The equations of one parameter, which waits at each `yield` for all others."""
        lr = group["lr"]
        maximize = group["maximize"]

        _grad = yield Gradient(theta)
        if maximize:
            g1 = -_grad  # heun.first_gradient@yes
        else:
            g1 = _grad  # heun.first_gradient@no
        theta = theta - lr * g1  # heun.predictor
        _grad = yield Gradient(theta)
        if maximize:
            g2 = -_grad  # heun.second_gradient@yes
        else:
            g2 = _grad  # heun.second_gradient@no
        theta = theta - lr / 2 * (g2 - g1)  # heun.corrector
        return theta
