"""Errors of the suite; each message is one line: what is wrong, where, how to mend it."""

from __future__ import annotations


class UsageError(Exception):
    """The suite was asked for something that cannot be done: exit code 2."""


class SubjectError(Exception):
    """The subject raised where it must not; the cause carries its traceback."""


class StaleExpectationError(UsageError):
    """An expected failure that does not fail, or that names no check: exit code 4."""
