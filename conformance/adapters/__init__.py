"""Optimizers of other ecosystems in the shape of torch's, so that one engine judges them all.

from instep.conformance.adapters import from_optax

check(from_optax(optax.adamw), "adamw")
"""

from __future__ import annotations

from instep.conformance.adapters.keras import from_keras
from instep.conformance.adapters.optax import from_optax

__all__ = ["from_keras", "from_optax"]
