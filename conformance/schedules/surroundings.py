"""Checks of what a scheduler does around itself: what it warns of, and what it keeps alive."""

from __future__ import annotations

import gc
import warnings
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

from instep.conformance.errors import SubjectError
from instep.conformance.schedules.base import Check, Context, Failure, Outcome, Skip
from instep.conformance.schedules.probes import reads_metric
from instep.conformance.schedules.subject import Run, optimizer_for


def checks() -> Iterator[Check]:
    """Those that do not apply say so."""
    yield Check(
        "memory/released", "should",
        "no cycle of references keeps a scheduler or its optimizer when nobody else does",
        _released,
    )  # fmt: skip
    yield Check(
        "warnings/right-order", "info",
        "constructed, and stepped after its optimizer, it warns of nothing", _right_order,
    )  # fmt: skip
    yield Check(
        "warnings/wrong-order", "info",
        "stepped before its optimizer, which loses the first rate, it warns", _wrong_order,
    )  # fmt: skip


# ---- memory


def _released(context: Context) -> Outcome:
    """After its construction, and after steps."""
    for steps in (0, 2):
        with _collector_off():
            kept = _used_up(context, steps)
            alive = [name for name, there in kept.items() if there() is not None]
        if alive:
            gc.collect()
            cycle = all(kept[name]() is None for name in alive)
            why = "until cycles of references are collected" if cycle else "by somebody"
            when = f"after {steps} steps" if steps else "after its construction"
            raise Failure(f"{when} the {' and the '.join(alive)} is still held, {why}")
    return Outcome()


def _used_up(context: Context, steps: int) -> dict[str, weakref.ref[object]]:
    """A scheduler and an optimizer that nobody holds when this returns."""
    run = Run(context.subject, context.base)
    for _ in range(min(steps, context.base.epochs)):
        run.step()
    try:
        return {"scheduler": weakref.ref(run.scheduler), "optimizer": weakref.ref(run.optimizer)}
    except TypeError as error:
        raise Skip(f"the scheduler cannot be observed: {error}") from error


@contextmanager
def _collector_off() -> Iterator[None]:
    """What only the collector of cycles would free, stays."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


# ---- warnings


def _right_order(context: Context) -> Outcome:
    found = _warned(context, ("optimizer", "scheduler"))
    if found:
        raise Failure(f"it warns: {_first_line(found[0])}")
    return Outcome()


def _wrong_order(context: Context) -> Outcome:
    if reads_metric(context.algorithm):
        raise Skip("the rate depends on metrics, and none is lost")
    found = _warned(context, ("scheduler", "optimizer"))
    if not found:
        raise Failure("it says nothing, and the optimizer never uses the first rate")
    return Outcome(message=_first_line(found[0]))


def _warned(context: Context, order: tuple[str, ...]) -> list[str]:
    """What a scheduler warns of while it is constructed and makes two steps."""
    probe = context.base
    metric = probe.metrics[:1] if reads_metric(context.algorithm) else ()
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        optimizer = optimizer_for(probe)
        try:
            scheduler = context.subject.factory(optimizer, **context.subject.arguments(probe))
            for _ in range(min(2, probe.epochs)):
                for who in order:
                    if who == "optimizer":
                        optimizer.step()
                    else:
                        scheduler.step(*metric)
        except Exception as error:
            raise SubjectError(f"it raised {type(error).__name__}: {error}") from error
    return [str(warning.message) for warning in found]


def _first_line(text: str) -> str:
    return text.partition("\n")[0]
