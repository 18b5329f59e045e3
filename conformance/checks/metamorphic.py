"""Metamorphic relations: what two runs must have in common, whatever the numbers are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from instep.conformance.checks.base import Check, Failure, Outcome, Plan, Skip
from instep.conformance.metamorphic import Image, Twins, bitwise
from instep.conformance.norms import exact
from instep.conformance.probes import Probe
from instep.conformance.verdict import Severity

if TYPE_CHECKING:
    from instep.conformance.context import Context

# Far beyond what probes hold otherwise, so that limits which are nowhere in the equations show.
_SCALE, _RATE, _SHRINK, _SHIFT = 2.0**20, 2.0**8, 2.0**20, 256.0
_SHAPES = ((19,), (5, 3))


@dataclass(frozen=True)
class Relation:
    """Two runs, and how they belong together.

    Attributes:
        requirement: in one sentence.
        runs: function of a context that makes both probes; raises Skip where there are none.
        image: of the second run in the first.
        option: name of the option that it is about, without which there is nothing to ask.
    """

    requirement: str
    runs: Callable[[Context], tuple[Probe, Probe]]
    image: Image
    option: str = ""


def checks(plan: Plan) -> Iterator[Check]:
    """One check for each relation."""
    if plan.algorithm.result != "parameters":
        return
    options = {o.name for o in plan.algorithm.options}
    for name, relation in _RELATIONS.items():
        if not relation.option or relation.option in options:
            run = partial(_holds, relation)
            yield Check(f"metamorphic/{name}", "must", relation.requirement, run)


def _holds(relation: Relation, context: Context) -> Outcome:
    one, two = relation.runs(context)
    first, second = context.record(one), context.record(two)
    if bitwise(first, second, relation.image):
        return Outcome(message="bit for bit")
    twins = Twins(context, one, two, relation.image)
    if not twins.related:
        raise Skip("the equations do not have this symmetry here")
    tally = twins.tally(first, second, widest=one.dtype == context.widest)
    if tally.severity is Severity.OUT:
        raise Failure("the second run is not the image of the first", tally)
    return Outcome(tally)


def _probe(context: Context, name: str, **more: Any) -> Probe:
    given: dict[str, Any] = {"shapes": _SHAPES, "steps": 4, "calm": True, **more}
    probe = context.probes.make(f"metamorphic-{name}", dtype=context.widest, **given)
    if probe.closure or probe.touched:
        raise Skip("the algorithm evaluates the gradient itself, or takes sparse ones alone")
    return probe


def _mapped(probe: Probe, parameters: Callable[..., Any], gradients: Callable[..., Any]) -> Probe:
    """A probe with every parameter and every gradient mapped."""
    return replace(
        probe,
        parameters=tuple(map(parameters, probe.parameters)),
        gradients=tuple(tuple(map(gradients, step)) for step in probe.gradients),
    )


def _twin(probe: Probe, parameters: Callable[..., Any], gradients: Callable[..., Any]) -> Probe:
    return replace(_mapped(probe, parameters, gradients), name=f"{probe.name}-twin")


def _same(x: Any) -> Any:
    return x


def _without(context: Context, *keys: str) -> dict[str, float]:
    """Zero for what is zero by default, decay above all, and for hyperparameters of some names."""
    probes = context.probes
    out: dict[str, float] = {}
    for h in context.algorithm.hyperparameters:
        wanted = h.default == 0 or h.key in keys
        if wanted and h.name not in probes.fixed and h.domain.contains(0.0):
            trial = {**out, h.name: 0.0}
            out = trial if probes.admits(trial) else out
    return out


def _maximized(context: Context) -> tuple[Probe, Probe]:
    if "maximize" not in context.subject.naming.options or "maximize" in context.probes.fixed:
        raise Skip("the constructor does not take maximize")
    probe = _probe(context, "maximize", options={"maximize": False})
    more = _twin(probe, _same, np.negative)
    return probe, replace(more, options={**more.options, "maximize": True})


def _negated(context: Context) -> tuple[Probe, Probe]:
    """All signs alike: what asks for the largest number does not get the largest magnitude."""
    probe = _mapped(_probe(context, "odd"), np.abs, np.abs)
    return probe, _twin(probe, np.negative, np.negative)


def _scaled(context: Context) -> tuple[Probe, Probe]:
    probe = _probe(context, "gradient-scale", values=_without(context, "eps", "weight_decay"))
    return probe, _twin(probe, _same, partial(np.multiply, _SCALE))


def _shifted(context: Context) -> tuple[Probe, Probe]:
    made = _probe(context, "shift", values=_without(context, "weight_decay"))

    def rounded(x: Any) -> Any:
        """As many bits as there are left far away."""
        return exact(x + _SHIFT, made.dtype) - _SHIFT

    probe = _mapped(made, rounded, _same)
    return probe, _twin(probe, partial(np.add, _SHIFT), _same)


def _faster(context: Context) -> tuple[Probe, Probe]:
    """From zero, so that the parameters are what the steps add up to."""
    names = [h.name for h in context.algorithm.hyperparameters if h.key == "lr"]
    values = _without(context, "weight_decay")
    probe = _mapped(_probe(context, "rate", values=values), np.zeros_like, _same)
    if len(names) != 1 or names[0] in context.probes.fixed:
        raise Skip("there is no learning rate to change")
    rate = {names[0]: probe.hyperparameters[names[0]] * _RATE}
    if not context.probes.admits(rate):
        raise Skip("no other learning rate is admissible")
    twin = _twin(probe, _same, _same)
    return probe, replace(twin, hyperparameters={**twin.hyperparameters, **rate})


def _shrunk(context: Context) -> tuple[Probe, Probe]:
    probe = _mapped(_probe(context, "shrink"), _same, np.zeros_like)
    return probe, _twin(probe, partial(np.multiply, _SHRINK), _same)


def _transposed(context: Context) -> tuple[Probe, Probe]:
    probe = _probe(context, "transpose", shapes=((9, 5), (3, 7)))
    if any(np.ndim(p) < 2 for p in probe.parameters):
        probe = probe.only(*(i for i, p in enumerate(probe.parameters) if np.ndim(p) == 2))
    if not probe.parameters:
        raise Skip("the spec does not admit matrices")
    return probe, _twin(probe, _turned, _turned)


def _turned(x: Any) -> Any:
    return np.ascontiguousarray(np.transpose(x))


_RELATIONS = {
    "maximize": Relation(
        "to maximize is to minimize with negated gradients", _maximized, Image(), "maximize"
    ),
    "odd": Relation(
        "where the equations are odd, negated parameters with negated gradients move to negated "
        "places",
        _negated,
        Image(factor=-1.0),
    ),
    "gradient-scale": Relation(
        "where the equations do not feel the scale of all gradients, gradients a million times as "
        "large lead to the same places",
        _scaled,
        Image(),
    ),
    "shift": Relation(
        "where the equations do not feel where a parameter is, it moves as far from elsewhere",
        _shifted,
        Image(shift=_SHIFT),
    ),
    "rate": Relation(
        "where the equations are linear in the learning rate, a rate 256 times as large leads 256 "
        "times as far",
        _faster,
        Image(factor=1 / _RATE),
    ),
    "shrink": Relation(
        "where all gradients are zero and the equations are linear, parameters shrink in "
        "proportion, however large they are",
        _shrunk,
        Image(factor=1 / _SHRINK),
    ),
    "transpose": Relation(
        "where the equations do not tell rows from columns, transposed matrices move likewise",
        _transposed,
        Image(transpose=True),
    ),
}
