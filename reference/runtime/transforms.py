"""Functions that change gradients in place: the frame around generated equations."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Mapping
from functools import reduce
from typing import Any

import torch
from torch import Tensor

from instep.reference.runtime.intervals import Domain, check_domains
from instep.reference.runtime.lockstep import FOLDS, Gradient, Max, Sum, share
from instep.reference.runtime.work import Group, real

Parameters = Tensor | Iterable[Tensor]
Steps = Generator[Any, Any, tuple[Tensor, Any]]
Equations = Callable[[Tensor, Group], Steps]


@torch.no_grad()
def transform_(
    parameters: Parameters,
    equations: Equations,
    settings: Mapping[str, Any],
    domains: Mapping[str, Domain],
    refusal: str = "",
) -> Tensor:
    """Give every parameter that has a gradient a new one, in the tensor that is there.

    Args:
        parameters: one parameter or several.
        equations: of one parameter; they wait at each `yield` for all others, and return the new
            gradient and what the function gives back.
        settings: arguments of the function.
        domains: where each of them may lie.
        refusal: message with which what is infinite or NaN is refused; empty accepts it.

    Returns:
        What the equations give back, a 0-d tensor in the type of the first gradient; 0 if nothing.

    Raises:
        ValueError: an argument outside its domain.
        RuntimeError: the result is refused; no gradient has changed then.
    """
    check_domains(settings, domains)
    every = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    active = [p for p in every if p.grad is not None]
    results = _side_by_side(active, [equations(real(p), settings) for p in active])
    returned = results[0][1] if results else 0.0
    if refusal and not math.isfinite(returned):
        raise RuntimeError(refusal)
    for p, (gradient, _) in zip(active, results, strict=True):
        real(p.grad).copy_(gradient)
    dtype = results[0][0].dtype if results else None
    return torch.as_tensor(0.0 if returned is None else returned, dtype=dtype)


def _side_by_side(active: list[Tensor], steps: list[Steps]) -> list[tuple[Tensor, Any]]:
    """Resume all equations until they end; every one asks for the same thing at a time."""
    answers: list[Any] = [None] * len(steps)
    results: list[tuple[Tensor, Any]] = []
    while len(results) < len(steps):
        asked = []
        for one, answer in zip(steps, answers, strict=True):
            try:
                asked.append(one.send(answer))
            except StopIteration as end:
                results.append(end.value)
        if asked:
            answers = _answers(active, asked)
    return results


def _answers(active: list[Tensor], asked: list[Any]) -> list[Any]:
    if isinstance(asked[0], Gradient):
        return [real(p.grad) for p in active]
    assert isinstance(asked[0], Sum | Max)
    return [reduce(FOLDS[type(asked[0])], map(share, asked))] * len(asked)
