"""Parameters: the objects that were given stay what they are, and may have names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import torch

from instep.conformance.checks.base import Check, Failure, Outcome, Plan, Skip
from instep.conformance.errors import SubjectError
from instep.conformance.observe import observe
from instep.conformance.resuming import (
    described,
    go_on,
    load,
    saved_by,
    state_dict_of,
    successor,
)
from instep.conformance.subject import ConstructionError, Run

if TYPE_CHECKING:
    from instep.conformance.context import Context


def checks(plan: Plan) -> Iterator[Check]:
    """Identity, memory and names."""
    yield Check(
        "parameters/kept",
        "must",
        "steps change the values of parameters: not type, shape, requires_grad, nor which they are",
        _kept,
    )
    yield Check(
        "parameters/in-place",
        "should",
        "steps write where the parameters are, and leave their strides: views see the new values",
        _in_place,
    )
    yield Check(
        "parameters/named",
        "must",
        "named parameters move as the same parameters without names do, and state_dict() has the "
        "names",
        _named,
    )
    yield Check(
        "parameters/names-loaded",
        "must",
        "names do not affect loading: state goes from named parameters to others, and back",
        _names_loaded,
    )


def _run(context: Context) -> Run:
    return Run(
        context.subject,
        context.probes.make("parameters", dtype="float32", shapes=((37,), (5, 3), ()), steps=3),
    )


# ---- what they are


def _kept(context: Context) -> Outcome:
    attempt = _run(context)
    before = [_description(p) for p in attempt.parameters]
    listed = _listed(attempt.optimizer)
    for step in range(1, attempt.probe.steps + 1):
        attempt.step()
        for i, (p, expected) in enumerate(zip(attempt.parameters, before, strict=True)):
            for name, value in _description(p).items():
                if value != expected[name]:
                    was = expected[name]
                    raise Failure(f"step {step} makes {name} of parameter {i} {value}, not {was}")
        now = _listed(attempt.optimizer)
        if len(now) != len(listed) or any(a is not b for a, b in zip(now, listed, strict=True)):
            raise Failure(f"param_groups hold other objects after step {step}")
    return Outcome()


def _description(p: torch.Tensor) -> dict[str, Any]:
    return {
        "type": p.dtype,
        "shape": tuple(p.shape),
        "device": p.device,
        "requires_grad": p.requires_grad,
        "is_leaf": p.is_leaf,
    }


def _listed(optimizer: Any) -> list[Any]:
    """The objects in all groups, none where the subject has no groups like torch's."""
    groups = getattr(optimizer, "param_groups", None)
    if not isinstance(groups, list) or not all(isinstance(g, Mapping) for g in groups):
        return []
    return [p for group in groups for p in group.get("params", ())]


def _in_place(context: Context) -> Outcome:
    attempt = _run(context)
    for p in attempt.parameters:
        if p.dim() == 2:  # as matrices are that were transposed
            p.data = p.data.t().contiguous().t()
    before = [(p.data_ptr(), p.stride()) for p in attempt.parameters]
    for step in range(1, attempt.probe.steps + 1):
        try:
            attempt.step()
        except SubjectError as error:
            raise Skip(f"it does not take a transposed matrix: {error}") from error
        for i, (p, (place, strides)) in enumerate(zip(attempt.parameters, before, strict=True)):
            if p.stride() != strides:
                raise Failure(f"step {step} makes the strides of parameter {i} {p.stride()}")
            if p.data_ptr() != place:
                raise Failure(f"step {step} puts parameter {i} elsewhere, and no view of it moves")
    return Outcome()


# ---- names


def _named(context: Context) -> Outcome:
    attempt = _run(context)
    names = _give_names(attempt)
    go_on(attempt, context.record(attempt.probe), "with names")
    _require_names(attempt, names)
    return Outcome()


def _give_names(attempt: Run) -> list[str]:
    """Make another optimizer for a run that has yet to begin, with names for its parameters."""
    if not isinstance(attempt.optimizer, torch.optim.Optimizer):
        raise Skip("the subject is no torch.optim.Optimizer")
    names = [f"layer.{i}" for i in range(len(attempt.parameters))]
    pairs = list(zip(names, attempt.parameters, strict=True))
    probe = attempt.probe
    try:
        attempt.optimizer = attempt.subject.build(pairs, probe.hyperparameters, probe.options)
    except ConstructionError as error:
        cause = error.__cause__
        if isinstance(cause, TypeError | ValueError | NotImplementedError):
            raise Skip(f"it refuses names: {described(cause)}") from error
        raise Failure(f"named parameters are refused: {error}") from error
    attempt.recording.moments[-1] = observe(attempt.optimizer, attempt.parameters)
    return names


def _require_names(attempt: Run, names: list[str]) -> None:
    saved = state_dict_of(attempt)
    groups = saved.get("param_groups") if isinstance(saved, Mapping) else None
    if not isinstance(groups, list):
        raise Skip("its state_dict() has no param_groups")
    found = [name for group in groups for name in group.get("param_names", ())]
    if found != names:
        raise Failure(f"state_dict() has the names {found}, they are {names}")


def _names_loaded(context: Context) -> Outcome:
    whole = context.record(_run(context).probe)
    for named in (True, False):
        first = Run(context.subject, whole.probe)
        if named:
            _give_names(first)
        first.step()
        second = successor(first)
        if not named:
            _give_names(second)
        load(second, saved_by(first))
        there, here = ("named", "nameless") if named else ("nameless", "named")
        go_on(second, whole, f"resumed from the state of {there} parameters with {here} ones")
    return Outcome()
