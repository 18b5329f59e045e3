"""The distributions hold the three folders and nothing else, and install as a namespace."""

from __future__ import annotations

import email
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).resolve().parents[2]
PORTIONS = ("spec", "reference", "conformance")


def sources(root: Path) -> set[str]:
    """Files of the three folders, relative to the root, whatever git or an ignore file thinks."""
    return {
        path.relative_to(root).as_posix()
        for portion in PORTIONS
        for path in (root / portion).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def build_wheel(root: Path, folder: Path) -> zipfile.ZipFile:
    (wheel,) = WheelBuilder(str(root)).build(directory=str(folder), versions=["standard"])
    return zipfile.ZipFile(wheel)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    with build_wheel(ROOT, tmp_path_factory.mktemp("wheel")) as archive:
        yield archive


@pytest.fixture(scope="module")
def unpacked_sdist(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sdist")
    (archive,) = SdistBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    (root,) = (path for path in folder.iterdir() if path.is_dir())
    return root


def packaged(wheel: zipfile.ZipFile) -> set[str]:
    return {name for name in wheel.namelist() if ".dist-info/" not in name}


def metadata_file(wheel: zipfile.ZipFile, ending: str) -> str:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/" + ending))
    return wheel.read(name).decode()


def test_wheel_holds_exactly_the_three_folders(wheel):
    assert packaged(wheel) == {f"instep/{name}" for name in sources(ROOT)}


def test_instep_itself_is_a_namespace(wheel):
    assert "instep/__init__.py" not in wheel.namelist()


@pytest.mark.parametrize("portion", PORTIONS)
def test_each_portion_says_that_it_is_typed(wheel, portion):
    assert f"instep/{portion}/py.typed" in wheel.namelist()


def test_entry_points_are_the_command_and_the_plugin(wheel):
    lines = metadata_file(wheel, "entry_points.txt").split("\n")
    assert "instep = instep.conformance.cli:main" in lines[lines.index("[console_scripts]") :]
    assert "instep = instep.conformance.plugin" in lines[lines.index("[pytest11]") :]


def test_license_travels_with_the_wheel(wheel):
    assert metadata_file(wheel, "licenses/LICENSE") == (ROOT / "LICENSE").read_text()
    assert email.message_from_string(metadata_file(wheel, "METADATA"))["License-Expression"] == (
        "Apache-2.0"
    )


def test_sdist_builds_the_same_wheel(wheel, unpacked_sdist, tmp_path):
    with build_wheel(unpacked_sdist, tmp_path) as rebuilt:
        assert packaged(rebuilt) == packaged(wheel)


def test_sdist_holds_sources_tests_docs_and_examples_only(unpacked_sdist):
    assert {path.name for path in unpacked_sdist.iterdir()} == {
        *PORTIONS,
        *("tests", "docs", "examples", "mkdocs.yml"),
        *("pyproject.toml", "README.md", "LICENSE", "PKG-INFO", ".gitignore"),
    }


@pytest.mark.parametrize("portion", PORTIONS)
def test_editable_links_are_relative_and_lead_to_the_folders(portion):
    link = ROOT / ".dev" / "instep" / portion
    assert not Path(os.readlink(link)).is_absolute()
    assert link.resolve() == ROOT / portion


@pytest.fixture
def environment(tmp_path):
    """A new virtual environment that sees our dependencies, but not our editable install."""
    folder = tmp_path / "environment"
    venv.create(folder, with_pip=True)
    major_minor = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = folder / "lib" / major_minor / "site-packages"
    # A .pth file found through another one is not read: the editable link tree stays out of sight.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


def run(*command: str | Path, cwd: Path) -> str:
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=clean, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


WHERE = "import instep.{0}; print(instep.{0}.__file__)"


@pytest.mark.slow
@pytest.mark.parametrize("editable", [False, True], ids=["copied", "editable"])
def test_installs_from_another_directory(environment, tmp_path, editable):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    options = ["--editable"] if editable else []
    run(environment / "pip", "install", "--no-deps", *options, ROOT, cwd=elsewhere)
    for portion in PORTIONS:
        where = Path(
            run(environment / "python", "-c", WHERE.format(portion), cwd=elsewhere).strip()
        )
        assert where.resolve().is_relative_to(ROOT if editable else environment.parent)
    assert "adamw" in run(environment / "instep", "list", cwd=elsewhere)
