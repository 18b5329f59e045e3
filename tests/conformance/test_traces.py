"""Traces: what is recorded is judged as the optimizer itself would be."""

from __future__ import annotations

import json
import math
from functools import partial
from typing import Any

import jsonschema
import pytest
import torch

from instep.conformance import UsageError, check_trace, hexfloat, record
from instep.conformance.report.json import schema as report_schema
from instep.conformance.traces.reading import from_text
from instep.conformance.traces.writing import to_text
from meta.traced import ADAM, SHAPES, Adam, parameters, run, statuses, traced

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
