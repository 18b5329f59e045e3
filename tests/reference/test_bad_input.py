"""Bad input to every generated class: torch's errors, and nothing has changed when they are raised.

All classes are found through their package, so a new specification is held to this as it comes: to
every function here that is called `refuses_...` or `takes_...`, in one test.
"""

from __future__ import annotations

import copy
import inspect
import math
import warnings
from dataclasses import dataclass
from itertools import combinations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from instep.reference import eager, vectorized
from instep.reference.runtime.intervals import Interval
from instep.spec import get
from meta.exported import EXPORTED, probes

CLASSES = [getattr(package, name) for package in (vectorized, eager) for name in package.__all__]
# Hyperparameters that switch on what algorithms can keep.
PROBES = {c: probes(get(name)) for name, c in EXPORTED.items()}
IN_TORCH = [c for c in CLASSES if hasattr(torch.optim, c.__name__)]


def named(cls):
    return f"{cls.__module__.split('.')[-2]}.{cls.__name__}"


CHECKS = []


def of_every_class(check):
    """Let the test below run a check; one test for all, since each takes milliseconds."""
    CHECKS.append(check)
    return check


@pytest.mark.parametrize("cls", CLASSES, ids=named)
def test_bad_input(cls):
    assert len(CHECKS) == 12
    for check in CHECKS:
        check(cls)


def parameter(dtype=torch.float64):
    """A matrix, which every algorithm takes."""
    return torch.nn.Parameter(torch.arange(1.0, 7.0).reshape(2, 3).to(dtype))


def gradient(cls, p, scale=0.5):
    """A gradient that the class takes."""
    g = torch.full_like(p, scale)
    return g if cls._accepts.dense else g.to_sparse()


def error_of(make):
    """What is raised, with the class of the exception and one line of text."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the type is what the test compares
        make()
    return caught


# ---- construction


P = parameter()
STRUCTURES = {
    "a bare tensor": lambda: parameter(),
    "a number": lambda: 3,
    "nothing": list,
    "an empty iterator": lambda: iter(()),
    "a set in a group": lambda: [{"params": {parameter()}}],
    "a tensor twice in two groups": lambda: [{"params": [P]}, {"params": [P]}],
    "what is no leaf": lambda: [parameter() * 2],
    "numbers": lambda: [1.0],
    "a group without parameters": lambda: [{"lr": 0.5}],
    "mixed names": lambda: [("a", parameter()), parameter()],
    "a group with names and one without": lambda: [
        {"params": [("a", parameter())]},
        {"params": [parameter()]},
    ],
}


@of_every_class
def refuses_structures_of_parameters_as_torch_does(cls):
    theirs = getattr(torch.optim, cls.__name__, torch.optim.SGD)
    for name, make in STRUCTURES.items():
        expected = error_of(lambda make=make: theirs(make()))
        found = error_of(lambda make=make: cls(make()))
        assert found.type is expected.type, name
        assert str(found.value) == str(expected.value), name


@of_every_class
def refuses_an_unknown_keyword(cls):
    with pytest.raises(TypeError, match="unexpected keyword"):
        cls([parameter()], temperature=0.5)


def wrong_values(domain):
    """Values outside a domain: beyond its ends, not a number, several numbers at once."""
    if isinstance(domain, tuple):
        inside = [_inside(d) for d in domain]
        for k, d in enumerate(domain):
            for value in wrong_values(d):
                yield (*inside[:k], value, *inside[k + 1 :])
        yield from (0.5, (0.5,) * (len(domain) + 1))
        return
    yield math.nan
    yield torch.ones(2)
    if domain.lower > -math.inf:
        yield domain.lower - 1
        yield torch.tensor(domain.lower - 1.0)
        yield from [domain.lower] if domain.ends[0] == "(" else []
    if domain.upper < math.inf:
        yield domain.upper + 1
        yield from [domain.upper] if domain.ends[1] == ")" else []
    if domain.integer:
        yield max(domain.lower, 0) + 0.5


def _inside(domain: Interval) -> float:
    candidates = (0.5, 1, 2, domain.lower, domain.upper)
    return next(x for x in candidates if x in domain)


@of_every_class
def refuses_values_outside_their_domains(cls):
    for key in cls._domains:
        refuses_values(cls, key)


def refuses_values(cls, key):
    fine = cls([parameter()])
    before = fine.state_dict()
    for value in wrong_values(cls._domains[key]):
        for make in (
            lambda value=value: cls([parameter()], **{key: value}),
            lambda value=value: cls([{"params": [parameter()]}, _group(key, value)]),
            lambda value=value: fine.add_param_group(_group(key, value)),
        ):
            with pytest.raises(ValueError, match=key) as caught:
                make()
            assert "\n" not in str(caught.value)
    assert fine.state_dict() == before
    for value in ("x", None, [[0.5]]):
        if value is not None or not _takes_none(cls, key):
            with pytest.raises((TypeError, ValueError), match=key):
                cls([parameter()], **{key: value})


def _takes_none(cls, key):
    domain = cls._domains[key]
    return inspect.signature(cls).parameters[key].default is None or (
        isinstance(domain, Interval) and domain.none
    )


def _group(key, value):
    return {"params": [parameter()], key: value}


@of_every_class
def refuses_the_values_that_torch_refuses(cls):
    if cls not in IN_TORCH:
        return
    theirs = getattr(torch.optim, cls.__name__)
    compared = 0
    for key, domain in cls._domains.items():
        for value in (*wrong_values(domain), "x", None):
            try:
                theirs([parameter()], **{key: value})
            except (ValueError, TypeError, RuntimeError, IndexError) as expected:
                # Torch stumbles over some of these by accident, with whatever Python says then.
                said = ("nvalid", "ensor lr must", "should be", "must be")
                meant = any(words in str(expected) for words in said)
                kind = type(expected) if meant else (TypeError, ValueError)
                with pytest.raises(kind):
                    cls([parameter()], **{key: value})
                compared += meant
    assert compared >= 2


# What torch says of a keyword that it stumbles over without having meant to refuse it.
SUPERSET = ("as a Tensor is not supported", "foreach=True")


def candidates(cls):
    """Keywords of torch's class with values that may not go together."""
    for key, argument in inspect.signature(cls).parameters.items():
        default = argument.default
        if key in ("foreach", "fused") or isinstance(default, bool):
            yield from ((key, True), (key, False))
        elif isinstance(default, float):
            yield from ((key, torch.tensor(default)), (key, 0.5), (key, 0.0))
        elif isinstance(default, int):
            yield from ((key, 1), (key, 2))
        elif isinstance(default, tuple) and None not in default:
            yield key, tuple(map(torch.tensor, default))


@pytest.mark.parametrize("cls", [c for c in IN_TORCH if "vectorized" in named(c)], ids=named)
def test_pairs_of_keywords_that_torch_refuses(cls):
    """Where foreach=True takes no tensors in torch it does here: they are read once a step."""
    theirs = getattr(torch.optim, cls.__name__)
    pairs = [dict(pair) for pair in combinations(candidates(theirs), 2) if pair[0][0] != pair[1][0]]
    assert len(pairs) >= 20
    for keywords in pairs:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                theirs([parameter()], **keywords)
        except Exception as expected:
            if not all(words in str(expected) for words in SUPERSET):
                with pytest.raises(type(expected)):
                    cls([parameter()], **keywords)


# ---- a step that is refused


@dataclass
class Snapshot:
    """Everything that a refused step must leave alone, bit for bit."""

    optimizer: torch.optim.Optimizer

    def __post_init__(self):
        self.groups = [
            {k: copy.deepcopy(v) for k, v in group.items() if k != "params"}
            for group in self.optimizer.param_groups
        ]
        self.parameters = [p for g in self.optimizer.param_groups for p in g["params"]]
        self.values = [bits(p) for p in self.parameters]
        self.gradients = [p.grad for p in self.parameters]
        self.given = [None if g is None else bits(g) for g in self.gradients]
        self.state = {p: bits(state) for p, state in self.optimizer.state.items()}

    def check(self):
        for group, before in zip(self.optimizer.param_groups, self.groups, strict=True):
            now = {k: v for k, v in group.items() if k != "params"}
            assert now.keys() == before.keys()
            assert all(bits(now[k]) == bits(before[k]) for k in now)
        assert [bits(p) for p in self.parameters] == self.values
        assert all(p.grad is g for p, g in zip(self.parameters, self.gradients, strict=True))
        assert [None if g is None else bits(g) for g in self.gradients] == self.given
        assert {p: bits(state) for p, state in self.optimizer.state.items()} == self.state


def bits(x):
    """A value that is equal only where every bit is."""
    if isinstance(x, torch.Tensor):
        parts = (x._indices(), x._values()) if x.layout == torch.sparse_coo else (x,)
        raw = tuple(p.detach().contiguous().view(-1).view(torch.uint8).numpy().tobytes()
                    for p in parts)  # fmt: skip
        return (str(x.dtype), tuple(x.shape), raw)
    if isinstance(x, dict):
        return {k: bits(v) for k, v in x.items()}
    if isinstance(x, list | tuple):
        return [bits(v) for v in x]
    return (type(x), x)


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


def closure_for(cls, optimizer):
    """What a step needs to evaluate gradients itself; they are as they were set."""
    return (lambda: torch.zeros(())) if getattr(cls, "_closure", False) else None


def admitted(cls, groups):
    """The groups, or all in the first one where a class has a single group."""
    if not cls._one_group:
        return groups
    return [{**groups[0], "params": [p for group in groups for p in group["params"]]}]


def after_one_step(cls, sizes, **options):
    """An optimizer with groups of these sizes, and its parameters."""
    parameters = [parameter() for _ in range(sum(sizes))]
    groups, start = [], 0
    for k, size in enumerate(sizes):
        own = {} if "lr" in cls._common else {"lr": 2.0**-k}
        groups.append({"params": parameters[start : start + size], **own})
        start += size
    optimizer = cls(admitted(cls, groups), **options)
    for p in parameters:
        p.grad = gradient(cls, p)
    optimizer.step(closure_for(cls, optimizer))
    return optimizer, parameters


def refuses_step(cls, optimizer, kind, message):
    """The step is refused in one line, and nothing has changed."""
    before = Snapshot(optimizer)
    with pytest.raises(kind, match=message) as caught:
        optimizer.step(closure_for(cls, optimizer))
    assert "\n" not in str(caught.value)
    before.check()


def refuses_layout(cls, optimizer, p):
    """A gradient of the layout that the class does not take; it is put back afterwards."""
    if cls._accepts.dense and cls._accepts.sparse:
        return
    kept, p.grad = p.grad, torch.full_like(p, 0.5)
    if cls._accepts.dense:
        p.grad = p.grad.to_sparse()
    refuses_step(cls, optimizer, RuntimeError, "does not support (sparse|dense) gradients")
    p.grad = kept


@of_every_class
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


@of_every_class
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


@of_every_class
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


@of_every_class
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


@of_every_class
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


@of_every_class
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


@of_every_class
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


@of_every_class
def refuses_sparse_parameters_where_it_takes_sparse_gradients_alone(cls):
    if cls._accepts.dense:
        return
    p = torch.nn.Parameter(torch.eye(2).to_sparse())
    with pytest.raises(ValueError, match="requires dense parameter tensors"):
        cls([p])
