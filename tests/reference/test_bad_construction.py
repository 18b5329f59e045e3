"""Constructors of every generated class: torch's errors for what torch refuses, nothing changed.

All classes are found through their package: a new specification is held to every check as it comes.
"""

from __future__ import annotations

import inspect
import math
import warnings
from itertools import combinations

import pytest
import torch

from instep.reference.runtime.intervals import Interval
from meta.every_class import CLASSES, IN_TORCH, Checks, named, parameter

CHECKS = Checks()


@pytest.mark.parametrize("cls", CLASSES, ids=named)
def test_bad_arguments(cls):
    assert len(CHECKS) == 5
    for check in CHECKS:
        check(cls)


def error_of(make):
    """What is raised, with the class of the exception and one line of text."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the type is what the test compares
        make()
    return caught


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


@CHECKS.add
def refuses_structures_of_parameters_as_torch_does(cls):
    theirs = getattr(torch.optim, cls.__name__, torch.optim.SGD)
    for name, make in STRUCTURES.items():
        expected = error_of(lambda make=make: theirs(make()))
        found = error_of(lambda make=make: cls(make()))
        assert found.type is expected.type, name
        assert str(found.value) == str(expected.value), name


@CHECKS.add
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


@CHECKS.add
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


@CHECKS.add
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


@CHECKS.add
def refuses_sparse_parameters_where_it_takes_sparse_gradients_alone(cls):
    if cls._accepts.dense:
        return
    p = torch.nn.Parameter(torch.eye(2).to_sparse())
    with pytest.raises(ValueError, match="requires dense parameter tensors"):
        cls([p])
