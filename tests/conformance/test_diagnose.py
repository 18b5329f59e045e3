"""What a subject computes instead: dialects, options, mutants, in this order, or nothing known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from instep import spec
from instep.conformance.diagnose import diagnose, reproduces
from instep.conformance.mutate import mutants
from instep.conformance.observe import Moment, Recording
from instep.conformance.oracle import Model
from instep.conformance.probes import Probe, ProbeFactory
from instep.spec import ir
from instep.spec.arithmetic import Float64
from instep.spec.interpret import Interpreter
from instep.spec.model import Algorithm

ADAM, ADAMW, SGD = spec.get("adam"), spec.get("adamw"), spec.get("sgd")


def probe(algorithm: Algorithm, **more: Any) -> Probe:
    factory = ProbeFactory(algorithm, algorithm.defaults(), algorithm.option_defaults())
    return factory.make("x", **{"shapes": ((23,),), "steps": 5, **more})


def record(model: Model, given: Probe) -> Recording:
    """What a subject shows that computes a model."""
    runner = Interpreter(
        model.algorithm,
        Float64(),
        given.parameters,
        options={**given.options, **model.options},
        hyperparameters=model.values(given.hyperparameters),
    )
    moments = [Moment(list(given.parameters), [{}])]
    for t, gradients in enumerate(given.gradients, start=1):
        runner.set(model.values(given.changes.get(t, {}), later=True))
        runner.step(gradients)
        moments.append(Moment([np.array(slot.theta) for slot in runner.slots], [{}]))
    return Recording(given, moments)


def dialect(algorithm: Algorithm, name: str) -> Model:
    """Another dialect's options, under the probes of this one."""
    return Model(algorithm, options=spec.get(name).pinned)


def mutant(algorithm: Algorithm, name: str) -> Model:
    return next(m.model for m in mutants(algorithm) if m.name == name)


@pytest.mark.parametrize(
    ("algorithm", "model", "kind", "name"),
    [
        (ADAM, dialect(ADAM, "adam/eps-inside"), "dialect", "adam/eps-inside"),
        (ADAMW, dialect(ADAMW, "adamw/decay-after"), "dialect", "adamw/decay-after"),
        (ADAMW, Model(ADAMW, options={"decay": "l2"}), "dialect", "adam/paper"),
        (ADAM, Model(ADAM, options={"correction": "first"}), "option", "correction=first"),
        (
            ADAM,
            mutant(ADAM, "first_moment: 1 - beta1 missing"),
            "mutant",
            "first_moment: 1 - beta1 missing",
        ),
        (
            ADAM,
            Model(ADAM, options={"correction": "second", "epsilon": "clamp"}),
            "option",
            "epsilon=clamp, correction=second",
        ),
    ],
    ids=["dialect", "other-dialect", "other-name", "option", "mutant", "two-options"],
)
def test_what_it_is_has_a_name(algorithm: Algorithm, model: Model, kind: str, name: str):
    explanation = diagnose(algorithm, [record(model, probe(algorithm))])
    found = explanation.diagnosis.candidates
    assert (kind, name) in [(c.kind, c.name) for c in found]
    assert all(c.kind == kind for c in found)
    assert all(c.ratio <= 2 for c in found)
    assert explanation.model is not None
    assert reproduces(explanation.model, record(model, probe(algorithm)))


def test_a_dialect_says_how_to_accept_it_and_which_equation_it_changes():
    recording = record(dialect(ADAMW, "adamw/decay-unscaled"), probe(ADAMW))
    candidate = diagnose(ADAMW, [recording]).diagnosis.candidates[0]
    assert candidate.dialect == "adamw/decay-unscaled"
    assert candidate.equation == "decay"


def test_what_nothing_known_reproduces_is_said_to_be_unknown():
    recording = record(Model(ADAM), probe(ADAM))
    for moment in recording.moments[1:]:
        moment.parameters[0] = moment.parameters[0] * 1.001
    explanation = diagnose(ADAM, [recording])
    assert explanation.diagnosis.candidates == ()
    assert explanation.model is None
    assert explanation.diagnosis.searched > 200
    assert "nothing known reproduces" in str(explanation.diagnosis)


def test_every_recording_must_be_reproduced():
    """No model decays late in one run and in time in the other."""
    late = dialect(ADAM, "adamw/decay-after")
    one, other = record(late, probe(ADAM)), record(Model(ADAM), probe(ADAM))
    alike = record(late, probe(ADAM, values={"weight_decay": 0.0}))
    assert diagnose(ADAM, [one]).diagnosis.candidates[0].name == "adamw/decay-after"
    assert diagnose(ADAM, [one, alike]).diagnosis.candidates[0].name == "adamw/decay-after"
    assert not diagnose(ADAM, [one, other]).diagnosis.candidates


def test_runs_that_tell_candidates_apart_decide_between_them():
    """With a constant rate, torch without dampening is classical momentum."""
    model = mutant(SGD, "buffer: dampening ignored, 0 used instead")
    failing = record(model, probe(SGD))
    telling = record(model, probe(SGD, changes={3: {"lr": 1 / 64}}))
    assert diagnose(SGD, [failing]).diagnosis.candidates[0].name == "sgd/classical"
    found = diagnose(SGD, [failing], [telling]).diagnosis.candidates
    assert "buffer: dampening ignored, 0 used instead" in [c.name for c in found]
    assert "sgd/classical" not in [c.name for c in found]


def test_a_candidate_that_tells_apart_nothing_is_better_than_none():
    model = dialect(SGD, "sgd/classical")
    failing = record(model, probe(SGD))
    other = record(Model(SGD), probe(SGD, changes={3: {"lr": 1 / 64}}))
    assert diagnose(SGD, [failing], [other]).diagnosis.candidates[0].name == "sgd/classical"


def test_a_candidate_without_numbers_explains_nothing():
    """A second moment with the wrong sign has no root, and would agree with everything."""
    recording = record(Model(ADAM), probe(ADAM))
    for moment in recording.moments[1:]:
        moment.parameters[0] = moment.parameters[0] * 1.001
    assert not reproduces(mutant(ADAM, "second_moment: sign flipped"), recording)
    assert not reproduces(mutant(ADAM, "second_moment: first term missing"), recording)


def test_one_lane_without_a_number_is_enough():
    """With eps = 0 the specification divides 0 by 0 in a few lanes."""
    recording = record(Model(ADAM), probe(ADAM, values={"eps": 0.0}))
    empty = [np.isnan(m.parameters[0]) for m in recording.moments]
    assert 0 < np.sum(empty[-1]) < 5
    assert reproduces(Model(ADAM), recording)
    for moment, nan in zip(recording.moments, empty, strict=True):
        moment.parameters[0] = np.where(nan, 0.0, moment.parameters[0])
    assert not reproduces(Model(ADAM), recording)


def test_a_candidate_may_have_no_numbers_where_the_subject_has_none():
    model = mutant(ADAM, "second_moment: sign flipped")
    assert not reproduces(Model(ADAM), record(model, probe(ADAM)))


def test_what_fits_no_shape_explains_nothing() -> None:
    run = record(Model(SGD), probe(SGD, shapes=((3, 2),)))
    theta = ir.Sym(ir.THETA)
    turned = ir.Let("turned", theta, ir.Binary("+", theta, ir.Transpose(theta)))
    assert reproduces(Model(SGD), run)
    assert not reproduces(Model(replace(SGD, body=(*SGD.body, turned))), run)
