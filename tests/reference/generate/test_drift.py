"""`reference/` is what `spec/` generates: whole trees, file lists, and the command that says so."""

from __future__ import annotations

import importlib.util

import pytest

from instep.reference.generate import GenerateError, tree
from instep.reference.generate.__main__ import main

needs_ruff = pytest.mark.skipif(
    importlib.util.find_spec("ruff") is None, reason="ruff formats what is generated"
)


@needs_ruff
def test_reference_is_what_the_specifications_generate():
    wanted = tree.generated_files(tree.exported())
    assert not tree.differences(wanted, tree.files_on_disk()), "run: make generate"


def test_every_exported_class_has_both_files():
    found = tree.files_on_disk()
    names = [tree.module_name(algorithm) for algorithm in tree.exported()]
    assert {"adam", "adamw", "sgd"} <= set(names)
    assert names == sorted(names)
    schedules = [tree.module_name(a) for a in tree.exported_schedules()]
    transforms = [tree.module_name(a) for a in tree.exported_transforms()]
    assert {"clip_grad_norm", "clip_grad_value"} <= set(transforms)
    assert {"step_lr", "one_cycle_lr"} <= set(schedules)
    kernels = {path for path in found if path.startswith("kernels/")}
    assert {"kernels/adamw.c", "kernels/sgd.c"} <= kernels <= {f"kernels/{n}.c" for n in names}
    assert set(found) - kernels == {
        f"{target}/{name}.py" for target in tree.TARGETS for name in [*names, "__init__"]
    } | {f"schedules/{name}.py" for name in [*schedules, "__init__"]} | {
        f"transforms/{name}.py" for name in [*transforms, "__init__"]
    }


def test_every_file_says_where_it_comes_from():
    for path, text in tree.files_on_disk().items():
        mark = "//" if path.endswith(".c") else "#"
        assert text.startswith(f"{mark} GENERATED from spec/"), path
        assert "python -m instep.reference.generate" in text.splitlines()[1]


def test_changed_missing_and_extra_files_are_differences():
    wanted = {"eager/a.py": "a\n", "eager/b.py": "b\n", "eager/empty.py": ""}
    assert tree.differences(wanted, dict(wanted)) == ""
    changed = tree.differences(wanted, {**wanted, "eager/a.py": "old\n"})
    assert "--- reference/eager/a.py" in changed
    assert "-old\n+a\n" in changed
    missing = tree.differences(wanted, {"eager/a.py": "a\n", "eager/empty.py": ""})
    assert "--- /dev/null\n+++ generated/eager/b.py" in missing
    assert "+++ /dev/null" in tree.differences(wanted, {**wanted, "eager/c.py": "c\n"})
    assert "generated/eager/empty.py" in tree.differences(
        wanted, {"eager/a.py": "a\n", "eager/b.py": "b\n"}
    )


def test_writing_makes_the_folders_hold_exactly_what_is_wanted(tmp_path):
    (tmp_path / "eager").mkdir()
    (tmp_path / "eager" / "old.py").write_text("old")
    wanted = {"eager/a.py": "a\n", "vectorized/a.py": "b\n"}
    changed = tree.write(wanted, tree.files_on_disk(tmp_path), tmp_path)
    assert sorted(changed) == ["eager/a.py", "eager/old.py", "vectorized/a.py"]
    assert tree.files_on_disk(tmp_path) == wanted
    assert tree.write(wanted, tree.files_on_disk(tmp_path), tmp_path) == []


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """The generator's own folders, somewhere else."""
    monkeypatch.setattr(tree, "ROOT", tmp_path)
    monkeypatch.setattr(tree.files_on_disk, "__defaults__", (tmp_path,))
    monkeypatch.setattr(tree.write, "__defaults__", (tmp_path,))
    return tmp_path


@needs_ruff
def test_command_writes_then_finds_nothing_to_do(elsewhere, capsys):
    assert main(["--check"]) == 1
    error = capsys.readouterr().err
    assert "+++ generated/eager/adamw.py" in error
    assert error.endswith("run: python -m instep.reference.generate\n")
    assert main([]) == 0
    assert "reference/eager/adamw.py" in capsys.readouterr().out
    assert main(["--check"]) == 0
    (elsewhere / "eager" / "sgd.py").write_text("edited by hand\n")
    assert main(["--check", "adamw"]) == 0
    assert main(["--check", "sgd"]) == 1
    assert "-edited by hand" in capsys.readouterr().err


def test_command_names_what_is_not_exported(capsys):
    assert main(["nobody"]) == 2
    names = ", ".join(algorithm.name for algorithm in tree.exported())
    expected = f"generate: 'nobody' is not exported; exported are {names}\n"
    assert capsys.readouterr().err == expected


def test_without_ruff_there_is_one_clear_line(monkeypatch, capsys):
    monkeypatch.setattr(tree.importlib.util, "find_spec", lambda name: None)
    assert main(["--check"]) == 2
    assert capsys.readouterr().err == (
        "generate: ruff formats what is generated and is not installed: pip install ruff\n"
    )


@needs_ruff
def test_text_that_is_no_python_is_refused():
    with pytest.raises(GenerateError, match="ruff cannot format the generated text"):
        tree.format_source("def (")
