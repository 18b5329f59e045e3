"""Reports of every kind, as the engine would write them."""

from __future__ import annotations

import math

import pytest

from instep.conformance.report.model import (
    Candidate,
    Coverage,
    Diagnosis,
    Evidence,
    Report,
    Result,
)

PROBED = {"lr": 2**-4, "betas": (7 / 8, 63 / 64), "eps": 2**-20, "weight_decay": 2**-3}

EVIDENCE = Evidence(
    equation="adamw.denominator",
    quantity="theta",
    probe="eps-crossing",
    dtype="float32",
    step=3,
    parameter=0,
    lane=17,
    size=256,
    lanes_out=131,
    lanes_seen=640,
    condition="all with |g| < 2^-18",
    expected=float.fromhex("-0x1.2a6b3f7c81234p-5"),
    bound=float.fromhex("0x1.04p-27"),
    got=float.fromhex("-0x1.0f1p-5"),
    ratio=7.04e5,
    first_wrong="the update; m and v are in step",
    hyperparameters=PROBED,
)

DIAGNOSIS = Diagnosis(
    candidates=(
        Candidate(
            kind="dialect",
            name="adamw/eps-hat",
            description="eps is added to the root of the uncorrected second moment",
            equation="adamw.denominator",
            ratio=0.31,
            dialect="eps-hat",
        ),
        Candidate("mutant", "eps-before-correction", "", "adamw.denominator", 0.31),
    ),
    searched=312,
)

PASSED = (
    Result(
        "adamw/numerics/update",
        "must",
        "passed",
        "every quantity is within 2 bounds of its equation",
        sensitivity=1.3e-13,
        worst=0.93,
        seconds=0.4,
    ),
    Result(
        "adamw/numerics/float32",
        "must",
        "passed",
        "the same in float32",
        sensitivity=6.7e-5,
        worst=1.2,
    ),
    Result(
        "adamw/gradients/untouched", "must", "passed", "a step leaves the gradients as they are"
    ),
    Result("adamw/errors/message", "info", "passed", "an error says which argument is wrong"),
)
SKIPPED = Result(
    "adamw/sparse/equal-dense",
    "must",
    "skipped",
    "sparse gradients give what dense ones give",
    "the subject refuses sparse gradients with a clear error",
)
INSENSITIVE = Result(
    "adamw/numerics/bfloat16",
    "must",
    "insensitive",
    "the same in bfloat16",
    "the bound is 16 updates wide: nothing smaller could be seen",
    sensitivity=16.0,
)
FAILED = Result(
    "adamw/numerics/update",
    "must",
    "failed",
    "the denominator is sqrt(v_hat) + eps",
    evidence=EVIDENCE,
    docs="algorithms/adamw/#denominator",
    worst=7.04e5,
)
FOLLOWS = (
    Result(
        "adamw/numerics/float32",
        "must",
        "failed",
        "the same in float32",
        consequence_of="adamw/numerics/update",
    ),
    Result(
        "adamw/groups/lr",
        "must",
        "failed",
        "each group equals an optimizer of its own",
        consequence_of="adamw/numerics/float32",
    ),
)
POOR = Result(
    "adamw/numerics/float16",
    "should",
    "failed",
    "float16 is as accurate as a plain evaluation",
    "numerically poor: 48 bounds, 32 are allowed",
)
TRACEBACK = """Traceback (most recent call last):
  File "/site-packages/instep/conformance/subject.py", line 88, in step
    return self.optimizer.step(closure)
  File "/site-packages/torch/optim/optimizer.py", line 526, in wrapper
    out = func(*args, **kwargs)
  File "/home/somebody/a-project-with-a-long-name/mylib/optimizers/adamw.py", line 41, in step
    self._update(p, p.grad, group)
  File "/home/somebody/a-project-with-a-long-name/mylib/optimizers/adamw.py", line 63, in _update
    p.addcdiv_(state["exp_avg"] / correction1, denom, value=-group["lr"] * group["lr_scale"])
KeyError: 'lr_scale'
"""
ERRORED = Result(
    "adamw/groups/added",
    "must",
    "errored",
    "a group added later takes part from the next step on",
    "step() raised KeyError: 'lr_scale'",
    traceback=TRACEBACK,
)
ENVIRONMENT = {"instep": "0.1.0", "torch": "2.13.0", "numpy": "2.4.6", "python": "3.11.9"}
MAPPING = (
    "m is state['exp_avg'] (by name)",
    "v is state['exp_avg_sq'] (by name)",
    "weight_decay is not known to the subject: left at 0 everywhere",
)
UNSEEN = ("runs longer than 24 steps", "parameters on a GPU: this machine has none")


def report(*results: Result, **fields: object) -> Report:
    skipped = tuple((r.id, r.message) for r in results if r.status == "skipped")
    settled = {
        "subject": "mylib.AdamW",
        "spec": "adamw/torch",
        "version": 1,
        "level": "quick",
        "results": results,
        "diagnosis": None,
        "coverage": Coverage(
            len(results), len(results) - len(skipped), skipped, UNSEEN, 1234567, 312, 41
        ),
        "mapping": MAPPING,
        "grades": {"float32": "float32 throughout, scalars in float64"},
        "configuration": {"lr": 1e-3, "betas": (0.9, 0.95)},
        "environment": ENVIRONMENT,
        "seconds": 2.34,
    }
    return Report(**(settled | fields))


def broken(**changes: object) -> Report:
    """Out of step with everything that a report can hold."""
    lost = Evidence(**({f: getattr(EVIDENCE, f) for f in EVIDENCE.__slots__} | LOST))
    nan = Result("adamw/numerics/overflow", "must", "failed", "large gradients", evidence=lost)
    follows = (*FOLLOWS, POOR, ERRORED, SKIPPED, INSENSITIVE, nan, PASSED[2])
    return report(
        FAILED,
        *follows,
        diagnosis=DIAGNOSIS,
        invocation="--subject mylib:AdamW --spec adamw --set 'betas=(0.9, 0.95)'",
        reproduction="import torch\n",
        **changes,
    )


LOST = {
    "equation": "",
    "condition": "",
    "first_wrong": "",
    "got": math.nan,
    "ratio": math.inf,
    "expected": 1e-300,
    "bound": 0.0,
    "hyperparameters": {"lr": math.inf, "fused": True, "betas": (0.5, 0.25), "wrap": None},
}

KINDS = {
    "passing": lambda: report(*PASSED),
    "skipped": lambda: report(*PASSED, SKIPPED),
    "insensitive": lambda: report(*PASSED, INSENSITIVE),
    "nothing judged": lambda: report(SKIPPED, INSENSITIVE),
    "failing": lambda: report(FAILED, *FOLLOWS, *PASSED[2:], diagnosis=DIAGNOSIS),
    "errored": lambda: report(ERRORED, *PASSED),
    "poor": lambda: report(POOR, *PASSED),
    "broken": broken,
    "nothing known": lambda: report(FAILED, diagnosis=Diagnosis((), 312)),
    "expectations": lambda: report(
        *PASSED,
        Result("adamw/groups/lr", "must", "xfailed", "groups", "issue 12"),
        Result("adamw/groups/added", "must", "xpassed", "groups", "issue 13"),
    ),
    "any dialect": lambda: report(*PASSED, accepted="adamw/decay-after"),
    "empty": lambda: report(coverage=Coverage(0, 0), mapping=(), grades={}, environment={}),
}


@pytest.fixture(params=KINDS)
def any_report(request):
    return KINDS[request.param]()


@pytest.fixture
def make_report():
    return report


@pytest.fixture
def reports():
    return {name: make() for name, make in KINDS.items()}
