"""What is reached from an object is counted, each tensor's memory once, parameters left out."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import torch

from instep.conformance.held import held


@dataclass
class Thing:
    kept: Any
    more: dict[str, Any] = field(default_factory=dict)


def test_tensors_are_counted_wherever_they_are_and_memory_once():
    x = torch.zeros(4)
    nested = Thing([x, (x[1:], {"deep": Thing(torch.zeros(2))})])
    assert held(nested, []).tensors == 3
    assert held(nested, []).bytes == 16 + 8


def test_parameters_and_what_belongs_to_nobody_are_left_out():
    p = torch.nn.Parameter(torch.zeros(3))
    assert held(Thing({p: 1.0}, {"call": torch.add, "type": float}), [p]).tensors == 0


def test_what_is_attached_to_parameters_counts():
    p = torch.nn.Parameter(torch.zeros(3))
    vars(p)["moment"] = torch.zeros(3)
    found = held(Thing(None), [p])
    assert (found.tensors, found.bytes) == (1, 12)


def test_a_list_grows_and_a_queue_of_fixed_length_does_not():
    diary, window = Thing([1.0]), Thing(deque([1.0], maxlen=5))
    before = held(diary, []).entries, held(window, []).entries
    diary.kept.append(2.0)
    window.kept.append(2.0)
    assert (held(diary, []).entries, held(window, []).entries) == (before[0] + 1, before[1])


def test_what_holds_itself_is_counted_once():
    thing = Thing([])
    thing.kept.append(thing)
    assert held(thing, []).tensors == 0


def test_sparse_tensors_have_two_parts():
    sparse = torch.tensor([1.0, 0.0, 2.0, 0.0]).to_sparse()
    assert held(Thing(sparse), []).bytes == 2 * 8 + 2 * 4


def test_what_slots_hold_is_reached():
    class Slotted:
        __slots__ = ("kept", "missing")

    thing = Slotted()
    thing.kept = torch.zeros(2)
    assert held(thing, []).tensors == 1
