"""A process that has built nothing, and a cache of its own."""

from __future__ import annotations

import pytest
import torch

from instep.reference.runtime.kernels import cache, compiler, errors, library


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """An empty cache, which a process finds that has not loaded anything yet."""
    folder = tmp_path / "kernels"
    monkeypatch.setenv(cache.VARIABLE, str(folder))
    monkeypatch.delenv("CC", raising=False)
    library.forget()
    errors.tell_once.cache_clear()
    yield folder
    monkeypatch.undo()
    library.forget()
    errors.tell_once.cache_clear()
    compiler.find_compiler.cache_clear()


@pytest.fixture
def stepped():
    """A parameter after two steps of an optimizer."""

    def run(cls, **keywords):
        p = torch.linspace(-1, 1, 67).requires_grad_()
        optimizer = cls([p], **keywords)
        for k in range(2):
            p.grad = torch.linspace(1, -2, 67) / (k + 1)
            optimizer.step()
        return p.detach()

    return run
