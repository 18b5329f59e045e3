"""Optimizers generated from the specification, and their generator.

`from instep.reference import AdamW` gives the vectorized class, `instep.reference.eager.AdamW` the
readable one, `from instep.reference import clip_grad_norm_` a function on gradients. All load when
they are asked for: the generator must run where they are missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from instep.reference.transforms import *  # noqa: F403  # whatever is exported
    from instep.reference.vectorized import *  # noqa: F403


def __getattr__(name: str) -> Any:
    if name.endswith("_") and not name.startswith("_"):  # in place, as torch names them
        from instep.reference import transforms

        if name in transforms.__all__:
            return getattr(transforms, name)
    if not name[:1].isupper():  # submodules are found by import, classes here
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from instep.reference import vectorized

    if name not in vectorized.__all__:
        known = ", ".join(vectorized.__all__)
        raise AttributeError(f"module {__name__!r} has no optimizer {name!r}; it has {known}")
    return getattr(vectorized, name)
