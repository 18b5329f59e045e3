"""Checkpoints of torch's optimizers load into ours and back, and the run goes on."""

from __future__ import annotations

import copy
import io
import pickle

import pytest
import torch

from instep import reference
from instep.reference import Adam, AdamW, eager
from instep.spec import get
from meta.exported import EXPORTED, probes, takes_dense

# Those that need a closure have tests of their own.
OPEN = {
    name: c for name, c in EXPORTED.items() if not getattr(getattr(eager, c), "_closure", False)
}
CASES = [
    *((cls, {}) for cls in OPEN.values()),
    *((cls, probes(get(name))) for name, cls in OPEN.items()),
    ("SGD", {"momentum": 0.875, "nesterov": True, "maximize": True}),
    ("Adam", {"amsgrad": True, "decoupled_weight_decay": True}),
    ("AdamW", {"amsgrad": True, "maximize": True}),
    ("RAdam", {"decoupled_weight_decay": True, "weight_decay": 0.125}),
]
# They round so coarsely that digits say nothing; their tests are those of matrices.
NARROW = {c for name, c in OPEN.items() if get(name).narrow}
LR = {"lr": 0.25}
OURS = {"vectorized": reference, "eager": eager}


def travels(name):
    return hasattr(torch.optim, name) and name not in NARROW


def has_lists(name):
    return getattr(reference, name)._has_foreach


class Run:
    """One optimizer on fixed gradients."""

    def __init__(self, cls, **keywords):
        self.parameters = [
            torch.ones(n, 1, dtype=torch.float64, requires_grad=True) for n in (2, 5)
        ]
        self.optimizer = cls(self.parameters, **keywords)
        self.count = 0

    def steps(self, number):
        for _ in range(number):
            random = torch.Generator().manual_seed(self.count)
            for p in self.parameters:
                p.grad = torch.randn(p.shape, generator=random, dtype=p.dtype)
                if not takes_dense(type(self.optimizer)):
                    p.grad = p.grad.to_sparse()
            self.optimizer.step()
            self.count += 1
        return self

    def resume(self, other):
        """Take over another run's parameters and, through a file, its state."""
        with torch.no_grad():
            for p, q in zip(self.parameters, other.parameters, strict=True):
                p.copy_(q)
        file = io.BytesIO()
        torch.save(other.optimizer.state_dict(), file)
        file.seek(0)
        self.optimizer.load_state_dict(torch.load(file, weights_only=True))
        self.count = other.count
        return self

    def distance(self, other):
        """In units in the last place of float64, of no less than one, where parameters start."""
        pairs = zip(self.parameters, other.parameters, strict=True)
        return max(((a - b).abs() / b.abs().clamp(min=1) / 2**-53).max() for a, b in pairs)


@pytest.mark.parametrize("at", [0, 1, 3])
@pytest.mark.parametrize("target", OURS)
@pytest.mark.parametrize(("name", "keywords"), [c for c in CASES if travels(c[0])])
def test_checkpoints_travel_both_ways(name, keywords, target, at):
    ours, theirs = getattr(OURS[target], name), getattr(torch.optim, name)
    # Each side rounds a handful of times; numbers beside the counter torch keeps in float32.
    limit = 64 * (2**29 if ours._layout.numbers - {ours._layout.counter} else 1)
    for source, destination in ((theirs, ours), (ours, theirs)):
        whole = Run(source, **{**LR, **keywords}).steps(at)
        resumed = Run(destination, **{**LR, **keywords}).resume(whole)
        assert (
            resumed.optimizer.state_dict()["state"].keys()
            == whole.optimizer.state_dict()["state"].keys()
        )
        for _ in range(3):
            start = Run(destination, **{**LR, **keywords}).resume(whole)
            assert start.steps(1).distance(whole.steps(1)) <= limit


@pytest.mark.parametrize("target", OURS)
@pytest.mark.parametrize(("name", "keywords"), CASES)
def test_a_resumed_run_is_the_same_run(name, keywords, target):
    cls = getattr(OURS[target], name)
    whole = Run(cls, **{**LR, **keywords}).steps(2)
    resumed = Run(cls, **{**LR, **keywords}).resume(whole).steps(3)
    assert resumed.distance(whole.steps(3)) == 0
    assert (
        resumed.optimizer.state_dict()["param_groups"]
        == whole.optimizer.state_dict()["param_groups"]
    )


@pytest.mark.parametrize("copying", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
@pytest.mark.parametrize(("name", "keywords"), [c for c in CASES if has_lists(c[0])])
def test_copies_go_on_alike(name, keywords, copying):
    whole = Run(getattr(reference, name), **{**LR, **keywords}, backend="foreach").steps(2)
    again = Run(getattr(reference, name), **{**LR, **keywords})
    again.optimizer = copying(whole.optimizer)
    again.parameters, again.count = again.optimizer.param_groups[0]["params"], 2
    assert again.steps(2).distance(whole.steps(2)) == 0
    assert again.optimizer.param_groups[0]["foreach"] is True


def test_scalar_state_keeps_its_digits_through_a_checkpoint(load):
    cls = load("nadam", "vectorized")

    def run(dtype=torch.float32):
        p = torch.ones(3, dtype=dtype, requires_grad=True)
        p.grad = torch.ones_like(p)
        return p, cls([p])

    p, whole = run()
    whole.step()
    q, resumed = run()
    resumed.load_state_dict(whole.state_dict())
    kept = resumed.state[q]["mu_product"]
    assert kept.dtype == torch.float64
    assert kept == whole.state[p]["mu_product"]
    assert kept is not whole.state[p]["mu_product"]


@pytest.mark.parametrize(
    ("cls", "theirs"), [(Adam, torch.optim.Adam), (eager.Adam, torch.optim.Adam)]
)
def test_older_checkpoints(cls, theirs):
    whole = Run(theirs, **LR).steps(2)
    state = whole.optimizer.state_dict()
    for group in state["param_groups"]:
        for key in ("amsgrad", "maximize", "foreach", "capturable", "differentiable", "fused"):
            del group[key]
        del group["decoupled_weight_decay"]
    for entry in state["state"].values():
        entry["step"] = int(entry["step"])
    resumed = Run(cls, **LR, amsgrad=True)
    resumed.optimizer.load_state_dict(state)
    assert resumed.optimizer.param_groups[0]["amsgrad"] is False
    count = resumed.optimizer.state[resumed.parameters[0]]["step"]
    assert count.dtype == torch.float32
    assert count == 2
    resumed.steps(1)


def test_a_buffer_of_none_counts_as_absent():
    run = Run(reference.SGD, momentum=0.5)
    state = Run(reference.SGD, momentum=0.5).optimizer.state_dict()
    state["state"] = {0: {"momentum_buffer": None}}
    run.optimizer.load_state_dict(state)
    run.steps(1)
    for p in run.parameters:
        assert torch.equal(run.optimizer.state[p]["momentum_buffer"], p.grad)


def test_adamw_stays_adamw_whatever_it_loads():
    run = Run(AdamW)
    run.optimizer.load_state_dict(Run(torch.optim.Adam).optimizer.state_dict())
    assert run.optimizer.param_groups[0]["decoupled_weight_decay"] is True


def test_flags_of_a_checkpoint_take_effect():
    run = Run(AdamW, backend="foreach")
    run.optimizer.load_state_dict(Run(AdamW, backend="eager").optimizer.state_dict())
    assert not run.optimizer._runs_foreach(run.optimizer.param_groups[0], run.parameters)


@pytest.mark.parametrize("target", OURS)
def test_state_that_begins_with_construction_is_there_before_a_step(target):
    """Torch's Adagrad takes over what a checkpoint holds, and makes nothing by itself."""
    cls = OURS[target].Adagrad
    first, late = (torch.ones(2, dtype=torch.complex64, requires_grad=True) for _ in range(2))
    ours = cls([first], initial_accumulator_value=0.5)
    theirs = torch.optim.Adagrad([first], initial_accumulator_value=0.5)
    for key, value in theirs.state[first].items():
        kept = ours.state[first][key]
        assert kept.dtype == value.dtype
        assert torch.equal(kept, value)
    ours.add_param_group({"params": [late], "initial_accumulator_value": 2.0})
    assert torch.equal(ours.state[late]["sum"], torch.full_like(late, 2 + 2j))
    assert ours.state[late]["step"] == 0


@pytest.mark.parametrize("target", OURS)
def test_a_count_goes_on_beyond_what_float32_can_count(target):
    cls = OURS[target].Adagrad
    run = Run(cls, **LR).steps(1)
    state = run.optimizer.state[run.parameters[0]]
    state["step"].fill_(2**24)
    run.steps(2)
    assert state["step"].item() == 2**24 + 2
    # Torch takes the wider count as it is.
    Run(torch.optim.Adagrad, **LR).resume(run).steps(1)
