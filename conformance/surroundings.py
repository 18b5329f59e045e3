"""What belongs to the whole process, and is to be found after a step as it was before."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

_SEED = 20210526


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing of the process: how to read it, how to put it back, what to begin with."""

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], Any]
    first: Callable[[], Any]


def _autocast(on: bool) -> None:
    torch.set_autocast_enabled("cpu", on)


def _torch_state() -> torch.Tensor:
    return torch.Generator().manual_seed(_SEED).get_state()


def _python_state() -> Any:
    return random.Random(_SEED).getstate()


def _numpy_state() -> Any:
    return np.random.RandomState(_SEED).get_state()


def _same(a: Any, b: Any) -> bool:
    """Equality of settings, tuples that hold arrays among them."""
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        return torch.equal(a, b)
    return bool(np.array_equal(a, b)) if isinstance(a, np.ndarray) else bool(a == b)


MODES = (
    Setting("the grad mode", torch.is_grad_enabled, torch.set_grad_enabled, lambda: True),
    Setting(
        "the default dtype", torch.get_default_dtype, torch.set_default_dtype, lambda: torch.float32
    ),
    Setting("autocast", lambda: torch.is_autocast_enabled("cpu"), _autocast, lambda: False),
    Setting(
        "the use of deterministic algorithms",
        torch.are_deterministic_algorithms_enabled,
        torch.use_deterministic_algorithms,
        lambda: False,
    ),
    Setting(
        "the precision of matrix products",
        torch.get_float32_matmul_precision,
        torch.set_float32_matmul_precision,
        lambda: "highest",
    ),
)
RESOURCES = (
    Setting("torch's random numbers", torch.get_rng_state, torch.set_rng_state, _torch_state),
    Setting("Python's random numbers", random.getstate, random.setstate, _python_state),
    Setting("numpy's random numbers", np.random.get_state, np.random.set_state, _numpy_state),
    Setting("the number of threads", torch.get_num_threads, torch.set_num_threads, lambda: 1),
)


THREADS = RESOURCES[-1]


@contextlib.contextmanager
def kept(settings: tuple[Setting, ...]) -> Iterator[None]:
    """A block after which all is as it was."""
    before = [s.read() for s in settings]
    try:
        yield
    finally:
        for setting, old in zip(settings, before, strict=True):
            if not _same(setting.read(), old):
                setting.write(old)


@contextlib.contextmanager
def known(settings: tuple[Setting, ...]) -> Iterator[None]:
    """A block that begins with values that are known, after which all is as it was."""
    with kept(settings):
        for setting in settings:
            setting.write(setting.first())
        yield


def changed(settings: tuple[Setting, ...], since: Sequence[Any]) -> list[str]:
    """Names of the settings that have other values than they had."""
    pairs = zip(settings, since, strict=True)
    return [setting.name for setting, old in pairs if not _same(setting.read(), old)]


@contextlib.contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    """A block in which Python numbers become tensors of another type."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
