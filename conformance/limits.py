"""A time limit on what the subject does: a step that hangs is an errored check, not a dead run."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from instep.conformance.errors import SubjectError


class _OutOfTime(BaseException):
    """Passes through whatever handles the subject's own exceptions."""


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise SubjectError in the block once it has run for so many seconds.

    It interrupts Python code, in the main thread, where the system has interval timers; elsewhere,
    and inside a native call that does not return, there is no limit.
    """
    if seconds <= 0 or not _has_timer():
        yield
        return

    def expire(number: int, frame: FrameType | None) -> None:
        raise _OutOfTime

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except _OutOfTime:
        raise SubjectError(f"it was still running after {seconds:g} s") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _has_timer() -> bool:
    main = threading.current_thread() is threading.main_thread()
    return main and hasattr(signal, "setitimer") and signal.getsignal(signal.SIGALRM) is not None
