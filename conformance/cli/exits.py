"""Exit codes, and the error that carries one."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What the command's exit code means."""

    OK = 0
    OUT_OF_STEP = 1
    USAGE = 2
    OUR_FAULT = 3
    EXPECTATIONS = 4
    FLOOR = 5
    INTERRUPTED = 130


class StopError(Exception):
    """Ends the command with one line and a certain exit code."""

    def __init__(self, message: str, code: Exit) -> None:
        super().__init__(message)
        self.code = code
