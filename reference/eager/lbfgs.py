# GENERATED from spec/algorithms/lbfgs.py (dialect lbfgs/torch) by
#     python -m instep.reference.generate
"""LBFGS, the eager reference: one tensor at a time, one equation a line."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from instep.reference.runtime import scalar_math as math
from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.lockstep import LockstepOptimizer, LossAndGradient, Max, Steps, Sum
from instep.reference.runtime.sparse import Accepts
from instep.reference.runtime.work import Group, State


class LBFGS(LockstepOptimizer):
    """L-BFGS: limited-memory quasi-Newton steps.

    The dialect is lbfgs/torch: torch.optim.LBFGS. A step makes up to max_iter directions of length
    lr, and evaluates between them.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: step length tried first, in [0,inf) (default: 1).
        max_iter: directions in one step, an integer in [0,inf) (default: 20).
        max_eval: evaluations in one step, an integer in [1,inf); None is floor(max_iter*5/4)
            (default: None).
        tolerance_grad: largest entry of the gradient at which a step ends, in [0,inf) (default:
            1e-07).
        tolerance_change: change of loss or parameters, or slope, at which a step ends, in [0,inf)
            (default: 1e-09).
        history_size: pairs of differences that are kept, an integer in [1,inf) (default: 100).
        line_search_fn: how the step length is found (default: None).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Liu and Nocedal, On the limited memory BFGS method for large scale optimization,
            Mathematical Programming 45, 1989, doi:10.1007/BF01589116
        Nocedal and Wright, Numerical optimization, 2nd edition, 2006, algorithms 3.5, 3.6 and 7.4,
            doi:10.1007/978-0-387-40065-5
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "max_iter": Interval(0, inf, "[)", integer=True),
        "max_eval": Interval(1, inf, "[)", integer=True),
        "tolerance_grad": Interval(0, inf, "[)"),
        "tolerance_change": Interval(0, inf, "[)"),
        "history_size": Interval(1, inf, "[)", integer=True),
    }
    _choices: ClassVar[Mapping[str, tuple[object, ...]]] = {
        "line_search_fn": (None, "strong_wolfe")
    }
    _common = (
        "lr",
        "max_iter",
        "max_eval",
        "tolerance_grad",
        "tolerance_change",
        "history_size",
        "line_search_fn",
    )
    _accepts = Accepts(sparse=True)
    _closure = True
    _shared_keys = frozenset({"func_evals", "n_iter", "t", "ro", "H_diag", "prev_loss"})
    _flat_keys = frozenset({"d", "old_dirs", "old_stps", "prev_flat_grad"})
    _one_group = True

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float | Tensor = 1e-07,
        tolerance_change: float | Tensor = 1e-09,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        if max_eval is None:
            self._check_domains(max_iter=max_iter)
            max_eval = int(max_iter * 5 / 4)
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        if "d" not in state:
            state["d"] = torch.zeros_like(theta)
        state.setdefault("old_dirs", [])
        state.setdefault("old_stps", [])
        if "prev_flat_grad" not in state:
            state["prev_flat_grad"] = torch.zeros_like(theta)

    def _initialize_shared(self, shared: State, group: Group) -> None:
        shared.setdefault("func_evals", 0)
        shared.setdefault("n_iter", 0)
        shared.setdefault("t", 0)
        shared.setdefault("ro", [])
        shared.setdefault("H_diag", 1)
        shared.setdefault("prev_loss", 0)

    def _steps(self, theta: Tensor, state: State, shared: State, group: Group) -> Steps:
        """The equations of one parameter, which waits at each `yield` for all others."""
        lr = group["lr"]
        max_iter = group["max_iter"]
        max_eval = group["max_eval"]
        tolerance_grad = group["tolerance_grad"]
        tolerance_change = group["tolerance_change"]
        history_size = group["history_size"]
        line_search_fn = group["line_search_fn"]
        func_evals_prev = shared["func_evals"]
        n = shared["n_iter"]
        d = state["d"]
        t = shared["t"]
        Y = state["old_dirs"]
        S = state["old_stps"]
        rho = shared["ro"]
        h = shared["H_diag"]
        g_old = state["prev_flat_grad"]
        D: dict[int, Any] = {}
        F: dict[int, Any] = {}
        G: dict[int, Any] = {}
        T: dict[int, Any] = {}
        a: dict[int, Any] = {}

        _grad, _loss = yield LossAndGradient(theta)
        g = _grad  # lbfgs.gradient@first
        f = _loss  # lbfgs.loss@first
        used = 1  # lbfgs.used@first
        func_evals = shared["func_evals"] = func_evals_prev + 1  # lbfgs.evaluations@first
        _max = yield Max(torch.abs(g))
        if not _max <= tolerance_grad:
            end = 0  # lbfgs.end@first
            for j_d in range(int(max_iter)):
                n = shared["n_iter"] = n + 1  # lbfgs.directions
                if n == 1:
                    d = state["d"] = -g  # lbfgs.direction@first
                else:
                    y = g - g_old  # lbfgs.gradient_difference
                    s = d * t  # lbfgs.step
                    ys = yield Sum((y * s).sum())  # lbfgs.curvature
                    if ys > 1e-10:
                        # lbfgs.gradient_differences
                        Y = state["old_dirs"] = [*Y, y][-int(history_size) :]
                        S = state["old_stps"] = [*S, s][-int(history_size) :]  # lbfgs.steps
                        # lbfgs.inverse_curvatures
                        rho = shared["ro"] = [*rho, 1 / ys][-int(history_size) :]
                        _sum = yield Sum((y * y).sum())
                        h = shared["H_diag"] = ys / _sum  # lbfgs.scale
                    q = -g  # lbfgs.start
                    for i in reversed(range(len(rho))):
                        _sum_2 = yield Sum((S[i] * q).sum())
                        a[i] = _sum_2 * rho[i]  # lbfgs.first_loop_factor
                        q = q - a[i] * Y[i]  # lbfgs.first_loop
                    q = q * h  # lbfgs.first_hessian
                    for i in range(len(rho)):
                        _sum_3 = yield Sum((Y[i] * q).sum())
                        b = _sum_3 * rho[i]  # lbfgs.second_loop_factor
                        q = q + (a[i] - b) * S[i]  # lbfgs.second_loop
                    d = state["d"] = q.clone()  # lbfgs.direction
                g_old = state["prev_flat_grad"] = g.clone()  # lbfgs.last_gradient_kept
                f_old = shared["prev_loss"] = f  # lbfgs.last_loss_kept
                if n == 1:
                    _sum_4 = yield Sum(torch.abs(g).sum())
                    # lbfgs.step_length@first
                    t = shared["t"] = math.minimum(1.0, 1.0 / _sum_4) * lr
                else:
                    t = shared["t"] = lr  # lbfgs.step_length
                slope = yield Sum((g * d).sum())  # lbfgs.slope
                if slope > -tolerance_change:
                    end = 1  # lbfgs.end@uphill
                else:
                    if line_search_fn == "strong_wolfe":
                        x = theta + t * d  # lbfgs.trial_point@first
                        _grad_2, _loss_2 = yield LossAndGradient(x)
                        g_t = _grad_2  # lbfgs.trial_gradient@first
                        f_t = _loss_2  # lbfgs.trial_loss@first
                        slope_t = yield Sum((g_t * d).sum())  # lbfgs.trial_slope@first
                        tries = max_eval - used  # lbfgs.tries
                        k = 0  # lbfgs.round@first
                        t_0 = 0  # lbfgs.last_step@first
                        f_0 = f  # lbfgs.last_loss@first
                        slope_0 = slope  # lbfgs.last_slope@first
                        g_0 = g  # lbfgs.last_gradient@first
                        done = 0  # lbfgs.done@first
                        ready = 0  # lbfgs.bracketed@first
                        T[0] = 0  # lbfgs.end_step@widest-left
                        F[0] = f  # lbfgs.end_loss@widest-left
                        D[0] = slope  # lbfgs.end_slope@widest-left
                        G[0] = g  # lbfgs.end_gradient@widest-left
                        T[1] = t  # lbfgs.end_step@widest-right
                        F[1] = f_t  # lbfgs.end_loss@widest-right
                        D[1] = slope_t  # lbfgs.end_slope@widest-right
                        G[1] = g_t  # lbfgs.end_gradient@widest-right
                        for j in range(int(tries)):
                            if f_t > f + 0.0001 * t * slope or (k > 1 and f_t >= f_0):
                                T[0] = t_0  # lbfgs.end_step@rising-left
                                F[0] = f_0  # lbfgs.end_loss@rising-left
                                D[0] = slope_0  # lbfgs.end_slope@rising-left
                                G[0] = g_0  # lbfgs.end_gradient@rising-left
                                T[1] = t  # lbfgs.end_step@rising-right
                                F[1] = f_t  # lbfgs.end_loss@rising-right
                                D[1] = slope_t  # lbfgs.end_slope@rising-right
                                G[1] = g_t  # lbfgs.end_gradient@rising-right
                                ready = 1  # lbfgs.bracketed@rising
                            elif math.absolute(slope_t) <= -0.9 * slope:
                                T[0] = t  # lbfgs.end_step@found-left
                                F[0] = f_t  # lbfgs.end_loss@found-left
                                D[0] = slope_t  # lbfgs.end_slope@found-left
                                G[0] = g_t  # lbfgs.end_gradient@found-left
                                T[1] = t  # lbfgs.end_step@found-right
                                F[1] = f_t  # lbfgs.end_loss@found-right
                                D[1] = slope_t  # lbfgs.end_slope@found-right
                                G[1] = g_t  # lbfgs.end_gradient@found-right
                                done = 1  # lbfgs.done@found
                                ready = 1  # lbfgs.bracketed@found
                            elif slope_t >= 0:
                                T[0] = t_0  # lbfgs.end_step@uphill-left
                                F[0] = f_0  # lbfgs.end_loss@uphill-left
                                D[0] = slope_0  # lbfgs.end_slope@uphill-left
                                G[0] = g_0  # lbfgs.end_gradient@uphill-left
                                T[1] = t  # lbfgs.end_step@uphill-right
                                F[1] = f_t  # lbfgs.end_loss@uphill-right
                                D[1] = slope_t  # lbfgs.end_slope@uphill-right
                                G[1] = g_t  # lbfgs.end_gradient@uphill-right
                                ready = 1  # lbfgs.bracketed@uphill
                            else:
                                # lbfgs.cubic_slope@beyond
                                d1 = slope_0 + slope_t - 3 * (f_0 - f_t) / (t_0 - t)
                                root = d1**2 - slope_0 * slope_t  # lbfgs.cubic_square@beyond
                                if root >= 0:
                                    root = math.sqrt(root)  # lbfgs.cubic_root@beyond
                                    # lbfgs.cubic_minimum@beyond
                                    t_next = t - (t - t_0) * (
                                        (slope_t + root - d1) / (slope_t - slope_0 + 2 * root)
                                    )
                                    # lbfgs.interpolation@beyond
                                    t_next = math.minimum(
                                        math.maximum(t_next, t + 0.01 * (t - t_0)), t * 10
                                    )
                                else:
                                    # lbfgs.bisection@beyond
                                    t_next = (t + 0.01 * (t - t_0) + t * 10) / 2.0
                                t_0 = t  # lbfgs.last_step@next
                                f_0 = f_t  # lbfgs.last_loss@next
                                slope_0 = slope_t  # lbfgs.last_slope@next
                                g_0 = g_t  # lbfgs.last_gradient@next
                                t = shared["t"] = t_next  # lbfgs.step_length@beyond
                                x = theta + t * d  # lbfgs.trial_point@beyond
                                _grad_2, _loss_2 = yield LossAndGradient(x)
                                g_t = _grad_2  # lbfgs.trial_gradient@beyond
                                f_t = _loss_2  # lbfgs.trial_loss@beyond
                                slope_t = yield Sum((g_t * d).sum())  # lbfgs.trial_slope@beyond
                                k = k + 1  # lbfgs.round@next
                            if ready > 0:
                                break
                        if ready < 1:
                            T[1] = t  # lbfgs.end_step@exhausted
                            F[1] = f_t  # lbfgs.end_loss@exhausted
                            D[1] = slope_t  # lbfgs.end_slope@exhausted
                            G[1] = g_t  # lbfgs.end_gradient@exhausted
                        low = math.where(F[0] <= F[1], 0, 1)  # lbfgs.low@bracketed
                        high = 1 - low  # lbfgs.high@bracketed
                        stuck = 0  # lbfgs.stuck@first
                        ready = 0  # lbfgs.zoomed@first
                        for j in range(int(math.where(done > 0, 0, tries - k))):
                            _max_2 = yield Max(torch.abs(d))
                            if math.absolute(T[1] - T[0]) * _max_2 < 1e-09:
                                ready = 1  # lbfgs.zoomed@narrow
                            else:
                                first = math.minimum(T[0], T[1])  # lbfgs.first_end
                                last = math.maximum(T[0], T[1])  # lbfgs.last_end
                                # lbfgs.cubic_slope@inside
                                d1 = D[0] + D[1] - 3 * (F[0] - F[1]) / (T[0] - T[1])
                                root = d1**2 - D[0] * D[1]  # lbfgs.cubic_square@inside
                                if root >= 0:
                                    root = math.sqrt(root)  # lbfgs.cubic_root@inside
                                    if T[0] <= T[1]:
                                        # lbfgs.cubic_minimum@inside
                                        t_next = T[1] - (T[1] - T[0]) * (
                                            (D[1] + root - d1) / (D[1] - D[0] + 2 * root)
                                        )
                                    else:
                                        # lbfgs.cubic_minimum@inside
                                        t_next = T[0] - (T[0] - T[1]) * (
                                            (D[0] + root - d1) / (D[0] - D[1] + 2 * root)
                                        )
                                    # lbfgs.interpolation@inside
                                    t_next = math.minimum(math.maximum(t_next, first), last)
                                else:
                                    t_next = (first + last) / 2.0  # lbfgs.bisection@inside
                                t = shared["t"] = t_next  # lbfgs.step_length@inside
                                margin = 0.1 * (last - first)  # lbfgs.margin
                                if math.minimum(last - t, t - first) < margin:
                                    if stuck > 0 or t >= last or t <= first:
                                        if math.absolute(t - last) < math.absolute(t - first):
                                            # lbfgs.step_length@from-last
                                            t = shared["t"] = last - margin
                                        else:
                                            # lbfgs.step_length@from-first
                                            t = shared["t"] = first + margin
                                        stuck = 0  # lbfgs.stuck@freed
                                    else:
                                        stuck = 1  # lbfgs.stuck@near
                                else:
                                    stuck = 0  # lbfgs.stuck@clear
                                x = theta + t * d  # lbfgs.trial_point@inside
                                _grad_2, _loss_2 = yield LossAndGradient(x)
                                g_t = _grad_2  # lbfgs.trial_gradient@inside
                                f_t = _loss_2  # lbfgs.trial_loss@inside
                                slope_t = yield Sum((g_t * d).sum())  # lbfgs.trial_slope@inside
                                k = k + 1  # lbfgs.round@zoom
                                if f_t > f + 0.0001 * t * slope or f_t >= F[low]:
                                    T[high] = t  # lbfgs.end_step@high
                                    F[high] = f_t  # lbfgs.end_loss@high
                                    D[high] = slope_t  # lbfgs.end_slope@high
                                    G[high] = g_t  # lbfgs.end_gradient@high
                                    low = math.where(F[0] <= F[1], 0, 1)  # lbfgs.low@narrowed
                                    high = 1 - low  # lbfgs.high@narrowed
                                else:
                                    if math.absolute(slope_t) <= -0.9 * slope:
                                        ready = 1  # lbfgs.zoomed@wolfe
                                    elif slope_t * (T[high] - T[low]) >= 0:
                                        T[high] = T[low]  # lbfgs.end_step@turned
                                        F[high] = F[low]  # lbfgs.end_loss@turned
                                        D[high] = D[low]  # lbfgs.end_slope@turned
                                        G[high] = G[low]  # lbfgs.end_gradient@turned
                                    T[low] = t  # lbfgs.end_step@low
                                    F[low] = f_t  # lbfgs.end_loss@low
                                    D[low] = slope_t  # lbfgs.end_slope@low
                                    G[low] = g_t  # lbfgs.end_gradient@low
                            if ready > 0:
                                break
                        t = shared["t"] = T[low]  # lbfgs.step_length@found
                        f = F[low]  # lbfgs.loss@found
                        g = G[low]  # lbfgs.gradient@found
                        theta = theta + t * d  # lbfgs.update@searched
                        # lbfgs.evaluations@searched
                        func_evals = shared["func_evals"] = func_evals + k + 1
                        used = used + k + 1  # lbfgs.used@searched
                    else:
                        theta = theta + t * d  # lbfgs.update
                        if j_d < max_iter - 1:
                            _grad, _loss = yield LossAndGradient(theta)
                            g = _grad  # lbfgs.gradient
                            f = _loss  # lbfgs.loss
                            func_evals = shared["func_evals"] = func_evals + 1  # lbfgs.evaluations
                            used = used + 1  # lbfgs.used
                    _max = yield Max(torch.abs(g))
                    _max_3 = yield Max(torch.abs(d * t))
                    if (
                        used >= max_eval
                        or _max <= tolerance_grad
                        or _max_3 <= tolerance_change
                        or math.absolute(f - f_old) < tolerance_change
                    ):
                        end = 1  # lbfgs.end@converged
                if end > 0:
                    break
        return theta
