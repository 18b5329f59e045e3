"""The generator: from a specification to the text of an optimizer, one target at a time."""

from __future__ import annotations

from instep.reference.generate.errors import GenerateError
from instep.reference.generate.source import generate_source, load_class, load_function

__all__ = ["GenerateError", "generate_source", "load_class", "load_function"]
