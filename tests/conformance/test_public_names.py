from __future__ import annotations

import pkgutil
import subprocess
import sys

import pytest

import instep.conformance as package

NAMES = package.__all__


def test_the_names_of_the_interface_are_there():
    assert {"check", "Report", "Session", "conformance", "conformance_cases"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_loads(name):
    assert getattr(package, name).__name__ == name
    assert name in dir(package)


def test_no_module_is_called_like_a_public_name():
    assert not {m.name for m in pkgutil.iter_modules(package.__path__)} & set(NAMES)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        package.nothing  # noqa: B018


def test_importing_the_package_imports_nothing_of_it():
    code = (
        "import sys; import instep.conformance as c; c.UsageError; "
        "print(*(m for m in sys.modules if m.startswith('instep.') or m in ('torch', 'sympy')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"instep.conformance", "instep.conformance.errors"}
