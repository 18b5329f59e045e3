"""Checkpoints: what load_state_dict() makes of a dict, and what becomes of the dict."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from instep.conformance.checks.base import Check, Failure, Outcome, Plan, Skip
from instep.conformance.resuming import difference, load, saved_by, state_dict_of, successor
from instep.conformance.subject import Run

if TYPE_CHECKING:
    from instep.conformance.context import Context
    from instep.conformance.probes import Probe

_STOP = 3


def checks(plan: Plan) -> Iterator[Check]:
    """Loading."""
    yield Check(
        "checkpoints/described",
        "must",
        "after load_state_dict() an optimizer describes what was loaded, and the dict is as it was",
        _described,
    )
    if plan.thorough:
        # torch's own load_state_dict() makes a shallow copy, so nearly all optimizers share.
        yield Check(
            "checkpoints/own-copy",
            "info",
            "steps after load_state_dict() change nothing in the dict that was loaded",
            _own_copy,
        )


def _probe(context: Context, name: str = "resume", **more: Any) -> Probe:
    given = {"dtype": "float32", "shapes": ((37,), (5, 3)), "steps": 7, **more}
    return context.probes.make(name, **given)


def _stopped(context: Context, probe: Probe) -> Run:
    """A run of a few steps, of which one is left where there are that many."""
    first = Run(context.subject, probe)
    for _ in range(min(_STOP, probe.steps)):
        first.step()
    return first


def _saved(first: Run) -> Any:
    """A copy of its state_dict(); where there is none to be had, another check says so."""
    try:
        return saved_by(first)
    except Failure as failure:
        raise Skip(f"{failure}: see state/pure") from failure


def _described(context: Context) -> Outcome:
    first = _stopped(context, _probe(context))
    saved = _saved(first)
    given, second = copy.deepcopy(saved), successor(first)
    load(second, given)
    where = difference(saved, given)
    if where is not None:
        raise Failure(f"load_state_dict() changes {where} in the dict that it is given")
    where = difference(saved, state_dict_of(second))
    if where is not None:
        raise Failure(f"state_dict() after load_state_dict() differs from what was loaded: {where}")
    return Outcome()


def _own_copy(context: Context) -> Outcome:
    first = _stopped(context, _probe(context))
    saved = _saved(first)
    given, second = copy.deepcopy(saved), successor(first)
    load(second, given)
    if first.recording.steps < first.probe.steps:
        second.step()
    where = difference(saved, given)
    if where is not None:
        raise Failure(f"a step changes {where} in the dict that was loaded before it")
    return Outcome()
