"""Types side by side: parameters of several types in one optimizer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from instep.conformance.arranged import Typed
from instep.conformance.checks.base import Check, Outcome, Plan, Skip
from instep.conformance.context import narrower_state
from instep.conformance.errors import SubjectError
from instep.conformance.observe import Recording, different
from instep.conformance.probes import Probe
from instep.conformance.refusals import finish
from instep.conformance.structure import couples
from instep.conformance.subject import ConstructionError, UnsupportedError
from instep.spec.options import resolve

if TYPE_CHECKING:
    from instep.conformance.context import Context

_TYPES = ("bfloat16", "float32", "float64")


def checks(plan: Plan) -> Iterator[Check]:
    """In one group, and each in a group of its own."""
    if plan.algorithm.result != "parameters":
        return
    yield Check(
        "types/mixed",
        "must",
        "parameters of several types in one group move as each does in an optimizer of its own",
        partial(_mixed, False),
    )
    yield Check(
        "types/groups",
        "must",
        "groups of parameters of different types move as each does in an optimizer of its own",
        partial(_mixed, True),
    )


def _mixed(grouped: bool, context: Context) -> Outcome:
    if couples(resolve(context.algorithm.body, context.probes.options)):
        raise Skip("what a parameter does depends on the others")
    made = context.probes.make("types", dtype="bfloat16", shapes=((19,),), steps=4)
    if made.closure:
        raise Skip("the algorithm evaluates the gradient itself")
    apart = {name: run for name in _TYPES if (run := _apart(context, made.only(0), name))}
    if len(apart) < 2:
        raise Skip("it takes parameters of one type only")
    for types in (tuple(apart), tuple(reversed(apart))):
        _compare(context, apart, types, grouped)
    return Outcome()


def _apart(context: Context, probe: Probe, name: str) -> Recording | None:
    """The run on parameters of one type, None where the subject does not take it."""
    if name in context.lacks:
        return None
    try:
        run = context.record(replace(probe, name="types-apart", dtype=name))
    except (SubjectError, Skip):
        return None
    return None if narrower_state(run, name) else run


def _compare(
    context: Context, apart: dict[str, Recording], types: tuple[str, ...], grouped: bool
) -> None:
    one = apart[types[0]].probe
    probe = replace(one.only(*[0] * len(types)), name="types", dtype="float64")
    if grouped:
        probe = replace(probe, groups=tuple(((k,), {}) for k in range(1, len(types))))
    listed = ", ".join(types)
    try:
        attempt = Typed(context.subject, probe, types)
    except (ConstructionError, UnsupportedError) as error:
        raise Skip(str(error)) from error
    together = finish(attempt, f"parameters of types {listed} in one optimizer")
    for k, name in enumerate(types):
        part = replace(together.of(k), probe=apart[name].probe)
        pairs = zip(part.moments, apart[name].moments, strict=True)
        if any(different(a.parameters, b.parameters) is not None for a, b in pairs):
            context.require(part, f"beside others ({listed}), {name} parameters go elsewhere")
