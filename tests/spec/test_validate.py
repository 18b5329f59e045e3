"""Rules on the model itself: composed and generated algorithms have no author."""

from __future__ import annotations

from dataclasses import replace

import pytest

from instep.spec import get, ir, model
from instep.spec.arguments import Hyperparameter
from instep.spec.conditions import violated
from instep.spec.errors import SpecError
from instep.spec.options import assignments, resolve
from instep.spec.validate import validate

ALGORITHMS = ["adam", "sgd"]


@pytest.mark.parametrize("name", ALGORITHMS)
def test_ours_are_valid_and_returned_unchanged(name):
    algorithm = get(name)
    assert validate(algorithm) is algorithm


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_assignment_leaves_a_body_that_is_valid_by_itself(name):
    algorithm = get(name)
    always = ir.Logic("and", ())
    for options in assignments(algorithm):
        body = resolve(algorithm.body, options)
        read = {n.name for n in ir.nodes(body) if isinstance(n, ir.Sym)}
        idle = sorted(set(algorithm.defaults()) - read)
        live = [s for s in algorithm.states if s.name in ir.assigned(body)]
        alone = replace(
            algorithm,
            body=body,
            options=(),
            dialects=(),
            requirements=(),
            exclusions=tuple(model.Exclusion(h, always, "idle here") for h in idle),
            states=tuple(replace(s, when=None) for s in live),
        )
        assert validate(alone) is alone


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_dialect_meets_the_requirements_with_its_own_defaults(name):
    algorithm = get(name)
    assert algorithm.dialects
    for dialect in algorithm.dialects:
        bound = algorithm.bind(dialect)
        assert violated(bound, bound.defaults(), bound.option_defaults()) == []


@pytest.mark.parametrize("name", ALGORITHMS)
def test_probes_are_dyadic_and_inside_their_domains(name):
    for h in get(name).hyperparameters:
        assert h.domain.contains(h.probe)
        assert (h.probe * 2**24).is_integer()


theta, g = ir.Sym("theta"), ir.Sym("g")
lr = Hyperparameter("lr", "lr", 0.1)
GRADIENT = ir.Let("gradient", g, ir.Grad(theta))
UPDATE = ir.Let("update", theta, ir.Binary("-", theta, ir.Binary("*", ir.Sym("lr"), g)))


def algorithm(body=(GRADIENT, UPDATE), **parts):
    plain = model.Algorithm("mine", "mine", "Mine", 1, "mine.py", body, hyperparameters=(lr,))
    return replace(plain, **parts)


def test_the_smallest_algorithm_is_valid():
    assert validate(algorithm()) == algorithm()


def let(name, value, **parts):
    return replace(ir.Let(name, ir.Sym(name), value), **parts)


one = ir.Const(1)
positive = ir.Compare(">", g, ir.Const(0))
INVALID = {
    "update: g is not declared": algorithm((UPDATE,)),
    "lr: is declared twice": algorithm(hyperparameters=(lr, replace(lr, key="other"))),
    "twin: has the constructor argument of lr, lr": algorithm(
        hyperparameters=(lr, replace(lr, name="twin"))
    ),
    "body: no equation assigns theta": algorithm(
        (GRADIENT, let("x", ir.Binary("*", ir.Sym("lr"), g)))
    ),
    "x: x is never read": algorithm((GRADIENT, let("x", one), UPDATE)),
    "x: unknown operator '//'": algorithm((GRADIENT, let("x", ir.Binary("//", g, g)), UPDATE)),
    "x: unknown operator '<>'": algorithm(
        (GRADIENT, let("x", ir.Where(ir.Compare("<>", g, one), g, g)), UPDATE)
    ),
    "x: unknown function tan": algorithm((GRADIENT, let("x", ir.Call("tan", (g,))), UPDATE)),
    "x: sqrt takes 1, not 2, arguments": algorithm((let("x", ir.Call("sqrt", (g, g))), UPDATE)),
    "x: option o is used as a value": algorithm((let("x", ir.Opt("o")), UPDATE)),
    "x: the option value 'v' stands outside": algorithm((let("x", ir.Value("v")), UPDATE)),
    "x: expected a condition, found a number": algorithm(
        (GRADIENT, let("x", ir.Where(ir.Logic("not", (g,)), g, g)), UPDATE)
    ),
    "x: expected a number, found a condition": algorithm(
        (GRADIENT, let("x", ir.Where(positive, g, positive)), UPDATE)
    ),
    "x: expected a number, found a condition \\(Logic": algorithm(
        (GRADIENT, let("x", ir.Where(positive, ir.Logic("not", (positive,)), g)), UPDATE)
    ),
    "x: absent\\(m\\): m is no state": algorithm(
        (GRADIENT, let("x", ir.Where(ir.Absent("m"), g, g)), UPDATE)
    ),
    "require: no assignment of options meets": algorithm(
        requirements=(model.Requirement(ir.Logic("or", ()), "never"),)
    ),
    "exclude: mu is neither hyperparameter nor option": algorithm(
        exclusions=(model.Exclusion("mu", ir.Logic("and", ()), "why"),)
    ),
    "m: the state is never read": algorithm(
        (GRADIENT, let("m", g), UPDATE), states=(model.State("m", "m", one),)
    ),
    "metric: assigns the hyperparameter metric": algorithm(
        (GRADIENT, UPDATE, let("metric", one)), inputs=("metric",)
    ),
}


@pytest.mark.parametrize(("reason", "bad"), INVALID.items(), ids=INVALID)
def test_an_invalid_model_is_named(reason, bad):
    with pytest.raises(SpecError, match=rf"^mine.py: mine.{reason}"):
        validate(bad)


def test_an_unknown_node_is_named():
    class Stranger:
        pass

    with pytest.raises(SpecError, match="Stranger"):
        validate(algorithm((GRADIENT, let("x", Stranger()), UPDATE)))


def body_of(*lines):
    return "\n".join(
        [
            'lr = hyper("lr", 1.0)',
            'flag = option("flag")',
            "t = counter()",
            'g, x = local("g"), local("x")',
            'let("gradient", g, choose(flag, yes=-grad(theta) * t, no=grad(theta) * t))',
            *lines,
            'let("update", theta, theta - lr * x)',
        ]
    )


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (
            [
                "with when(t > 1):",
                "    let('x', x, g)",
                "with otherwise():",
                "    let('x', x, 2 * g)",
            ],
            None,
        ),
        (
            ["with when(t > 1):", "    let('x', x, g)"],
            "x is read before it is assigned on every path",
        ),
        (
            ["with when(flag):", "    let('x', x, g)"],
            "x is read before it is assigned on every path with the default options",
        ),
        (
            ["with when(~flag):", "    let('x', x, g)"],
            "x is read before it is assigned on every path with flag=True",
        ),
        (
            ["with repeat(3):", "    let('x', x, g)"],
            "x is read before it is assigned on every path",
        ),
        (["let('x', x, g)", "with repeat(3) as i:", "    let('x', x, x * i, form='b')"], None),
        (
            ["let('x', x, g * sympy.Symbol('i'))", "with repeat(3):", "    pass"],
            "i is not declared",
        ),
        (
            [
                "with when(flag):",
                "    let('x', x, g)",
                "with otherwise():",
                "    let('x', x, 2 * g)",
                "let('x', x, x + g, form='b')",
            ],
            None,
        ),
    ],
)
def test_definite_assignment(load, lines, reason):
    if reason is None:
        assert load(body_of(*lines)).name == "mine"
    else:
        with pytest.raises(SpecError, match=reason):
            load(body_of(*lines))


def test_until_may_read_what_the_round_assigns(load):
    head = ["s = local('s')", "let('x', x, g)"]
    loop = [
        "with repeat(9, until=s > 1):",
        "    let('s', s, total(x))",
        "    let('x', x, x / 2, form='b')",
    ]
    assert load(body_of(*head, *loop)).name == "mine"
    with pytest.raises(SpecError, match="s is read before"):
        load(body_of(*head, *loop, "let('x', x, x * s, form='c')"))


def test_a_branch_on_lanes_under_one_option_is_found(load):
    lines = [
        "let('x', x, choose(flag, yes=g, no=lr))",
        "with when(x > 1):",
        "    let('x', x, x / 2, form='b')",
    ]
    with pytest.raises(SpecError, match=r"mine.py:12: mine.when: a branch on lanes"):
        load(body_of(*lines))


def test_a_quantity_may_have_lanes_under_another_option_than_the_branch(load):
    lines = [
        "let('x', x, choose(flag, yes=g, no=lr))",
        "with when(~flag):",
        "    with when(x > 1):",
        "        let('x', x, x / 2, form='b')",
    ]
    assert load(body_of(*lines)).name == "mine"


@pytest.mark.parametrize(
    ("declared", "value", "reason"),
    [
        (
            "scope='optimizer'",
            "lr",
            "s is state of the whole optimizer but depends on a group quantity",
        ),
        (
            "scope='group'",
            "total(g)",
            "s is state of the whole group but depends on a reduced quantity",
        ),
        ("scope='group'", "lr", None),
        ("scope='optimizer'", "total_over_params(g)", None),
        ("shape='scalar'", "g", "s has shape='scalar', but what it is assigned has lanes"),
        ("shape='scalar'", "total(g)", None),
        ("shape='reduced'", "g", "s has shape='reduced', but what it is assigned has lanes"),
        ("shape='reduced'", "total(g)", None),
    ],
)
def test_a_state_holds_no_more_than_its_scope(load, declared, value, reason):
    lines = [
        f"s = state('s', 's', {declared})",
        f"let('s', s, prev(s) + {value})",
        "let('x', x, g * s)",
    ]
    if reason is None:
        assert load(body_of(*lines)).state("s").key == "s"
    else:
        with pytest.raises(SpecError, match=rf"mine\.py:12: mine\.s: {reason}"):
            load(body_of(*lines))


def test_a_reduction_over_parameters_is_taken_outside_of_their_branches(load):
    lines = [
        "let('x', x, g)",
        "with when(t > 1):",
        "    let('x', x, x / total_over_params(g), form='b')",
    ]
    with pytest.raises(
        SpecError, match=r"mine\.py:13: mine\.x: a reduction over all parameters inside"
    ):
        load(body_of(*lines))


def test_a_state_that_an_option_takes_away_is_not_read(load):
    lines = ["s = state('s', 's', when=flag)", "let('s', s, prev(s) + g)", "let('x', x, s)"]
    with pytest.raises(
        SpecError, match=r"prev\(s\): the state s does not exist with the default options"
    ):
        load(body_of(*lines))


@pytest.mark.parametrize(
    "condition", ["ndim(theta) > 1", "holds(ndim(theta) > 1) & (rows(theta) < 9)"]
)
def test_a_state_may_be_one_of_some_shapes(load, condition):
    lines = [f"s = state('s', 's', when={condition})", "let('s', s, prev(s) + g)", "let('x', x, s)"]
    state = load(body_of(*lines)).state("s")
    assert (state.when, state.shaped is None) == (None, False)


@pytest.mark.parametrize(
    "condition", ["ndim(g) > 1", "ndim(theta) > t", "flag & (ndim(theta) > 1)"]
)
def test_a_state_asks_for_no_more_than_the_parameters_shape(load, condition):
    lines = [f"s = state('s', 's', when={condition})", "let('s', s, prev(s) + g)", "let('x', x, s)"]
    with pytest.raises(SpecError, match=r"mine\.s: when= must speak of the shape of theta"):
        load(body_of(*lines))


def test_a_hyperparameter_may_be_excused_where_it_is_idle(load):
    lines = ["k = hyper('k', 1.0)", "let('x', x, choose(flag, yes=g * k, no=g))"]
    with pytest.raises(SpecError, match=r"mine\.k: is never used with the default options"):
        load(body_of(*lines))
    assert load(body_of(*lines, "exclude(k, ~flag, 'only flag knows k')")).exclusions[0].name == "k"


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        (("lr", "lr", "weight_decay"), "names lr twice"),
        (("lr", "*", "*"), r"names \* twice"),
        (("lr", "rate"), "rate is no argument; there are lr, betas, eps"),
        (("lr", "*", "foreach"), "leaves out the argument betas"),
    ],
)
def test_a_signature_names_every_argument_once(signature, reason):
    with pytest.raises(SpecError, match=f"radam.signature: {reason}"):
        validate(replace(get("radam"), signature=signature))
