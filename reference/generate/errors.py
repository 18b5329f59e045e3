"""What the generator refuses, in one line each."""

from __future__ import annotations


class GenerateError(Exception):
    """A specification that a target cannot print, or a generator that cannot run."""


class NoListFormError(GenerateError):
    """An algorithm that has to run one tensor at a time: loops, histories, branches on data."""


def unknown(printer: str, node: object) -> GenerateError:
    """What to raise for a node that a printer or a pass has no text for."""
    return GenerateError(f"{printer}: unknown node {type(node).__name__}: {node}")
