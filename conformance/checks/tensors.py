"""Tensors: of any size, layout, type and order, parameters move as the equations say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from instep.conformance.arranged import Arrange, Arranged
from instep.conformance.checks.base import Check, Failure, Outcome, Plan, Skip
from instep.conformance.errors import SubjectError
from instep.conformance.observe import Recording, different
from instep.conformance.probes import Probe, near_shape
from instep.conformance.refusals import Refused, cause_of, finish
from instep.conformance.structure import elementwise
from instep.conformance.subject import Run
from instep.spec.options import resolve

if TYPE_CHECKING:
    from instep.conformance.context import Context

# One lane, widths of vector registers, and tails beyond them.
_PIECES = (2, 1, 3, 4, 7, 8, 9, 16, 17, 33)
_MOST_SEARCHED = 4096
_LARGE = (*[2**14] * 5, 2**13 + 5)


def checks(plan: Plan) -> Iterator[Check]:
    """Steps without gradients, sizes, layouts, and the order of the list."""
    if plan.algorithm.result != "parameters":
        return
    yield Check(
        "tensors/no-gradients",
        "must",
        "a step in which no parameter has a gradient moves none and raises nothing",
        _no_gradients,
    )
    yield Check(
        "tensors/order",
        "must",
        "parameters follow the equations in whatever order they are listed",
        _order,
    )
    yield Check(
        "tensors/empty",
        "must",
        "beside parameters without lanes others move as they do alone, or they are refused before "
        "anything changes",
        _empty,
    )
    yield Check(
        "tensors/split",
        "must",
        "a tensor cut into pieces of any size moves as the whole does",
        partial(_split, _PIECES),
    )
    if plan.thorough:
        yield Check(
            "tensors/large",
            "must",
            "a tensor of many lanes moves as its pieces do",
            partial(_split, _LARGE),
        )
    for name, (what, *_) in _LAYOUTS.items():
        yield Check(
            f"tensors/{name}",
            "must",
            f"parameters {what} move as contiguous ones do, or are refused before anything changes",
            partial(_layout, name),
        )
    yield Check(
        "tensors/any-layout",
        "should",
        "parameters are taken whatever their layout in memory",
        _accepted,
    )


def _no_gradients(context: Context) -> Outcome:
    probe = context.probes.make(
        "tensors-no-gradients", dtype=context.widest, shapes=((37,), (5, 3)), steps=5
    )
    if probe.closure:
        raise Skip("the algorithm evaluates the gradient itself")
    missing = (None,) * len(probe.parameters)
    given = tuple(missing if t in (0, 3) else g for t, g in enumerate(probe.gradients))
    attempt = Run(context.subject, replace(probe, gradients=given))
    for t, gradients in enumerate(given, start=1):
        before = attempt.recording.moments[-1].parameters
        _step(attempt, t, gradients is missing)
        moved = different(before, attempt.recording.moments[-1].parameters)
        if gradients is missing and moved is not None:
            raise Failure(f"no parameter has a gradient in step {t}, which moves parameter {moved}")
    return Outcome()


def _step(attempt: Run, t: int, without: bool) -> None:
    try:
        attempt.step()
    except SubjectError as error:
        if not without:
            raise
        message = f"no parameter has a gradient in step {t}, which raises: {cause_of(error)}"
        raise Failure(message) from error


def _order(context: Context) -> Outcome:
    probe = context.base.probe
    if len(probe.parameters) < 2:
        raise Skip("the run has one parameter")
    everyone = range(len(probe.parameters))
    backwards = replace(probe.only(*reversed(everyone)), name="tensors-order")
    recording = context.record(backwards)
    pairs = zip(context.base.moments, recording.moments, strict=True)
    if all(different(a.parameters, b.parameters[::-1]) is None for a, b in pairs):
        return Outcome()
    return context.require(recording, "listed the other way round they go elsewhere")


def _empty(context: Context) -> Outcome:
    """First, in the middle and last: kernels tell by the first tensor what the others are."""
    made = context.probes.make(
        "tensors-empty", dtype=context.widest, shapes=((37,), (5, 3)), steps=4
    )
    if made.closure or made.touched:
        raise Skip("the algorithm evaluates the gradient itself, or takes sparse ones alone")
    alone = made.only(0, 1)
    order = (2, 0, 2, 1, 2)
    among = _beside_nothing(alone).only(*order)
    got = finish(Run(context.subject, among), "parameters without lanes")
    others = [k for k, i in enumerate(order) if i != 2]
    found, plain = replace(got.of(*others), blocks=context.blocks), context.record(alone)
    if different(plain.moments[-1].parameters, found.moments[-1].parameters) is None:
        return Outcome()
    return context.require_without_diagnosis(found, "beside empty parameters others go elsewhere")


def _beside_nothing(probe: Probe) -> Probe:
    """The same run with one more parameter, that has no lanes."""
    nothing = np.zeros((0, 3)) if np.ndim(probe.parameters[0]) == 2 else np.zeros(0)
    return replace(
        probe,
        name=f"{probe.name}-among",
        parameters=(*probe.parameters, nothing),
        gradients=tuple((*step, nothing) for step in probe.gradients),
    )


def _split(pieces: tuple[int, ...], context: Context) -> Outcome:
    """Sizes of tensors, where the spec does not mind them."""
    options = context.probes.options
    if not elementwise(resolve(context.algorithm.body, options)):
        raise Skip("the equations mix the lanes of a tensor, or ask for its shape")
    if near_shape(context.algorithm, (5,)) != (5,):
        raise Skip("the spec does not admit vectors")
    lanes = sum(pieces)
    probe = context.probes.make(
        f"tensors-whole-{lanes}", dtype=context.widest, shapes=((lanes,),), steps=4
    )
    if probe.closure or probe.touched:
        raise Skip("the algorithm evaluates the gradient itself, or takes sparse ones alone")
    cuts = np.cumsum(pieces)[:-1]
    apart = replace(
        probe,
        name=f"tensors-split-{lanes}",
        parameters=tuple(np.split(probe.parameters[0], cuts)),
        gradients=tuple(tuple(np.split(np.asarray(g), cuts)) for (g,) in probe.gradients),
    )
    whole, split = context.record(probe), context.record(apart)
    joined = [np.concatenate(split.moments[-1].parameters)]
    if different(whole.moments[-1].parameters, joined) is None:
        return Outcome()
    try:
        context.require(split, f"in {len(pieces)} pieces {lanes} lanes go elsewhere")
        return context.require(whole, f"as one tensor {lanes} lanes go elsewhere")
    except Failure as failure:
        # To search for what the subject computes instead takes minutes with so many lanes.
        shown = failure.recording if lanes <= _MOST_SEARCHED else None
        raise Failure(str(failure), failure.tally, shown) from failure


def _transposed(x: torch.Tensor) -> torch.Tensor:
    """The same values, the first axis closest in memory."""
    axes = tuple(reversed(range(x.dim())))
    return x.permute(axes).contiguous().permute(axes)


def _channels_last(x: torch.Tensor) -> torch.Tensor:
    return x.contiguous(memory_format=torch.channels_last)


_GAP = 7.0


def _gapped(x: torch.Tensor) -> torch.Tensor:
    """The same values, every other number in memory, as a slice of a larger tensor has them."""
    wide = x.new_full((*x.shape[:-1], 2 * x.shape[-1]), _GAP)
    wide[..., ::2] = x
    return wide[..., ::2]


_LAYOUTS: dict[str, tuple[str, Arrange, tuple[int, ...]]] = {
    "transposed": ("that are transposed in memory", _transposed, (7, 5)),
    "channels-last": ("in the channels-last format", _channels_last, (3, 4, 2, 5)),
    "slices": ("that are slices of larger tensors", _gapped, (6, 5)),
}


def _layout(name: str, context: Context) -> Outcome:
    plain, arranged = _both(name, context)
    if different(plain.moments[-1].parameters, arranged.moments[-1].parameters) is None:
        return Outcome()
    return context.require_without_diagnosis(
        arranged, f"parameters {_LAYOUTS[name][0]} go elsewhere"
    )


def _accepted(context: Context) -> Outcome:
    for name in _LAYOUTS:
        try:
            _both(name, context)
        except Refused as reason:
            raise Failure(str(reason)) from reason
        except (Skip, Failure):
            continue
    return Outcome()


def _both(name: str, context: Context) -> tuple[Recording, Recording]:
    """A run on a contiguous parameter, and one on the same values in another layout."""
    what, lie, shape = _LAYOUTS[name]
    if near_shape(context.algorithm, shape) != shape:
        raise Skip("the spec does not admit such a shape")
    made = context.probes.make(f"tensors-{name}", dtype=context.widest, shapes=(shape,), steps=4)
    probe = made.only(0)
    if probe.touched:
        raise Skip("the algorithm takes sparse gradients alone")
    plain = _contiguous(context, probe)
    attempt = Arranged(context.subject, probe, [lie])
    arranged = finish(attempt, f"parameters {what}")
    _require_gaps(attempt.parameters[0])
    return plain, arranged


def _contiguous(context: Context, probe: Probe) -> Recording:
    """The run that others are compared with.

    Raises:
        Skip: the subject does not take tensors of such a shape, whatever their layout.
    """
    try:
        return context.record(probe)
    except SubjectError as error:
        shape = np.shape(probe.parameters[0])
        raise Skip(f"it does not take parameters of shape {shape}: {cause_of(error)}") from error


def _require_gaps(p: torch.Tensor) -> None:
    """What lies between the lanes of a parameter belongs to somebody else."""
    held = p.untyped_storage().nbytes() // p.element_size()
    if held == p.numel():
        return
    everything = torch.as_strided(p.detach(), (held,), (1,), 0)
    if not bool((everything[1::2] == _GAP).all()):
        raise Failure("a step writes to memory between the lanes of a parameter")
