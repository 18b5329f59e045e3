"""The eager text: one line per equation, its name beside it, in the paper's names."""

from __future__ import annotations

import pytest
import torch

from instep.reference.generate import GenerateError, generate_source, load_class
from instep.reference.generate.emit.eager import read_before_sure
from instep.reference.generate.lower.resolve_options import resolve_options
from instep.spec import dialects, get, ir


def equations(text):
    """Lines of the function that runs the equations, from the first equation on."""
    body = text[text.index("def _") :].rsplit("def _", 1)[1]
    return [line.strip() for line in body.splitlines() if line.strip()][2:]


@pytest.mark.parametrize("name", dialects())
def test_every_equation_is_named(name):
    algorithm = get(name)
    text = generate_source(algorithm, "eager")
    for let in ir.lets(resolve_options(algorithm)):
        cited = f"# {algorithm.name}.{let.equation}" + (f"@{let.form}" if let.form else "")
        assert cited in text


def test_adamw_reads_like_the_paper():
    text = generate_source(get("adamw"), "eager")
    for line in (
        "theta = theta - lr * weight_decay * theta  # adamw.decay@decoupled",
        'm = state["exp_avg"] = beta1 * m_prev + (1 - beta1) * g  # adamw.first_moment',
        "d = torch.sqrt(v_hat) + eps  # adamw.denominator",
        "theta = theta - lr * m_hat / d  # adamw.update",
    ):
        assert f"        {line}\n" in text


def test_a_gradient_that_both_sides_of_a_branch_need_is_asked_for_once():
    text = generate_source(get("nesterov/paper"), "eager")
    assert text.count("_grad = yield Gradient(y)") == 1


def test_previous_values_options_and_locals_may_bear_any_name(own):
    algorithm = own("""
lr = hyper("lr", 0.1)
flag = option("flag", argument=True)
m = state("m", "exp_avg")
m_prev, p2 = local("m_prev"), local("flag_value")
let("gradient", m_prev, grad(theta))
let("moment", m, prev(m) + m_prev)
with when(flag):
    let("twice", p2, m + m)
with otherwise():
    let("twice", p2, m, form="once")
let("update", theta, theta - lr * p2 * (prev(theta) - theta + 1))
""")
    p = torch.ones(2, requires_grad=True)
    p.grad = torch.full((2,), 0.5)
    load_class(algorithm, "eager")([p], lr=0.5, flag=True).step()
    assert torch.equal(p, torch.full((2,), 0.5))
    assert "_m_prev = state" in generate_source(algorithm, "eager")


def test_a_state_given_a_bare_tensor_gets_a_copy(own):
    algorithm = own("""
lr = hyper("lr", 0.1)
m, n = state("m", "m"), state("n", "n", init=None)
let("gradient", m, grad(theta))
let("again", n, m)
let("update", theta, theta - lr * m - n)
""")
    text = generate_source(algorithm, "eager")
    assert 'm = state["m"] = grad.clone()' in text
    assert 'n = state["n"] = m.clone()' in text


def test_a_history_keeps_the_last_entries(own):
    algorithm = own("""
lr, size = hyper("lr", 1.0), hyper("size", 2, domain="Z[1,inf)")
G, g = state("G", "gradients", shape="history"), local("g")
s = local("s")
let("gradient", g, grad(theta))
push("remember", G, g, size)
let("zero", s, 0 * g)
with repeat(length(G)) as i:
    let("sum", s, s + at(G, i))
let("update", theta, theta - lr * s)
""")
    p = torch.zeros(1, requires_grad=True)
    optimizer = load_class(algorithm, "eager")([p])
    expected = [-1.0, -4.0, -9.0]
    for gradient, value in zip((1.0, 2.0, 3.0), expected, strict=True):
        p.grad = torch.tensor([gradient])
        optimizer.step()
        assert p.item() == value
    assert [x.item() for x in optimizer.state[p]["gradients"]] == [2.0, 3.0]


def test_a_loop_stops_when_it_may(own):
    algorithm = own("""
lr = hyper("lr", 1.0)
g, n = local("g"), local("n")
let("gradient", g, grad(theta))
let("count", n, 0, form="start")
with repeat(10, until=n > 3) as i:
    let("count", n, n + i)
let("update", theta, theta - lr * n * g)
""")
    p = torch.zeros(1, requires_grad=True)
    p.grad = torch.ones(1)
    load_class(algorithm, "eager")([p]).step()
    assert p.item() == -6.0


def test_names_that_only_some_paths_assign(own):
    algorithm = own("""
lr = hyper("lr", 1.0)
flag = option("flag", argument=True)
m, g = state("m", "m", when=flag), local("g")
let("gradient", g, grad(theta))
with when(flag):
    let("moment", m, prev(m) + g)
with when(flag):
    let("use", g, m + g)
let("update", theta, theta - lr * g)
""")
    assert read_before_sure(resolve_options(algorithm)) == {"m"}
    for flag, expected in ((False, -1.0), (True, -2.0)):
        p = torch.zeros(1, requires_grad=True)
        p.grad = torch.ones(1)
        load_class(algorithm, "eager")([p], flag=flag).step()
        assert p.item() == expected


def test_a_string_option(own):
    algorithm = own("""
lr = hyper("lr", 1.0)
mode = option("mode", "plain", "sign", argument=True)
g = local("g")
let("gradient", g, choose(mode, plain=grad(theta), sign=sign(grad(theta))))
let("update", theta, theta - lr * g)
""")
    text = generate_source(algorithm, "eager")
    assert 'mode: str = "plain"' in text
    p = torch.zeros(1, requires_grad=True)
    p.grad = torch.tensor([5.0])
    load_class(algorithm, "eager")([p], mode="sign").step()
    assert p.item() == -1.0


def test_unknown_target_and_uncomposed_wrapper(own):
    with pytest.raises(GenerateError, match="no target 'c'; there are eager, vectorized"):
        generate_source(get("adamw"), "c")
    wrapper = own("""
fast = inner("fast")
k = hyper("k", 5, domain="Z[1,inf)")
apply(fast)
let("scale", theta, theta * k)
""")
    with pytest.raises(GenerateError, match="own wraps another algorithm; compose the two first"):
        generate_source(wrapper, "eager")


NARROW = """
lr = hyper("lr", 0.5)
m = state("m", "average")
x, y = local("x"), local("y")
with precision("inside", "bfloat16"):
    let("double", x, 2 * grad(theta))
    let("average", m, prev(m) + x)
let("square", y, x * x)
let("update", theta, theta - lr * y * x * m)
"""


@pytest.mark.parametrize("target", ["eager", "vectorized"])
def test_a_block_is_computed_in_its_type_and_what_it_gives_is_kept_in_the_parameters(own, target):
    algorithm = own(NARROW)
    text = generate_source(algorithm, target)
    for line in (
        "x = 2 * grad.to(torch.bfloat16)  # own.double",
        'm = state["average"] = (m_prev.to(torch.bfloat16) + x).to(theta.dtype)  # own.average',
        "x = x.to(theta.dtype)\n        y = x * x  # own.square",
        "theta = theta - lr * y * x * m  # own.update",
    ):
        assert f"        {line}\n" in text
    p = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    p.grad = torch.full_like(p, 1 + 2.0**-12)
    optimizer = load_class(algorithm, target)([p])
    optimizer.step()
    # The gradient is rounded to 1 where it enters.
    assert p.tolist() == [-8.0, -8.0]
    assert optimizer.state[p]["average"].dtype == torch.float64


def test_a_block_of_the_parameters_own_type_is_like_no_block(own):
    wide = generate_source(own(NARROW.replace('"bfloat16"', '"own"')), "eager")
    assert ".to(" not in wide
    plain = NARROW.replace('with precision("inside", "bfloat16"):\n', "").replace("\n    ", "\n")
    assert generate_source(own(plain), "eager") == wide
