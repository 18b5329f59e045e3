"""What the host computes, what lanes compute, and when lanes read and write memory."""

from __future__ import annotations

import pytest

from instep.reference.generate.errors import NoListFormError
from instep.reference.generate.frame import Frame
from instep.reference.generate.lower.form import Assign, Branch
from instep.reference.generate.lower.kernel import kernel_form, making
from instep.reference.generate.lower.memory import read_and_write
from instep.reference.generate.lower.resolve_options import resolve_options
from instep.reference.generate.lower.spell import spell
from instep.reference.generate.lower.split_host import split_host
from instep.spec import get, ir
from instep.spec.scope import Scope


def form_of(algorithm):
    return kernel_form(Frame(algorithm, resolve_options(algorithm)))


# ---- the host's half


def test_numbers_leave_the_lanes_by_name(program, listing):
    parts = split_host(program("theta.1 = theta_0 - lr * s * A"))
    assert listing(parts.program.with_block(parts.host)) == ["_eq_theta = (lr * s)"]
    assert listing(parts.program.with_block(parts.lanes)) == [
        "theta.1 = (theta.0 - (_eq_theta * A))"
    ]
    assert parts.numbers == ("_eq_theta",)


def test_a_number_that_is_read_twice_is_one(program):
    parts = split_host(program("x = (1 - s) * A + (1 - s) * B", "theta.1 = x * lr"))
    assert parts.numbers == ("_eq_x", "lr")


def test_torchs_fused_operations_are_spelled_out(program, listing):
    parts = split_host(program("x = addcdiv(A, B, C, s)", "theta.1 = lerp(x, A, s)"))
    assert listing(parts.program.with_block(parts.lanes)) == [
        "x = (A + ((s * B) / C))",
        "theta.1 = lerp(x, A, s)",
    ]


def test_conditions_of_the_host_are_switches(program, branch, assign):
    parts = split_host(program(branch([assign("x = A")], [assign("x = B")]), "theta.1 = x"))
    assert parts.switches == (ir.Compare("==", ir.Opt("flag"), ir.Value(True)),)
    assert parts.host == ()


def total(target, operand, over="all", op="sum"):
    return Assign(target, ir.Reduce(op, over, operand))


def test_a_sum_is_taken_in_a_round_of_its_own(program, listing, assign, expression):
    norm = Assign("r", ir.Call("sqrt", (ir.Reduce("sum", "all", expression("x * A")),)))
    made = program("x = A * B", norm, "theta.1 = x * r")
    made.declare("r", Scope.REDUCED)
    parts = split_host(made)

    def lines(block):
        return listing(made.with_block(block))

    ((name, op),) = parts.totals
    assert op == "sum"
    assert lines(parts.sums) == ["x = (A * B)", f"{name} = (x * A)"]
    assert [s.stores for s in parts.sums] == ["", "+"]
    assert lines(parts.whole) == [f"r = sqrt({name})"]
    assert lines(parts.lanes) == ["x = (A * B)", "theta.1 = (x * r)"]
    assert parts.scalars == ("r",)


def test_a_sum_of_what_a_sum_has_given_has_no_kernel(program, assign):
    made = program(total("r", ir.Sym("A")), "x = A * r", total("t", ir.Sym("x")), "theta.1 = x * t")
    made.declare("r", Scope.REDUCED)
    made.declare("t", Scope.REDUCED)
    with pytest.raises(NoListFormError, match="two rounds"):
        split_host(made)


@pytest.mark.parametrize(("over", "op"), [("rows", "sum"), ("units", "mean"), ("all", "max")])
def test_lanes_that_meet_otherwise_have_no_kernel(over, op, program):
    made = program(total("x", ir.Sym("A"), over, op), "theta.1 = x")
    with pytest.raises(NoListFormError, match="meet otherwise"):
        split_host(made)


def test_branches_on_data_have_no_kernel(program):
    scoped = program("theta.1 = A")
    data = ir.Compare("<", ir.Sym("A"), ir.Const(0))
    with pytest.raises(NoListFormError, match="data of each tensor"):
        split_host(scoped.with_block((Branch(data, scoped.block, ()),)))


# ---- variables


def test_a_version_that_nothing_reads_again_gives_its_name_to_the_next(program, listing):
    made = program("x = A + B", "z = x * x", "z.1 = z + x", "theta.1 = z_1")
    assert listing(made.with_block(spell(made.block, {"theta.1"}, {}))) == [
        "x = (A + B)",
        "z = (x * x)",
        "z = (z + x)",
        "theta = z",
    ]


def test_a_version_that_is_still_read_keeps_its_name(program, listing):
    made = program("z = A", "z.1 = z + B", "theta.1 = z * z_1")
    assert listing(made.with_block(spell(made.block, {"theta.1"}, {}))) == [
        "z = A",
        "_z = (z + B)",
        "theta = (z * _z)",
    ]


def test_both_sides_of_a_branch_end_with_one_variable(program, listing, branch, assign):
    other = branch([assign("z.1 = z + B"), assign("x = z_1")], [assign("x = z")])
    made = program("z = A", other, "theta.1 = x * z")
    assert listing(made.with_block(spell(made.block, {"theta.1"}, {}))) == [
        "z = A",
        "if",
        "  _z = (z + B)",
        "  x = _z",
        "else",
        "  x = z",
        "theta = (x * z)",
    ]


# ---- memory


def test_only_the_last_store_of_a_path_is_one(program, branch, assign):
    stores = {"theta.1": "theta", "z": "theta"}
    before = assign("theta.1 = A", stores.items())
    inside = branch([assign("z = A", stores.items())], [])
    kept = read_and_write((before, inside), [], [])
    assert kept[0].stores == "theta"  # the other side stores nothing after it
    both = branch([assign("z = A", stores.items())], [assign("z = B", stores.items())])
    assert read_and_write((before, both), [], [])[0].stores == ""


def test_a_state_that_may_be_missing_is_read_where_it_is_there(program, listing, branch, assign):
    either = branch([assign("x = m_0 + A")], [assign("x = A")])
    made = program(either, "theta.1 = theta_0 + x")
    lanes = read_and_write(made.block, ["grad", "theta"], ["m"])
    assert listing(made.with_block(lanes)) == [
        "theta.0 = At",
        "if",
        "  m.0 = At",
        "  x = (m.0 + A)",
        "else",
        "  x = A",
        "theta.1 = (theta.0 + x)",
    ]


def test_two_branches_that_read_what_may_be_missing_have_no_kernel(branch, assign):
    """The first could have written what the second would load."""
    one, two = (branch([assign(f"{n} = m_0")], [assign(f"{n} = A")]) for n in "xy")
    outer = branch([one, two], [])
    with pytest.raises(NoListFormError, match="two branches read m"):
        read_and_write((outer,), [], ["m"])


# ---- the whole


def test_the_form_of_an_algorithm(own):
    form = form_of(
        own("""
lr, mu = hyper("lr", 0.1), hyper("mu", 0.5)
b, g = state("b", "momentum_buffer", init=None), local("g")
let("gradient", g, grad(theta))
with when(~equal(mu, 0)):
    with when(absent(b)):
        let("first", b, g)
    with otherwise():
        let("buffer", b, mu * prev(b) + g)
    let("update", theta, theta - lr * b)
with otherwise():
    let("update", theta, theta - lr * g, form="plain")
""")
    )
    assert [s.name for s in form.switches] == ["MU", "B_ABSENT"]
    assert [s.key for s in form.states] == ["momentum_buffer"]
    ((made, condition),) = making(form)
    assert made.key == "momentum_buffer"
    assert condition == ir.Compare("!=", ir.Sym("mu"), ir.Const(0))


def test_the_host_asks_for_the_shape_of_the_parameter(own):
    form = form_of(
        own("""
lr = hyper("lr", 1.0)
g = local("g")
let("gradient", g, grad(theta))
let("update", theta, theta - lr * sqrt(cols(theta)) * g)
""")
    )
    values = [s.value for s in form.host]
    assert ir.Call("cols", (ir.Sym("theta"),)) in {n for e in values for n in ir.walk(e)}


@pytest.mark.parametrize("name", ["adamp", "muon", "adafactor", "lbfgs"])
def test_what_needs_more_than_its_own_lane_has_no_form(name):
    with pytest.raises(NoListFormError):
        form_of(get(name))


def test_scopes_of_the_generators_own_numbers_are_known(program):
    parts = split_host(program("theta.1 = (s * r) * A"))
    assert parts.program.scopes.symbols[parts.numbers[0]] is Scope.GROUP
