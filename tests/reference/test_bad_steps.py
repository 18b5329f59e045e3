"""Steps and checkpoints of every generated class that cannot be: refused before anything changes.

All classes are found through their package: a new specification is held to every check as it comes.
"""

from __future__ import annotations

import copy
import warnings

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from instep.reference import vectorized
from instep.spec import get
from meta.every_class import (
    CLASSES,
    IN_TORCH,
    Checks,
    Snapshot,
    admitted,
    after_one_step,
    bits,
    closure_for,
    gradient,
    named,
    parameter,
    refuses_step,
)
from meta.exported import EXPORTED, probes

# Hyperparameters that switch on what algorithms can keep.
PROBES = {c: probes(get(name)) for name, c in EXPORTED.items()}
CHECKS = Checks()


@pytest.mark.parametrize("cls", CLASSES, ids=named)
def test_bad_steps_and_checkpoints(cls):
    assert len(CHECKS) == 7
    for check in CHECKS:
        check(cls)


SEVERAL = torch.ones(2)
MISSING = object()


def spoiled_entries(cls, group):
    """(key, value, exceptions) of every entry that a step cannot be made with."""
    for key in set(group) - {"params"}:
        yield key, SEVERAL, ValueError
        if key not in ("foreach", "fused", "capturable", "differentiable"):
            yield key, MISSING, ValueError
        if key in cls._domains:
            yield key, "x", (TypeError, ValueError)
            yield key, (0.5,), (TypeError, ValueError)
        if key in getattr(cls, "_choices", {}):
            yield key, "x", ValueError


def refuses_layout(cls, optimizer, p):
    """A gradient of the layout that the class does not take; it is put back afterwards."""
    if cls._accepts.dense and cls._accepts.sparse:
        return
    kept, p.grad = p.grad, torch.full_like(p, 0.5)
    if cls._accepts.dense:
        p.grad = p.grad.to_sparse()
    refuses_step(cls, optimizer, RuntimeError, "does not support (sparse|dense) gradients")
    p.grad = kept


@CHECKS.add
def refuses_a_step_for_one_bad_parameter_or_entry_in_the_last_group(cls):
    backends = [{}] if named(cls).startswith("eager") else [{}, {"backend": "eager"}]
    for options in backends:
        optimizer, parameters = after_one_step(cls, (1, 2, 1), **options)
        refuses_layout(cls, optimizer, parameters[-1])
        group = optimizer.param_groups[-1]
        for key, value, kind in list(spoiled_entries(cls, group)):
            kept = group.pop(key)
            if value is not MISSING:
                group[key] = value
            refuses_step(cls, optimizer, kind, key)
            group[key] = kept
        optimizer.step(closure_for(cls, optimizer))


def spoiled_states(state):
    """(key, value) of everything kept for a parameter, in shapes that are not its own."""
    for key, value in state.items():
        if not isinstance(value, torch.Tensor) or value.dim() == 0:
            yield key, SEVERAL
            continue
        for bad in (value.mT, value[:1, :1], value.flatten()[:4], 0.5):
            if getattr(bad, "shape", None) != value.shape:
                yield key, bad


@CHECKS.add
def refuses_a_checkpoint_of_other_parameters_when_it_is_loaded(cls):
    values = PROBES.get(cls.__name__, {})
    optimizer, parameters = after_one_step(cls, (1, 2, 1), **values)
    good = copy.deepcopy(optimizer.state_dict())
    last = len(parameters) - 1
    for key, value in list(spoiled_states(good["state"].get(last, {}))):
        bad = copy.deepcopy(good)
        bad["state"][last][key] = value
        bad["param_groups"][0]["lr"] = 0.125
        before = Snapshot(optimizer)
        with pytest.raises(ValueError, match=f"state {key} of parameter {last} ") as caught:
            optimizer.load_state_dict(bad)
        assert "\n" not in str(caught.value)
        before.check()
    optimizer.load_state_dict(good)
    optimizer.step(closure_for(cls, optimizer))


@given(
    cls=st.sampled_from(CLASSES),
    sizes=st.lists(st.integers(1, 3), min_size=1, max_size=4),
    bad=st.integers(0, 11),
)
def test_a_bad_parameter_anywhere_stops_the_step(cls, sizes, bad):
    optimizer, parameters = after_one_step(cls, sizes)
    p = parameters[bad % len(parameters)]
    refuses_layout(cls, optimizer, p)
    group = next(g for g in optimizer.param_groups if any(q is p for q in g["params"]))
    group["lr"] = SEVERAL
    refuses_step(cls, optimizer, ValueError, "must hold one number")


@CHECKS.add
def refuses_sparse_gradients_by_their_condition_before_anything_changes(cls):
    if not cls._accepts.sparse or cls._require_sparse is vectorized.Adam._require_sparse:
        return
    fine, bad = parameter(), parameter()
    optimizer = cls([{"params": [fine]}, {"params": [bad], "weight_decay": 0.5}])
    fine.grad, bad.grad = gradient(cls, fine), gradient(cls, bad)
    optimizer.step()
    bad.grad = bad.grad.to_sparse()
    before = Snapshot(optimizer)
    with pytest.raises(RuntimeError, match="is not compatible with sparse gradients"):
        optimizer.step()
    before.check()


@CHECKS.add
def takes_complex_parameters_as_pairs_or_refuses_them_before_anything_changes(cls):
    real, p = parameter(), parameter(torch.complex128)
    if cls._accepts.complex is False:
        with pytest.raises(ValueError, match="does not support complex parameters"):
            cls([real, p])
        optimizer = cls([real])
        with pytest.raises(ValueError, match="does not support complex parameters"):
            optimizer.add_param_group({"params": [p]})
        assert len(optimizer.param_groups) == 1
        return
    optimizer = cls(admitted(cls, [{"params": [real]}, {"params": [p]}]))
    real.grad = gradient(cls, real)
    optimizer.step(closure_for(cls, optimizer))
    p.grad = torch.full_like(p, 0.5 + 0.25j)
    if cls._accepts.complex:
        check_pairs(cls)
        return
    before = Snapshot(optimizer)
    with pytest.raises(RuntimeError, match="does not support complex parameters"):
        optimizer.step(closure_for(cls, optimizer))
    before.check()


@CHECKS.add
def takes_and_refuses_kinds_where_torch_does_with_its_exception(cls):
    def outcome(one, kind):
        p = parameter(torch.complex128 if kind == "complex" else torch.float64)
        try:
            optimizer = one([p])
        except Exception as error:
            return "construction", type(error)
        p.grad = torch.full_like(p, 0.5).to_sparse() if kind == "sparse" else torch.full_like(p, 1j)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # torch's own, of sparse tensors that it makes
                optimizer.step(lambda: torch.zeros(()))
        except Exception as error:
            return "step", type(error)
        return "taken", None

    if cls in IN_TORCH:
        for kind in ("sparse", "complex"):
            assert outcome(cls, kind) == outcome(getattr(torch.optim, cls.__name__), kind)


def check_pairs(cls):
    """Three steps of complex parameters, and of the same numbers as pairs of real ones."""
    p = torch.nn.Parameter(torch.complex(torch.linspace(-1, 1, 6), torch.linspace(2, 3, 6)))
    pairs = torch.nn.Parameter(torch.view_as_real(p.detach()).clone())
    first, second = cls([p]), cls([pairs])
    for k in range(3):
        p.grad = torch.complex(torch.linspace(1, 2, 6) - k, torch.linspace(-2, 1, 6) * 2**k)
        pairs.grad = torch.view_as_real(p.grad).clone()
        first.step(closure_for(cls, first))
        second.step(closure_for(cls, second))
    assert bits(torch.view_as_real(p.detach())) == bits(pairs)
    for key, value in first.state[p].items():
        if isinstance(value, torch.Tensor) and value.is_complex():
            assert bits(torch.view_as_real(value)) == bits(second.state[pairs][key])


@CHECKS.add
def refuses_a_step_without_the_closure_that_it_needs(cls):
    p = parameter()
    p.grad = gradient(cls, p)
    optimizer = cls([p])
    if not getattr(cls, "_closure", False):
        assert optimizer.step() is None
        return
    before = Snapshot(optimizer)
    with pytest.raises(TypeError, match="needs a closure"):
        optimizer.step()
    before.check()


@CHECKS.add
def takes_a_closure_that_raises_without_a_change(cls):
    p, q = parameter(), parameter()
    optimizer = cls(admitted(cls, [{"params": [p]}, {"params": [q]}]))
    p.grad, q.grad = gradient(cls, p), gradient(cls, q)
    optimizer.step(closure_for(cls, optimizer))
    before = Snapshot(optimizer)
    calls = []

    def closure():
        calls.append(1)
        if len(calls) > 1 or not getattr(cls, "_closure", False):
            raise ZeroDivisionError("the loss has no value")
        return torch.zeros(())

    with pytest.raises(ZeroDivisionError):
        optimizer.step(closure)
    before.check()
