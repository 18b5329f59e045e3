"""L-BFGS beside torch's: the same trajectory, as many evaluations, one checkpoint for both."""

from __future__ import annotations

import copy
import inspect
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

from instep.conformance.landscapes import TorchNumbers, evaluate
from instep.reference import eager, vectorized

SHAPES = ((5,), (2, 3), ())
TARGETS = {"eager": eager.LBFGS, "vectorized": vectorized.LBFGS}
SETTINGS: list[dict[str, Any]] = [
    {"max_iter": 1},
    {"lr": 0.5, "max_iter": 4, "history_size": 2},
    {"lr": 0.05, "max_iter": 20, "max_eval": 30, "history_size": 5},
    {},
]
# How far two runs may part in float64: what one rounds differently the curvature magnifies.
NEAR = 1e-9


class Problem:
    """Parameters, and a landscape whose centres move between steps if `moving`."""

    def __init__(self, seed: int = 0, *, moving: bool = False, dtype: Any = torch.float64) -> None:
        random = np.random.default_rng(seed)
        self.numbers = TorchNumbers(dtype)
        self.start = [random.uniform(-2, 2, s) for s in SHAPES]
        self.slopes = [np.ldexp(1.0, random.integers(-3, 2, s)) for s in SHAPES]
        centres = [[random.uniform(-2, 2, s) for s in SHAPES] for _ in range(8)]
        self.centres = centres if moving else centres[:1] * 8

    def leaves(self) -> list[torch.Tensor]:
        return [self.numbers.tensor(x).requires_grad_() for x in self.start]

    def run(self, optimizer: Any, leaves: list[torch.Tensor], steps: range) -> list[int]:
        """How often each step called the closure."""
        counts = []
        for t in steps:
            calls: list[float] = []

            def closure(t: int = t, calls: list[float] = calls) -> Any:
                assert torch.is_grad_enabled()
                points = [p.detach() for p in leaves]
                loss, gradients = evaluate(
                    self.numbers, "valley", points, self.centres[t], self.slopes
                )
                for p, g in zip(leaves, gradients, strict=True):
                    p.grad = g
                calls.append(float(loss))
                return loss

            returned = optimizer.step(closure)
            assert float(returned) == calls[0]
            counts.append(len(calls))
        return counts


def apart(ours: list[torch.Tensor], theirs: list[torch.Tensor]) -> float:
    """The largest difference of a lane, relative to the largest lane."""
    flat = [torch.cat([p.detach().reshape(-1) for p in ps]) for ps in (ours, theirs)]
    return float((flat[0] - flat[1]).abs().max() / flat[1].abs().max())


@pytest.mark.parametrize("moving", [False, True])
@pytest.mark.parametrize("search", [None, "strong_wolfe"])
@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("target", TARGETS)
def test_it_goes_where_torchs_goes_in_as_many_evaluations(target, settings, search, moving):
    keywords = {**settings, "line_search_fn": search}
    problem = Problem(moving=moving)
    ours, theirs = problem.leaves(), problem.leaves()
    mine, its = TARGETS[target](ours, **keywords), torch.optim.LBFGS(theirs, **keywords)
    for t in range(3):
        steps = range(t, t + 1)
        assert problem.run(mine, ours, steps) == problem.run(its, theirs, steps)
        assert apart(ours, theirs) < NEAR
    for key in ("func_evals", "n_iter"):
        assert mine.state[ours[0]][key] == its.state[theirs[0]][key]


def test_line_searches_were_long_enough_to_zoom():
    """What the comparison above leans on: torch brackets and zooms on these problems."""
    problem = Problem()
    theirs = problem.leaves()
    its = torch.optim.LBFGS(theirs, lr=0.05, max_eval=30, line_search_fn="strong_wolfe")
    counts = problem.run(its, theirs, range(2))
    assert sum(counts) > its.state[theirs[0]]["n_iter"] + 20


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
@pytest.mark.parametrize(("first", "second"), list(product(["ours", "torch"], repeat=2)))
def test_a_checkpoint_travels(first, second, search):
    classes = {"ours": vectorized.LBFGS, "torch": torch.optim.LBFGS}
    keywords: dict[str, Any] = {"lr": 0.5, "max_iter": 4, "line_search_fn": search}
    problem = Problem()
    leaves, whole = problem.leaves(), problem.leaves()
    begun = classes[first](leaves, **keywords)
    problem.run(begun, leaves, range(2))
    saved = copy.deepcopy(begun.state_dict())
    resumed = classes[second](leaves)
    resumed.load_state_dict(saved)
    problem.run(resumed, leaves, range(2, 4))
    torchs = torch.optim.LBFGS(whole, **keywords)
    problem.run(torchs, whole, range(4))
    assert apart(leaves, whole) < NEAR
    assert resumed.state[leaves[0]]["n_iter"] == torchs.state[whole[0]]["n_iter"]


def test_vectors_that_were_kept_for_other_parameters_are_refused():
    problem = Problem()
    leaves, fewer = problem.leaves(), problem.leaves()[:1]
    begun = vectorized.LBFGS(leaves, max_iter=4)
    problem.run(begun, leaves, range(2))
    state = copy.deepcopy(begun.state_dict())
    state["param_groups"][0]["params"] = [0]
    other = vectorized.LBFGS(fewer, max_iter=4)
    before = copy.deepcopy(other.state_dict())
    with pytest.raises(ValueError, match=r"state d holds a tensor of shape \(12,\), not \(\d+,\)"):
        other.load_state_dict(state)
    assert other.state_dict() == before


def test_state_and_groups_have_torchs_keys_and_shapes():
    problem = Problem()
    described = []
    for cls in (vectorized.LBFGS, torch.optim.LBFGS):
        leaves = problem.leaves()
        optimizer = cls(leaves, max_iter=4)
        problem.run(optimizer, leaves, range(2))
        state = {k: v for k, v in optimizer.state[leaves[0]].items() if k != "al"}  # torch's cache
        vectors = {k: state[k].shape for k in ("d", "prev_flat_grad")}
        lists = {k: len(state[k]) for k in ("old_dirs", "old_stps", "ro")}
        described.append((state.keys(), vectors, lists, optimizer.param_groups[0].keys()))
        assert len(optimizer.state) == 1
        assert all(x.shape == (12,) for x in (*state["old_dirs"], *state["old_stps"]))
    assert described[0] == described[1]


def test_signature_is_torchs_with_a_backend_more():
    theirs = inspect.signature(torch.optim.LBFGS).parameters
    ours = dict(inspect.signature(vectorized.LBFGS).parameters)
    assert ours.pop("backend").default == "auto"
    assert [(k, p.default) for k, p in ours.items()] == [(k, p.default) for k, p in theirs.items()]


def test_what_is_not_said_follows_from_the_rest():
    (group,) = eager.LBFGS(Problem().leaves(), max_iter=7).param_groups
    (its,) = torch.optim.LBFGS(Problem().leaves(), max_iter=7).param_groups
    assert group["max_eval"] == its["max_eval"] == 8
    assert type(group["max_eval"]) is int


@pytest.mark.parametrize("target", TARGETS)
def test_groups_are_refused_as_torch_refuses_them(target):
    groups = [{"params": [p]} for p in Problem().leaves()]
    with pytest.raises(ValueError, match="no settings of parameter groups"):
        TARGETS[target](groups)
    with pytest.raises(ValueError, match="parameter groups"):
        torch.optim.LBFGS([{"params": [p]} for p in Problem().leaves()])


def test_an_unknown_line_search_is_refused():
    with pytest.raises(ValueError, match="line_search_fn must be one of None, 'strong_wolfe'"):
        eager.LBFGS(Problem().leaves(), line_search_fn="armijo")


def test_a_backend_that_it_has_not_is_refused():
    with pytest.raises(ValueError, match="LBFGS has no form for lists of tensors"):
        vectorized.LBFGS(Problem().leaves(), backend="foreach")


def test_a_parameter_that_the_loss_does_not_reach_counts_with_zeros():
    runs = []
    for cls in (vectorized.LBFGS, torch.optim.LBFGS):
        problem = Problem()
        spare = torch.ones(3, dtype=torch.float64, requires_grad=True)
        leaves = problem.leaves()
        optimizer = cls([leaves[0], spare, *leaves[1:]], max_iter=4)
        problem.run(optimizer, leaves, range(2))
        assert (spare == 1).all()
        runs.append((leaves, optimizer.state[leaves[0]]["d"]))
    (ours, d), (theirs, e) = runs
    assert apart(ours, theirs) < NEAR
    assert d.shape == e.shape == (15,)
    assert (d[5:8] == 0).all()


def test_a_flat_gradient_ends_the_step_at_once():
    p = torch.zeros(3, requires_grad=True)
    optimizer = vectorized.LBFGS([p])

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = (p**2).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert optimizer.state[p]["func_evals"] == 1
    assert optimizer.state[p]["n_iter"] == 0


def test_complex_parameters_are_pairs_of_real_ones():
    runs = []
    for cls in (vectorized.LBFGS, torch.optim.LBFGS):
        z = torch.tensor([1 + 2j, -1 + 0.5j], dtype=torch.complex128, requires_grad=True)
        optimizer = cls([z], max_iter=4)

        def closure(z: Any = z, optimizer: Any = optimizer) -> Any:
            optimizer.zero_grad()
            loss = ((z * z - 3j).abs() ** 2).sum()
            loss.backward()
            return loss

        for _ in range(2):
            optimizer.step(closure)
        runs.append([torch.view_as_real(z)])
    assert apart(*runs) < NEAR
