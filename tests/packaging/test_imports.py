"""What an import brings with it, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest


def python(*arguments: str, cwd: str | None = None) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def modules_after(code: str, *, cwd: str) -> set[str]:
    return set(python("-c", f"{code}\nimport sys\nprint(*sys.modules)", cwd=cwd).split())


def roots(modules: set[str]) -> set[str]:
    """Top-level names, with our portions told apart: {'sympy', 'instep.spec', ...}."""
    return {".".join(name.split(".")[: 2 if name.startswith("instep.") else 1]) for name in modules}


@pytest.fixture
def empty(tmp_path):
    """A folder to start in: from the repository's root `import spec` would work by accident."""
    return str(tmp_path)


def test_plugin_imports_neither_torch_nor_sympy(empty):
    loaded = roots(modules_after("import instep.conformance.plugin", cwd=empty))
    assert "instep.conformance" in loaded
    assert not loaded & {"torch", "sympy", "numpy", "instep.spec", "instep.reference"}


UNRELATED_TEST = """
import sys

def test_unrelated():
    assert "instep.conformance.plugin" in sys.modules
    assert not {"torch", "sympy"} & set(sys.modules)
"""


def test_pytest_run_that_does_not_use_the_plugin_stays_light(tmp_path):
    (tmp_path / "test_unrelated.py").write_text(UNRELATED_TEST)
    assert "1 passed" in python("-m", "pytest", "-q", cwd=str(tmp_path))


def test_reference_adds_neither_sympy_nor_the_spec_to_what_torch_imports(empty):
    torch_alone = modules_after("import torch", cwd=empty)
    ours = modules_after("from instep.reference import SGD, Adam, AdamW", cwd=empty)
    added = roots(ours - torch_alone)
    assert "instep.reference" in added
    assert not added & {"sympy", "mpmath", "jinja2", "instep.spec", "instep.conformance"}


@pytest.mark.parametrize("banned", ["torch", "instep.reference", "instep.conformance"])
def test_spec_imports_nothing_downstream(empty, banned):
    loaded = roots(modules_after("import instep.spec; instep.spec.get('adamw')", cwd=empty))
    assert banned not in loaded
