"""Where optimizers keep things, and how they are found without being touched."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor

from instep.conformance.observe import observe, to_array


@dataclass
class Memory:
    average: Tensor
    count: int


def parameters() -> list[torch.nn.Parameter]:
    return [torch.nn.Parameter(torch.zeros(3)), torch.nn.Parameter(torch.zeros(2, 2))]


def filled(p: Tensor, x: float) -> Tensor:
    return torch.full_like(p, x, requires_grad=False).detach()


def found(optimizer: object, ps: list[torch.nn.Parameter]) -> list[dict[str, float]]:
    """Leaves of each parameter, tensors by their first lane."""
    moment = observe(optimizer, ps)
    return [{k: float(np.ravel(v)[0]) for k, v in leaves.items()} for leaves in moment.leaves]


@pytest.mark.parametrize("key", [lambda p, i: p, lambda p, i: id(p), lambda p, i: i])
def test_state_by_parameter_by_id_and_by_index(key):
    ps = parameters()
    state = {key(p, i): {"m": filled(p, i + 1.0), "t": 4} for i, p in enumerate(ps)}
    assert found(SimpleNamespace(state=state), ps) == [
        {"m": 1.0, "t": 4.0},
        {"m": 2.0, "t": 4.0},
    ]


def test_nested_containers_and_dataclasses():
    ps = parameters()[:1]
    kept = {
        "pair": (filled(ps[0], 1.0), [filled(ps[0], 2.0)]),
        "one": Memory(filled(ps[0], 3.0), 7),
    }
    assert found(SimpleNamespace(state={ps[0]: kept}), ps) == [
        {"pair/0": 1.0, "pair/1/0": 2.0, "one/average": 3.0, "one/count": 7.0}
    ]


def test_attributes_that_hold_one_thing_for_each_parameter():
    ps = parameters()
    flat = torch.cat([torch.full((3,), 1.0), torch.full((4,), 2.0)])
    optimizer = SimpleNamespace(
        listed=[filled(p, 5.0 + i) for i, p in enumerate(ps)],
        mapped={id(ps[1]): Memory(filled(ps[1], 9.0), 2)},
        flat=flat,
        count=3,
        params=ps,
        name="no number",
        flag=True,
    )
    assert found(optimizer, ps) == [
        {"listed": 5.0, "flat": 1.0, "count": 3.0},
        {"listed": 6.0, "mapped/average": 9.0, "mapped/count": 2.0, "flat": 2.0, "count": 3.0},
    ]
    assert observe(optimizer, ps).leaves[1]["flat"].shape == (2, 2)


def test_only_a_vector_can_be_all_parameters_in_a_row():
    ps = [torch.nn.Parameter(torch.zeros(4)), torch.nn.Parameter(torch.zeros(4))]
    optimizer = SimpleNamespace(table=torch.ones(2, 4), long=torch.ones(9))
    assert found(optimizer, ps) == [{}, {}]


def test_the_state_of_a_wrapped_optimizer():
    ps = parameters()[:1]
    inner = torch.optim.SGD(ps, lr=0.1, momentum=0.9)
    ps[0].grad = torch.ones(3)
    inner.step()
    outer = SimpleNamespace(inner=inner)
    assert found(outer, ps)[0]["inner/momentum_buffer"] == 1.0


def test_looking_makes_no_entries():
    ps = parameters()
    optimizer = SimpleNamespace(state=defaultdict(dict))
    observe(optimizer, ps)
    assert not optimizer.state


def test_what_is_seen_is_a_copy():
    p = torch.nn.Parameter(torch.zeros(2, dtype=torch.float64))
    buffer = torch.ones(2, dtype=torch.float64)
    moment = observe(SimpleNamespace(state={p: {"m": buffer}}), [p])
    buffer += 1
    with torch.no_grad():
        p += 1
    assert list(moment.leaves[0]["m"]) == [1.0, 1.0]
    assert list(moment.parameters[0]) == [0.0, 0.0]


def test_types_are_remembered_and_flags_are_not_state():
    p = torch.nn.Parameter(torch.zeros(2))
    kept = {
        "m": torch.zeros(2, dtype=torch.bfloat16),
        "mask": torch.zeros(2, dtype=torch.bool),
        "n": torch.tensor(3),
        "on": True,
    }
    moment = observe(SimpleNamespace(state={p: kept}), [p])
    assert set(moment.leaves[0]) == {"m", "n"}
    assert moment.types["m"] == "bfloat16"


def test_complex_and_sparse_tensors_become_arrays_of_numbers():
    assert to_array(torch.tensor([1 + 2j])).tolist() == [[1.0, 2.0]]
    assert to_array(torch.eye(2).to_sparse()).tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert to_array(torch.tensor([0.1], dtype=torch.bfloat16)).dtype == np.float64


def test_an_object_with_slots_has_nothing_to_show():
    class Bare:
        __slots__ = ()

    assert found(Bare(), parameters()) == [{}, {}]
