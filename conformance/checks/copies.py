"""Copies: an optimizer that is copied together with its parameters goes on as the original does."""

from __future__ import annotations

import contextlib
import copy
import pickle
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from instep.conformance.checks.base import Check, Failure, Outcome, Plan, Skip
from instep.conformance.errors import SubjectError
from instep.conformance.quiet import quiet
from instep.conformance.resuming import described, go_on, required, stopped
from instep.conformance.subject import Run

if TYPE_CHECKING:
    from instep.conformance.context import Context


def checks(plan: Plan) -> Iterator[Check]:
    """Two ways to copy, and what it prints."""
    yield Check(
        "copies/deepcopy",
        "should",
        "a deep copy of parameters and optimizer continues bit for bit, and so does the original",
        partial(_copied, "copy.deepcopy", copy.deepcopy),
    )
    yield Check(
        "copies/pickle",
        "should",
        "parameters and optimizer that were pickled together continue bit for bit",
        partial(_copied, "pickle", lambda pair: pickle.loads(pickle.dumps(pair))),
    )
    yield Check(
        "copies/repr",
        "info",
        "repr() of a torch.optim.Optimizer names its class and what its groups hold",
        _repr,
    )


def _copied(name: str, make: Callable[[Any], Any], context: Context) -> Outcome:
    probe = context.probes.make("resume", dtype="float32", shapes=((37,), (5, 3)), steps=7)
    whole, first = context.record(probe), stopped(context, probe)
    if not isinstance(first.optimizer, torch.optim.Optimizer):
        raise Skip("the subject is no torch.optim.Optimizer")
    with _class_as_it_was(type(first.optimizer)):
        second = _copy_of(first, name, make)
        for run, which in ((second, f"in the copy by {name}"), (first, f"after a copy by {name}")):
            try:
                go_on(run, whole, which)
            except SubjectError as error:
                raise Failure(f"the run does not go on {which}: {error}") from error
    return Outcome()


def _copy_of(first: Run, name: str, make: Callable[[Any], Any]) -> Run:
    second = Run(first.subject, first.probe)
    try:
        with quiet():
            second.parameters, second.optimizer = make((first.parameters, first.optimizer))
    except Exception as error:
        raise Skip(f"it refuses {name}: {described(error)}") from error
    second.skip_to(first.recording.steps)
    return second


@contextlib.contextmanager
def _class_as_it_was(kind: Any) -> Iterator[None]:
    """Take back what unpickling does to a class: it wraps `step`, of all its objects, for hooks."""
    had = vars(kind).get("step")
    try:
        yield
    finally:
        if vars(kind).get("step") is not had:
            if had is None:
                del kind.step
            else:
                kind.step = had


def _repr(context: Context) -> Outcome:
    optimizer = stopped(context, context.base.probe).optimizer
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise Skip("the subject is no torch.optim.Optimizer")
    with required("repr()"):
        text = repr(optimizer)
    own = {key for group in optimizer.param_groups for key in group} - {"params"}
    missing = [name for name in (type(optimizer).__name__, *sorted(own)) if name not in text]
    if missing:
        raise Failure(f"repr() does not mention {', '.join(missing)}")
    return Outcome()
