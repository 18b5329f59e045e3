"""Hooks: what torch.optim.Optimizer lets others register is called, in order, and may replace."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from instep.conformance.checks.base import Check, Failure, Outcome, Plan, Skip
from instep.conformance.resuming import (
    difference,
    load,
    required,
    state_dict_of,
    stopped,
    successor,
)
from instep.conformance.subject import Run

if TYPE_CHECKING:
    from instep.conformance.context import Context

# What hooks add to a dict, to be found again where the dict arrives.
_MARK = "instep"
_ORDER = ["prepended before", "before", "prepended after", "after"]


def checks(plan: Plan) -> Iterator[Check]:
    """Of state_dict(), load_state_dict() and step()."""
    yield Check(
        "hooks/state-dict",
        "must",
        "state_dict() calls its hooks once, prepended ones first; a dict that one returns replaces",
        _state_dict,
    )
    yield Check(
        "hooks/load-state-dict",
        "must",
        "load_state_dict() calls its hooks once, prepended ones first; a dict that one returns is "
        "loaded",
        _load_state_dict,
    )
    yield Check(
        "hooks/step",
        "must",
        "step() calls its hooks before and after all changes, with the arguments that it got",
        _step,
    )
    yield Check(
        "hooks/all-optimizers",
        "must",
        "step() calls hooks that are registered for all optimizers, before and after all changes",
        _all_optimizers,
    )
    yield Check(
        "hooks/removed",
        "must",
        "a hook of step(), state_dict() or load_state_dict() that was removed is called no more",
        _removed,
    )


def _stopped(context: Context) -> Run:
    probe = context.probes.make("resume", dtype="float32", shapes=((37,), (5, 3)), steps=7)
    attempt = stopped(context, probe)
    if not isinstance(attempt.optimizer, torch.optim.Optimizer):
        raise Skip("the subject is no torch.optim.Optimizer")
    return attempt


# ---- of dicts


class _Log:
    """Hooks that note when they are called, and with what."""

    def __init__(self, optimizer: Any) -> None:
        self.optimizer = optimizer
        self.called: list[str] = []

    def hook(self, name: str, replace: Callable[[Any], Any] = lambda _: None) -> Callable[..., Any]:
        """One hook; `replace` makes what it returns of the dict that it is given."""

        def hook(optimizer: Any, *given: Any) -> Any:
            self.called.append(name if optimizer is self.optimizer else f"{name} of another")
            return replace(given[0]) if given else None

        return hook

    def require_order(self, method: str) -> None:
        """All four, once each."""
        if self.called != _ORDER:
            found = ", ".join(self.called) or "none"
            raise Failure(f"{method} calls hooks {_ORDER} in this order; it called: {found}")


def _register(attempt: Run, method: str, before: Any, after: Any) -> _Log:
    """Two hooks before and two after a method, the second of each prepended."""
    log, optimizer = _Log(attempt.optimizer), attempt.optimizer
    with required(f"the registration of hooks of {method}()"):
        for name, when, replace in (("before", "pre", before), ("after", "post", after)):
            register = getattr(optimizer, f"register_{method}_{when}_hook")
            register(log.hook(name, replace))
            register(log.hook(f"prepended {name}"), prepend=True)
    return log


def _state_dict(context: Context) -> Outcome:
    attempt = _stopped(context)
    log = _register(attempt, "state_dict", lambda _: None, lambda found: {**found, _MARK: 1})
    found = state_dict_of(attempt)
    log.require_order("state_dict()")
    if _MARK not in found:
        raise Failure("state_dict() does not return the dict that a hook returned in its place")
    return Outcome()


def _load_state_dict(context: Context) -> Outcome:
    attempt = _stopped(context)
    saved, second = state_dict_of(attempt), successor(attempt)
    log = _register(second, "load_state_dict", _marked, lambda _: None)
    load(second, saved)
    log.require_order("load_state_dict()")
    if not all(_MARK in group for group in second.optimizer.param_groups):
        raise Failure("load_state_dict() does not load the dict that a hook returned in its place")
    return Outcome()


def _marked(found: Any) -> Any:
    groups = [{**group, _MARK: 1} for group in found["param_groups"]]
    return {**found, "param_groups": groups}


# ---- of steps


def _step(context: Context) -> Outcome:
    attempt = _stopped(context)
    around = _Around(attempt, "hooks of step()")
    with required("the registration of hooks of step()"):
        attempt.optimizer.register_step_pre_hook(around.hook("before"))
        attempt.optimizer.register_step_post_hook(around.hook("after"))
    message = around.step()
    _replaced(context)
    return Outcome(message=message)


def _all_optimizers(context: Context) -> Outcome:
    attempt = _stopped(context)
    around = _Around(attempt, "hooks of all optimizers")
    handles = [
        register_optimizer_step_pre_hook(around.hook("before")),
        register_optimizer_step_post_hook(around.hook("after")),
    ]
    try:
        return Outcome(message=around.step())
    finally:
        for handle in handles:
            handle.remove()


class _Around:
    """A step, and what hooks saw that should stand around it."""

    def __init__(self, attempt: Run, what: str) -> None:
        self.attempt, self.what = attempt, what
        self.expected: tuple[Any, ...] = ()
        self.seen: list[tuple[str, bool, list[torch.Tensor]]] = []

    def hook(self, when: str) -> Callable[..., None]:
        """One hook; that optimizers inside this one call it as well is none of its business."""

        def hook(optimizer: Any, args: Any, kwargs: Any) -> None:
            if optimizer is self.attempt.optimizer:
                given = (*args, *kwargs.values())[1:] == self.expected
                self.seen.append((when, given, self._values()))

        return hook

    def step(self) -> str:
        """Make a step; returns what there is to say of its hooks."""
        attempt = self.attempt
        closure = attempt.closure(attempt.recording.steps) if attempt.probe.closure else None
        self.expected = () if closure is None else (closure,)
        if closure is None:
            attempt.give_gradients()
        start = self._values()
        attempt.step_with(closure)
        return self._require(start, self._values())

    def _values(self) -> list[torch.Tensor]:
        return [p.detach().clone() for p in self.attempt.parameters]

    def _require(self, start: list[torch.Tensor], end: list[torch.Tensor]) -> str:
        """They are around the step; where a base class has one of its own, around that as well."""
        order = [when for when, _, _ in self.seen]
        if order.count("before") != order.count("after") or not order:
            raise Failure(f"{self.what} are called: {', '.join(order) or 'none'}")
        if order[0] != "before" or difference(self.seen[0][2], start) is not None:
            raise Failure(f"{self.what} are called before it when parameters have moved already")
        if order[-1] != "after" or difference(self.seen[-1][2], end) is not None:
            raise Failure(f"{self.what} are called after it when parameters have yet to move")
        if not self.seen[0][1] or not self.seen[-1][1]:
            raise Failure(f"{self.what} are called with other arguments than step()")
        times = order.count("before")
        return "" if times == 1 else f"called {times} times: step() calls that of a base class"


def _replaced(context: Context) -> None:
    """Arguments that a hook returns are those of the step: here a closure, where there was none."""
    attempt = _stopped(context)
    takes = len(inspect.signature(type(attempt.optimizer).step).parameters) > 1
    if attempt.probe.closure or not takes:
        return
    called: list[int] = []

    def closure() -> torch.Tensor:
        called.append(attempt.recording.steps)
        return torch.zeros(())

    attempt.give_gradients()
    attempt.step_with(closure)
    if not called:  # for which there are checks
        return
    attempt.optimizer.register_step_pre_hook(lambda own, args, kwargs: ((own, closure), {}))
    attempt.give_gradients()
    attempt.step_with(None)
    if attempt.recording.steps - 1 not in called:
        raise Failure("step() does not get the arguments that a hook returned in their place")


# ---- of any kind


def _removed(context: Context) -> Outcome:
    attempt = _stopped(context)
    called: list[str] = []
    try:
        handles = list(_registered(attempt.optimizer, called))
    except AttributeError as error:
        raise Skip(f"hooks cannot be registered, which others ask: {error}") from error
    with required("the removal of hooks"):
        for handle in handles:
            handle.remove()
    saved = state_dict_of(attempt)
    load(attempt, saved)
    attempt.step()
    if called:
        raise Failure(f"a hook that was removed is called: {', '.join(called)}")
    return Outcome()


def _registered(optimizer: Any, called: list[str]) -> Iterator[Any]:
    """Handles of one hook of each kind, which notes that it is called."""
    for method in ("step", "state_dict", "load_state_dict"):
        for when in ("pre", "post"):
            name = f"{method}_{when}_hook"
            yield getattr(optimizer, f"register_{name}")(partial(_note, called, name))


def _note(called: list[str], name: str, *given: Any) -> None:
    called.append(name)
