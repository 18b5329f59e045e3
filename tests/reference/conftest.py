"""Trajectories: one problem, run by a generated class, by torch, and by the interpreter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

from instep.conformance.transform import GradientTransform
from instep.reference.generate import load_class, load_function
from instep.reference.generate.frame import Frame
from instep.reference.generate.lower.resolve_options import kept_options
from instep.spec import get
from instep.spec.interpret import Interpreter
from meta.exported import takes_dense

SHAPES = ((), (3,), (4, 5), (6, 3), (2, 3, 4), (0,))
MATRICES = ((4, 5), (6, 3), (3, 3))
STEPS = 12


@dataclass
class Problem:
    """Initial parameters, a gradient or none for each parameter and step, rates by step."""

    start: list[np.ndarray]
    gradients: list[list[np.ndarray | None]]
    rates: dict[int, float] = field(default_factory=dict)

    def tensors(self, dtype: torch.dtype) -> list[torch.Tensor]:
        return [torch.tensor(x, dtype=dtype).requires_grad_() for x in self.start]


@pytest.fixture
def problem():
    """A problem of several shapes: magnitudes over 18 binary orders, a pause, a new rate."""

    def make(*, shapes=SHAPES, steps=STEPS, pause=True, lr=None, seed=0) -> Problem:
        random = np.random.default_rng(seed)

        def draw(shape):
            return random.standard_normal(shape) * 2.0 ** random.integers(-12, 6, shape)

        gradients: list[list[Any]] = [[draw(s) for s in shapes] for _ in range(steps)]
        if pause:
            gradients[2][1] = gradients[3][1] = None
        start = [random.standard_normal(s) for s in shapes]
        return Problem(start, gradients, {} if lr is None else {0: lr, steps // 2: lr / 2})

    return make


@pytest.fixture
def matrices():
    """By dialect, the keywords of `problem` without which it would have shapes that are refused."""
    return lambda name: {"shapes": MATRICES} if get(name).shapes else {}


def closure_of(optimizer, parameters, targets):
    """A loss whose gradient at `p` is the target times `2 (p - 1)`."""

    def closure():
        optimizer.zero_grad()
        loss = sum((c * (p - 1) ** 2).sum() for p, c in zip(parameters, targets, strict=True))
        loss.backward()
        return loss

    return closure


def named_rows(step, shape) -> np.ndarray:
    """The rows that the gradient of a step names: some, or none; a 0-d tensor has one or none."""
    chosen = np.random.default_rng((step, *shape)).random(shape[:1]) < (step % 5 != 3) * 0.6
    return np.flatnonzero(chosen)[::-1].copy()


def named(step, shape) -> np.ndarray:
    """The lanes of these rows."""
    lanes = np.zeros(shape or (1,), dtype=bool)
    lanes[named_rows(step, shape)] = True
    return lanes.reshape(shape)


def sparse(gradient, step):
    """A gradient as torch's embeddings give it: rows out of order, the first one in two parts."""
    if gradient is None:
        return None
    shape = tuple(gradient.shape)
    rows = torch.from_numpy(named_rows(step, shape))
    values = gradient[rows] if shape else gradient.expand(len(rows))
    where = rows.unsqueeze(0) if shape else rows.new_zeros(0, len(rows))
    if len(rows):
        half = values[:1] / 2
        where, values = torch.cat([where, where[:, :1]], 1), torch.cat([half, values[1:], half])
    return torch.sparse_coo_tensor(where, values, shape, check_invariants=True)


@pytest.fixture
def run():
    """Run an optimizer class on a problem; returns the optimizer and its parameters."""

    def go(cls, problem, *, dtype=torch.float64, **keywords):
        parameters = problem.tensors(dtype)
        optimizer = cls(parameters, **keywords)
        for step, gradients in enumerate(problem.gradients):
            if step in problem.rates:
                for group in optimizer.param_groups:
                    group["lr"] = problem.rates[step]
            given = [None if g is None else torch.tensor(g, dtype=dtype) for g in gradients]
            if getattr(cls, "_closure", False):
                optimizer.step(closure_of(optimizer, parameters, given))
                continue
            if not takes_dense(cls):
                given = [sparse(g, step) for g in given]
            for p, g in zip(parameters, given, strict=True):
                p.grad = g
            optimizer.step()
        return optimizer, parameters

    return go


@pytest.fixture
def interpret():
    """Run the interpreter on a problem, in any number type."""

    def go(algorithm, problem, arithmetic, *, closure=False, options=None, hyperparameters=None):
        machine = Interpreter(
            algorithm,
            arithmetic,
            problem.start,
            options=options,
            hyperparameters=hyperparameters,
        )
        for step, gradients in enumerate(problem.gradients):
            if step in problem.rates:
                machine.set({"lr": problem.rates[step]})
            if closure:
                machine.step(oracle=_oracle(arithmetic, gradients))
            else:
                machine.step(*masked(algorithm, gradients, step))
        return machine

    return go


def masked(algorithm, gradients, step):
    """What the interpreter is given where `run` gives sparse gradients: them, and the lanes."""
    if algorithm.gradients.dense:
        return gradients, None
    lanes = [None if g is None else named(step, np.shape(g)) for g in gradients]
    given = [g if g is None else np.where(m, g, 0.0) for g, m in zip(gradients, lanes, strict=True)]
    return given, lanes


def _oracle(arithmetic, targets):
    """The gradient of the closure's loss, operation by operation as autograd computes it."""

    def oracle(points):
        a, out = arithmetic, []
        for point, target in zip(points, targets, strict=True):
            error = a.binary("-", point, a.number(1))
            out.append(a.binary("*", a.tensor(target), a.binary("*", a.number(2), error)))
        return None, out

    return oracle


@pytest.fixture(scope="session")
def load():
    """The generated class of a dialect for a target, made once.

    A function that changes gradients comes in the shape of an optimizer.
    """
    made: dict[tuple[str, str], Any] = {}

    def go(name: str, target: str):
        if (name, target) not in made:
            algorithm = get(name)
            made[name, target] = (
                partial(GradientTransform, load_function(algorithm))
                if algorithm.result == "gradient"
                else load_class(algorithm, target)
            )
        return made[name, target]

    return go


@pytest.fixture(scope="session")
def load_wide(load):
    """As `load`, but none of the equations is computed in a narrower type than the parameter's."""

    def go(name: str, target: str):
        algorithm = get(name)
        if not algorithm.narrow:
            return load(name, target)
        return load_class(replace(algorithm, blocks=()), target)

    return go


@pytest.fixture(scope="session")
def configurations():
    """Every choice of the constructor's options, with default and with nonzero hyperparameters."""

    def go(algorithm, cls):
        accepted = [c for c in _configurations(algorithm) if accepts(cls, c[0])]
        assert accepted, "nothing to try"
        return accepted

    return go


def accepts(cls, keywords) -> bool:
    """Whether a constructor takes these keywords: some contradict each other."""
    try:
        cls([torch.zeros(2, 2)], **keywords)
    except ValueError:
        return False
    return True


def _configurations(algorithm) -> Iterator[tuple[dict[str, Any], dict[str, Any], dict[str, float]]]:
    """(constructor keywords, options by name, hyperparameters by symbol) that belong together."""
    kept = kept_options(algorithm)
    probes = {h.name: h.probe for h in algorithm.hyperparameters if h.probe is not None}
    quiet = {**probes, **{n: 0.0 for n in ("dampening",) if n in probes}}
    for values in product(*kept.values()):
        options = dict(zip(kept, values, strict=True))
        for numbers in ({}, probes, quiet):
            yield keywords(algorithm, options, numbers), options, numbers


def keywords(algorithm, options, numbers) -> dict[str, Any]:
    """What the constructor is given for these options and hyperparameters."""
    out: dict[str, Any] = {}
    for name, value in options.items():
        argument = algorithm.option(name).argument
        out[argument.key] = argument.constructor_value(value)
    for key, hyperparameters in Frame(algorithm, ()).hyperparameters():
        values = tuple(numbers.get(h.name, h.default) for h in hyperparameters)
        if any(h.name in numbers for h in hyperparameters):
            out[key] = values if hyperparameters[0].index is not None else values[0]
    return out
