"""From numbers to a verdict: ratios, sensitivity, thresholds, and what is left out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from instep.conformance.verdict import (
    IN_STEP,
    LOOSE,
    OUT_OF_STEP,
    SENSITIVITY,
    SPREAD,
    Lanes,
    Severity,
    Tally,
)


def lanes(got: Any, expected: Any, bound: Any, change: Any = 1.0, **more: Any) -> Lanes:
    arrays = np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in (got, expected, bound)))
    whole = np.broadcast_to(np.asarray(change, dtype=float), arrays[0].shape)
    place = {"step": 1, "parameter": 0, "quantity": "theta", "equation": "update", **more}
    return Lanes(*place.values(), *arrays, whole)


def off(bounds: float, *, size: float = 1e-6, change: float = 1.0) -> Lanes:
    """One lane so many bounds away."""
    return lanes([1.0 + bounds * size], [1.0], [size], change)


@pytest.mark.parametrize(
    ("got", "expected", "bound", "ratio"),
    [
        (1.5, 1.0, 0.25, 2.0),
        (1.0, 1.0, 0.0, 0.0),
        (1.1, 1.0, 0.0, math.inf),
        (math.nan, 1.0, 0.1, math.inf),
        (math.nan, math.nan, 0.1, 0.0),
        (math.inf, math.inf, 0.1, 0.0),
        (-0.0, 0.0, 0.0, 0.0),
    ],
)
def test_the_ratio_is_the_distance_in_bounds(got, expected, bound, ratio):
    with np.errstate(all="ignore"):
        assert lanes([got], [expected], [bound]).ratio() == [ratio]


@pytest.mark.parametrize(
    ("bound", "change", "sensitivity"),
    [(0.01, 0.1, 0.2), (0.0, 0.0, 0.0), (0.1, 0.0, math.inf), (0.1, math.nan, math.inf)],
)
def test_sensitivity_is_two_bounds_over_the_change(bound, change, sensitivity):
    with np.errstate(all="ignore"):
        assert lanes([1.0], [1.0], [bound], change).sensitivity() == pytest.approx([sensitivity])


@pytest.mark.parametrize("widest", [True, False])
@pytest.mark.parametrize(
    ("bounds", "severity"),
    [
        (0.0, Severity.IN_STEP),
        (0.99 * IN_STEP, Severity.IN_STEP),
        (1.01 * IN_STEP, Severity.LOOSE),
        (0.99 * LOOSE, Severity.LOOSE),
        (1.01 * LOOSE, Severity.POOR),
        (0.99 * OUT_OF_STEP, Severity.POOR),
    ],
)
def test_severities_up_to_the_limit(bounds: float, severity: Severity, widest: bool):
    tally = Tally(widest)
    assert tally.add(off(bounds)) is severity
    assert tally.severity is severity
    assert tally.worst == pytest.approx(bounds, rel=1e-6)


def test_in_the_widest_type_the_ratio_alone_is_another_algorithm():
    assert Tally(widest=True).add(off(1.01 * OUT_OF_STEP)) is Severity.OUT
    assert Tally(widest=False).add(off(1.01 * OUT_OF_STEP)) is Severity.POOR


def test_the_limit_of_the_widest_type_can_be_drawn_closer():
    assert Tally(widest=True, limit=LOOSE).add(off(1.01 * LOOSE)) is Severity.OUT


def test_in_a_narrower_type_the_update_must_be_mangled_too():
    far = 1.01 * LOOSE
    whole = far * 1e-6 / SENSITIVITY
    assert Tally(widest=False).add(off(far, change=0.9 * whole)) is Severity.OUT
    assert Tally(widest=False).add(off(far, change=1.1 * whole)) is Severity.POOR
    near = off(0.99 * LOOSE, change=0.9 * whole)
    assert Tally(widest=False).add(near) is Severity.LOOSE


def test_a_nan_is_out_of_step_in_every_type():
    for widest in (True, False):
        assert Tally(widest).add(lanes([math.nan], [1.0], [1e-6])) is Severity.OUT


def test_lanes_without_an_answer_are_counted_and_left_out():
    tally = Tally(widest=True)
    one = lanes([5.0, 5.0, 1.0], [1.0, math.inf, 1.0], [math.inf, 1e-6, 1e-6])
    assert tally.add(one) is Severity.IN_STEP
    assert (tally.seen, tally.excluded, tally.insensitive) == (1, 2, 0)


def test_insensitive_lanes_neither_pass_nor_fail():
    tally = Tally(widest=True)
    # It is many bounds off; the change of the first is lost in its bound.
    both = lanes([1.125, 1.0], [1.0, 1.0], [1e-6, 1e-6], change=[1e-6, 1.0])
    assert tally.add(both) is Severity.IN_STEP
    assert (tally.seen, tally.insensitive) == (1, 1)


@pytest.mark.parametrize("change", [0.0, 1e-6])
@pytest.mark.parametrize("widest", [True, False])
def test_a_lane_that_hardly_moves_must_not_be_off_by_an_eighth_of_itself(widest, change):
    def judged(got, bound):
        return Tally(widest).add(lanes([got], [1.0], [bound], change=[change]))

    assert judged(1.126, 1e-6) is Severity.OUT
    assert judged(0.5, 1e-6) is Severity.OUT
    assert judged(1.124, 1e-6) is Severity.IN_STEP
    assert judged(1.5, 1e-3) is Severity.IN_STEP  # 500 bounds
    assert judged(math.nan, 1e-6) is Severity.IN_STEP  # rounding may make it undefined


def test_a_tally_that_saw_nothing_is_blind():
    tally = Tally(widest=True)
    assert tally.blind
    tally.add(lanes([1.0], [1.0], [math.inf]))
    assert tally.blind
    tally.add(off(0.0))
    assert not tally.blind


def test_the_sharpest_lane_is_remembered():
    tally = Tally(widest=True)
    tally.add(lanes([1.0, 1.0], [1.0, 1.0], [1e-6, 1e-8], change=[1.0, 1.0]))
    tally.add(lanes([1.0], [1.0], [1e-3], change=1.0))
    assert tally.sharpest == pytest.approx(2e-8)


def test_the_first_step_of_the_worst_severity_is_the_evidence():
    tally = Tally(widest=True)
    steps = [0.5, 1e4, 3.0, 1e6]
    for t, bounds in enumerate(steps, start=1):
        one = off(bounds)
        one.step = t
        tally.add(one)
    assert tally.first is not None
    assert tally.first.lanes.step == 2
    assert tally.first.ratio == pytest.approx(1e4, rel=1e-6)
    assert tally.worst == pytest.approx(1e6, rel=1e-6)
    assert [one.step for one, _ in tally.failing] == [2, 4]


def test_the_worst_lane_of_a_step_is_named_and_the_others_counted():
    tally = Tally(widest=True)
    tally.add(lanes([1.0, 1.01, 1.5, 1.02], [1.0] * 4, [1e-6] * 4))
    assert tally.first is not None
    assert (tally.first.lane, tally.lanes_out) == (2, 3)


def test_an_empty_tensor_changes_nothing():
    tally = Tally(widest=True)
    assert tally.add(lanes(np.zeros(0), np.zeros(0), np.zeros(0))) is Severity.IN_STEP
    assert tally.blind


def whole(
    away: float, *, spread: float = 1e-6, bound: float = 1.0, seen: int = 0, growth: float = 8
) -> Lanes:
    """Sixteen lanes whose bounds show nothing (but for some), in four runs of this spread.

    `growth` is that of the spread where the runs round more coarsely.
    """
    expected, bounds = np.ones(16), np.full(16, bound)
    bounds[:seen] = 1e-9
    rows = expected + spread / 4 * np.array([[1.0], [-1.0], [0.5], [0.0]])
    found = lanes(expected + away / 4, expected, bounds)
    found.runs = lambda runs=4, coarser=False: (
        expected + (rows[:runs] - expected) * (growth if coarser else 1)
    )
    return found


@pytest.mark.parametrize("widest", [True, False])
@pytest.mark.parametrize(
    ("spreads", "severity"),
    [(1.9, Severity.IN_STEP), (2.1, Severity.LOOSE), (33, Severity.POOR), (1e6, Severity.OUT)],
)
def test_a_tensor_that_bounds_do_not_see_is_judged_as_a_whole(spreads, severity, widest):
    tally = Tally(widest)
    assert tally.add(whole(spreads * 1e-6)) is severity
    assert tally.worst == pytest.approx(spreads, rel=1e-6)
    assert tally.yardstick == SPREAD
    assert tally.sharpest == pytest.approx(2e-6 / 4)
    assert (tally.seen, tally.insensitive, tally.whole) == (16, 0, 16)
    if severity > Severity.IN_STEP:
        assert tally.first.spread == pytest.approx(1e-6)


def test_bounds_that_are_infinite_are_made_up_for_too():
    tally = Tally(widest=True)
    assert tally.add(whole(1.0, bound=math.inf)) is Severity.OUT
    assert (tally.seen, tally.excluded) == (16, 0)
    assert tally.add(whole(math.nan)) is Severity.OUT


def test_a_spread_that_is_as_wide_shows_nothing_either():
    tally = Tally(widest=True)
    assert tally.add(whole(1.0, spread=0.3)) is Severity.IN_STEP
    assert tally.blind
    assert tally.yardstick == ""
    assert tally.insensitive == 16


@pytest.mark.parametrize(("seen", "asked"), [(0, True), (7, True), (8, False), (16, False)])
def test_the_spread_is_asked_for_when_bounds_see_less_than_half(seen: int, asked: bool):
    tally, found = Tally(widest=True), whole(0.0, seen=seen)
    calls, inner = [], found.runs
    found.runs = lambda **few: calls.append(1) or inner(**few)
    tally.add(found)
    assert bool(calls) == asked
    assert tally.seen == (16 if asked else seen)
    assert tally.yardstick == (SPREAD if seen == 0 else f"bound and {SPREAD}" if asked else "bound")


def test_lanes_that_some_run_has_no_number_for_are_left_out():
    tally, found = Tally(widest=True), whole(0.0)
    rows = found.runs().copy()
    rows[2, 3] = math.inf
    found.runs = lambda runs=4: rows[:runs]
    found.got[3] = 99.0
    assert tally.add(found) is Severity.IN_STEP
    assert (tally.seen, tally.insensitive) == (15, 1)


@pytest.mark.parametrize(
    ("growth", "severity"), [(8, Severity.OUT), (15, Severity.OUT), (17, Severity.POOR)]
)
def test_a_tensor_that_leaps_under_coarser_roundings_is_not_condemned(growth, severity):
    """Where a sign may turn the spread of a few runs says little; elsewhere it is in proportion."""
    assert Tally(True, coarse=True).add(whole(0.8, growth=growth)) is severity
    assert Tally(True).add(whole(0.8, growth=growth)) is Severity.OUT


def test_norms_neither_overflow_nor_vanish():
    for size in (1e-300, 1e300):
        found = lanes([3 * size, 4 * size], [0.0, 0.0], [1.0, 1.0], size)
        found.runs = lambda runs=2: np.zeros((2, 2))
        assert found.norms().away == pytest.approx(5 * size)


def test_a_tensor_most_of_whose_lanes_rounding_makes_undefined_is_not_judged():
    for lost, judged in ((8, True), (9, False)):
        tally, found = Tally(widest=True), whole(0.0)
        rows = found.runs().copy()
        rows[1, :lost] = math.nan
        found.runs = lambda runs=4, rows=rows: rows[:runs]
        found.got[:lost] = math.nan
        found.got[-1] = 99.0
        assert (tally.add(found) is Severity.OUT) == judged


def test_beside_a_coarse_block_an_eighth_of_the_update_is_no_rounding():
    def off_by(share: float, ratio: float) -> Severity:
        size = 4 * share  # the change is one in each of sixteen lanes
        return Tally(True, coarse=True).add(whole(size, spread=size / ratio))

    assert off_by(0.2, 4.1) is Severity.OUT
    assert off_by(0.2, 3.9) is Severity.LOOSE
    assert off_by(0.1, 31) is Severity.LOOSE
    assert off_by(0.1, 2000) is Severity.POOR
