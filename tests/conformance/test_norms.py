"""What probes have besides where whole tensors count: still ones, and lanes of one size."""

from __future__ import annotations

import numpy as np
import pytest

from instep import spec
from instep.conformance import norms
from instep.conformance.probes import ProbeFactory
from instep.spec.author import (
    algorithm,
    choose,
    grad,
    hyper,
    let,
    local,
    norm,
    option,
    theta,
    where,
)
from instep.spec.model import Algorithm


def factory(algorithm: Algorithm) -> ProbeFactory:
    return ProbeFactory(algorithm, algorithm.defaults(), algorithm.option_defaults())


@pytest.mark.parametrize(
    ("name", "decides"),
    [
        ("adamp/paper", True),
        ("sgdp/paper", True),
        ("lars/paper", False),  # a norm against 0: the still tensors show both sides
        ("agc/paper", False),  # a limit, but nothing jumps there
        ("rprop/torch", False),  # lane by lane
        ("adamw/torch", False),
    ],
)
def test_a_norm_that_passes_a_limit_decides(name: str, decides: bool) -> None:
    found = factory(spec.get(name))
    assert found.decides is decides
    extra = len(norms.ALIKE) if decides else 0
    still = len(norms.STILL) if found.reduces else 0
    assert len(found.make("any").parameters) == 3 + still + extra


def test_only_the_options_that_are_taken_count() -> None:
    with algorithm("sample", "Jumps under one of its options") as draft:
        lr = hyper("lr", 0.5)
        limited = option("limited", argument=True)
        g = local("g")
        let("gradient", g, choose(limited, yes=where(norm(grad(theta)) > 1, 0, grad(theta)),
                                  no=grad(theta)))  # fmt: skip
        let("update", theta, theta - lr * g)
    ours = draft.algorithm
    for chosen in (False, True):
        assert ProbeFactory(ours, ours.defaults(), {"limited": chosen}).decides is chosen


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
def test_lanes_are_alike_and_exact(dtype: str) -> None:
    shapes = tuple(shape for shape, *_ in norms.ALIKE)
    parameters, gradients = norms.alike(shapes, 8, dtype, 3)
    assert [p.shape for p in parameters] == list(shapes)
    assert len(gradients) == 8
    for x in (*parameters, *(g for step in gradients for g in step)):
        assert np.abs(x).max() <= 2 * np.abs(x).min()
        assert np.array_equal(norms.exact(x, dtype), x)
        assert {-1.0, 1.0} == set(np.sign(x).flat)
    again = norms.alike(shapes, 8, dtype, 3)
    assert np.array_equal(parameters[0], again[0][0])
    sizes = [np.abs(step[0]).max() for step in gradients]
    assert max(sizes) > 4 * min(sizes)
