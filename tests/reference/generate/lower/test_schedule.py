"""Where operations write: over what is ours and dead, never over what is read again or not ours."""

from __future__ import annotations

import pytest

from instep.reference.generate.errors import NoListFormError
from instep.reference.generate.lower.form import Assign
from instep.reference.generate.lower.schedule import schedule
from instep.reference.generate.lower.steps import (
    Alias,
    Choice,
    Each,
    Equation,
    Number,
    Operation,
    Store,
)
from instep.spec import get, ir

ADAM = get("adam")
STORES = {"m.1": "m", "theta.1": "theta"}


def shown(steps, depth=0):
    """Steps as lines; an operation in place ends with an underscore."""
    for s in steps:
        match s:
            case Operation(function, operands, numbers, result, in_place):
                given = ", ".join([*operands, *(type(n).__name__ for n in numbers)])
                text = f"{function}_({given})" if in_place else f"{result} = {function}({given})"
            case Alias(result, operand, copy):
                text = f"{result} = {'copy of ' if copy else ''}{operand}"
            case Store(state, name):
                text = f"store {state} {name}"
            case Number(result):
                text = f"{result} is a number"
            case Each(result, _, lists):
                text = f"{result} = each of {', '.join(name for _, name in lists)}"
            case Choice(_, then, otherwise):
                yield from ["if", *(f"  {line}" for line in shown(then))]
                yield from ["else", *(f"  {line}" for line in shown(otherwise))]
                continue
            case Equation():
                continue
        yield text


def lines(program):
    return list(shown(schedule(ADAM, program).steps))


def test_a_state_is_overwritten_when_its_old_value_is_dead(program):
    assert lines(program("m.1 = s * m_0 + grad", result="m.1", stores=STORES)) == [
        "mul_(m, Sym)",
        "add_(m, grad)",
    ]


def test_a_state_whose_old_value_is_read_later_is_not(program):
    made = program("m.1 = m_0 + grad", "theta.1 = theta_0 - m_0 * m_1", stores=STORES)
    assert lines(made) == [
        "_m = add(m, grad)",
        "store m _m",
        "_eq_theta = mul(m, _m)",
        "sub_(theta, _eq_theta)",
    ]


def test_the_gradient_is_never_overwritten(program):
    assert lines(program("x = s * grad", "theta.1 = theta_0 - x", stores=STORES)) == [
        "x = mul(grad, Sym)",
        "sub_(theta, x)",
    ]
    made = program("x = grad", "y = x + theta_0", "theta.1 = theta_0 - y", stores=STORES)
    assert lines(made) == ["y = add(grad, theta)", "sub_(theta, y)"]


def test_a_name_for_either_side_is_ours_only_if_both_are(program, branch, helper):
    sides = branch([helper("z.3 = grad")], [helper("x = -theta_0"), helper("z.3 = x")])
    made = program(sides, "y = z_3 + theta_0", "theta.1 = theta_0 - y", stores=STORES)
    assert lines(made) == [
        "if", "  z = grad", "else", "  x = neg(theta)", "  z = x",
        "y = add(z, theta)", "sub_(theta, y)",
    ]  # fmt: skip


def test_temporaries_are_overwritten(program):
    made = program("theta.1 = theta_0 - (sqrt(m_0) + r) * (m_0 * grad)", stores=STORES)
    assert lines(made) == [
        "_eq_theta = sqrt(m)",
        "add_(_eq_theta, Sym)",
        "_eq_theta_2 = mul(m, grad)",
        "mul_(_eq_theta, _eq_theta_2)",
        "sub_(theta, _eq_theta)",
    ]


def test_operands_of_a_sum_or_product_may_change_places_to_write_in_place(program):
    made = program("x = m_0 * grad + grad", "theta.1 = theta_0 - x * m_0", stores=STORES)
    assert lines(made)[:2] == ["x = mul(m, grad)", "add_(x, grad)"]
    made = program("x = grad + m_0 * grad", "theta.1 = theta_0 - m_0 * x", stores=STORES)
    assert lines(made)[:2] == ["_eq_x = mul(m, grad)", "add_(_eq_x, grad)"]


def test_operands_of_a_difference_may_not(program):
    made = program("x = grad - m_0 * grad", "theta.1 = theta_0 - x", stores=STORES)
    assert lines(made)[:2] == ["_eq_x = mul(m, grad)", "x = sub(grad, _eq_x)"]


def test_a_value_read_twice_by_one_operation_is_not_overwritten(program):
    made = program("x = m_0 * grad", "y = x * x", "theta.1 = theta_0 - y", stores=STORES)
    assert lines(made)[:2] == ["x = mul(m, grad)", "y = mul(x, x)"]


def test_a_state_that_is_given_a_bare_name_gets_a_copy(program):
    made = program("m.1 = grad", "theta.1 = theta_0 - m_1", stores=STORES)
    assert lines(made) == ["m = copy of grad", "store m m", "sub_(theta, m)"]


def test_a_name_still_read_is_not_taken(program):
    made = program(
        "x = m_0 + grad", "y = x * grad", "x.1 = y + x", "theta.1 = x_1 * x", stores=STORES
    )
    made.declare("x.1", made.scopes.symbols["x"])
    assert lines(made) == [
        "x = add(m, grad)",
        "y = mul(x, grad)",
        "add_(y, x)",
        "mul_(y, x)",
    ]
    made = program("x = m_0 + grad", "x.1 = grad * x + x", "theta.1 = x_1 * x", stores=STORES)
    made.declare("x.1", made.scopes.symbols["x"])
    assert lines(made) == [
        "x = add(m, grad)",
        "_x = mul(grad, x)",
        "add_(_x, x)",
        "mul_(_x, x)",
    ]


def test_only_a_result_of_the_same_shape_is_written_in_place(program, expression):
    total = ir.Reduce("sum", "all", ir.Sym("m.0"))
    scaled = Assign("theta.1", ir.Binary("*", total, expression("theta_0")), (), "theta")
    assert lines(program(scaled)) == ["_theta = each of m", "mul_(theta, _theta)"]
    product = Assign("y", ir.Binary("*", total, expression("m_0")))
    made = program(product, "theta.1 = theta_0 - y", stores=STORES)
    assert lines(made) == ["y = each of m", "_y = mul(y, m)", "sub_(theta, _y)"]


def test_a_state_written_twice_is_kept_where_it_was_stored(program):
    made = program("m.1 = m_0 + grad", "x = m_0 * m_1", "m.2 = m_1 * x", "theta.1 = theta_0 - m_2",
                   stores={**STORES, "m.2": "m"})  # fmt: skip
    made.declare("m.2", made.scopes.symbols["m.1"])
    assert lines(made) == [
        "_m = add(m, grad)",
        "store m _m",
        "x = mul(m, _m)",
        "mul_(_m, x)",
        "sub_(theta, _m)",
    ]


def test_a_state_written_twice_is_stored_again_where_it_moved(program):
    made = program("m.1 = m_0 + grad", "m.2 = m_0 * m_1", "theta.1 = theta_0 - m_2",
                   stores={**STORES, "m.2": "m"})  # fmt: skip
    made.declare("m.2", made.scopes.symbols["m.1"])
    assert lines(made) == [
        "_m = add(m, grad)",
        "store m _m",
        "mul_(m, _m)",
        "store m m",
        "sub_(theta, m)",
    ]


def test_a_branch_on_data_is_refused(program, branch):
    made = program("x = A", stores=STORES)
    condition = ir.Compare(">", ir.Reduce("sum", "all", ir.Sym("A")), ir.Const(0))
    on_data = type(branch([], []))(condition, made.block, made.block)
    with pytest.raises(NoListFormError, match="data of each tensor decides"):
        schedule(ADAM, program(on_data, result="x"))
