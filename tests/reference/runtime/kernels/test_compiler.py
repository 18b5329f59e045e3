from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch

from instep.reference import SGD, AdamW
from instep.reference.runtime.kernels import compiler, library
from instep.reference.runtime.kernels.compiler import Compiler, find_compiler


@pytest.fixture
def script(tmp_path, monkeypatch):
    """Make a compiler of a few lines of shell."""

    def make(*lines: str) -> Path:
        path = tmp_path / "own-cc"
        path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
        path.chmod(0o755)
        monkeypatch.setenv("CC", str(path))
        find_compiler.cache_clear()
        return path

    return make


def test_without_a_compiler_steps_are_foreach_and_one_line_says_so(fresh, stepped, monkeypatch):
    monkeypatch.setenv("PATH", str(fresh))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        got = [stepped(AdamW), stepped(SGD), stepped(AdamW, backend="fused")]
    told = "steps run without fused kernels: there is no C compiler (cc, gcc, clang)"
    assert [str(w.message) for w in caught] == [told]
    assert torch.equal(got[0], stepped(AdamW, foreach=True))
    assert torch.equal(got[0], got[2])


def test_a_compiler_that_is_asked_for_and_missing_is_named(fresh, stepped, monkeypatch):
    monkeypatch.setenv("CC", "no-such-cc -O1")
    with pytest.warns(RuntimeWarning, match=r"there is no C compiler \(CC=no-such-cc -O1\)"):
        stepped(AdamW)


def test_a_build_that_fails_says_what_the_compiler_said(fresh, stepped, script):
    path = script(
        '[ "$1" = --version ] && exit 0', 'echo "note" >&2; echo "x.c:1: error: so" >&2; exit 1'
    )
    with pytest.warns(RuntimeWarning, match=f"{path} fails: x.c:1: error: so"):
        got = stepped(AdamW)
    assert torch.equal(got, stepped(AdamW, foreach=True))
    assert not list(fresh.iterdir())


def test_a_compiler_that_does_not_start_is_no_compiler(fresh, stepped, script):
    script("exit 3")
    with pytest.warns(RuntimeWarning, match="own-cc does not run"):
        stepped(AdamW)


def test_a_compiler_without_openmp_builds_for_one_thread(fresh, stepped, script):
    expected = stepped(AdamW)
    script('case "$*" in *-fopenmp\\ *) echo "error: no OpenMP" >&2; exit 1;; esac', 'exec cc "$@"')
    library.forget()
    assert torch.equal(stepped(AdamW), expected)
    assert len(list(fresh.iterdir())) == 2


def test_a_renamed_openmp_of_torch_is_linked_by_its_path(tmp_path, monkeypatch):
    """What is linked as libgomp.so.1 would be a second runtime beside it."""
    calls: list[list[str]] = []
    monkeypatch.setattr(compiler, "loaded_openmp", lambda: Path("/somewhere/libgomp-a1b2.so.1"))
    monkeypatch.setattr(Compiler, "_run", lambda self, arguments: calls.append([*arguments]) or "")
    Compiler(("cc",), "").build(tmp_path / "x.c", ["STORED=32"], tmp_path, tmp_path / "x.so")
    compiled, linked = calls
    assert "-fopenmp" in compiled
    assert "-c" in compiled
    assert "-fopenmp" not in linked
    assert "/somewhere/libgomp-a1b2.so.1" in linked


_RUNTIMES = """
import sklearn.utils._openmp_helpers  # brings a runtime of its own
from pathlib import Path
import torch
from instep.reference import AdamW
from instep.reference.runtime.kernels.compiler import loaded_openmp

def runtimes():
    words = Path("/proc/self/maps").read_text().split()
    return {Path(word).resolve() for word in words if "gomp" in word or "libomp" in word}

before = runtimes()
p = torch.zeros(3, requires_grad=True)
p.grad = torch.ones(3)
AdamW([p]).step()
assert runtimes() == before, runtimes() - before
assert "torch" in loaded_openmp().parts, loaded_openmp()
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/maps"), reason="no list of loaded files")
def test_the_kernel_shares_torchs_openmp(fresh):
    subprocess.run([sys.executable, "-c", _RUNTIMES], check=True, timeout=120)
