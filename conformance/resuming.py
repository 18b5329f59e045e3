"""Runs that stop and go on elsewhere: what the checks of checkpoints and copies do alike."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from instep.conformance.checks.base import Failure, Skip
from instep.conformance.observe import Recording, different
from instep.conformance.quiet import quiet
from instep.conformance.subject import Run, run

if TYPE_CHECKING:
    from instep.conformance.context import Context
    from instep.conformance.probes import Probe

STOP = 3
# An object may hold what holds it.
_DEEPEST = 16


@contextlib.contextmanager
def required(what: str) -> Iterator[None]:
    """A block in which the subject does what it must; an exception of its own is a failure."""
    try:
        with quiet():
            yield
    except Exception as error:
        raise Failure(f"{what} raised {described(error)}") from error


def described(error: Exception) -> str:
    """An exception in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def state_dict_of(attempt: Run) -> Any:
    """What state_dict() returns, as it is: it may refer to the optimizer's own tensors.

    Raises:
        Skip: the subject cannot save and load.
        Failure: state_dict() raised.
    """
    method = getattr(attempt.optimizer, "state_dict", None)
    if not callable(method) or not callable(getattr(attempt.optimizer, "load_state_dict", None)):
        raise Skip("the subject has no state_dict() and load_state_dict()")
    with required("state_dict()"):
        return method()


def saved_by(attempt: Run) -> Any:
    """A copy of what state_dict() returns, which no later step can change."""
    found = state_dict_of(attempt)
    with required("a deep copy of what state_dict() returned"):
        return copy.deepcopy(found)


def load(attempt: Run, saved: Any) -> None:
    """Load it; an exception is a failure."""
    with required("load_state_dict()"):
        attempt.optimizer.load_state_dict(saved)


def stopped(context: Context, probe: Probe) -> Run:
    """A run of a few steps; some are left where there are more than that."""
    first = Run(context.subject, probe)
    for _ in range(min(STOP, probe.steps)):
        first.step()
    return first


def successor(first: Run) -> Run:
    """A new optimizer on copies of a run's parameters, as after a restart; nothing is loaded."""
    second = Run(first.subject, first.probe)
    copy_parameters(first, second)
    second.skip_to(first.recording.steps)
    return second


@torch.no_grad()
def copy_parameters(first: Run, second: Run) -> None:
    """Give a run the parameters that another one has now, each in its own type."""
    for new, old in zip(second.parameters, first.parameters, strict=True):
        new.copy_(old)


def go_on(attempt: Run, whole: Recording, what: str) -> None:
    """Make the remaining steps; bit for bit they are those of the uninterrupted run."""
    for t in range(attempt.recording.steps + 1, whole.steps + 1):
        attempt.step()
        require_same(attempt, whole, t, what)


def require_same(attempt: Run, whole: Recording, t: int, what: str) -> None:
    """The parameters are bit for bit those of the uninterrupted run after step t.

    Raises:
        Skip: they need not be, since two uninterrupted runs differ as well.
    """
    own, expected = attempt.recording.moments[-1].parameters, whole.moments[t].parameters
    i = different(own, expected)
    if i is None:
        return
    again = run(attempt.subject, whole.probe)
    if different(again.moments[t].parameters, expected) is not None:
        raise Skip("two identical runs differ: see determinism/repeat")
    raise Failure(f"{what}, parameter {i} differs from the uninterrupted run in step {t}")


def difference(a: Any, b: Any, path: str = "") -> str | None:
    """Where two nested containers differ first, None where nothing that can be told does."""
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        return None if _same_tensors(a, b) else path
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return _of_mappings(_named(a), _named(b), path)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        if len(a) != len(b):
            return path
        pairs = enumerate(zip(a, b, strict=True))
        return _first(difference(x, y, _join(path, k)) for k, (x, y) in pairs)
    return _of_values(a, b, path)


def _first(found: Iterator[str | None]) -> str | None:
    return next((path for path in found if path is not None), None)


def _join(path: str, key: object) -> str:
    return f"{path}/{key}" if path else str(key)


def _same_tensors(a: torch.Tensor, b: torch.Tensor) -> bool:
    if a.dtype != b.dtype or a.shape != b.shape or a.layout != b.layout:
        return False
    a, b = (x.detach().to_dense() if x.layout is not torch.strided else x.detach() for x in (a, b))
    return bool(((a == b) | ((a != a) & (b != b))).all())


def _named(mapping: Mapping[Any, Any]) -> dict[Any, Any]:
    """With numbers for keys that are tensors: the keys of a copied dict are copies."""
    entries = enumerate(mapping.items())
    return {f"key {i}" if isinstance(k, torch.Tensor) else k: v for i, (k, v) in entries}


def _of_mappings(a: dict[Any, Any], b: dict[Any, Any], path: str) -> str | None:
    missing = [k for k in (*a, *b) if k not in a or k not in b]
    if missing:
        return _join(path, missing[0])
    return _first(difference(a[k], b[k], _join(path, k)) for k in a)


def _of_values(a: Any, b: Any, path: str) -> str | None:
    if isinstance(a, int | float | complex) and isinstance(b, int | float | complex):
        return None if a == b or (a != a and b != b) else path
    if type(a) is not type(b):
        return path
    if isinstance(a, str | bytes | None):
        return None if a == b else path
    if isinstance(a, np.ndarray):
        return None if np.array_equal(a, b) else path
    if not hasattr(a, "__dict__") or path.count("/") > _DEEPEST:
        return None
    return difference(vars(a), vars(b), path)
