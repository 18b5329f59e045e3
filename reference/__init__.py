"""Optimizers generated from the specification, and their generator.

`from instep.reference import AdamW` gives the vectorized class, `instep.reference.eager.AdamW` the
readable one. Both load when they are asked for: the generator must run where they are missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from instep.reference.vectorized import *  # noqa: F403  # whatever is exported


def __getattr__(name: str) -> Any:
    if not name[:1].isupper():  # submodules are found by import, classes here
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from instep.reference import vectorized

    if name not in vectorized.__all__:
        known = ", ".join(vectorized.__all__)
        raise AttributeError(f"module {__name__!r} has no optimizer {name!r}; it has {known}")
    return getattr(vectorized, name)
