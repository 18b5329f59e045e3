from __future__ import annotations

import pytest

from instep.spec.errors import SpecError


def test_a_state_that_nothing_is_stored_in_remembers_where_the_parameter_began(load):
    algorithm = load("""
start, far = state("start", "p0", init=theta), local("far")
let("distance", far, theta - prev(start))
let("update", theta, theta - far * grad(theta))
""")
    assert [s.name for s in algorithm.states] == ["start"]


def test_a_tuple_of_defaults_declares_a_symbol_for_each(load):
    algorithm = load(r"""
b1, b2 = hyper("betas", (0.9, 0.99), names=("beta1", "beta2"), domain="[0,1)",
               latex=(r"\beta_1", r"\beta_2"), aliases=(("x",), ("y", "z")), probe=(0.5, 0.25))
let("update", theta, theta - b1 * b2 * grad(theta))
""")
    first, second = algorithm.hyperparameters
    assert (first.name, first.key, first.index, first.default) == ("beta1", "betas", 0, 0.9)
    assert (second.name, second.key, second.index, second.default) == ("beta2", "betas", 1, 0.99)
    assert (first.latex, second.latex) == (r"\beta_1", r"\beta_2")
    assert (second.aliases, second.probe, str(second.domain)) == (("y", "z"), 0.25, "[0,1)")


def test_an_option_says_how_the_constructor_spells_it(load):
    algorithm = load("""
lr = hyper("lr", 1.0)
mode = option("mode", "no", "raw", "both", argument="keyword", spelling={False: "no", True: "raw"})
flag = option("flag", argument=True)
g = local("g")
let("gradient", g, choose(mode, no=grad(theta), otherwise=2 * grad(theta)))
let("update", theta, choose(flag, yes=theta + lr * g, no=theta - lr * g))
""")
    mode, flag = algorithm.options
    assert (mode.default, mode.argument.key) == ("no", "keyword")
    assert mode.argument.option_value(True) == "raw"
    assert mode.argument.constructor_value("both") is None
    assert (flag.values, flag.argument.key) == ((False, True), "flag")


def test_a_signature_is_kept_in_order_and_declared_once(load):
    body = """
lr = hyper("lr", 0.5)
let("update", theta, theta - lr * grad(theta))
signature("lr", "*", "foreach")
"""
    assert load(body).signature == ("lr", "*", "foreach")
    with pytest.raises(SpecError, match="signature: is declared already"):
        load(body + 'signature("lr")')


def test_each_entry_of_a_tuple_may_have_its_own_domain(load):
    body = """
shrink, grow = hyper("etas", (0.5, 1.5), names=("shrink", "grow"), domain=("(0,1)", "(1,inf)"))
let("update", theta, theta * shrink * grow - grad(theta))
"""
    domains = [str(h.domain) for h in load(body).hyperparameters]
    assert domains == ["(0,1)", "(1,inf)"]
    with pytest.raises(SpecError, match="etas: domain has 1 entries for 2 defaults"):
        load(body.replace(', "(1,inf)")', ",)"))
