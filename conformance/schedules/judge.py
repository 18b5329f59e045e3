"""From a run of a scheduler to a verdict: in step with the recurrence, or with the closed form.

The two agree until somebody changes a rate by hand; which of the two a scheduler computes is its
own affair, but it is the same one in all runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from instep.conformance.profile import Profile
from instep.conformance.report.model import Evidence
from instep.conformance.schedules.oracle import DOUBLES, Expected, Form, table
from instep.conformance.schedules.subject import Recording
from instep.conformance.verdict import LOOSE, Lanes, Severity, Tally


@dataclass(frozen=True)
class Judgement:
    """A tally, and the form that it was held against."""

    form: Form
    tally: Tally

    @property
    def out(self) -> bool:
        """Whether the run is out of step."""
        return self.tally.severity is Severity.OUT


def judgements(
    forms: Sequence[Form], recording: Recording, profile: Profile = DOUBLES
) -> list[Judgement]:
    """The run held against each form, the best first."""
    found = [Judgement(form, _tally(form, recording, profile)) for form in forms]
    return sorted(found, key=lambda j: (j.tally.severity, j.tally.worst))


def _tally(form: Form, recording: Recording, profile: Profile) -> Tally:
    tally = Tally(widest=profile is DOUBLES, limit=LOOSE)
    rows = table(form, recording.probe, profile)
    for epoch, (moment, row) in enumerate(zip(recording.moments, rows, strict=True)):
        for lanes in compare(epoch, moment.entries, row, recording.probe.rates):
            tally.add(lanes)
    return tally


def compare(
    epoch: int,
    got: Sequence[dict[str, float]],
    row: Sequence[dict[str, Expected]],
    rates: Sequence[float],
) -> Iterator[Lanes]:
    """One entry of all groups at one epoch; a group is a lane."""
    for name in row[0]:
        expected = [cell[name] for cell in row]
        values = np.array([e.value for e in expected])
        yield Lanes(
            epoch,
            0,
            name,
            expected[0].equation,
            np.array([entries.get(name, np.nan) for entries in got]),
            values,
            np.array([e.bound for e in expected]),
            # A rate of zero is told apart on the scale of the rate that it fell from.
            np.maximum(np.abs(values), np.array(rates)),
        )


def evidence(judgement: Judgement, recording: Recording, arguments: dict[str, object]) -> Evidence:
    """The worst group of the first epoch that is out."""
    worst = judgement.tally.first
    assert worst is not None
    lanes, group = worst.lanes, worst.lane
    name = judgement.form.algorithm.name
    return Evidence(
        equation=f"{name}.{lanes.equation}",
        quantity=f"{lanes.quantity} of group {group}",
        probe=recording.probe.name,
        dtype="",
        step=lanes.step,
        parameter=group,
        lane=0,
        size=0,
        lanes_out=judgement.tally.lanes_out,
        lanes_seen=len(lanes.expected),
        condition="",
        expected=float(lanes.expected[group]),
        bound=float(lanes.bound[group]),
        got=float(lanes.got[group]),
        ratio=worst.ratio,
        first_wrong=f"{lanes.quantity} at epoch {lanes.step}",
        hyperparameters=arguments,
    )
