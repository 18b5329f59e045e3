"""State that only some shapes have, and defaults that the parameter's type decides."""

from __future__ import annotations

import pytest
import torch

from instep.reference import Adafactor, eager

CLASSES = {"foreach": Adafactor, "eager": eager.Adafactor}
SHAPES = ((), (3,), (4, 5), (2, 3, 4))


def stepped(cls, shape=(3,), dtype=torch.float32, scale=1.0, **keywords):
    torch.manual_seed(0)
    p = torch.nn.Parameter(torch.ones(shape, dtype=dtype))
    p.grad = scale * torch.rand(shape).to(dtype)
    optimizer = cls([p], **keywords)
    optimizer.step()
    return p.detach(), optimizer.state[p]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", CLASSES)
def test_a_parameter_keeps_the_states_of_its_shape(name, shape):
    _, ours = stepped(CLASSES[name], shape)
    _, theirs = stepped(torch.optim.Adafactor, shape)
    assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in theirs.items()}


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", CLASSES)
def test_none_stands_for_the_eps_of_the_parameters_type(name, dtype):
    tiny = torch.finfo(dtype).eps / 4
    same, _ = stepped(CLASSES[name], dtype=dtype, scale=tiny, eps=(torch.finfo(dtype).eps, 1e-3))
    other, _ = stepped(CLASSES[name], dtype=dtype, scale=tiny, eps=(tiny / 16, 1e-3))
    got, _ = stepped(CLASSES[name], dtype=dtype, scale=tiny)
    assert torch.equal(got, same)
    assert not torch.equal(got, other)


def test_each_of_several_types_has_its_own():
    parameters = [
        torch.nn.Parameter(torch.ones(3, dtype=d)) for d in (torch.bfloat16, torch.float32)
    ]
    for p in parameters:
        p.grad = torch.full_like(p, 2.0**-12)
    Adafactor(parameters, lr=1.0).step()
    expected = torch.nn.Parameter(torch.ones(3))
    expected.grad = torch.full((3,), 2.0**-12)
    Adafactor([expected], lr=1.0).step()
    assert torch.equal(parameters[1], expected)


@pytest.mark.parametrize("cls", CLASSES.values())
def test_none_stands_where_the_specification_says_so_only(cls):
    p = torch.nn.Parameter(torch.ones(2))
    with pytest.raises(TypeError, match=r"eps\[1\] must be a number"):
        cls([p], eps=(None, None))
    with pytest.raises(TypeError, match="lr must be a number"):
        cls([p], lr=None)
