"""Sparse gradients and complex parameters: told right from wrong, and from a refusal."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
import torch_optimizer

from instep import reference
from instep.conformance.lanes import touched_lanes
from instep.conformance.probes import ProbeFactory
from instep.conformance.repro import script
from instep.conformance.sparse import gradient_tensor, rewritten, same
from instep.conformance.suite import Session
from instep.spec import get
from meta.broken.behaviour import PlainAdam
from sources.sparse_adam import MaskedAdamHat


class Dense(PlainAdam):
    """Takes sparse gradients for dense ones, as Adam's equations do."""

    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None and p.grad.is_sparse:
                    p.grad = p.grad.to_dense()
        return super().step(closure)


class FirstOfTwo(PlainAdam):
    """An index that stands there twice counts once."""

    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None and p.grad.is_sparse:
                    dense = torch.zeros_like(p)
                    dense[tuple(p.grad._indices())] = p.grad._values()
                    p.grad = dense
        return super().step(closure)


def refuse(optimizer):
    """Raise for a sparse gradient and for a complex parameter."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    if any(p.is_complex() or (p.grad is not None and p.grad.is_sparse) for p in parameters):
        raise RuntimeError("real and dense ones only")


class RefusesFirst(PlainAdam):
    """Refuses both kinds in time."""

    def step(self, closure=None):
        refuse(self)
        return super().step(closure)


class RefusesLate(PlainAdam):
    """Refuses them when the parameters have moved."""

    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                p.data.mul_(0.5)
        refuse(self)
        for group in self.param_groups:
            for p in group["params"]:
                p.data.mul_(2)
        return super().step(closure)


class ForgetsFirst(PlainAdam):
    """Refuses them when the moments are lost."""

    def step(self, closure=None):
        kept = {p: dict(state) for p, state in self.state.items()}
        self.state.clear()
        refuse(self)
        self.state.update(kept)
        return super().step(closure)


class ZerosAreNothing(MaskedAdamHat):
    """Takes an explicit zero for a lane that is not named."""

    def _one(self, p, group):
        grad = p.grad.coalesce()
        some = torch.tensor([bool(value.any()) for value in grad.values()], dtype=torch.bool)
        p.grad = torch.sparse_coo_tensor(
            grad.indices()[:, some], grad.values()[some], p.shape, check_invariants=True
        )
        super()._one(p, group)


class MovesTheRest(MaskedAdamHat):
    """Lets the moments of unnamed lanes fade."""

    def _one(self, p, group):
        super()._one(p, group)
        self.state[p]["exp_avg"] *= 1 - 2**-6


def result_of(subject, spec, check):
    session = Session(subject, spec)
    return session, session.run(f"{session.prefix}/{check}")


@pytest.mark.parametrize(
    ("subject", "spec", "check", "status", "message"),
    [
        (torch.optim.SGD, "sgd", "gradients/sparse", "passed", ""),
        (reference.SGD, "sgd", "gradients/sparse", "passed", ""),
        (torch.optim.SparseAdam, "sparseadam", "gradients/sparse", "passed", ""),
        (Dense, "adam", "gradients/sparse", "passed", ""),
        (FirstOfTwo, "adam", "gradients/sparse", "failed", "sparse gradients move it elsewhere"),
        (ZerosAreNothing, "sparseadam", "gradients/sparse", "failed", "are out of step"),
        (torch.optim.Adam, "adam", "gradients/sparse", "skipped", "refuses sparse gradients: Adam"),
        (RefusesFirst, "adam", "gradients/sparse", "skipped", "real and dense ones only"),
        (RefusesLate, "adam", "gradients/sparse", "failed", "after parameter 0 has changed"),
        (RefusesLate, "adam", "gradients/complex", "failed", "after parameter 0 has changed"),
        (ForgetsFirst, "adam", "gradients/sparse", "failed", "of parameter 0 has changed"),
        (torch.optim.Adam, "adam", "gradients/complex", "passed", ""),
        # Its states are real where the parameter is complex.
        (torch_optimizer.RAdam, "radam/decoupled", "gradients/complex", "failed", "elsewhere"),
        (reference.Adam, "adam", "gradients/complex", "passed", ""),
        (PlainAdam, "adam", "gradients/complex", "failed", "complex parameters move it elsewhere"),
        (RefusesFirst, "adam", "gradients/complex", "skipped", "real and dense ones only"),
        (reference.SparseAdam, "sparseadam", "gradients/complex", "skipped", "sparse gradients"),
    ],
)
def test_verdicts(subject, spec, check, status, message):
    _, result = result_of(subject, spec, check)
    assert (result.status, result.level) == (status, "should"), result.message
    assert message in result.message


def test_what_fades_behind_the_mask_is_a_wrong_equation():
    session = Session(MovesTheRest, "sparseadam")
    assert session.run("sparseadam/numerics/trajectory").status == "failed"


@pytest.mark.parametrize(
    ("subject", "spec", "check"),
    [(FirstOfTwo, "adam", "gradients/sparse"), (PlainAdam, "adam", "gradients/complex")],
)
def test_the_reproduction_shows_the_failure(subject, spec, check):
    text = script(*result_of(subject, spec, check))
    imports = [line for line in text.splitlines() if line.startswith("from ")]
    assert len(imports) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(AssertionError):
            exec(text.replace(imports[0], ""), {subject.__name__: subject})


def test_probes_name_rows_lanes_all_and_nothing():
    shapes = ((37,), (9, 3), (5, 2, 3))
    steps = touched_lanes(shapes, 10)
    assert [m.shape for m in steps[0]] == [(37,), (9, 1), (5, 2, 3)]
    for k in range(3):
        shares = [m[k].mean() for m in steps]
        assert min(shares) == 0
        assert 0.5 < np.mean(shares) < 0.8
    assert all(m.all() for m in touched_lanes(shapes, 3, calm=True)[1])


def test_probes_of_what_takes_sparse_gradients_alone_are_sparse():
    algorithm = get("sparseadam")
    values = {h.name: h.default for h in algorithm.hyperparameters}
    probe = ProbeFactory(algorithm, values, algorithm.option_defaults()).make("some")
    assert len(probe.touched) == probe.steps
    assert len(probe.cut(3).touched) == 3
    for given, named in zip(probe.gradients, probe.touched, strict=True):
        for g, m in zip(given, named, strict=True):
            assert not np.any(np.where(m, 0, g))


@pytest.mark.parametrize(
    ("shape", "named", "dims"),
    [
        ((4,), [True, False, True, True], 1),
        ((3, 2), [[True], [False], [True]], 1),
        ((3, 2), [[True, False]] * 3, 2),
        ((3, 2), [[False]] * 3, 1),
        ((), True, 0),
        ((), False, 0),
    ],
)
def test_a_sparse_gradient_is_the_dense_one_and_names_what_it_should(shape, named, dims):
    named = np.array(named)
    dense = np.where(named, np.arange(1.0, 1 + np.prod(shape, dtype=int)).reshape(shape), 0.0)
    tensor = gradient_tensor(dense, named, torch.float32)
    assert torch.equal(tensor.to_dense(), torch.tensor(dense, dtype=torch.float32))
    ones = torch.sparse_coo_tensor(
        tensor._indices(), torch.ones_like(tensor._values()), shape, check_invariants=True
    )
    assert np.array_equal(ones.to_dense().numpy() > 0, np.broadcast_to(named, shape))
    assert tensor.sparse_dim() == dims
    assert tensor._nnz() == (named.sum() + 1 if named.any() else 0)


def test_gradients_are_compared_entry_by_entry():
    a = gradient_tensor(np.array([1.0, 0.0, 3.0]), np.array([True, True, True]), torch.float64)
    assert same(a, a.clone())
    assert not same(a, a.coalesce())
    assert not same(a, a.to_dense())
    assert not same(a, a * 2)
    b = rewritten(a, a * 2)
    assert not same(b, a)
    assert set(a._values().tolist()) == {1.0}
    dense = torch.zeros(2)
    assert rewritten(dense, torch.ones(2)) is dense
    assert dense.tolist() == [1, 1]


def test_an_index_of_a_number_that_has_no_half_stands_there_once():
    tiny = np.array([2.0**-24, 1.0])
    tensor = gradient_tensor(tiny, np.array([True, True]), torch.float16)
    assert torch.equal(tensor.to_dense(), torch.tensor(tiny, dtype=torch.float16))
    assert sorted(tensor._values().tolist()) == [2.0**-24, 0.5, 0.5]
