"""The subject: constructed in its own names, run on probes, recorded."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch

from instep.conformance.errors import SubjectError, UsageError
from instep.conformance.landscapes import TorchNumbers, evaluate
from instep.conformance.naming import Naming, infer_naming
from instep.conformance.observe import Call, Recording, observe, to_array
from instep.conformance.probes import Probe, near_shape
from instep.conformance.quiet import quiet
from instep.conformance.sparse import gradient_tensor, rewritten
from instep.conformance.transform import GradientTransform
from instep.spec.arguments import OptionValue
from instep.spec.model import Algorithm

Factory = Callable[..., Any]


class ConstructionError(SubjectError):
    """The subject's constructor refused a configuration; the cause is its own exception."""


class UnsupportedError(Exception):
    """The subject does not have what a check needs; the message says what."""


class Subject:
    """Somebody's optimizer, as a constructor with names mapped to the spec's.

    `requires_grad` is switched off for subjects that differentiate through their own step and so
    refuse leaves that require gradients. `primed` is switched on for those that find the first
    gradient of a step in p.grad: `closure(); optimizer.step(closure)`.

    Args:
        factory: `(params, **keywords)` that returns an object with `step`.
        algorithm: the spec, seen through a dialect.
        rename: {spec name: subject name}.
        given: keywords in the subject's names that every construction gets.
    """

    def __init__(
        self,
        factory: Factory,
        algorithm: Algorithm,
        rename: Mapping[str, str] | None = None,
        given: Mapping[str, Any] | None = None,
    ) -> None:
        if not callable(factory):
            raise UsageError(f"the subject {factory!r} is no constructor: it cannot be called")
        self.factory, self.algorithm = factory, algorithm
        self.naming: Naming = infer_naming(factory, algorithm, rename)
        self.given = {**self.naming.bound, **(given or {})}
        self.name = name_of(factory)
        self.requires_grad = True
        self.primed = False

    def arguments(
        self, values: Mapping[str, float], options: Mapping[str, OptionValue]
    ) -> dict[str, Any]:
        """Constructor keywords for a configuration, the given ones included."""
        return {**self.given, **self.naming.arguments(self.algorithm, self._whole(values), options)}

    def _whole(self, values: Mapping[str, float]) -> dict[str, float]:
        """The same with integers where the spec wants them: `range(2.0)` is the reader's error."""
        integers = {h.name for h in self.algorithm.hyperparameters if h.domain.integer}
        return {k: int(v) if k in integers else v for k, v in values.items()}

    def build(
        self,
        parameters: Any,
        values: Mapping[str, float],
        options: Mapping[str, OptionValue],
    ) -> Any:
        """An optimizer for parameters or parameter groups.

        Raises:
            ConstructionError: the constructor raised.
            UsageError: what it returned has no `step`.
        """
        arguments = self.arguments(values, options)
        try:
            with quiet():
                optimizer = self._make(parameters, arguments)
        except Exception as error:
            shown = ", ".join(f"{k}={v!r}" for k, v in arguments.items())
            kind = type(error).__name__
            message = f"{self.name} refused ({shown}): {kind}: {error}"
            raise ConstructionError(message) from error
        if not callable(getattr(optimizer, "step", None)):
            raise UsageError(
                f"{self.name} returned a {type(optimizer).__name__} without step(): no optimizer"
            )
        # One that is evaluated elsewhere than it is trained may begin there: nobody steps before.
        if evaluates(optimizer):
            optimizer.train()
        return optimizer

    def _make(self, parameters: Any, arguments: Mapping[str, Any]) -> Any:
        if self.algorithm.result == "gradient":
            return GradientTransform(self.factory, parameters, **arguments)
        return self.factory(parameters, **arguments)

    def parameter(self) -> torch.nn.Parameter:
        """A parameter of a few lanes that the algorithm admits, to try a constructor with."""
        shape = near_shape(self.algorithm, (3,))
        return torch.nn.Parameter(torch.ones(shape), requires_grad=self.requires_grad)

    def groups(self, probe: Probe, tensors: Sequence[torch.Tensor]) -> Any:
        """What the constructor gets: a list of tensors, or groups with their own values."""
        if not probe.groups:
            return list(tensors)
        special = {i for indices, _ in probe.groups for i in indices}
        rest = [p for i, p in enumerate(tensors) if i not in special]
        groups: list[dict[str, Any]] = [{"params": rest}] if rest else []
        own = self.group_values(probe)
        for (indices, _), values in zip(probe.groups, own, strict=True):
            groups.append({"params": [tensors[i] for i in indices], **values})
        return groups

    def group_values(self, probe: Probe) -> list[dict[str, Any]]:
        """What each further group of a probe says for itself, under the subject's own keys."""
        defaults = self.group_defaults(probe)
        return [self.entries(defaults, values) for _, values in probe.groups]

    def group_defaults(self, probe: Probe) -> dict[str, Any]:
        """What a group holds when it does not say otherwise, under the subject's own keys."""
        optimizer = self.build([self.parameter()], probe.hyperparameters, probe.options)
        groups = getattr(optimizer, "param_groups", None)
        if not groups:
            raise UnsupportedError("the subject has no param_groups")
        return {k: v for k, v in groups[0].items() if k != "params"}

    def set(self, optimizer: Any, values: Mapping[str, float]) -> None:
        """Change hyperparameters by hand in every parameter group.

        Raises:
            UnsupportedError: there are no groups, or none has an entry for one of them.
        """
        groups = getattr(optimizer, "param_groups", None)
        if not groups:
            raise UnsupportedError("the subject has no param_groups")
        for group in groups:
            group.update(self.entries(group, values))

    def has_entry(self, group: Mapping[str, Any], symbol: str) -> bool:
        """Whether a group holds a hyperparameter."""
        try:
            self.entries(group, {symbol: 0.0})
        except UnsupportedError:
            return False
        return True

    def entries(self, group: Mapping[str, Any], values: Mapping[str, float]) -> dict[str, Any]:
        """Hyperparameters as entries of a group, under the keys that it has.

        Raises:
            UnsupportedError: it has no entry for one of them.
        """
        out: dict[str, Any] = {}
        for symbol, value in self._whole(values).items():
            h = self.algorithm.hyperparameter(symbol)
            keyword = self.naming.hyperparameters.get(symbol)
            names = [keyword.name] if keyword is not None else []
            key = next((k for k in (*names, h.key, symbol, *h.aliases) if k in group), None)
            if key is None:
                raise UnsupportedError(f"its parameter groups have no entry for {symbol}")
            present = out.get(key, group[key])
            index = h.index if keyword is None else keyword.index
            if isinstance(present, tuple | list) and index is not None:
                whole = list(present)
                if index >= len(whole) or isinstance(whole[index], tuple | list):
                    raise UnsupportedError(f"its groups keep {key} in a form of their own")
                whole[index] = value
                out[key] = type(present)(whole)
            else:
                out[key] = value
        return out


def evaluates(optimizer: Any) -> bool:
    """Whether it moves the parameters to a point of evaluation, and back."""
    return all(callable(getattr(optimizer, name, None)) for name in ("eval", "train"))


def name_of(factory: Any) -> str:
    """How a report calls a subject: `torch.optim.adamw.AdamW`, with what a partial bound."""
    if isinstance(factory, functools.partial):
        bound = ", ".join(f"{k}={v!r}" for k, v in factory.keywords.items())
        return f"{name_of(factory.func)}({bound})"
    module = getattr(factory, "__module__", "")
    name = getattr(factory, "__qualname__", type(factory).__name__)
    return f"{module}.{name}" if module and module != "__main__" else str(name)


def tensors_of(probe: Probe, requires_grad: bool = True) -> list[torch.Tensor]:
    """Leaf parameters in the probe's type."""
    dtype = getattr(torch, probe.dtype)
    values = [torch.tensor(p).to(dtype) for p in probe.parameters]
    values = [torch.view_as_complex(x) for x in values] if probe.complex else values
    return [torch.nn.Parameter(x, requires_grad=requires_grad) for x in values]


class Run:
    """One subject on one probe, step by step.

    `parameters` and `optimizer` are live; `recording` grows with every step.
    """

    def __init__(self, subject: Subject, probe: Probe) -> None:
        self.subject, self.probe = subject, probe
        self.parameters = self.tensors()
        self.dtype = getattr(torch, probe.dtype)
        groups = subject.groups(probe, self.parameters)
        self.optimizer = subject.build(groups, probe.hyperparameters, probe.options)
        first = observe(self.optimizer, self.parameters)
        arguments = subject.arguments(probe.hyperparameters, probe.options)
        grouped = bool(getattr(self.optimizer, "param_groups", None))
        self.recording = Recording(
            probe, [first], arguments=arguments, grouped=grouped, primed=subject.primed
        )

    def tensors(self) -> list[torch.Tensor]:
        """The parameters before the first step."""
        return tensors_of(self.probe, self.subject.requires_grad)

    def step(self) -> None:
        """The next step; raises SubjectError when the subject does."""
        if self.probe.closure:
            self.step_with(self.closure(self.recording.steps))
            return
        self.give_gradients()
        self.step_with(None)

    def gradients(self, t: int) -> list[torch.Tensor | None]:
        """The gradients of step t (from 0), of the layout that the probe gives them."""
        given = self.probe.gradients[t]
        touched = self.probe.touched[t] if self.probe.touched else [None] * len(given)
        made = [
            None if g is None else gradient_tensor(g, named, self.dtype)
            for g, named in zip(given, touched, strict=True)
        ]
        if self.probe.complex:
            return [None if g is None else torch.view_as_complex(g) for g in made]
        return made

    def give_gradients(self) -> list[torch.Tensor]:
        """Set p.grad for the next step; returns the tensors that were set."""
        for p, g in zip(self.parameters, self.gradients(self.recording.steps), strict=True):
            p.grad = g
        return [p.grad for p in self.parameters if p.grad is not None]

    def step_with(self, closure: Callable[[], torch.Tensor] | None) -> Any:
        """The next step, with a closure if one is given; returns what step() returns."""
        t = self.recording.steps + 1
        if t in self.probe.changes:
            self.subject.set(self.optimizer, self.probe.changes[t])
        with _subject_errors(self.subject, t), quiet():
            loss = self.take(closure)
        self.recording.losses.append(loss)
        self.recording.moments.append(observe(self.optimizer, self.parameters))
        return loss

    def take(self, closure: Callable[[], torch.Tensor] | None) -> Any:
        """The step itself, as the subject makes it."""
        return self.optimizer.step() if closure is None else self.optimizer.step(closure)

    def skip_to(self, steps: int) -> None:
        """Pretend that so many steps were made, for a run that resumes another."""
        self.recording.moments = [self.recording.moments[-1]] * (steps + 1)

    def closure(self, t: int, *, reuse: bool = False) -> Callable[[], torch.Tensor]:
        """The closure of step t (from 0), which notes every call of it.

        It evaluates a landscape if the algorithm needs that, else gradients are fixed. With `reuse`
        every gradient is written into the tensors of the one before, as `backward()` does after
        `zero_grad(set_to_none=False)`.
        """
        calls = self.recording.calls.setdefault(t, [])

        def differentiate() -> torch.Tensor:
            loss, gradients = self._evaluate(t)
            for p, g in zip(self.parameters, gradients, strict=True):
                if reuse and p.grad is not None and g is not None:
                    p.grad = rewritten(p.grad, g)
                else:
                    p.grad = g
            return loss

        def closure() -> torch.Tensor:
            enabled = torch.is_grad_enabled()
            with torch.no_grad():
                loss = differentiate()
            calls.append(Call([to_array(p) for p in self.parameters], enabled, float(loss)))
            return loss

        if self.subject.primed and self.probe.closure:
            differentiate()
        return closure

    def _evaluate(self, t: int) -> tuple[torch.Tensor, list[torch.Tensor | None]]:
        """The loss, and the gradient of every parameter, where the parameters are now."""
        numbers, given = TorchNumbers(self.dtype), self.probe.gradients[t]
        if not self.probe.closure:
            loss = torch.tensor(float(t + 1), dtype=self.dtype)
            return loss, self.gradients(t)
        points = [p.detach() for p in self.parameters]
        return evaluate(numbers, self.probe.landscape, points, given, self.probe.slopes)

    def finish(self) -> Recording:
        """All remaining steps."""
        while self.recording.steps < self.probe.steps:
            self.step()
        return self.recording


@contextlib.contextmanager
def _subject_errors(subject: Subject, step: int) -> Iterator[None]:
    try:
        yield
    except UnsupportedError:  # an adapter says what its optimizer has no counterpart of
        raise
    except Exception as error:
        kind = type(error).__name__
        raise SubjectError(f"{subject.name} raised in step {step}: {kind}: {error}") from error


def run(subject: Subject, probe: Probe) -> Recording:
    """Construct, run and record."""
    return Run(subject, probe).finish()
