"""The base of all generated optimizers: construction, groups, older checkpoints, the closure."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any, ClassVar, overload

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from instep.reference.runtime.intervals import (
    Domain,
    check_choices,
    check_domains,
    check_entries,
    check_switches,
)
from instep.reference.runtime.shapes import check_shapes, late_state, stand_in
from instep.reference.runtime.sparse import Accepts
from instep.reference.runtime.work import (
    Group,
    Layout,
    State,
    as_numbers,
    close_work,
    open_work,
    scalar_dtype,
)

Closure = Callable[[], Any]
# They say how a step runs, not what it computes; older checkpoints lack some.
_MAY_BE_MISSING = frozenset({"foreach", "fused", "capturable", "differentiable"})


class Reference(torch.optim.Optimizer):
    """A generated optimizer; subclasses are the generated classes' bases, one for each way to run.

    Class attributes that generated code sets:
        _domains: where each hyperparameter may lie.
        _common: entries that all groups share, as they belong to the whole optimizer.
        _pinned: entries of every group that the dialect fixes.
        _older: entries that older checkpoints lack, with the value that they meant.
        _choices: the values of arguments that name one of several forms.
        _layout: how the state of a parameter is kept.
        _accepts: which gradients and parameters it takes.
        _constructs_state: whether state begins with construction, not with the first step.
        _one_group: whether all hyperparameters are those of the whole optimizer.
    """

    _domains: ClassVar[Mapping[str, Domain]] = {}
    _common: ClassVar[tuple[str, ...]] = ()
    _pinned: ClassVar[Mapping[str, object]] = {}
    _older: ClassVar[Mapping[str, object]] = {}
    _choices: ClassVar[Mapping[str, tuple[object, ...]]] = {}
    _layout: ClassVar[Layout] = Layout()
    _accepts: ClassVar[Accepts] = Accepts()
    _constructs_state: ClassVar[bool] = False
    _one_group: ClassVar[bool] = False

    def __init__(self, params: ParamsT, defaults: dict[str, Any]) -> None:
        self._check(defaults)
        super().__init__(params, {**defaults, **self._pinned})

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group; its hyperparameters are checked as the constructor's are."""
        if isinstance(param_group, Mapping):
            whole = {**self.defaults, **param_group}
            self._check(whole)
            self._check_common(whole)
            self._check_parameters(param_group.get("params"))
        super().add_param_group(param_group)
        try:
            for p in self.param_groups[-1]["params"]:
                self._admit(p)
            self._admit_group()
        except ValueError:
            del self.param_groups[-1]
            raise
        if self._constructs_state:
            self._construct_state(self.param_groups[-1])

    def _admit_group(self) -> None:
        if self._one_group and len(self.param_groups) > 1:
            name = type(self).__name__
            raise ValueError(f"{name} has no settings of parameter groups: give it a single group")

    @torch.no_grad()
    def _construct_state(self, group: Group) -> None:
        settings = {key: as_numbers(value) for key, value in group.items() if key != "params"}
        for p in group["params"]:
            work = open_work(p, self.state.get(p, {}))
            self._initialize(work.state, work.theta, settings)
            close_work(work, work.theta, self.state[p], self._layout)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for key, value in self._older.items():
                group.setdefault(key, value)
            group.update(self._pinned)
            for p in group["params"]:
                _restore_counter(self.state.get(p, {}), self._layout)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load a checkpoint; numbers kept for each parameter keep their digits.

        Torch casts every tensor of the state but the step counter to the parameter's type.

        Raises:
            ValueError: its groups or the shapes of its state are those of other parameters; then
                everything is as it was.
        """
        before = self.state, self.param_groups
        try:
            super().load_state_dict(state_dict)
            self._regain(state_dict)
            self._check_state()
        except Exception:
            self.state, self.param_groups = before
            raise

    def _regain(self, state_dict: dict[str, Any]) -> None:
        """Undo what torch does to state that it loads."""
        for state in self.state.values():
            state |= {key: _strided(value) for key, value in state.items()}
        keys = self._layout.numbers - {self._layout.counter}
        saved = (i for group in state_dict["param_groups"] for i in group["params"])
        ours = (p for group in self.param_groups for p in group["params"])
        for i, p in zip(saved, ours, strict=True):
            for key in keys & state_dict["state"].get(i, {}).keys():
                _uncast(self.state[p], key, state_dict["state"][i][key])

    def _check_state(self) -> None:
        """Refuse state that steps cannot read: here once, not in the middle of one.

        Raises:
            ValueError: a state has not the shape that the parameter asks for.
        """
        first = 0
        for group in self.param_groups:
            settings = {key: as_numbers(value) for key, value in group.items() if key != "params"}
            for i, p in enumerate(group["params"], start=first):
                if self.state.get(p):
                    theta = stand_in(p)
                    fresh = late_state(theta, self._layout)
                    self._initialize(fresh, theta, {**self.defaults, **settings})
                    kept = self._own_state(p)
                    check_shapes(kept, fresh, self._layout, f"parameter {i}")
            first += len(group["params"])

    def _own_state(self, parameter: Tensor) -> State:
        """What the state of a parameter holds of itself."""
        own: State = self.state[parameter]
        return own

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    def step(self, closure: Closure | None = None) -> float | None:
        """One step of every parameter that has a gradient.

        Args:
            closure: evaluates the loss again, with gradients enabled; its value is returned.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        with torch.no_grad():
            self._step()
        return loss

    def _step(self) -> None:
        raise NotImplementedError

    def _check_domains(self, **given: Any) -> None:
        """Refuse hyperparameters outside their domains before others are computed from them."""
        check_domains(given, {key: self._domains[key] for key in given})

    def _check(self, group: Group) -> None:
        """Refuse hyperparameters outside their domains, and what they must satisfy together.

        Raises:
            ValueError: a value outside its domain, or values that contradict each other.
            TypeError: neither a number nor a tensor.
        """
        check_domains(group, self._domains)
        check_choices(group, self._choices)
        self._require(group)

    def _check_entries(self, group: Group) -> None:
        """Refuse entries that no step can be made with; before a step, since anybody may set them.

        Raises:
            ValueError, TypeError: what is missing, or of a kind that the equations cannot read.
        """
        check_entries(group, self._domains)
        check_choices(group, self._choices)
        others = self.defaults.keys() - self._domains.keys() - self._choices.keys()
        check_switches(group, others - _MAY_BE_MISSING)
        check_switches(group, others & _MAY_BE_MISSING & group.keys())
        self._check_common(group)

    def _check_common(self, group: Group) -> None:
        """Refuse a group that says otherwise than the first what is one for the whole optimizer.

        Raises:
            ValueError: two groups disagree.
        """
        for first in self.param_groups[:1]:
            for key in self._common:
                ours, theirs = as_numbers(first[key]), as_numbers(group[key])
                if ours != theirs:
                    raise ValueError(
                        f"{key} is one for all parameter groups: one says {ours!r}, "
                        f"another {theirs!r}"
                    )

    def _check_parameters(self, parameters: Any) -> None:
        """Refuse kinds of parameters that the algorithm itself excludes.

        Raises:
            ValueError: a complex or a sparse one where it takes none.
        """
        accepts, name = self._accepts, type(self).__name__
        # An iterator is read once, by torch; a step refuses what it yields.
        for p in parameters if isinstance(parameters, list | tuple) else [parameters]:
            tensor = p[1] if isinstance(p, tuple) and len(p) == 2 else p
            if not isinstance(tensor, Tensor):
                continue
            if tensor.is_complex() and accepts.complex is False:
                raise ValueError(f"{name} does not support complex parameters")
            if tensor.layout != torch.strided and not accepts.dense:
                raise ValueError(f"{name} requires dense parameter tensors")

    def _require(self, group: Group) -> None:
        """Conditions between hyperparameters; generated where there are any."""

    def _admit(self, theta: Tensor) -> None:
        """Refuse a parameter of a shape that the algorithm is not defined for; generated."""

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        """Fill in the state that a parameter lacks; generated where there is any."""

    def _with_gradient(self, known: Container[int] = ()) -> Iterator[tuple[Tensor, dict[str, Any]]]:
        """Parameters that have a gradient, each with its group.

        Args:
            known: groups, by identity, whose parameters are known to be of the right kind.

        Raises:
            RuntimeError: a gradient or parameter is of a kind that the equations have no meaning
                for; nothing has changed yet if this is consumed first.
        """
        for group in self.param_groups:
            self._check_entries(group)
            for p in () if id(group) in known else group["params"]:
                if p.grad is not None:
                    self._accept(p, group)
                    yield p, group

    def _accept(self, p: Tensor, group: Group) -> None:
        name, accepts = type(self).__name__, self._accepts
        if p.is_complex() and not accepts.complex:
            raise RuntimeError(f"{name} does not support complex parameters; give it real ones")
        if p.grad is None:
            return
        if p.grad.layout == torch.strided:
            if not accepts.dense:
                raise RuntimeError(f"{name} does not support dense gradients; give it sparse ones")
        elif not accepts.sparse or p.grad.layout != torch.sparse_coo:
            raise RuntimeError(f"{name} does not support sparse gradients; give it dense ones")
        else:
            self._require_sparse(group)

    def _require_sparse(self, group: Group) -> None:
        """What sparse gradients ask of hyperparameters; generated where they ask anything."""


def _strided(value: Any) -> Any:
    """State that torch keeps sparse, as it does a momentum buffer, with all its lanes."""
    sparse = isinstance(value, Tensor) and value.layout != torch.strided
    return value.to_dense() if sparse else value


def _uncast(state: dict[str, Any], key: str, saved: Any) -> None:
    """Undo a cast; a value that a hook has replaced stays."""
    loaded = state.get(key)
    if not (isinstance(saved, Tensor) and isinstance(loaded, Tensor)):
        return
    if torch.equal(saved.to(loaded), loaded):
        state[key] = saved.detach().to(loaded.device, copy=True)


def _restore_counter(state: dict[str, Any], layout: Layout) -> None:
    """Checkpoints of old keep the step counter as a number."""
    counter = layout.counter
    if counter is None or counter not in state:
        return
    kept = state[counter]
    if isinstance(kept, Tensor) and kept.numel() != 1:
        return  # to be refused, where a checkpoint is loaded
    if not layout.tensor:
        state[counter] = int(kept)
    elif not isinstance(kept, Tensor):
        state[counter] = torch.tensor(float(kept), dtype=scalar_dtype())
