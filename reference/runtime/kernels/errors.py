"""Why there is no kernel."""

from __future__ import annotations

import functools
import warnings


class KernelUnavailableError(Exception):
    """No compiler, a build that fails, a cache that is not ours alone: steps run without."""


@functools.cache
def tell_once(message: str) -> None:
    """Warn of something that will not change while the process lives."""
    warnings.warn(message, RuntimeWarning, stacklevel=2)
