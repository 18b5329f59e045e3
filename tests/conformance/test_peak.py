"""New tensors are counted for as long as they live, and what was there before is not."""

from __future__ import annotations

import torch

from instep.conformance.peak import Peak

SIZE = 4 * 64


def test_what_lives_at_the_same_time_adds_up():
    x = torch.zeros(64)
    with Peak([x]) as peak:
        a = x + 1
        b = a + 1
        del a, b
        _ = x + 1
    assert peak.bytes == 2 * SIZE


def test_one_after_the_other_does_not():
    x = torch.zeros(64)
    with Peak([x]) as peak:
        for _ in range(5):
            x + 1
    # The next one is made before the loop lets go of the last.
    assert SIZE <= peak.bytes <= 2 * SIZE


def test_what_is_written_in_place_or_seen_in_another_way_is_nothing_new():
    x = torch.zeros(64)
    with Peak([x]) as peak:
        x.add_(1).view(8, 8).t()[0].mul_(2)
    assert peak.bytes == 0


def test_lists_of_tensors_are_counted_as_well():
    xs = [torch.zeros(64) for _ in range(3)]
    with Peak(xs) as peak:
        torch._foreach_add(xs, 1.0)
    assert peak.bytes == 3 * SIZE
