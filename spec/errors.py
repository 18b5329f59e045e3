"""Errors of the specification layer; each message is one line: what, where, how to mend it."""

from __future__ import annotations


class SpecError(Exception):
    """A specification that does not make sense: file, equation and reason are in the message."""


class UnknownSpecError(SpecError):
    """No algorithm or dialect of that name; the message gives the nearest ones."""


class UndecidedError(SpecError):
    """An algebraic question that could be neither proved nor refuted."""
