from __future__ import annotations

import multiprocessing
import os

import pytest
import torch

from instep.reference import AdamW
from instep.reference.runtime.kernels import cache, library
from instep.reference.runtime.kernels.compiler import Compiler
from instep.reference.runtime.kernels.errors import KernelUnavailableError


def test_a_kernel_is_built_once_and_found_again(fresh, stepped, monkeypatch):
    first = stepped(AdamW)
    (built,) = fresh.iterdir()
    assert built.name.startswith("adamw-")
    assert cache.is_whole(built)
    library.forget()
    monkeypatch.setattr(Compiler, "build", None)
    written = built.stat().st_mtime_ns
    assert torch.equal(stepped(AdamW), first)
    assert [p.stat().st_mtime_ns for p in fresh.iterdir()] == [written]


def test_switches_types_and_compilers_have_files_of_their_own(fresh, stepped):
    stepped(AdamW)
    stepped(AdamW, maximize=True)
    library.load(library.Kernel("adamw"), torch.float64, {"MAXIMIZE": False, "AMSGRAD_RAW": False})
    assert len(list(fresh.iterdir())) == 3
    assert cache.key(["ab", "c"]) != cache.key(["a", "bc"])


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:],
        lambda data: data + b"x",
    ],
)
def test_a_damaged_file_is_built_anew(damage, fresh, stepped):
    first = stepped(AdamW)
    (built,) = fresh.iterdir()
    whole = built.read_bytes()
    built.unlink()  # what is loaded here stays as it is
    built.write_bytes(damage(whole))
    library.forget()
    assert torch.equal(stepped(AdamW), first)
    assert cache.is_whole(built)


def test_a_folder_that_others_can_write_to_is_refused(fresh, stepped):
    fresh.mkdir()
    fresh.chmod(0o777)
    with pytest.warns(RuntimeWarning, match="others can write to .*chmod go-w"):
        got = stepped(AdamW)
    assert torch.equal(got, stepped(AdamW, foreach=True))
    assert not list(fresh.iterdir())


def test_a_folder_of_somebody_else_is_refused(fresh, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(KernelUnavailableError, match="others can write"):
        cache.folder()


def test_a_cache_that_is_a_file_is_no_cache(fresh, stepped):
    fresh.write_text("")
    with pytest.warns(RuntimeWarning, match="cannot be used"):
        stepped(AdamW)


def test_folders_are_made_for_their_owner_alone(fresh):
    assert cache.folder() == fresh
    assert fresh.stat().st_mode & 0o777 == 0o700


def test_the_folder_is_the_users_cache_unless_it_is_given(monkeypatch, tmp_path):
    monkeypatch.delenv(cache.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.folder() == tmp_path / "xdg" / "instep" / "kernels"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.folder() == tmp_path / ".cache" / "instep" / "kernels"


def _load(path: str) -> int:
    os.environ[cache.VARIABLE] = path
    switches = {"MAXIMIZE": False}
    library.load(library.Kernel("lion"), torch.float32, switches)
    return len([p for p in os.listdir(path) if not p.startswith(".")])


def test_many_processes_build_at_once(fresh):
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert set(pool.map(_load, [str(fresh)] * 8)) == {1}
    (built,) = fresh.iterdir()
    assert cache.is_whole(built)
