"""The frame of the vectorized optimizers: drop-ins for torch's, many tensors a call."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from instep.reference.runtime.base import Reference
from instep.reference.runtime.kernels.bundle import Bundle, remember
from instep.reference.runtime.kernels.errors import KernelUnavailableError, tell_once
from instep.reference.runtime.kernels.launch import PLAIN, Call, fits, launch, may_launch
from instep.reference.runtime.kernels.library import Kernel, Library
from instep.reference.runtime.lockstep import LockstepOptimizer
from instep.reference.runtime.sparse import close_lanes, narrow
from instep.reference.runtime.work import (
    Group,
    State,
    Work,
    as_numbers,
    as_scalars,
    as_wide,
    close_work,
    open_work,
    read_numbers,
    read_tensors,
    unit_size,
)

Backend = Literal["auto", "fused", "foreach", "eager"]
Tensors = tuple[Tensor, ...]


class VectorizedOptimizer(Reference):
    """Runs the generated equations on lists of tensors, or one tensor at a time on demand.

    The backend is not kept: it is what `foreach` and `fused` in a group say, as in torch, so that
    it travels with checkpoints and may differ between groups.

    | `foreach` | `fused` | backend |
    |---|---|---|
    | None | None | auto: fused; autograd and graph capture take one tensor at a time |
    | True | None, False | foreach |
    | None, False | True | fused |
    | otherwise | | eager |

    What a kernel cannot run on (sparse gradients, tensors that lie in memory in pieces, devices
    without one) runs in the foreach form, and so does everything where no kernel can be built.

    Class attributes that generated code sets:
        _has_foreach: whether the equations have a form for lists of tensors.
        _kernel: the kernel of the equations, None where they are not the same for each lane alone.
        _shape_queries: functions of its shape that the equations ask of a tensor.
    """

    _has_foreach: ClassVar[bool] = True
    _kernel: ClassVar[Kernel | None] = None
    _shape_queries: ClassVar[tuple[str, ...]] = ()
    # What steps remember; copies and checkpoints begin without.
    _bundles: Mapping[int, Bundle] = {}

    def __init__(self, params: ParamsT, defaults: dict[str, Any], backend: str = "auto") -> None:
        super().__init__(params, {**defaults, **_flags(type(self), defaults, backend)})
        if self._asks_for_fused():
            # torch.amp.GradScaler then leaves scaling and skipping to the step, as with torch's
            # own.
            self._step_supports_amp_scaling = True
            if self._kernel is None:
                name = type(self).__name__
                warnings.warn(
                    f"{name} has no fused kernel yet; fused=True runs the foreach form",
                    stacklevel=3,
                )

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._bundles = {}
        super().__setstate__(state)
        if self._asks_for_fused():
            self._step_supports_amp_scaling = True

    def _asks_for_fused(self) -> bool:
        return any(group.get("fused") for group in self.param_groups)

    def _check(self, group: Group) -> None:
        super()._check(group)
        if group.get("foreach") and group.get("fused"):
            raise RuntimeError("foreach and fused cannot both be True")
        for key in ("foreach", "fused"):
            if group.get(key) and group.get("differentiable"):
                raise RuntimeError(f"{key}=True does not support differentiable=True")
            if group.get(key) and not self._has_foreach:
                name = type(self).__name__
                raise ValueError(f"{name} has no form for lists of tensors; leave {key} out")

    # ---- the step

    def _step(self) -> None:
        if "capturable" in self.defaults:
            # A graph captured around a counter on the host would replay one step for ever.
            self._accelerator_graph_capture_health_check()
        found_inf = getattr(self, "found_inf", None)
        ready = self._ready()
        parameters = list(self._with_gradient(ready))
        if found_inf is not None and found_inf.item():
            for bundle in ready.values():
                bundle.rest()
            return
        groups: dict[int, tuple[dict[str, Any], list[Tensor]]] = {}
        for group in self.param_groups:
            if id(group) in ready and not self._launch_bundle(ready[id(group)], group):
                groups[id(group)] = (group, list(group["params"]))
        for p, group in parameters:
            if group.get("differentiable"):
                self._accept_differentiable(p)
            groups.setdefault(id(group), (group, []))[1].append(p)
        for group, tensors in groups.values():
            if self._runs_foreach(group, tensors):
                self._step_lists(group, tensors)
            else:
                self._step_singly(group, tensors)

    def _ready(self) -> dict[int, Bundle]:
        """Groups that are as they were in the step before, by identity."""
        if not self._bundles or getattr(self, "grad_scale", None) is not None:
            return {}
        ready: dict[int, Bundle] = {}
        for group in self.param_groups:
            bundle = self._bundles.get(id(group))
            if bundle is None:
                continue
            self._check_entries(group)
            if not may_launch(group):
                continue
            if bundle.is_ready(group["params"], self.state):
                ready[id(group)] = bundle
            else:
                self._bundles = {k: b for k, b in self._bundles.items() if b is not bundle}
        return ready

    def _launch_bundle(self, bundle: Bundle, group: Group) -> bool:
        """Step a group that is ready, unless the host now decides otherwise than before."""
        settings = {key: as_numbers(value) for key, value in group.items() if key != "params"}
        first = bundle.parameters[0]
        state = {**self.state.get(first, {}), **bundle.numbers}
        call = self._kernel_call(first, state, settings)
        if call.switches != bundle.switches:
            bundle.rest()
            return False
        bundle.launch(call, state)
        return True

    def _runs_foreach(self, group: Group, tensors: Iterable[Tensor]) -> bool:
        """Whether a group runs on lists: see the table above."""
        if not self._has_foreach or group.get("differentiable") or group.get("capturable"):
            return False
        if group.get("foreach") is None and group.get("fused") is None:
            return all(type(p) in PLAIN for p in tensors)
        return bool(group.get("foreach") or group.get("fused"))

    def _accept(self, p: Tensor, group: Group) -> None:
        super()._accept(p, group)
        sparse = p.grad is not None and p.grad.layout != torch.strided
        if sparse and group.get("fused"):
            raise RuntimeError("fused=True does not support sparse gradients")

    def _accept_differentiable(self, p: Tensor) -> None:
        if p.is_leaf and p.requires_grad:
            raise RuntimeError(
                "differentiable=True writes parameters inside the graph; give it clones, not leaves"
            )
        count = self.state.get(p, {}).get(self._layout.counter)
        if isinstance(count, Tensor) and count.requires_grad:
            raise RuntimeError("the step counter must not require a gradient")

    def _step_singly(self, group: Group, tensors: list[Tensor]) -> None:
        differentiable = bool(group.get("differentiable"))
        capturable = group.get("capturable")
        read = as_wide if capturable else as_scalars if differentiable else as_numbers
        with torch.set_grad_enabled(differentiable):
            settings = {key: read(value) for key, value in group.items() if key != "params"}
            for p in tensors:
                work = self._open(p, settings, clone=differentiable)
                (read_tensors if capturable else read_numbers)(work, self._layout)
                update = self._captured_update if capturable else self._update
                theta = update(work.theta, work.grad, work.state, settings)
                self._close(work, theta, rebind=differentiable)

    def _step_lists(self, group: Group, tensors: list[Tensor]) -> None:
        settings = {key: as_numbers(value) for key, value in group.items() if key != "params"}
        kernel = self._kernel if may_launch(group) else None
        for works in self._alike([self._open(p, settings) for p in tensors], kernel):
            first = works[0]
            if kernel is not None and fits(first, kernel) and self._launch(works, settings, group):
                continue
            numbers = self._layout.numbers
            state: State = {key: tuple(w.state[key] for w in works) for key in first.state}
            state |= {key: first.state[key] for key in numbers & first.state.keys()}
            theta = self._foreach_update(
                tuple(w.theta for w in works), tuple(w.grad for w in works), state, settings
            )
            for i, w in enumerate(works):
                w.state = {k: v if k in numbers else v[i] for k, v in state.items()}
                self._close(w, theta[i])

    def _launch(self, works: list[Work], settings: Group, group: Group) -> bool:
        """Run the kernel, if there is one here: one line says why where there is none."""
        assert self._kernel is not None
        first = works[0]
        state = dict(first.state)
        call = self._kernel_call(first.theta, state, settings)
        try:
            library = launch(self._kernel, works, call)
        except KernelUnavailableError as error:
            tell_once(f"steps run without fused kernels: {error}")
            return False
        for w in works:
            w.state |= {key: state[key] for key in self._layout.numbers & state.keys()}
            self._close(w, w.theta)
        if len(works) == len(group["params"]):
            self._remember(library, call, group)
        return True

    def _remember(self, library: Library, call: Call, group: Group) -> None:
        assert self._kernel is not None
        parameters = list(group["params"])
        states = [self.state.get(p, {}) for p in parameters]
        made = remember(library, self._kernel, call, parameters, states, self._layout)
        if made is not None:
            self._bundles = {**self._bundles, id(group): made}

    def _open(self, p: Tensor, settings: Group, *, clone: bool = False) -> Work:
        work = open_work(p, self.state.get(p, {}), clone=clone, masked=self._accepts.masked)
        self._initialize(work.state, work.theta, settings)
        if p.grad is not None and p.grad.is_sparse and not clone and self._moves_rows(settings):
            narrow(work, p.grad, self._layout)
        scale = getattr(self, "grad_scale", None)
        if scale is not None:
            work.grad = work.grad / scale
        return work

    def _moves_rows(self, group: Group) -> bool:
        """Whether a sparse gradient moves nothing that it does not name; generated where it may."""
        return False

    def _close(self, work: Work, theta: Tensor, *, rebind: bool = False) -> None:
        # Asking for the state of a parameter makes an entry; one that keeps nothing gets none.
        kept = self.state[work.parameter] if work.state else {}
        if work.lanes is not None:
            close_lanes(work, theta, kept, self._layout)
        else:
            close_work(work, theta, kept, self._layout, rebind=rebind)

    def _alike(self, works: list[Work], kernel: Kernel | None) -> Iterable[list[Work]]:
        """Works that may share a call: same device, type, numbers, states and answers on shape."""
        alike: dict[tuple[Any, ...], list[Work]] = defaultdict(list)
        for w in works:
            read_numbers(w, self._layout)
            numbers = tuple(w.state.get(key) for key in sorted(self._layout.numbers))
            shape = tuple(_SHAPE[query](w.theta) for query in self._shape_queries)
            fused = kernel is not None and fits(w, kernel)
            key = (w.theta.device, w.theta.dtype, numbers, frozenset(w.state), shape, fused)
            alike[key].append(w)
        return alike.values()

    # ---- the equations, generated

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """One step of one parameter: writes `state`, returns the new parameter."""
        raise NotImplementedError

    def _captured_update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The same where numbers are tensors; generated where the step decides a branch."""
        return self._update(theta, grad, state, group)

    def _kernel_call(self, theta: Tensor, state: State, group: Group) -> Call:
        """What the host tells the kernel of many parameters; counts the step in `state`."""
        raise NotImplementedError

    def _foreach_update(self, theta: Tensors, grad: Tensors, state: State, group: Group) -> Tensors:
        """One step of many parameters, in place where it can be: returns the new ones."""
        raise NotImplementedError


class VectorizedLockstep(VectorizedOptimizer, LockstepOptimizer):
    """Drop-ins whose parameters wait for each other: one tensor at a time, whatever the backend."""

    _has_foreach = False

    def _check(self, group: Group) -> None:
        super()._check(group)
        for key in ("differentiable", "capturable"):
            if group.get(key):
                raise ValueError(f"{type(self).__name__} does not support {key}=True")


def _flags(
    cls: type[VectorizedOptimizer], defaults: Mapping[str, Any], backend: str
) -> dict[str, bool | None]:
    """What torch's `foreach` and `fused` have to be for a backend; no `fused` where torch has none.

    Raises:
        ValueError: an unknown backend, or one that contradicts `foreach` or `fused`.
    """
    foreach, fused = defaults.get("foreach"), defaults.get("fused")
    contradicted = {
        "auto": False,
        "fused": foreach or fused is False,
        "foreach": foreach is False or fused,
        "eager": foreach or fused,
    }
    if backend not in contradicted:
        raise ValueError(f"backend must be one of {', '.join(contradicted)}; got {backend!r}")
    if contradicted[backend]:
        raise ValueError(f"backend={backend!r} contradicts foreach={foreach}, fused={fused}")
    if "foreach" not in defaults and not cls._has_foreach:
        if backend in ("foreach", "fused"):
            raise ValueError(
                f"{cls.__name__} has no form for lists of tensors; leave backend={backend!r} out"
            )
        return {}
    forced = {"fused": {"fused": True}, "foreach": {"foreach": True}, "eager": {"foreach": False}}
    own = {key: defaults[key] for key in ("foreach", "fused") if key in defaults}
    return {**own, **forced.get(backend, {})}


_SHAPE: dict[str, Callable[[Tensor], int | None]] = {
    "rows": lambda x: x.shape[-2] if x.dim() > 1 else None,
    "cols": lambda x: x.shape[-1] if x.dim() > 0 else None,
    "unit_size": unit_size,
    "numel": lambda x: x.numel(),
    "ndim": lambda x: x.dim(),
}
