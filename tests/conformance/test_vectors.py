"""Test vectors: what is in a file, and that both evaluators pass it and mutants do not."""

from __future__ import annotations

import hashlib
import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema
import mpmath
import numpy as np
import pytest

from instep import spec
from instep.conformance import UsageError, hexfloat, write_vectors
from instep.conformance.oracle import Model
from instep.conformance.vectors.document import schema
from instep.conformance.vectors.drivers import Interpreted, InTorch
from instep.conformance.vectors.replay import Replay, number, replay
from instep.reference.generate import load_class, load_function
from instep.spec.arithmetic import Exact, Float64
from instep.spec.model import OWN, Algorithm
from meta.strength import all_mutants, few
from sampling import each_dialect

DOCS = Path(__file__).parents[2] / "docs"
# Averages, signs, a rectification, a norm, steps that grow, matrices, sparse gradients.
SAMPLE = (
    "adamw/torch", "lion/paper", "radam/torch", "clip-grad-norm/torch", "rprop/torch",
    "muon/torch", "sparseadam/torch", "lbfgs",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    target = tmp_path_factory.mktemp("vectors") / "out"
    write_vectors(SAMPLE, target)
    return target


@pytest.fixture(scope="module")
def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


@pytest.fixture(scope="module")
def records(folder, manifest):
    return {f["path"]: json.loads((folder / f["path"]).read_text()) for f in manifest["files"]}


def validate(record: Any, name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(name))
    jsonschema.validate(record, schema(name))


def replays(records: dict[str, Any], start: Any) -> dict[str, Replay]:
    """Every file of a sample through what `start` makes of its algorithm."""
    algorithms = {r["dialect"]: spec.get(r["dialect"]) for r in records.values()}
    starts = {name: start(algorithm) for name, algorithm in algorithms.items()}
    return {path: replay(r, starts[r["dialect"]]) for path, r in records.items()}


def in_floats(algorithm: Algorithm) -> Any:
    return partial(Interpreted, Model(algorithm), Float64())


def generated(algorithm: Algorithm) -> Any:
    """The generated class or function; blocks that it computes narrowly in the parameter's type."""
    blocks = tuple(replace(b, narrowest=OWN) for b in algorithm.blocks)
    if algorithm.result == "gradient":
        return partial(InTorch, load_function(algorithm))
    return partial(InTorch, load_class(replace(algorithm, blocks=blocks), "eager"))


# ---- what is written


def test_the_manifest_and_all_files_have_the_published_form(folder, manifest, records):
    validate(manifest, "manifest.schema.json")
    for file in manifest["files"]:
        text = (folder / file["path"]).read_bytes()
        assert hashlib.sha256(text).hexdigest() == file["sha256"]
    for record in list(records.values())[::17]:
        validate(record, "vectors.schema.json")
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*.json")}
    assert there == {*records, "manifest.json"}
    assert manifest["counts"]["files"] == len(records)
    assert manifest["counts"]["dialects"] == len(SAMPLE) - 1


def test_the_schema_refuses_what_is_no_file(records):
    record = records["adamw.torch/dyadic.float64.json"]
    for change in (
        {"format": "other"},
        {"steps": []},
        {"dtype": "int8"},
        {"hyperparameters": {"lr": "0.1"}},
    ):
        with pytest.raises(jsonschema.ValidationError):
            validate({**record, **change}, "vectors.schema.json")


def test_algorithms_without_data_are_left_out_with_a_reason(manifest):
    left = [x for x in manifest["left_out"] if not x["case"]]
    assert [x["dialect"] for x in left] == ["lbfgs/strong-wolfe", "lbfgs/torch"]
    assert all("evaluates the loss" in x["reason"] for x in left)


def test_the_same_names_give_the_same_bytes_in_another_process(folder, tmp_path):
    code = (
        "import sys; from instep.conformance import write_vectors;"
        "write_vectors(['lion/paper'], sys.argv[1])"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "again")], check=True)
    again = sorted((tmp_path / "again").rglob("*.*.json"))
    assert len(again) > 12
    for path in again:
        assert path.read_bytes() == (folder / path.relative_to(tmp_path / "again")).read_bytes()


def test_a_folder_that_is_not_empty_is_refused(tmp_path):
    (tmp_path / "mine").write_text("")
    with pytest.raises(UsageError, match="is not empty"):
        write_vectors(["lion/paper"], tmp_path)
    with pytest.raises(UsageError, match="cannot write into"):
        write_vectors(["lion/paper"], tmp_path / "mine")


def test_a_name_stands_for_all_its_dialects(tmp_path):
    dialects = {f["dialect"] for f in write_vectors(["signsgd"], tmp_path)["files"]}
    assert dialects == {"signsgd/paper", "signsgd/l2"}


# ---- what is in them


def test_every_run_has_several_steps_and_eps_shows(records):
    assert all(len(r["steps"]) > 1 for r in records.values())
    record = records["adamw.torch/dyadic.float64.json"]
    more = {**record["hyperparameters"], "eps": hexfloat.written(2.0**-19)}
    other = {**record, "hyperparameters": more}
    assert replay(other, in_floats(spec.get("adamw"))).rejected


def test_inputs_are_exact_in_their_type(records):
    for path, r in records.items():
        if r["dtype"] == "float32":
            lanes = [x for step in r["steps"] for g in step["gradients"] if g for x in g]
            values = np.array([float.fromhex(x) for x in lanes])
            assert np.array_equal(values, values.astype(np.float32)), path


@pytest.mark.parametrize(("dialect", "results"), [("lion.paper", 3), ("rprop.torch", 1)])
def test_at_a_boundary_every_branch_is_allowed(records, dialect, results):
    record = records[f"{dialect}/edge.float64.json"]
    found = [
        ways
        for step in record["steps"]
        for quantities in step["expected"]
        for ways in quantities["theta"].get("allowed", {}).values()
    ]
    assert (max(map(len, found)) if found else 1) >= results
    for ways in found:  # apart by far more than their bounds: a hull would hide everything between
        values, bounds = ([number(w[k]) for w in ways] for k in (0, 1))
        assert max(values) - min(values) > 1e6 * max(bounds)


def test_a_maximum_is_brought_to_a_tie(tmp_path):
    write_vectors(["amsgrad/torch"], tmp_path)
    steps = json.loads((tmp_path / "amsgrad.torch/edge.float64.json").read_text())["steps"]
    now = [float.fromhex(x) for x in steps[3]["expected"][0]["v"]["value"]]
    before = [float.fromhex(x) for x in steps[2]["expected"][0]["v_max"]["value"]]
    close = [abs(a / b - 1) for a, b in zip(now, before, strict=True) if b]
    assert sum(x < 2.0**-50 for x in close) >= 2
    assert sum(2.0**-9 < x < 2.0**-3 for x in close) >= 4


def test_rectification_starts_within_the_run(records):
    record = records["radam.torch/dyadic.float64.json"]
    beta2 = float.fromhex(record["hyperparameters"]["beta2"])
    rho = [
        2 / (1 - beta2) - 1 - 2 * t * beta2**t / (1 - beta2**t)
        for t in range(1, len(record["steps"]) + 1)
    ]
    assert rho[1] < 5 < rho[-2]


# ---- replayed


def test_the_interpreter_passes_every_file(records):
    for path, found in replays(records, in_floats).items():
        assert found.worst <= 1, (path, found)
        assert found.compared > 20, path


def test_generated_classes_pass_every_file(records):
    for path, found in replays(records, generated).items():
        assert found.worst <= 1, (path, found)


def test_fifty_digits_pass(records):
    some = {p: r for p, r in records.items() if "/changed." in p or "/edge." in p}
    with mpmath.workdps(50):
        found = replays(some, lambda a: partial(Interpreted, Model(a), Exact()))
    assert len(found) >= 12
    for path, one in found.items():
        assert one.worst <= 1, (path, one)


@pytest.mark.slow
@pytest.mark.parametrize("name", each_dialect())
def test_both_evaluators_pass_all_files_of_a_dialect(name, tmp_path):
    manifest = write_vectors([name], tmp_path)
    files = {f["path"]: json.loads((tmp_path / f["path"]).read_text()) for f in manifest["files"]}
    for start in (in_floats, generated):
        for path, found in replays(files, start).items():
            assert found.worst <= 1, (path, found)


@pytest.mark.parametrize("name", ["adamw/torch", "lion/paper", "rprop/torch"])
def test_mutants_are_rejected(records, name):
    """But for those that change nothing: the same numbers at 50 digits."""
    own = {p: r for p, r in records.items() if r["dialect"] == name}
    some = few(all_mutants(spec.get(name)), 24)

    def rejects(model: Model) -> bool:
        start = partial(Interpreted, model, Float64())
        return any(replay(r, start).rejected for r in own.values())

    unseen = [m for m in some if not rejects(m.model)]
    print(f"{name}: {len(some) - len(unseen)} of {len(some)} mutants rejected")
    for mutant in unseen:
        with mpmath.workdps(50):
            exact = partial(Interpreted, mutant.model, Exact())
            assert replay(own[next(iter(own))], exact).worst < 1, mutant
    assert len(unseen) <= 4


def test_what_is_not_shown_is_not_compared_and_nonsense_is(records):
    record = records["adamw.torch/dyadic.float64.json"]
    algorithm = spec.get("adamw")

    class Changed(Interpreted):
        def step(self, *given: Any) -> Any:
            own, shared = super().step(*given)
            return [self.show(x) for x in own], shared

        def show(self, quantities: Any) -> Any:
            return {"theta": quantities["theta"]}

    class Undefined(Changed):
        def show(self, quantities: Any) -> Any:
            return {"theta": [math.nan for _ in quantities["theta"]]}

    whole = replay(record, in_floats(algorithm))
    found = replay(record, partial(Changed, Model(algorithm), Float64()))
    assert found.ok
    assert found.compared * 3 == whole.compared
    assert replay(record, partial(Undefined, Model(algorithm), Float64())).worst == math.inf


# ---- the page


def test_the_reader_of_the_page_runs_alone(folder, tmp_path):
    page = (DOCS / "vectors.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.S)
    assert "instep" not in code
    assert len([line for line in code.splitlines() if line.strip()]) <= 30
    (tmp_path / "replay.py").write_text(code)
    (tmp_path / "wrong.py").write_text(code.replace('math.sqrt(v) + h["eps"]', "math.sqrt(v)"))
    for script, code_ in (("replay.py", 0), ("wrong.py", 1)):
        command = [sys.executable, "-I", str(tmp_path / script)]
        file = str(folder / "adamw.torch/dyadic.float64.json")
        done = subprocess.run([*command, file], capture_output=True, text=True, check=False)
        assert done.returncode == code_, done.stderr


# ---- hex floats


@pytest.mark.parametrize("x", [0.0, -0.0, 1.0, 0.1, -1e308, 5e-324, math.inf, -math.inf, 2.0**-20])
def test_hex_floats_lose_nothing(x):
    text = hexfloat.written(x)
    assert hexfloat.is_written(text)
    assert hexfloat.read(text) == x
    assert math.copysign(1, hexfloat.read(text)) == math.copysign(1, x)
    assert math.isnan(hexfloat.read("nan"))


@pytest.mark.parametrize("text", ["add", "0.1", "1", "", "0x1", "infinity", True, None])
def test_what_is_no_hex_float_is_refused(text):
    with pytest.raises(ValueError, match="is no hex float"):
        hexfloat.read(text)


def test_bounds_are_rounded_up():
    rng = np.random.default_rng(0)
    bounds = np.ldexp(rng.uniform(1, 2, 1000), rng.integers(-1000, 1000, 1000))
    shorter = hexfloat.rounded_up(bounds)
    assert np.all(shorter >= bounds)
    assert np.all(shorter <= bounds * (1 + 2.0**-7))
    assert hexfloat.rounded_up(0.0) == 0
    assert hexfloat.rounded_up(np.inf) == np.inf
