"""What is refused, with which exception and one clear line, and that nothing has changed then."""

from __future__ import annotations

import copy
import warnings

import pytest
import torch

from instep.reference import SGD, Adam, AdamP, AdamW, eager

NAN, INF = float("nan"), float("inf")


@pytest.fixture
def parameter():
    p = torch.ones(3, requires_grad=True)
    p.grad = torch.full((3,), 0.5)
    return p


@pytest.mark.parametrize("cls", [Adam, AdamW, eager.AdamW])
@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"lr": -1.0}, r"lr must lie in \[0, inf\), got -1.0"),
        ({"lr": NAN}, r"lr must lie in \[0, inf\), got nan"),
        ({"lr": INF}, r"lr must lie in \[0, inf\), got inf"),
        ({"lr": torch.ones(2)}, r"lr: a tensor must hold one number, got shape \(2,\)"),
        ({"lr": torch.tensor(-1.0)}, "lr must lie in"),
        ({"eps": -1e-8}, r"eps must lie in \[0, inf\)"),
        ({"weight_decay": -0.5}, "weight_decay must lie in"),
        ({"betas": (1.0, 0.5)}, r"betas\[0\] must lie in \[0, 1\), got 1.0"),
        ({"betas": (0.5, -0.1)}, r"betas\[1\] must lie in \[0, 1\), got -0.1"),
        ({"betas": (0.5,)}, r"betas must be 2 numbers, got \(0.5,\)"),
        ({"betas": 0.5}, "betas must be 2 numbers, got 0.5"),
        ({"betas": (torch.tensor(0.5), 0.5)}, "betas must be either all numbers or all tensors"),
    ],
)
def test_bad_hyperparameters(cls, keywords, message, parameter):
    with pytest.raises(ValueError, match=message) as caught:
        cls([parameter], **keywords)
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match=message):
        cls([{"params": [parameter], **keywords}])


@pytest.mark.parametrize("cls", [SGD, eager.SGD])
@pytest.mark.parametrize(
    "keywords", [{"nesterov": True}, {"nesterov": True, "momentum": 0.5, "dampening": 0.5}]
)
def test_contradicting_hyperparameters(cls, keywords, parameter):
    with pytest.raises(ValueError, match="nesterov needs a momentum above 0 and dampening 0"):
        cls([parameter], **keywords)
    assert cls([parameter], nesterov=True, momentum=0.5)


def test_what_is_no_number_is_a_type_error(parameter):
    with pytest.raises(TypeError, match="lr must be a number or a one-element tensor, got str 'x'"):
        AdamW([parameter], lr="x")


def test_a_refused_group_is_not_added(parameter):
    optimizer = AdamW([parameter])
    with pytest.raises(ValueError, match="lr must lie in"):
        optimizer.add_param_group({"params": [torch.ones(2)], "lr": -1})
    assert len(optimizer.param_groups) == 1


@pytest.mark.parametrize("cls", [SGD, AdamW])
@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"backend": "eager", "foreach": True}, "backend='eager' contradicts foreach=True"),
        ({"backend": "eager", "fused": True}, "backend='eager' contradicts .*fused=True"),
        ({"backend": "foreach", "foreach": False}, "backend='foreach' contradicts foreach=False"),
        ({"backend": "foreach", "fused": True}, "backend='foreach' contradicts .*fused=True"),
        ({"backend": "fused", "foreach": True}, "backend='fused' contradicts foreach=True"),
        ({"backend": "fused", "fused": False}, "backend='fused' contradicts .*fused=False"),
        ({"backend": "c"}, "backend must be one of auto, fused, foreach, eager; got 'c'"),
    ],
)
def test_contradicting_backends(cls, keywords, message, parameter):
    with pytest.raises(ValueError, match=message):
        cls([parameter], **keywords)


@pytest.mark.parametrize(
    "keywords",
    [
        {"foreach": True, "fused": True},
        {"foreach": True, "differentiable": True},
        {"fused": True, "differentiable": True},
        {"backend": "foreach", "differentiable": True},
    ],
)
def test_keywords_that_torch_refuses_with_a_runtime_error(keywords, parameter):
    with pytest.raises(RuntimeError, match=r"cannot both|does not support differentiable"):
        AdamW([parameter], **keywords)


@pytest.mark.parametrize(
    ("keywords", "flags"),
    [
        ({}, (None, None)),
        ({"backend": "auto", "foreach": True}, (True, None)),
        ({"backend": "foreach"}, (True, None)),
        ({"backend": "foreach", "foreach": True, "fused": False}, (True, False)),
        ({"backend": "eager"}, (False, None)),
        ({"backend": "eager", "fused": False}, (False, False)),
    ],
)
def test_a_backend_is_kept_as_torchs_flags(keywords, flags, parameter):
    optimizer = SGD([parameter], **keywords)
    for one in (optimizer, copy.deepcopy(optimizer)):
        group = one.param_groups[0]
        assert (group["foreach"], group["fused"]) == flags
        assert "backend" not in group


@pytest.mark.parametrize("keywords", [{"fused": True}, {"backend": "fused"}])
def test_fused_says_once_that_it_has_no_kernel(keywords, parameter):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        optimizer = AdamP([parameter], **keywords)
        optimizer.step()
        optimizer.step()
    assert [str(w.message) for w in caught] == [
        "AdamP has no fused kernel yet; fused=True runs the foreach form"
    ]
    assert caught[0].filename == __file__
    assert optimizer.param_groups[0]["fused"] is True


@pytest.mark.parametrize("cls", [Adam, AdamW, eager.Adam, eager.AdamW])
def test_a_sparse_gradient_anywhere_stops_the_step_before_anything_changes(cls, parameter):
    sparse = torch.ones(3, requires_grad=True)
    optimizer = cls([{"params": [parameter]}, {"params": [sparse]}])
    optimizer.step()
    before = copy.deepcopy(optimizer.state_dict())
    start = parameter.detach().clone()
    sparse.grad = torch.ones(3).to_sparse()
    with pytest.raises(RuntimeError, match="does not support sparse gradients"):
        optimizer.step()
    assert torch.equal(parameter, start)
    assert same(optimizer.state_dict()["state"], before["state"])


def same(a, b) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    return torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b


@pytest.mark.parametrize("cls", [SGD, AdamW])
def test_torchs_own_construction_errors(cls):
    with pytest.raises(TypeError, match="an iterable of Tensors"):
        cls(torch.ones(2))
    with pytest.raises(ValueError, match="empty parameter list"):
        cls([])
    with pytest.raises(TypeError, match="ordered collections"):
        cls([{"params": {torch.ones(2)}}])
    p = torch.ones(2, requires_grad=True)
    with pytest.raises(ValueError, match="more than one parameter group"):
        cls([{"params": [p]}, {"params": [p]}])
    with pytest.raises(ValueError, match="non-leaf"):
        cls([p * 2])
