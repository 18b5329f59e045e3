"""Traces: written and read, and what cannot be recorded or judged."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import torch

from instep.conformance import UsageError, check_trace, record
from instep.conformance.traces.model import schema
from instep.conformance.traces.reading import from_text, read_trace
from instep.conformance.traces.writing import to_text
from meta.traced import ADAM, Adam, parameters, run, traced

DOCS = Path(__file__).parents[2] / "docs"


# ---- what cannot be recorded, or judged


def test_an_optimizer_is_left_as_it_was():
    by_hand, torchs = Adam(parameters()), torch.optim.SGD(parameters())
    for optimizer in (by_hand, torchs):
        before = set(vars(optimizer))
        with record(optimizer):
            run(optimizer, 1)
        assert set(vars(optimizer)) == before
    assert "step" not in vars(by_hand)
    assert not torchs._optimizer_step_pre_hooks
    assert not torchs._optimizer_step_post_hooks


def test_an_optimizer_whose_hooks_do_not_work_is_recorded():
    class Unprepared(torch.optim.Optimizer):
        def __init__(self, inner: Any) -> None:
            self.inner, self.param_groups, self.state = inner, inner.param_groups, inner.state

        def step(self, closure: Any = None) -> None:
            self.inner.step()

    optimizer = Unprepared(torch.optim.SGD(parameters(), lr=0.1))
    with record(optimizer) as recorder:
        run(optimizer, 3)
    assert check_trace(recorder.trace, "sgd").ok
    assert "step" not in vars(optimizer)


def test_recording_changes_no_number():
    plain, watched = (torch.optim.AdamW(parameters(), **ADAM) for _ in range(2))
    run(plain, 4)
    with record(watched):
        run(watched, 4)
    pairs = zip(plain.param_groups[0]["params"], watched.param_groups[0]["params"], strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_what_cannot_be_recorded_is_refused():
    with pytest.raises(UsageError, match="has no step\\(\\) and param_groups"):
        record(object())
    with pytest.raises(UsageError, match="type complex64 cannot be recorded"):
        record(torch.optim.SGD([torch.zeros(2, dtype=torch.complex64)]))
    with pytest.raises(UsageError, match="at least one"):
        record(torch.optim.SGD(parameters()), lanes=0)
    with (
        pytest.raises(UsageError, match="nothing was recorded"),
        record(torch.optim.SGD(parameters())) as recorder,
    ):
        recorder.save("nowhere")


@pytest.mark.parametrize(("calls", "says"), [(0, "0 times"), (2, "2 times")])
def test_closures_called_otherwise_than_once_are_refused(calls, says):
    class Often(torch.optim.SGD):
        def step(self, closure: Any = None) -> None:
            for _ in range(calls):
                closure()

    optimizer = Often(parameters())
    with record(optimizer) as recorder:
        optimizer.step(lambda: 0.0)
    with pytest.raises(UsageError, match=f"step 1 called its closure {says}"):
        recorder.to_json()


def test_sparse_gradients_and_added_parameters_are_refused():
    (p,) = optimizer_of = [torch.nn.Parameter(torch.zeros(3))]
    optimizer = torch.optim.SGD(optimizer_of, lr=0.1)
    p.grad = torch.sparse_coo_tensor([[1]], [1.0], (3,), check_invariants=True)
    with record(optimizer) as recorder:
        optimizer.step()
    with pytest.raises(UsageError, match="sparse gradients cannot be recorded"):
        recorder.to_json()
    optimizer.zero_grad()
    with record(optimizer) as recorder:
        optimizer.add_param_group({"params": [torch.nn.Parameter(torch.zeros(2))]})
        optimizer.step()
    with pytest.raises(UsageError, match="parameters were added before step 1"):
        recorder.to_json()


@pytest.mark.parametrize(
    ("spec", "keywords", "says"),
    [
        ("lbfgs", {}, "evaluates gradients by itself"),
        ("step-lr", {}, "is no optimizer"),
        ("clip-grad-norm", {}, "is no optimizer"),
        ("muon", {}, "not \\(5,\\)"),
        ("adamw", {"rename": {"gamma": "lr"}}, "rename: adamw has no 'gamma'"),
        ("adamw", {"state": {"q": "exp_avg"}}, "state: adamw has no 'q'"),
        ("adamw", {"rename": {"lr": "betas"}}, "betas is \\(0.875, 0.984375\\) in the trace"),
        ("adamw", {"dialect": "none"}, "adamw has no dialect 'none'"),
    ],
)
def test_a_trace_that_cannot_be_judged_is_a_usage_error(spec, keywords, says):
    with pytest.raises(UsageError, match=says):
        check_trace(traced(partial(torch.optim.AdamW, **ADAM), steps=2), spec, **keywords)


def test_a_trace_from_the_middle_needs_all_states():
    trace = traced(Adam, 3, steps=2)
    with pytest.raises(UsageError, match=r"shows nothing for state m of adamw.*it shows.*square"):
        check_trace(trace, "adamw")
    with pytest.raises(UsageError, match="belongs to the whole optimizer"):
        check_trace(traced(torch.optim.AdamW, 3, steps=2), "prodigy")
    record_ = json.loads(to_text(traced(torch.optim.AdamW, 3, steps=2)))
    for state in record_["start"]["state"]:
        del state["step"]
    with pytest.raises(UsageError, match="does not say at which step it begins"):
        check_trace(from_text(json.dumps(record_)), "adamw")


def test_algorithms_that_couple_parameters_want_them_alike():
    p, q, r = parameters()
    optimizer = torch.optim.SGD([{"params": [p, q]}, {"params": [r], "lr": 0.5}], lr=0.1)
    with record(optimizer) as recorder:
        run(optimizer, 2)
    with pytest.raises(UsageError, match="looks at all parameters together"):
        check_trace(recorder.trace, "prodigy")


# ---- files


def test_a_trace_survives_its_file(tmp_path):
    optimizer = torch.optim.AdamW(parameters(torch.bfloat16), lr=0.1)
    with record(optimizer, tmp_path / "run.json") as recorder:
        run(optimizer, 3)
    again = read_trace(tmp_path / "run.json")
    assert to_text(again) == (tmp_path / "run.json").read_text() == recorder.to_json()
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(json.loads(recorder.to_json()), schema())
    assert np.array_equal(
        again.steps[2].after.parameters[0], recorder.trace.steps[2].after.parameters[0]
    )


def test_nothing_is_written_when_the_run_fails(tmp_path):
    optimizer = torch.optim.AdamW(parameters())

    def stop(_: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), record(optimizer, tmp_path / "run.json"):
        run(optimizer, 1, after=stop)
    assert not (tmp_path / "run.json").exists()
    with (
        pytest.raises(UsageError, match="cannot write"),
        record(optimizer, tmp_path / "no" / "run.json"),
    ):
        run(optimizer, 1)


def broken(path: str, value: Any) -> str:
    """A good trace with one thing replaced, or removed where the value is absent."""
    trace = json.loads(to_text(traced(torch.optim.SGD, steps=2)))
    *steps, last = path.split(".")
    place: Any = trace
    for key in steps:
        place = place[int(key)] if key.isdigit() else place[key]
    key = int(last) if last.isdigit() else last
    if value is ...:
        del place[key]
    else:
        place[key] = value
    return json.dumps(trace)


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("format", "other", '"format" is not "instep-trace@1"'),
        ("parameters", ..., "parameters: 'parameters' is missing"),
        ("parameters", [], "it has no parameters"),
        ("parameters.0.dtype", "int8", "dtype 'int8' is none of float64"),
        ("parameters.0.shape", [2, -1], "-1 is no whole number"),
        ("parameters.0.shape", [2, 3], "start.parameters[0]: 21 lanes for the shape [2, 3]"),
        ("parameters.0.lanes", [1, 2], "parameters: 2 lanes of 3, and the shape [7, 3]"),
        ("parameters.0.group", 4, "step 1: it has 1 groups, and parameters name others"),
        ("start", ..., "start: 'start' is missing"),
        ("start.parameters.1.2", "add", "start.parameters[1]: 'add' is no hex float"),
        ("start.state", [{}], "start: state of 1 parameters, and there are 3"),
        ("steps", [], "it has no steps"),
        ("steps", {}, "steps: it is no array"),
        ("steps.0", 3, "step 1"),
        ("steps.1.gradients", [], "step 2: 0 gradients, and there are 3 parameters"),
        ("steps.1.parameters.0", None, "step 2.parameters[0]: it is no array"),
        ("steps.1.state.0", {"x": []}, "step 2.state[0]"),
        ("begins", 0, "begins: 0 is no number of a step"),
    ],
)
def test_what_is_no_trace_is_said_in_one_line(path, value, says):
    with pytest.raises(UsageError, match=re.escape(says)) as caught:
        from_text(broken(path, value), "run.json")
    assert str(caught.value).startswith("run.json is no trace: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{", "3", "[" * 100000])
def test_what_is_no_json_is_said_in_one_line(text):
    with pytest.raises(UsageError, match="is no trace"):
        from_text(text)


def test_files_that_cannot_be_read_are_said(tmp_path):
    with pytest.raises(UsageError, match="cannot read"):
        read_trace(tmp_path)
    (tmp_path / "x").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="it is no text"):
        read_trace(tmp_path / "x")


# ---- the page


def test_the_trace_of_the_page_is_in_step(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, other = re.findall(r"```python\n(.*?)```", (DOCS / "traces.md").read_text(), flags=re.S)
    assert "instep" not in other.replace("instep-trace@1", "")
    for name, code, spec in (("run.json", first, "adamw"), ("other.json", other, "sgd")):
        exec(code, {"__name__": "page"})
        jsonschema.validate(json.loads((tmp_path / name).read_text()), schema())
        report = check_trace(tmp_path / name, spec)
        assert report.ok, report.to_text()
