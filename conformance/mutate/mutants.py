"""All mutants of an algorithm, likeliest first, each once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from instep.conformance.mutate import bodies, together
from instep.conformance.mutate.mutant import Mutant
from instep.conformance.probes import dyadic, near_shape
from instep.spec.arguments import OptionValue
from instep.spec.arithmetic import Float64
from instep.spec.errors import SpecError
from instep.spec.interpret import Interpreter
from instep.spec.model import Algorithm
from instep.spec.options import resolve

_SOURCES = (
    bodies.everywhere,
    together.decay_moved,
    bodies.in_equations,
    bodies.structure,
    bodies.states,
    together.overwritten,
    bodies.hyperparameters,
    together.copied,
)


def mutants(algorithm: Algorithm) -> Iterator[Mutant]:
    """Mutants that differ from the algorithm under its own options.

    Mistakes in branches that these options never take are left out, and so are those that make a
    body read what it never assigned.
    """
    options = algorithm.option_defaults()
    seen = {_key(algorithm, options)}
    for source in _SOURCES:
        for mutant in source(algorithm):
            model = mutant.model
            if not (model.frozen or model.distort):
                key = _key(model.algorithm, options)
                if key in seen or not _runs(model.algorithm):
                    continue
                seen.add(key)
            yield mutant


def _key(algorithm: Algorithm, options: Mapping[str, OptionValue]) -> object:
    """What decides whether two models are the same under given options."""
    return resolve(algorithm.body, options), algorithm.states, algorithm.counter


def _runs(algorithm: Algorithm) -> bool:
    """Whether a body assigns what it reads, and shapes fit, over two steps."""
    ones = np.ones(near_shape(algorithm, (2,)))
    try:
        values = {h.name: dyadic(h) for h in algorithm.hyperparameters}
        runner = Interpreter(algorithm, Float64(), [ones], hyperparameters=values)
        for _ in range(2):
            runner.step([ones], oracle=lambda points: (np.float64(1), [ones]))
    except (SpecError, ValueError):  # numpy's word for shapes that do not fit
        return False
    return True
