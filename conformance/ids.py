"""Ids of checks: `<spec>/<topic>/<name>`, of [a-z0-9.-] only.

`lookahead(sgd)` is `lookahead.sgd` there, `chained(step-lr, constant-lr)` is
`chained.step-lr.constant-lr`.
"""

from __future__ import annotations

import re

from instep import spec as specs
from instep.spec.errors import SpecError
from instep.spec.model import Algorithm


def prefix(algorithm: Algorithm) -> str:
    """The name of a specification as it stands in ids."""
    return re.sub(r"[(, ]+", ".", algorithm.name).replace(")", "")


def named(prefix: str) -> Algorithm | None:
    """The specification whose checks have a prefix, None where it is nobody's."""
    head, _, rest = prefix.partition(".")
    inner = named(rest) if rest else None
    around = f"{head}({inner.name})" if inner is not None else ""
    for expression in (prefix, around, f"{head}({rest.replace('.', ', ')})"):
        try:
            return specs.get(expression)
        except SpecError:
            continue
    return None
