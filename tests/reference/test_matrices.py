"""Optimizers of matrices: what they refuse, what None means, and where they compute narrowly."""

from __future__ import annotations

import copy

import pytest
import torch

from instep.conformance.types import computed_in
from instep.reference import Muon, Scion, eager
from instep.reference.generate import load_class
from instep.spec import get

CLASSES = [Muon, eager.Muon]


def matrix(*shape: int, dtype: torch.dtype = torch.float32) -> torch.nn.Parameter:
    generator = torch.Generator().manual_seed(3)
    p = torch.nn.Parameter(torch.randn(shape, generator=generator, dtype=dtype))
    p.grad = torch.randn(shape, generator=generator, dtype=dtype)
    return p


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("shape", [(3,), (), (2, 3, 4)])
def test_other_shapes_are_refused_before_anything_changes(cls, shape):
    message = r"Muon takes parameters of 2 dimensions, got shape \("
    with pytest.raises(ValueError, match=message):
        cls([matrix(*shape)])
    optimizer = cls([matrix(4, 3)])
    before = copy.deepcopy(optimizer.state_dict())
    with pytest.raises(ValueError, match=message):
        optimizer.add_param_group({"params": [matrix(2, 2), matrix(*shape)]})
    assert optimizer.state_dict() == before
    optimizer.add_param_group({"params": [matrix(2, 2)]})
    assert len(optimizer.param_groups) == 2


@pytest.mark.parametrize("cls", CLASSES)
def test_forms_are_named_and_none_is_the_first(cls):
    with pytest.raises(ValueError, match="adjust_lr_fn must be one of None, 'original', 'match_r"):
        cls([matrix(4, 3)], adjust_lr_fn="moonlight")
    ends = []
    for name in (None, "original", "match_rms_adamw"):
        p = matrix(8, 2)
        optimizer = cls([p], lr=0.5, adjust_lr_fn=name)
        assert optimizer.param_groups[0]["adjust_lr_fn"] == name
        optimizer.step()
        ends.append(p.detach().clone())
    assert torch.equal(ends[0], ends[1])
    assert not torch.allclose(ends[0], ends[2])


@pytest.mark.parametrize("cls", CLASSES)
def test_complex_matrices_are_refused(cls):
    p = matrix(3, 2, dtype=torch.complex64)
    with pytest.raises(RuntimeError, match="does not support complex parameters"):
        cls([p]).step()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("target", ["eager", "vectorized"])
@pytest.mark.parametrize("dialect", ["muon/torch", "muon/own-type", "adamuon/average"])
def test_a_block_is_computed_in_the_type_of_the_dialect(dialect, target, dtype):
    algorithm = get(dialect)
    p = matrix(6, 4, dtype=dtype)
    optimizer = load_class(algorithm, target)([p])
    seen = [t.name for t in computed_in(optimizer.step)]
    assert seen == [*sorted(set(algorithm.narrow.values())), str(dtype).removeprefix("torch.")]
    kept = [p, *(x for x in optimizer.state[p].values() if x.numel() > 1)]
    assert len(kept) >= 2
    assert {x.dtype for x in kept} == {dtype}


@pytest.mark.parametrize("cls", CLASSES)
def test_torchs_state_loads_and_the_next_step_is_near_torchs(cls):
    ours, theirs = matrix(7, 5), matrix(7, 5)
    reference = torch.optim.Muon([theirs], lr=0.1)
    optimizer = cls([ours], lr=0.1)
    reference.step()
    with torch.no_grad():
        ours.copy_(theirs)
    optimizer.load_state_dict(reference.state_dict())
    optimizer.step(), reference.step()
    # The type is the same, the order of operations is not.
    assert torch.linalg.matrix_norm(ours - theirs) < 0.1 * 5**0.5 / 8


@pytest.mark.parametrize("cls", [Scion, eager.Scion])
def test_vectors_and_matrices_may_have_equations_of_their_own(cls):
    parameters = [torch.ones(shape, requires_grad=True) for shape in ((), (4,), (4, 2))]
    for p in parameters:
        p.grad = torch.full_like(p, 3.0)
    optimizer = cls(parameters, lr=0.5)
    optimizer.step()
    # Half way to -1, the root mean square's vertex; and to a rank one matrix, made orthogonal.
    for p in parameters[:2]:
        assert torch.allclose(p, torch.zeros(()), atol=1e-6)
    assert torch.linalg.matrix_rank(parameters[2] - 0.5) == 1
    with pytest.raises(ValueError, match=r"at most 2 dimensions, got shape \(2, 2, 2\)"):
        cls([torch.ones(2, 2, 2, requires_grad=True)])
