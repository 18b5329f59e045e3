"""What every test runs under: repeatable examples, and one thread for each worker."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# Two workers share two cores. Set before torch is imported, which reads it once.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Kernels that tests build stay with the repository, for the next run.
KERNELS = Path(__file__).resolve().parents[1] / ".pytest_cache" / "kernels"
os.environ.setdefault("INSTEP_CACHE_DIR", str(KERNELS))

# The same examples on every machine: a failure seen in CI is seen here. Deadlines time the machine.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
# `pytest --hypothesis-profile=explore` looks for new ones.
settings.register_profile("explore", max_examples=1000, deadline=None)
settings.load_profile("repeatable")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown():
    """A test that leaves gradients off would fail others, whichever come after it."""
    result = yield
    torch = sys.modules.get("torch")
    if torch is not None and not torch.is_grad_enabled():
        torch.set_grad_enabled(True)
        pytest.fail("the test leaves gradients switched off")
    return result
