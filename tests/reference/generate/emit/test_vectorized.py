"""The text of the list form: torch's fused operations, the equations above them, comprehensions."""

from __future__ import annotations

import ast
import re

import pytest
import torch

from instep.reference.generate import generate_source, load_class
from instep.spec import dialects, get


def list_form(text):
    """The function for lists of tensors, None where there is none."""
    (cls,) = (node for node in ast.parse(text).body if isinstance(node, ast.ClassDef))
    functions = {f.name: f for f in cls.body if isinstance(f, ast.FunctionDef)}
    made = functions.get("_foreach_update")
    return None if made is None else ast.get_source_segment(text, made)


def test_adamw_costs_as_many_passes_as_torchs():
    """Seven operations on the largest path; the for-loop's equations would take twenty."""
    text = list_form(generate_source(get("adamw"), "vectorized"))
    calls = [line.strip() for line in text.splitlines() if "torch._foreach_" in line]
    assert calls == [
        "g = torch._foreach_neg(grad)",
        "torch._foreach_mul_(theta, 1 - lr * weight_decay)",
        "torch._foreach_lerp_(m, g, 1 - beta1)",
        "torch._foreach_mul_(v, beta2)",
        "torch._foreach_addcmul_(v, g, g, value=1 - beta2)",
        "torch._foreach_maximum_(v_max, v)",
        "d = torch._foreach_sqrt(_v_hat)",
        "torch._foreach_div_(d, math.sqrt(_second_correction))",
        "torch._foreach_add_(d, eps)",
        "torch._foreach_addcdiv_(theta, m, d, value=-lr / _first_correction)",
    ]


@pytest.mark.parametrize("name", dialects())
def test_the_equations_stand_above_their_operations(name):
    algorithm = get(name)
    source = generate_source(algorithm, "vectorized")
    text = list_form(source)
    if text is None:
        assert not load_class(algorithm, "vectorized")._has_foreach
        return
    citation = rf"\b{algorithm.name}\.[a-z][a-z0-9_.]*"
    singly = source[source.index("def _update(") :]
    assert set(re.findall(citation, text)) == set(re.findall(citation, singly)) != set()


@pytest.mark.parametrize("name", ["nesterov/paper", "heun", "prodigy", "muon"])
def test_what_has_no_list_form_has_none(name):
    assert list_form(generate_source(get(name), "vectorized")) is None


def test_nodes_without_an_operation_run_tensor_by_tensor(own):
    algorithm = own("""
lr = hyper("lr", 0.5)
g, k = local("g"), local("k")
let("gradient", g, grad(theta))
let("scale", k, mean(abs(g)))
let("update", theta, theta - lr * where(g > k, k, g))
""")
    text = list_form(generate_source(algorithm, "vectorized"))
    assert "k = tuple(torch.abs(_grad).mean() for _grad in grad)" in text
    p = torch.zeros(3, requires_grad=True)
    p.grad = torch.tensor([1.0, 2.0, 6.0])
    load_class(algorithm, "vectorized")([p]).step()
    assert p.tolist() == [-0.5, -1.0, -1.5]


def test_branches_on_the_shape_are_decided_per_call(own):
    algorithm = own("""
lr = hyper("lr", 1.0)
g = local("g")
let("gradient", g, grad(theta))
with when(ndim(theta) > 1):
    let("scale", g, g * cols(theta))
let("update", theta, theta - lr * g)
""")
    parameters = [torch.zeros(s, requires_grad=True) for s in ((), (2,), (2, 3), (2, 4))]
    for p in parameters:
        p.grad = torch.ones_like(p)
    load_class(algorithm, "vectorized")(parameters).step()
    assert [p.flatten()[0].item() for p in parameters] == [-1.0, -1.0, -3.0, -4.0]


def test_units_are_those_of_the_parameter_whatever_else_a_comprehension_reads(own):
    """A number or a mask may be read first; neither has the parameter's dimensions or type."""
    algorithm = own("""
lr = hyper("lr", 1.0)
g, k, u = local("g"), local("k"), local("u")
let("gradient", g, grad(theta))
let("scale", k, largest(abs(g)))
let("units", u, where(k > 2, unit_total(g), total(g)))
let("sign", g, u + where(k > 2, 1, 2) * unit_size(theta))
let("update", theta, theta - lr * g)
""")
    assert list_form(generate_source(algorithm, "vectorized")) is not None
    shapes = ((2,), (2, 3), (3, 2), (2, 3, 2))
    for dtype in (torch.float32, torch.float64):
        moved = []
        for backend in ("eager", "foreach"):
            parameters = [torch.zeros(s, dtype=dtype, requires_grad=True) for s in shapes]
            for p in parameters:
                p.grad = torch.arange(p.numel(), dtype=dtype).reshape(p.shape) / 2
            load_class(algorithm, "vectorized")(parameters, backend=backend).step()
            moved.append([p.tolist() for p in parameters])
        assert moved[0] == moved[1]
        assert [p.dtype for p in parameters] == [dtype] * len(shapes)
        assert moved[0][1] == [[-4.5] * 3, [-9.0] * 3]
