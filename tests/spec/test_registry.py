from __future__ import annotations

import subprocess
import sys
import warnings
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import instep.spec
from instep.spec import SpecError, UnknownSpecError, get, registry

LINES = """
lr = hyper("lr", 1.0)
let("update", theta, theta - lr * grad(theta))
"""


def test_public_names_are_sorted_and_each_is_some_dialect_s():
    names = instep.spec.names()
    assert {"adam", "adamw", "amsgrad", "nesterov", "sgd"} <= set(names)
    assert names == sorted(names)
    assert names == sorted({d.split("/")[0] for d in instep.spec.dialects()})


@pytest.mark.parametrize(
    ("name", "dialect"),
    [
        ("adam", "adam/paper"),
        ("adamw", "adamw/torch"),
        ("amsgrad", "amsgrad/torch"),
        ("sgd", "sgd/torch"),
    ],
)
def test_the_first_dialect_of_a_name_is_its_default(name, dialect):
    assert get(name).full_name == dialect
    assert get(name) == get(dialect)


def test_every_dialect_can_be_had_and_an_algorithm_is_itself():
    for name in instep.spec.dialects():
        assert get(name).full_name == name
    assert get(get("adamw")) is not None
    algorithm = get("adamw/bert")
    assert get(algorithm) is algorithm


def test_one_name_runs_one_file():
    lines = (
        "import sys",
        "from instep.spec import get",
        "get('sgdw/paper'), get('sgd')",
        "print(*(m for m in sys.modules if m.startswith('instep.spec.algorithms.')))",
    )
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["instep.spec.algorithms.sgd"]


def test_what_is_found_early_is_what_the_whole_catalogue_says():
    found = 0
    for name in (*instep.spec.names(), *instep.spec.dialects()):
        early = registry._find_early(name)
        if early is not None:
            assert registry._bound(early) == get(name)
            found += 1
    assert found > 0.8 * len(instep.spec.dialects())
    assert registry._find_early("lookahead") is None
    assert registry._find_early("nothing") is None


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("adamq", r"'adamq'; nearest: adam"),
        ("AdamW", r"'AdamW'; nearest: adamw"),
        ("adamw/decay-befor", r"nearest: adamw/decay-after"),
        ("zzzzzz", r"known: ad[a-z]+, .*\badamw, .*\bsgd\b"),
        ("??", r"is no name of a specification: names look like"),
        ("missing.py", r"no specification file missing.py"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(name, hint):
    with pytest.raises(UnknownSpecError, match=hint) as caught:
        get(name)
    assert "\n" not in str(caught.value)


def test_a_path_works_wherever_a_name_does(write, monkeypatch, tmp_path):
    path = write(LINES)
    assert get(str(path)).name == "mine"
    monkeypatch.chdir(tmp_path)
    assert get("mine.py").name == "mine"
    assert registry.load(Path("mine.py")).dialect is None


def test_a_file_is_seen_through_its_first_dialect(write):
    path = write(LINES + "dialect('mine/b', 'x', defaults={'lr': 2.0})\ndialect('mine/a', 'x')")
    algorithm = get(str(path))
    assert (algorithm.full_name, algorithm.defaults()) == ("mine/b", {"lr": 2.0})


def test_two_loads_of_one_file_are_independent(write):
    path = write(LINES)
    assert get(str(path)) == get(str(path))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x = (1,\n", r"mine.py:1: SyntaxError: '\(' was never closed$"),
        ("\nx = 1 +\n", r"mine.py:2: SyntaxError: invalid syntax$"),
        ("\n\nimport no_such_module_at_all\n", r"mine.py:3: ModuleNotFoundError: No module named"),
        ("\nraise ValueError('first\\nsecond')\n", r"mine.py:2: ValueError: first$"),
        ("x = 1\n", "mine.py defines no algorithm; it needs one `with algorithm"),
    ],
)
def test_a_file_that_does_not_run_is_one_line_with_its_place(tmp_path, text, reason):
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(SpecError, match=reason) as caught:
        registry.load(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_syntax_error_in_a_helper_names_the_helper(tmp_path, monkeypatch):
    (tmp_path / "spec_broken_helper.py").write_text("\nx = (\n")
    path = tmp_path / "mine.py"
    path.write_text("import spec_broken_helper\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SpecError, match=r"spec_broken_helper.py:2: SyntaxError"):
        registry.load(path)


def test_a_file_defines_one_algorithm(write):
    path = write(LINES)
    text = path.read_text()
    path.write_text(text + text.split("*\n", 1)[1].replace('"mine"', '"other"'))
    with pytest.raises(
        SpecError, match=r"defines 2 algorithms \(mine, other\); give each its own file"
    ):
        registry.load(path)


def test_an_imported_specification_is_not_the_file_s_own(write, tmp_path, monkeypatch):
    other = write(LINES).rename(tmp_path / "spec_imported_here.py")
    assert other.exists()
    monkeypatch.syspath_prepend(tmp_path)
    path = write("import spec_imported_here\n" + LINES.strip())
    assert registry.load(path).file == "mine.py"


class Entries:
    """Entry points of other distributions, as `importlib.metadata` gives them."""

    def __init__(self, monkeypatch, folder):
        self.monkeypatch, self.folder, self.count = monkeypatch, folder, 0

    def __call__(self, *values):
        entries = [
            EntryPoint(f"e{i}", value, registry.ENTRY_POINT_GROUP) for i, value in enumerate(values)
        ]

        def entry_points(*, group):
            assert group == "instep.specs"
            return entries

        self.monkeypatch.setattr(registry, "entry_points", entry_points)
        registry.forget()

    def module(self, text):
        """Write a module of a name that no other test uses; returns the name."""
        self.count += 1
        name = f"spec_third_party_{abs(hash(text))}"
        (self.folder / f"{name}.py").write_text(text)
        return name


@pytest.fixture
def entries(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(tmp_path)
    yield Entries(monkeypatch, tmp_path)
    monkeypatch.undo()
    registry.forget()


THEIRS = """
from instep.spec.author import *
with algorithm("theirs", "One of theirs") as spec:
    lr = hyper("lr", 1.0)
    let("update", theta, theta - lr * grad(theta))
    dialect("theirs/first", "x")
"""


@pytest.mark.parametrize("attribute", [":spec", "", ":spec.algorithm"])
def test_a_third_party_specification_is_listed_like_ours(entries, attribute):
    entries(entries.module(THEIRS + f"# {attribute}") + attribute)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "theirs" in instep.spec.names()
    assert get("theirs").full_name == "theirs/first"
    assert "adamw" in instep.spec.names()


@pytest.mark.parametrize(
    ("text", "attribute", "reason"),
    [
        ("import no_such_module_at_all", "", "ModuleNotFoundError: No module named"),
        ("x = (", "", "SyntaxError"),
        (THEIRS.replace("lr * grad", "mu * grad"), "", r"SpecError: .*:5: theirs: NameError"),
        ("spec = 3", ":spec", "it must name what .* binds, not a int"),
        ("x = 3", "", "it must name what .* binds, not a NoneType"),
        ("x = 3", ":missing", "AttributeError"),
        (THEIRS.replace("theirs", "adam"), "", "the name adam is taken already"),
        (THEIRS.replace("theirs/first", "adamw/mine"), "", "the name adamw is taken already"),
    ],
)
def test_a_broken_third_party_is_skipped_with_a_warning_that_names_it(
    entries, text, attribute, reason
):
    name = entries.module(text)
    entries(name + attribute, entries.module(THEIRS + f"# beside {name}"))
    with pytest.warns(
        RuntimeWarning, match=rf"skipped the specification 'e0' \({name}{attribute}\): .*{reason}"
    ):
        names = instep.spec.names()
    assert {"adamw", "sgd", "theirs"} <= set(names)
    assert get("adam").file == "adam.py"
