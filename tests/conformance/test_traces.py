"""Traces: recorded, written, read and judged; and what cannot be."""

from __future__ import annotations

import json
import math
import re
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import torch

from instep.conformance import Report, UsageError, check_trace, hexfloat, record
from instep.conformance.report.json import schema as report_schema
from instep.conformance.traces.model import Trace, schema
from instep.conformance.traces.reading import from_text, read_trace
from instep.conformance.traces.writing import to_text

DOCS = Path(__file__).parents[2] / "docs"
SHAPES = ((7, 3), (5,), ())
ADAM = {"lr": 2**-4, "betas": (0.875, 0.984375), "eps": 2**-12, "weight_decay": 0.125}


def parameters(dtype: torch.dtype = torch.float64) -> list[torch.nn.Parameter]:
    random = torch.Generator().manual_seed(1)
    made = (torch.randn(s, generator=random, dtype=torch.float64) for s in SHAPES)
    return [torch.nn.Parameter(x.to(dtype)) for x in made]


def run(optimizer: Any, steps: int, seed: int = 0, after: Any = lambda t: None) -> None:
    """Steps with gradients of many sizes."""
    random = torch.Generator().manual_seed(seed)
    for t in range(steps):
        for group in optimizer.param_groups:
            for p in group["params"]:
                g = torch.randn(p.shape, generator=random, dtype=torch.float64)
                p.grad = torch.ldexp(g, torch.tensor(-(t % 5) * 3.0)).to(p.dtype)
        optimizer.step()
        after(t)


def traced(factory: Any, before: int = 0, steps: int = 6, **keywords: Any) -> Trace:
    """A trace of an optimizer in float64, after some steps that are not in it."""
    optimizer = factory(parameters(keywords.pop("dtype", torch.float64)))
    run(optimizer, before)
    with record(optimizer, **keywords) as recorder:
        run(optimizer, steps, seed=1)
    return recorder.trace


def statuses(report: Report) -> dict[str, str]:
    return {r.id.partition("/trace/")[2]: r.status for r in report.results}


class Adam:
    """Adam with decoupled decay by hand, without torch.optim.Optimizer; `wrong` changes it."""

    def __init__(self, params: Any, wrong: str = "", **keywords: Any) -> None:
        self.param_groups = [{"params": list(params), **ADAM, **keywords}]
        self.state: dict[Any, Any] = {}
        self.wrong = wrong

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.one(p, group)

    def one(self, p: torch.Tensor, group: Any) -> None:
        start = {"step": 0, "mean": torch.zeros_like(p), "square": torch.zeros_like(p)}
        s = self.state.setdefault(p, start)
        s["step"] += 1
        (b1, b2), eps = group["betas"], group["eps"]
        p -= group["lr"] * group["weight_decay"] * p
        s["mean"] = b1 * s["mean"] + (1 - b1) * p.grad
        share = 1 if self.wrong == "square" else 1 - b2
        s["square"] = b2 * s["square"] + share * p.grad**2
        m, v = s["mean"] / (1 - b1 ** s["step"]), s["square"] / (1 - b2 ** s["step"])
        p -= group["lr"] * m / ((v + eps).sqrt() if self.wrong == "eps" else v.sqrt() + eps)


# ---- in step


@pytest.mark.parametrize(
    ("factory", "spec", "checks"),
    [
        (partial(torch.optim.AdamW, **ADAM), "adamw", 4),
        (partial(torch.optim.Adam, amsgrad=True), "adam", 5),
        (partial(torch.optim.SGD, lr=0.1, momentum=0.9, nesterov=True), "sgd", 3),
        (partial(torch.optim.Adagrad, lr=0.1), "adagrad", 3),
        (partial(torch.optim.NAdam, lr=0.1), "nadam", 5),
        (Adam, "adamw", 4),
    ],
    ids=["AdamW", "Adam", "SGD", "Adagrad", "NAdam", "by hand"],
)
@pytest.mark.parametrize("before", [0, 5], ids=["from the start", "from the middle"])
def test_correct_optimizers_are_in_step(factory, spec, checks, before):
    trace = from_text(to_text(traced(factory, before)))
    state = {"m": "mean", "v": "square"} if factory is Adam else None
    report = check_trace(trace, spec, state=state)
    assert report.ok, report.to_text()
    assert list(statuses(report).values()) == ["passed"] * checks
    counted = before == 0 or spec != "sgd"
    assert report.mapping[0].endswith(f"6 steps from {before + 1}" if counted else "6 steps")


class Debiased(Adam):
    """The same numbers; under torch's names it keeps moments that are corrected already."""

    def one(self, p: torch.Tensor, group: Any) -> None:
        start = {"step": 0, "exp_avg": torch.zeros_like(p), "exp_avg_sq": torch.zeros_like(p)}
        s = self.state.setdefault(p, start)
        s["step"] += 1
        p -= group["lr"] * group["weight_decay"] * p
        for key, b, g in zip(
            ("exp_avg", "exp_avg_sq"), group["betas"], (p.grad, p.grad**2), strict=True
        ):
            whole, last = 1 - b ** s["step"], 1 - b ** (s["step"] - 1)
            s[key] = (b * last * s[key] + (1 - b) * g) / whole
        p -= group["lr"] * s["exp_avg"] / (s["exp_avg_sq"].sqrt() + group["eps"])


@pytest.mark.parametrize("before", [0, 5])
def test_a_state_in_another_form_is_recognised(before):
    report = check_trace(traced(Debiased, before), "adamw")
    assert report.ok, report.to_text()
    assert "state m is the subject's exp_avg (times 1/(1 - beta1^t)" in "\n".join(report.mapping)
    assert set(statuses(report).values()) == {"passed"}


def test_one_wrong_lane_of_such_a_state_is_seen():
    wrong = json.loads(to_text(traced(Debiased, 5)))
    lanes = wrong["steps"][2]["state"][0]["exp_avg"]["values"]
    lanes[3] = hexfloat.written(hexfloat.read(lanes[3]) * 1.25)
    report = check_trace(from_text(json.dumps(wrong)), "adamw")
    assert statuses(report)["first-moment"] == "failed"


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_narrower_types_are_judged_by_their_own_bounds(dtype):
    trace = traced(partial(torch.optim.AdamW, **ADAM), dtype=dtype)
    report = check_trace(trace, "adamw")
    assert report.ok, report.to_text()
    assert {r.status for r in report.results} <= {"passed", "insensitive"}


def test_a_schedule_and_groups_of_their_own_are_followed():
    p, q, r = parameters()
    groups = [{"params": [p, q]}, {"params": [r], "lr": 0.5}]
    optimizer = torch.optim.SGD(groups, lr=2**-4, momentum=0.5)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 2, gamma=0.5)
    with record(optimizer) as recorder:
        run(optimizer, 6, after=lambda t: schedule.step())
    report = check_trace(recorder.trace, "sgd")
    assert report.ok, report.to_text()
    assert report.results[0].lanes == 6 * sum(math.prod(s) for s in SHAPES)
    text = recorder.to_json()
    wrong = check_trace(from_text(text.replace('"lr":"0x1p-2"', '"lr":"0x1p-1"')), "sgd")
    assert wrong.failures[0].evidence.parameter == 2


def test_gradients_come_and_go():
    optimizer = torch.optim.AdamW(parameters(), **ADAM)
    with record(optimizer) as recorder:
        for t in range(4):
            optimizer.zero_grad()
            for i, p in enumerate(optimizer.param_groups[0]["params"]):
                p.grad = None if i == t % 3 else torch.full_like(p, 2.0**-t)
            optimizer.step()
    assert check_trace(recorder.trace, "adamw").ok


def test_gradients_are_those_after_the_closure():
    optimizer = torch.optim.SGD(parameters(), lr=0.1)

    def closure() -> float:
        for p in optimizer.param_groups[0]["params"]:
            p.grad = torch.ones_like(p)
        return 0.0

    for arguments in ({"closure": closure}, [closure]):
        with record(optimizer) as recorder:
            for _ in range(2):
                optimizer.step(**arguments) if isinstance(arguments, dict) else optimizer.step(
                    *arguments
                )
        assert check_trace(recorder.trace, "sgd").ok


def test_some_lanes_are_enough_for_algorithms_of_lanes():
    optimizer = torch.optim.SGD(parameters(), lr=2**-4, momentum=0.5)
    with record(optimizer, lanes=4) as recorder:
        run(optimizer, 5)
    trace = from_text(recorder.to_json())
    assert [p.lanes for p in trace.parameters] == [(0, 7, 13, 20), (0, 1, 3, 4), ()]
    report = check_trace(trace, "sgd")
    assert report.ok, report.to_text()
    assert report.results[0].lanes == 5 * 9
    assert any("not recorded" in line for line in report.coverage.unseen)
    wrong = recorder.to_json().replace('"lr":"0x1p-4"', '"lr":"0x1p-3"')
    found = check_trace(from_text(wrong), "sgd").failures[0].evidence
    assert (found.parameter, found.size) == (0, 21)
    assert found.lane in (0, 7, 13, 20)
    with pytest.raises(UsageError, match="lamb needs all lanes"):
        check_trace(trace, "lamb")


# ---- out of step


def test_a_wrong_denominator_is_found_and_named():
    report = check_trace(traced(partial(Adam, wrong="eps")), "adamw")
    assert not report.ok
    assert report.diagnosis is not None
    assert report.diagnosis.candidates[0].equation == "denominator"
    wrong = {name for name, status in statuses(report).items() if status == "failed"}
    assert wrong == {"trajectory", "update"}
    assert report.failures[0].evidence.first_wrong.startswith("the update, in step 1; m")


def test_a_wrong_state_is_found_where_it_is_wrong():
    state = {"m": "mean", "v": "square"}
    report = check_trace(traced(partial(Adam, wrong="square"), 5), "adamw", state=state)
    assert statuses(report)["second-moment"] == "failed"
    assert statuses(report)["first-moment"] == "passed"
    assert any(c.equation == "second_moment" for c in report.diagnosis.candidates)


def test_another_dialect_is_named_and_accepted():
    trace = traced(partial(torch.optim.Adam, lr=2**-4, weight_decay=0.125))
    record_ = json.loads(to_text(trace))
    for step in record_["steps"]:
        del step["groups"][0]["decoupled_weight_decay"]
    trace = from_text(json.dumps(record_))
    eps = traced(partial(Adam, wrong="eps", weight_decay=0.0))
    report = check_trace(eps, "adam")
    assert report.diagnosis.candidates[0].name == "adam/eps-inside"
    report = check_trace(eps, "adam", dialect="any")
    assert report.ok
    assert report.accepted == "adam/eps-inside"
    assert check_trace(trace, "adam").ok


def test_mixed_up_steps_are_out_of_step():
    trace = json.loads(to_text(traced(partial(torch.optim.SGD, lr=0.1))))
    trace["steps"][1], trace["steps"][2] = trace["steps"][2], trace["steps"][1]
    assert not check_trace(from_text(json.dumps(trace)), "sgd").ok


def test_the_wrong_number_of_the_first_step_is_out_of_step():
    trace = json.loads(to_text(traced(partial(torch.optim.Adagrad, lr_decay=0.5), 5)))
    assert trace["begins"] is None
    assert check_trace(from_text(json.dumps({**trace, "begins": 6})), "adagrad").ok
    assert not check_trace(from_text(json.dumps({**trace, "begins": 7})), "adagrad").ok


# ---- what a trace does not show


def test_what_leaves_no_mark_is_said():
    known = traced(partial(torch.optim.AdamW, **ADAM))
    unseen = "\n".join(check_trace(known, "adamw").coverage.unseen)
    assert "eps: other values give the same numbers" not in unseen
    quiet = "\n".join(check_trace(traced(torch.optim.AdamW, steps=1), "adamw").coverage.unseen)
    assert "beta1: other values give the same numbers" in quiet
    none = "\n".join(
        check_trace(traced(partial(torch.optim.AdamW, weight_decay=0)), "adamw").coverage.unseen
    )
    assert "dialects that give the same numbers: adamw/" in none
    assert "other values of the options maximize, amsgrad" in none
    assert "hyperparameters that change: none did" in none


def test_names_and_missing_entries_are_given():
    record_ = json.loads(to_text(traced(partial(torch.optim.AdamW, **ADAM))))
    for step in record_["steps"]:
        (group,) = step["groups"]
        group["step_size"], group["beta"] = group.pop("lr"), group.pop("betas")
        del group["eps"]
    trace = from_text(json.dumps(record_))
    rename = {"lr": "step_size", "betas": "beta"}
    report = check_trace(trace, "adamw", rename=rename, hyperparameters={"eps": ADAM["eps"]})
    assert report.ok, report.to_text()
    entries = {"lr": "step_size", "beta1": "beta[0]", "beta2": "beta[1]"}
    report = check_trace(trace, "adamw", rename=entries, hyperparameters={"eps": ADAM["eps"]})
    assert report.ok, report.to_text()


def test_a_missing_entry_has_its_default_and_that_is_said():
    record_ = json.loads(to_text(traced(partial(torch.optim.SGD, momentum=0.5))))
    for step in record_["steps"]:
        del step["groups"][0]["momentum"]
    report = check_trace(from_text(json.dumps(record_)), "sgd")
    assert not report.ok
    assert "momentum is not in the trace: 0 is assumed" in report.mapping


def test_the_report_has_the_published_form():
    for wrong in ("", "eps"):
        report = check_trace(traced(partial(Adam, wrong=wrong)), "adamw")
        jsonschema.validate(json.loads(report.to_json()), report_schema())


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
