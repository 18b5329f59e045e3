"""Steps that ask for gradients, losses and sums: asked again where the point has moved."""

from __future__ import annotations

import pytest
import torch

from instep.reference.generate import generate_source, load_class


@pytest.fixture
def minimise():
    """One step on the square of every parameter; returns the points at which the loss was asked."""

    def go(optimizer, *parameters):
        asked: list[float] = []

        def closure():
            asked.append(parameters[0].item())
            optimizer.zero_grad()
            loss = sum((p**2).sum() for p in parameters)
            loss.backward()
            return loss

        optimizer.step(closure)
        return asked

    return go


def leaf(value):
    return torch.tensor([value], requires_grad=True)


def test_a_loop_asks_in_every_round(own, minimise):
    algorithm = own("""
lr, rounds = hyper("lr", 0.25), hyper("rounds", 3, domain="Z[1,inf)")
g = local("g")
with repeat(rounds):
    let("gradient", g, grad(theta))
    let("update", theta, theta - lr * g)
""")
    p = leaf(1.0)
    assert minimise(load_class(algorithm, "eager")([p]), p) == [1.0, 0.5, 0.25]
    assert p.item() == 0.125


def test_a_gradient_known_on_one_side_only_is_asked_for_again(own, minimise):
    algorithm = own("""
lr, mu = hyper("lr", 0.25), hyper("mu", 0.0)
t, g, k = counter(), local("g"), local("k")
let("size", k, 0)
with when(mu > 0):
    let("first", g, grad(theta))
    let("size", k, mu, form="given")
let("gradient", g, grad(theta))
let("second", g, g + grad(prev(theta) - k))
let("update", theta, theta - lr * g)
""")
    p = leaf(1.0)
    assert minimise(load_class(algorithm, "eager")([p]), p) == [1.0, 1.0]
    assert p.item() == 0.0
    q = leaf(1.0)
    assert minimise(load_class(algorithm, "eager")([q], mu=0.5), q) == [1.0, 1.0, 0.5]


def test_the_loss_at_a_point(own, minimise):
    algorithm = own("""
lr = hyper("lr", 1.0)
g, f = local("g"), local("f")
let("gradient", g, grad(theta))
let("loss", f, loss(theta))
let("update", theta, theta - lr * f / g)
""")
    assert "_grad, _loss = yield LossAndGradient(theta)" in generate_source(algorithm, "eager")
    p = leaf(2.0)
    assert minimise(load_class(algorithm, "eager")([p]), p) == [2.0]
    assert p.item() == 1.0


def test_state_of_a_group_is_kept_in_the_group(own):
    algorithm = own("""
lr = hyper("lr", 1.0)
w = state("w", "weight_sum", scope="group")
let("weight", w, prev(w) + lr)
let("update", theta, theta - w * grad(theta))
""")
    p, q = leaf(0.0), leaf(0.0)
    optimizer = load_class(algorithm, "eager")([{"params": [p]}, {"params": [q], "lr": 2.0}])
    for _ in range(2):
        p.grad, q.grad = torch.ones(1), torch.ones(1)
        optimizer.step()
    assert [group["weight_sum"] for group in optimizer.param_groups] == [2.0, 4.0]
    assert (p.item(), q.item()) == (-3.0, -6.0)


@pytest.mark.parametrize("reduction", ["total_over_params", "max_over_params"])
def test_sums_and_maxima_over_all_parameters(own, reduction):
    algorithm = own(f"""
lr = hyper("lr", 1.0)
g, n = local("g"), local("n")
let("gradient", g, grad(theta))
let("norm", n, {reduction}(abs(g)))
let("update", theta, theta - lr * g / n)
""")
    p, q = torch.zeros(2, requires_grad=True), torch.zeros(1, requires_grad=True)
    p.grad, q.grad = torch.tensor([1.0, -3.0]), torch.tensor([4.0])
    load_class(algorithm, "eager")([p, q]).step()
    size = {"total_over_params": 8.0, "max_over_params": 4.0}[reduction]
    assert p.tolist() == [-1 / size, 3 / size]
    assert q.tolist() == [-4 / size]


def test_a_branch_that_moved_the_point_asks_again(own, minimise):
    algorithm = own("""
lr, mu = hyper("lr", 0.25), hyper("mu", 0.0)
g = local("g")
let("gradient", g, grad(theta))
with when(mu > 0):
    let("predictor", theta, theta - lr * g)
let("second", g, g + grad(theta))
let("update", theta, theta - lr * g)
""")
    p = leaf(1.0)
    assert minimise(load_class(algorithm, "eager")([p], mu=1.0), p) == [1.0, 0.5]
    assert p.item() == 0.5 - 0.25 * 3.0


def test_a_loop_of_no_rounds_has_asked_for_nothing(own, minimise):
    algorithm = own("""
lr, rounds = hyper("lr", 0.25), hyper("rounds", 0, domain="Z[0,inf)")
g, h = local("g"), local("h")
let("start", h, 0 * theta)
with repeat(rounds):
    let("inside", h, h + grad(theta - lr))
let("gradient", g, grad(theta - lr))
let("update", theta, theta - lr * (g + h))
""")
    p = leaf(1.0)
    assert minimise(load_class(algorithm, "eager")([p]), p) == [0.75]
    assert p.item() == 1.0 - 0.25 * 1.5
