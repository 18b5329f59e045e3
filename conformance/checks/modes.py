"""Modes of use: learning rates as tensors, schedulers, gradient scalers, sums of gradients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from instep.conformance.checks.base import Check, Failure, Outcome, Plan, Skip
from instep.conformance.errors import SubjectError
from instep.conformance.norms import exact
from instep.conformance.observe import changes
from instep.conformance.probes import Probe
from instep.conformance.quiet import quiet
from instep.conformance.refusals import cause_of, finish
from instep.conformance.resuming import required
from instep.conformance.subject import ConstructionError, Run, Subject, UnsupportedError
from instep.spec.arguments import OptionValue
from instep.spec.options import hyperparameters_read

if TYPE_CHECKING:
    from instep.conformance.context import Context

_SHAPES = ((37,), (5, 3))
_SCALE = 2.0**10


def checks(plan: Plan) -> Iterator[Check]:
    """What training loops do around a step."""
    if plan.algorithm.result != "parameters":
        return
    if any(h.key == "lr" for h in plan.hyperparameters):
        yield Check(
            "modes/lr-tensor",
            "must",
            "a learning rate that is a tensor does what the number does, also when it is changed "
            "in place, and is not written to, or is refused before anything changes",
            _lr_tensor,
        )
        yield Check(
            "modes/scheduler",
            "must",
            "a scheduler of torch.optim.lr_scheduler sets the learning rate of the next steps",
            _scheduler,
        )
    yield Check(
        "modes/grad-scale",
        "must",
        "one that says that it supports torch.amp.GradScaler divides by grad_scale, and where "
        "found_inf is set changes nothing",
        _grad_scale,
    )
    yield Check(
        "gradients/accumulated",
        "must",
        "gradients that add up over two backward passes count as their sum",
        _accumulated,
    )


def learning_rate(context: Context) -> tuple[str, str]:
    """(symbol, constructor's keyword) of the learning rate."""
    symbol = next(h.name for h in context.algorithm.hyperparameters if h.key == "lr")
    keyword = context.subject.naming.hyperparameters.get(symbol)
    if keyword is None or keyword.index is not None:
        raise Skip("the constructor takes no learning rate")
    probes = context.probes
    if symbol in probes.fixed or symbol not in hyperparameters_read(
        context.algorithm, probes.options
    ):
        raise Skip("the learning rate is fixed, or the equations do not read it")
    return symbol, keyword.name


def _halved(context: Context, name: str, symbol: str, steps: tuple[int, ...]) -> Probe:
    """A run in which the learning rate is halved before some of its steps."""
    made = context.probes.make(name, dtype=context.widest, shapes=_SHAPES, steps=6)
    if made.steps < max(steps):
        raise Skip("its runs are too short")
    rate, values = made.hyperparameters[symbol], {}
    for step in steps:
        rate = rate / 2
        values[step] = {symbol: rate}
        if not context.probes.admits({symbol: rate}):
            raise Skip("no other learning rate is admissible")
    return replace(made, changes=values)


# ---- a learning rate that is a tensor


class _ByTensor(Subject):
    """The same subject, whose learning rate is given, and changed, as a tensor."""

    def __init__(self, subject: Subject, key: str, dtype: torch.dtype) -> None:
        vars(self).update(vars(subject))
        self.key, self.dtype = key, dtype

    def arguments(
        self, values: Mapping[str, float], options: Mapping[str, OptionValue]
    ) -> dict[str, Any]:
        """Constructor keywords, with a new tensor."""
        found = super().arguments(values, options)
        return {**found, self.key: torch.tensor(float(found[self.key]), dtype=self.dtype)}

    def set(self, optimizer: Any, values: Mapping[str, float]) -> None:
        """Change the tensors of the groups in place, as schedulers do."""
        groups = getattr(optimizer, "param_groups", None) or ()
        tensors = [g["lr"] for g in groups if isinstance(g.get("lr"), torch.Tensor)]
        if not tensors:
            super().set(optimizer, values)
        for tensor in tensors:
            tensor.fill_(*values.values())


def _lr_tensor(context: Context) -> Outcome:
    symbol, key = learning_rate(context)
    probe = _halved(context, "modes-lr-tensor", symbol, (4,))
    subject = _ByTensor(context.subject, key, getattr(torch, probe.dtype))
    try:
        attempt = Run(subject, probe)
    except ConstructionError as error:
        raise Skip(f"it refuses a tensor: {cause_of(error)}") from error
    given = _of_group(attempt)
    try:
        recording = finish(attempt, "a learning rate that is a tensor")
    except UnsupportedError as error:
        raise Skip(str(error)) from error
    last = probe.value(symbol, probe.steps, 0)
    if given is not None and float(given) != last:
        raise Failure(f"steps write {float(given):g} to the tensor that is the learning rate")
    return context.require_without_diagnosis(
        recording, "with a tensor as learning rate they go elsewhere"
    )


def _of_group(attempt: Run) -> torch.Tensor | None:
    groups = getattr(attempt.optimizer, "param_groups", None)
    found = groups[0].get("lr") if groups else None
    return found if isinstance(found, torch.Tensor) else None


# ---- a scheduler


def _scheduler(context: Context) -> Outcome:
    symbol, _ = learning_rate(context)
    probe = _halved(context, "modes-scheduler", symbol, (3, 5))
    attempt = Run(context.subject, replace(probe, changes={}))
    if not isinstance(attempt.optimizer, torch.optim.Optimizer):
        raise Skip("the subject is no torch.optim.Optimizer")
    if any(not isinstance(g.get("lr"), float) for g in attempt.optimizer.param_groups):
        raise Skip("its groups have no learning rate under the key lr")
    with required("a scheduler that is put around it"):
        schedule = torch.optim.lr_scheduler.StepLR(attempt.optimizer, step_size=2, gamma=0.5)
    for t in range(probe.steps):
        try:
            attempt.step()
        except SubjectError as error:
            raise Failure(f"step {t + 1} under a scheduler raises: {cause_of(error)}") from error
        with quiet():
            schedule.step()
    recording = replace(attempt.recording, probe=probe)
    return context.require(recording, "under a scheduler they go elsewhere")


# ---- a gradient scaler


def _grad_scale(context: Context) -> Outcome:
    probe = _plain(context, "modes-grad-scale")
    attempt = Run(context.subject, probe)
    if not getattr(attempt.optimizer, "_step_supports_amp_scaling", False):
        raise Skip("it does not say that it supports a gradient scaler")
    for t in range(probe.steps):
        if t == probe.steps // 2:
            _require_skipped(attempt)
        _scaled_step(attempt, found_inf=0.0)
    return context.require_without_diagnosis(
        attempt.recording, "with scaled gradients they go elsewhere"
    )


def _plain(context: Context, name: str) -> Probe:
    probe = context.probes.make(name, dtype=context.widest, shapes=_SHAPES, steps=4)
    if probe.closure or probe.touched:
        raise Skip("the algorithm evaluates the gradient itself, or takes sparse ones alone")
    return probe


def _scaled_step(attempt: Run, found_inf: float) -> None:
    """A step as GradScaler makes it, on gradients that are as much too large."""
    for gradient in attempt.give_gradients():
        gradient.mul_(_SCALE)
    attempt.optimizer.grad_scale = torch.tensor(_SCALE)
    attempt.optimizer.found_inf = torch.tensor(found_inf)
    try:
        attempt.step_with(None)
    finally:
        del attempt.optimizer.grad_scale, attempt.optimizer.found_inf


def _require_skipped(attempt: Run) -> None:
    """A step with infinite gradients changes nothing, and does not count."""
    before = attempt.recording.moments[-1]
    _scaled_step(attempt, found_inf=1.0)
    after = attempt.recording.moments.pop()
    attempt.recording.losses.pop()
    changed = next(changes(before, after), None)
    if changed is not None:
        raise Failure(f"though found_inf is set the step changes {changed}")


# ---- several backward passes


def _accumulated(context: Context) -> Outcome:
    probe = _plain(context, "gradients-accumulated")
    if not context.subject.requires_grad:
        raise Skip("it takes parameters that require no gradient only")
    parts = [*probe.gradients[1:], probe.gradients[0]]
    pairs = list(zip(probe.gradients, parts, strict=True))
    sums = tuple(
        tuple(_sum(a, b, probe.dtype) for a, b in zip(one, two, strict=True)) for one, two in pairs
    )
    attempt = Run(context.subject, replace(probe, gradients=sums))
    for pair in pairs:
        for p in attempt.parameters:
            p.grad = None
        for part in pair:
            _backward(attempt, part)
        attempt.step_with(None)
    return context.require_without_diagnosis(
        attempt.recording, "after two backward passes they go elsewhere"
    )


def _sum(a: Any, b: Any, dtype: str) -> Any:
    return exact(np.asarray(a) + np.asarray(b), dtype)


def _backward(attempt: Run, gradients: tuple[Any, ...]) -> None:
    """A backward pass that adds these gradients to those that are there."""
    given = [torch.tensor(g).to(attempt.dtype) for g in gradients]
    with torch.enable_grad():
        parts = [(p * g).sum() for p, g in zip(attempt.parameters, given, strict=True)]
        torch.autograd.backward(parts)
