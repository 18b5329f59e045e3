"""What a trace cannot show: other values and other dialects that give the same numbers.

A subject that can be run is given inputs that tell them apart; a trace is what it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from instep.conformance.diagnose import reproduces
from instep.conformance.observe import Recording
from instep.conformance.oracle import Model
from instep.spec.model import Algorithm
from instep.spec.options import hyperparameters_read, open_choices


def unseen(algorithm: Algorithm, recordings: Sequence[Recording]) -> Iterator[str]:
    """What never varied, hyperparameters that left no mark, dialects that are in step as well."""
    options = dict(recordings[0].probe.options)
    own = algorithm.with_options(options)
    others = [name for name, value in open_choices(algorithm) if value != options[name]]
    if others:
        yield f"other values of the options {', '.join(dict.fromkeys(others))}"
    if not any(r.probe.changes for r in recordings):
        yield "hyperparameters that change: none did"
    read = hyperparameters_read(own, options)
    for h in algorithm.hyperparameters:
        if h.name in read and _agrees(Model(own, distort={h.name: _other}), recordings):
            yield f"{h.name}: other values give the same numbers"
    equal = [d for d in _dialects(own) if _agrees(d, recordings)]
    names = ", ".join(d.algorithm.full_name for d in equal)
    if names:
        yield f"dialects that give the same numbers: {names}"


def _other(value: float) -> float:
    """Another value: the double, and of a rate near one half as far away from it."""
    return (1 + value) / 2 if 0.5 <= value < 1 else value * 2 if value else 2.0**-7


def _dialects(algorithm: Algorithm) -> Iterator[Model]:
    """The other dialects of the name; options that they leave open are those of the trace."""
    for d in algorithm.dialects:
        if d.public_name == algorithm.name and d.name != algorithm.full_name:
            bound = algorithm.bind(d)
            free = {o.name for o in bound.options if o.argument is not None} - set(bound.pinned)
            kept = {k: v for k, v in algorithm.option_defaults().items() if k in free}
            chosen = bound.with_options(kept)
            if chosen.option_defaults() != algorithm.option_defaults():
                yield Model(chosen, options=chosen.option_defaults())


def _agrees(model: Model, recordings: Sequence[Recording]) -> bool:
    return all(reproduces(model, recording) for recording in recordings)
