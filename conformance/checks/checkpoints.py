"""Checkpoints: what load_state_dict() makes of a dict, and what becomes of the dict."""

from __future__ import annotations

import copy
import io
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from instep.conformance.checks.base import Check, Failure, Outcome, Plan, Skip
from instep.conformance.checks.groups import kept_in_groups
from instep.conformance.errors import SubjectError
from instep.conformance.observe import different, observe
from instep.conformance.profile import ORDER
from instep.conformance.quiet import quiet
from instep.conformance.refusals import Refused, require_unchanged
from instep.conformance.resuming import (
    copy_parameters,
    described,
    difference,
    go_on,
    load,
    required,
    saved_by,
    state_dict_of,
    stopped,
    successor,
)
from instep.conformance.subject import Run

if TYPE_CHECKING:
    from instep.conformance.context import Context
    from instep.conformance.observe import Recording
    from instep.conformance.probes import Probe


def checks(plan: Plan) -> Iterator[Check]:
    """Saving, loading, and both in other types."""
    yield Check(
        "checkpoints/described",
        "must",
        "after load_state_dict() an optimizer describes what was loaded, and the dict is as it was",
        _described,
    )
    yield Check(
        "checkpoints/file",
        "must",
        "a run resumed from a file that torch.save() wrote continues bit for bit",
        _file,
    )
    yield Check(
        "checkpoints/weights-only",
        "should",
        "torch.load() reads a saved state_dict() as it does by default: weights and plain values",
        _weights_only,
    )
    yield Check(
        "checkpoints/hyperparameters",
        "must",
        "load_state_dict() restores the hyperparameters of the groups as they were when saved",
        _hyperparameters,
    )
    yield Check(
        "checkpoints/other-type",
        "should",
        "a float32 checkpoint loads into float64 parameters: state takes the types it would have",
        _other_type,
    )
    for dtype in (ORDER[0], *ORDER[2:]) if plan.thorough else ORDER[:1]:
        yield Check(
            f"checkpoints/{dtype}",
            "must",
            f"a run of {dtype} parameters resumed from state_dict() continues bit for bit",
            partial(_resume, dtype),
        )
    if plan.thorough:
        yield from _remarks()


def _remarks() -> Iterator[Check]:
    """What torch's own base class leaves to its subclasses, or does not do itself."""
    yield Check(
        "checkpoints/older",
        "info",
        "a state_dict() from before the options that are off existed loads, and the run goes on",
        _older,
    )
    yield Check(
        "checkpoints/numbers",
        "info",
        "a state_dict() whose counts are numbers instead of tensors loads, and the run goes on",
        _numbers,
    )
    # torch's own load_state_dict() makes a shallow copy, so nearly all optimizers share.
    yield Check(
        "checkpoints/own-copy",
        "info",
        "steps after load_state_dict() change nothing in the dict that was loaded",
        _own_copy,
    )


# ---- what is saved and loaded


def _probe(context: Context, name: str = "resume", **more: Any) -> Probe:
    given = {"dtype": "float32", "shapes": ((37,), (5, 3)), "steps": 7, **more}
    return context.probes.make(name, **given)


def _saved(first: Run) -> Any:
    """A copy of its state_dict(); where there is none to be had, another check says so."""
    try:
        return saved_by(first)
    except Failure as failure:
        raise Skip(f"{failure}: see state/pure") from failure


def _described(context: Context) -> Outcome:
    first = stopped(context, _probe(context))
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
    first = stopped(context, _probe(context))
    saved = _saved(first)
    given, second = copy.deepcopy(saved), successor(first)
    load(second, given)
    if first.recording.steps < first.probe.steps:
        second.step()
    where = difference(saved, given)
    if where is not None:
        raise Failure(f"a step changes {where} in the dict that was loaded before it")
    return Outcome()


def _file(context: Context) -> Outcome:
    probe = _late_first(_probe(context, "resume-late"))
    try:
        whole = context.record(probe)
    except SubjectError:  # a check of its own
        probe = _probe(context)
        whole = context.record(probe)
    first = stopped(context, probe)
    _saved(first)
    written = _written(first)
    try:
        saved = torch.load(written, weights_only=True)
    except Exception:  # a check of its own
        written.seek(0)
        with required("torch.load()"):
            saved = torch.load(written, weights_only=False)
    second = successor(first)
    load(second, saved)
    go_on(second, whole, f"read from a file after step {first.recording.steps}")
    return Outcome()


def _late_first(probe: Probe) -> Probe:
    """The first parameter gets gradients only in the last steps: no state is saved for it."""
    if probe.closure or probe.steps < 2:
        return probe
    late = probe.steps - 2
    gradients = tuple(
        (None, *step[1:]) if t < late else step for t, step in enumerate(probe.gradients)
    )
    return replace(probe, gradients=gradients)


def _weights_only(context: Context) -> Outcome:
    first = stopped(context, _probe(context))
    saved = _saved(first)
    try:
        read = torch.load(_written(first), weights_only=True)
    except Exception as error:
        first_line = described(error).split(". ")[0]
        raise Failure(f"torch.load(weights_only=True) refuses it: {first_line}") from error
    where = difference(saved, read)
    if where is not None:
        raise Failure(f"what is read differs from what was written: {where}")
    return Outcome()


def _written(first: Run) -> io.BytesIO:
    buffer = io.BytesIO()
    with required("torch.save() of what state_dict() returned"):
        torch.save(state_dict_of(first), buffer)
    buffer.seek(0)
    return buffer


def _hyperparameters(context: Context) -> Outcome:
    known = [s for s in context.subject.naming.hyperparameters if s not in context.probes.fixed]
    values = kept_in_groups(context, context.probes.other_values(known, whole=True))
    if not values:
        raise Skip("no hyperparameter of its groups may be varied")
    if not isinstance(Run(context.subject, _probe(context)).optimizer, torch.optim.Optimizer):
        raise Skip("the subject is no torch.optim.Optimizer, whose state_dict() has param_groups")
    probe = _probe(context, "resume-changed", changes={2: values})
    try:
        whole, first = context.record(probe), stopped(context, probe)
    except SubjectError as error:
        raise Skip(f"its run ends where hyperparameters change: {error}") from error
    second = successor(first)
    load(second, _saved(first))
    go_on(second, whole, f"resumed after hyperparameters had changed: {', '.join(values)}")
    return Outcome()


# ---- types


def _runs(context: Context, probe: Probe) -> Recording:
    """The run as a whole; in a type that the subject does not have there is none."""
    if probe.dtype in context.lacks:
        raise Skip(f"{probe.dtype} is declared to be lacking")
    try:
        return context.record(probe)
    except SubjectError as error:
        raise Skip(f"it does not run in {probe.dtype}: {error}") from error


def _resume(dtype: str, context: Context) -> Outcome:
    whole = _runs(context, _probe(context, dtype=dtype))
    first = stopped(context, whole.probe)
    second = successor(first)
    load(second, _saved(first))
    changed = _changed_types(first, second)
    go_on(second, whole, f"resumed after step {first.recording.steps}{changed}")
    return Outcome()


def _changed_types(first: Run, second: Run) -> str:
    """What may be to blame: state that was loaded in another type than it had."""
    had = first.recording.moments[-1].types
    has = observe(second.optimizer, second.parameters).types
    for path, kind in had.items():
        if has.get(path, kind) != kind:
            return f", with {path} loaded as {has[path]} that was {kind}"
    return ""


def _other_type(context: Context) -> Outcome:
    if context.widest != ORDER[0]:
        raise Skip(f"it does not run in {ORDER[0]}")
    first = stopped(context, _probe(context))
    saved = _saved(first)
    wide = _runs(context, _probe(context, dtype=ORDER[0]))
    second = Run(context.subject, replace(first.probe, dtype=ORDER[0]))
    copy_parameters(first, second)
    second.skip_to(first.recording.steps)
    load(second, saved)
    if second.recording.steps < second.probe.steps:
        with required("a step after a float32 checkpoint was loaded into float64 parameters"):
            second.step()
    _require_types(second, wide)
    return Outcome()


def _require_types(second: Run, wide: Recording) -> None:
    if any(p.dtype is not torch.float64 for p in second.parameters):
        raise Failure("float64 parameters do not stay what they are after a float32 checkpoint")
    native = wide.moments[second.recording.steps].types
    for path, kind in second.recording.moments[-1].types.items():
        if native.get(path, kind) != kind:
            raise Failure(
                f"{path} is {kind} after a float32 checkpoint was loaded into float64 parameters, "
                f"and {native[path]} in a run of float64"
            )


# ---- older dicts


def _older(context: Context) -> Outcome:
    first = stopped(context, _probe(context))
    saved = _saved(first)
    groups = saved.get("param_groups") if isinstance(saved, Mapping) else None
    if not isinstance(groups, list) or not all(isinstance(g, dict) for g in groups):
        raise Skip("its state_dict() has no param_groups")
    off = sorted({k for g in groups for k, value in g.items() if value is None or value is False})
    if not off:
        raise Skip("no option of its groups is off")
    for group in groups:
        for key in off:
            group.pop(key, None)
    second, what = successor(first), f"without {', '.join(off)} in the groups"
    load(second, saved)
    if second.recording.steps < second.probe.steps:
        with required(f"a step after a state_dict() was loaded {what}"):
            second.step()
    return Outcome()


def _numbers(context: Context) -> Outcome:
    """Counts became tensors late: in checkpoints of before they are numbers."""
    probe = _probe(context)
    whole, first = context.record(probe), stopped(context, probe)
    saved, second = _saved(first), successor(first)
    counts = list(_counts(saved, first.recording.steps))
    if not counts:
        raise Skip("no count in its state_dict() is a tensor")
    for holder, key in counts:
        if isinstance(holder[key], torch.Tensor):  # one container may stand in two places
            holder[key] = holder[key].item()
    _load_or_refuse(second, saved)
    while second.recording.steps < probe.steps:
        with required("a step after a state_dict() was loaded with numbers for counts"):
            second.step()
    start = first.recording.steps + 1
    moments = [*whole.moments[:start], *second.recording.moments[start:]]
    pairs = zip(moments, whole.moments, strict=True)
    if all(different(a.parameters, b.parameters) is None for a, b in pairs):
        return Outcome(message=f"{len(counts)} tensors replaced")
    resumed = replace(whole, moments=moments)
    return context.require_without_diagnosis(resumed, "with numbers for counts the run goes astray")


def _counts(saved: Any, steps: int) -> Iterator[tuple[Any, Any]]:
    """(container, key) of every tensor that holds one number, about that of the steps made."""
    entries = saved.items() if isinstance(saved, dict) else enumerate(saved)
    for key, value in list(entries):
        if isinstance(value, dict | list):
            yield from _counts(value, steps)
        elif isinstance(value, torch.Tensor) and _counting(value, steps):
            yield saved, key


def _counting(value: torch.Tensor, steps: int) -> bool:
    one = value.numel() == 1 and not value.is_complex()
    return one and value.item() in (steps - 1, steps, steps + 1)


def _load_or_refuse(attempt: Run, saved: Any) -> None:
    """Load it, or else it is refused, and everything is as it was."""
    before = observe(attempt.optimizer, attempt.parameters)
    try:
        with quiet():
            attempt.optimizer.load_state_dict(saved)
    except Exception as error:
        now = observe(attempt.optimizer, attempt.parameters)
        refusal = SubjectError(described(error))
        require_unchanged(before, now, "numbers for counts", refusal)
        raise Refused(f"it refuses numbers for counts: {refusal}") from error
