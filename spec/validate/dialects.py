"""Whether dialects choose what there is to choose."""

from __future__ import annotations

import re

from instep.spec import ir, model
from instep.spec.assignment import fail
from instep.spec.options import decide
from instep.spec.validate.declarations import NARROW, no_type

_DIALECT = re.compile(r"[a-z][a-z0-9-]*/[a-z0-9][a-z0-9-]*")
_COMPOSED = re.compile(r"[a-z][a-z0-9/().-]*")


def dialects(algorithm: model.Algorithm) -> None:
    """Dialects give options and defaults, types and slots that there are, values they may have."""
    known = {o.name: o.values for o in algorithm.options}
    for d in algorithm.dialects:
        if not (_COMPOSED if "(" in algorithm.name else _DIALECT).fullmatch(d.name):
            fail(algorithm, d.name, "a dialect is named as in adamw/decay-after")
        if d.inner:  # Its names are those of the composed algorithm, and are checked there.
            _slots(algorithm, d)
            continue
        for name, value in d.options:
            if name not in known:
                fail(algorithm, d.name, f"there is no option {name}; it has {', '.join(known)}")
            if value not in known[name]:
                values = ", ".join(map(repr, known[name]))
                fail(algorithm, d.name, f"option {name} has no value {value!r}; it has {values}")
        for name, default in d.defaults:
            if name not in {h.name for h in algorithm.hyperparameters}:
                fail(algorithm, d.name, f"there is no hyperparameter {name}")
            if not algorithm.hyperparameter(name).domain.contains(default):
                fail(algorithm, d.name, f"default {name}={default} is outside its domain")
        _precisions(algorithm, d)
        _requirements(algorithm, d)


def _slots(algorithm: model.Algorithm, dialect: model.Dialect) -> None:
    if {slot for slot, _ in dialect.inner} != set(algorithm.slots):
        slots = ", ".join(algorithm.slots) or "no slot"
        fail(algorithm, dialect.name, f"inside= must fill {slots}")


def _precisions(algorithm: model.Algorithm, dialect: model.Dialect) -> None:
    known = [b.name for b in algorithm.blocks]
    for name, narrowest in dialect.precisions:
        if name not in known:
            reason = f"there is no block {name}; it has {', '.join(known) or 'none'}"
            fail(algorithm, dialect.name, reason)
        if narrowest not in NARROW:
            fail(algorithm, dialect.name, f"{name}: {no_type(narrowest)}")


def _requirements(algorithm: model.Algorithm, dialect: model.Dialect) -> None:
    chosen = algorithm.option_defaults() | dict(dialect.options)
    for r in algorithm.requirements:
        if ir.is_static(r.condition) and not decide(r.condition, chosen):
            fail(algorithm, dialect.name, f"its options are not allowed together: {r.message}")
