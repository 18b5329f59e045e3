"""One pass at a time, on programs of a few lines."""

from __future__ import annotations

from instep.reference.generate.lower.apply_rules import apply_rules
from instep.reference.generate.lower.eliminate_common import eliminate_common
from instep.reference.generate.lower.factor_branches import factor_branches, merge_branches
from instep.reference.generate.lower.fold_scalings import fold_scalings
from instep.reference.generate.lower.form import assigns
from instep.reference.generate.lower.hoist_scalars import hoist_scalars
from instep.reference.generate.lower.remove_dead import remove_dead


class TestHoistScalars:
    def test_powers_and_functions_of_numbers_get_names(self, program, listing):
        before = program("x = A / (1 - s**t) + sqrt(r) * B")
        assert listing(hoist_scalars(before)) == [
            "_eq_x = (1 - (s ** t))",
            "_eq_x_2 = sqrt(r)",
            "x = ((A / _eq_x) + (_eq_x_2 * B))",
        ]

    def test_a_number_is_computed_once_for_each_equation(self, program, listing):
        before = program("x = A / (1 - s**t) + B / (1 - s**t)")
        assert listing(hoist_scalars(before)) == [
            "_eq_x = (1 - (s ** t))",
            "x = ((A / _eq_x) + (B / _eq_x))",
        ]

    def test_cheap_numbers_stay_where_they_are(self, program, listing):
        before = program("x = (1 - s) * A - lr * r * B", "y = x**2")
        assert listing(hoist_scalars(before)) == listing(before)

    def test_a_guarded_number_stays_behind_its_guard(self, program, listing, branch, assign):
        before = program(branch([assign("x = sqrt(r) * A")], [assign("x = A")]))
        assert listing(hoist_scalars(before)) == [
            "if", "  _eq_x = sqrt(r)", "  x = (_eq_x * A)", "else", "  x = A",
        ]  # fmt: skip

    def test_an_equation_of_numbers_is_left_alone(self, program, listing):
        before = program("c = sqrt(r) / s**t")
        assert listing(hoist_scalars(before)) == listing(before)


class TestEliminateCommon:
    def test_a_repeated_tensor_gets_a_name(self, program, listing):
        before = program("x = A**2 + B", "y = sqrt(A**2 + B) * A**2")
        assert listing(eliminate_common(before)) == [
            "_eq_x = (A ** 2)",
            "x = (_eq_x + B)",
            "y = (sqrt(x) * _eq_x)",
        ]

    def test_order_is_part_of_a_tree(self, program, listing):
        before = program("x = A + B", "y = B + A")
        assert listing(eliminate_common(before)) == listing(before)

    def test_numbers_that_both_sides_begin_with_move_up(
        self, program, listing, branch, helper, assign
    ):
        then = [helper("_a = 1 - s**t"), assign("x = A / _a")]
        otherwise = [helper("_b = 1 - s**t"), assign("x = B / _b")]
        assert listing(eliminate_common(program(branch(then, otherwise)))) == [
            "_a = (1 - (s ** t))", "if", "  x = (A / _a)", "else", "  x = (B / _a)",
        ]  # fmt: skip

    def test_what_one_side_names_is_not_known_on_the_other(self, program, listing, branch, assign):
        before = program(branch([assign("x = A * B")], [assign("y = A * B")]))
        assert listing(eliminate_common(before)) == listing(before)


class TestFactorBranches:
    def test_the_last_scaling_is_done_once(self, program, listing, branch, assign, helper):
        then = [assign("z.1 = A / c"), helper("z.3 = z_1")]
        otherwise = [assign("z.2 = B / c"), helper("z.3 = z_2")]
        after = factor_branches(program(branch(then, otherwise), "x = sqrt(z_3)"))
        assert listing(after) == [
            "if", "  _z = A", "else", "  _z = B", "z.3 = (_z / c)", "x = sqrt(z.3)",
        ]  # fmt: skip
        assert [len(a.sources) for a in assigns(after.block)] == [0, 0, 2, 1]

    def test_different_scalings_stay(self, program, listing, branch, assign, helper):
        then = [assign("z.1 = A / c"), helper("z.3 = z_1")]
        otherwise = [assign("z.2 = B / s"), helper("z.3 = z_2")]
        before = program(branch(then, otherwise), "x = sqrt(z_3)")
        assert listing(factor_branches(before)) == listing(before)

    def test_a_value_that_is_read_on_its_own_side_stays(
        self, program, listing, branch, assign, helper
    ):
        then = [assign("z.1 = A / c"), assign("y = z_1 + A"), helper("z.3 = z_1")]
        otherwise = [assign("z.2 = B / c"), assign("y = B"), helper("z.3 = z_2")]
        before = program(branch(then, otherwise), "x = sqrt(z_3) + y")
        assert listing(factor_branches(before)) == listing(before)

    def test_a_value_that_is_stored_stays(self, program, listing, branch, assign, helper):
        stores = {"z.1": "m", "z.2": "m"}
        then = [assign("z.1 = A / c", stores), helper("z.3 = z_1")]
        otherwise = [assign("z.2 = B / c", stores), helper("z.3 = z_2")]
        before = program(branch(then, otherwise), "x = sqrt(z_3)")
        assert listing(factor_branches(before)) == listing(before)

    def test_neighbours_on_one_condition_become_one(self, program, listing, branch, assign):
        before = program(
            branch([assign("x = A")], []), branch([assign("y = x")], [assign("y = B")])
        )
        assert listing(merge_branches(before)) == ["if", "  x = A", "  y = x", "else", "  y = B"]


class TestFoldScalings:
    def test_a_scaling_used_once_goes_where_it_is_used(self, program, listing):
        after = fold_scalings(program("x = A / c", "y = s * B", "z = x / (y + B)"))
        assert listing(after) == ["z = ((A / c) / ((s * B) + B))"]
        (only,) = assigns(after.block)
        assert [let.equation for let in only.sources] == ["eq_x", "eq_y", "eq_z"]

    def test_what_is_read_twice_or_stored_stays(self, program, listing):
        before = program("x = A / c", "m.1 = s * B", "z = x * x + m_1", stores={"m.1": "m"})
        assert listing(fold_scalings(before)) == listing(before)

    def test_other_equations_stay(self, program, listing):
        before = program("x = sqrt(A)", "z = x + B")
        assert listing(fold_scalings(before)) == listing(before)

    def test_scalings_of_scalings_fold_too(self, program, listing):
        after = fold_scalings(program("x = A / c", "y = s * x", "z = y + B"))
        assert listing(after) == ["z = ((s * (A / c)) + B)"]


class TestRemoveDead:
    def test_unread_names_are_gone_and_stored_ones_are_not(self, program, listing):
        before = program("x = A", "y = x + A", "m.1 = B", "theta.1 = A + B", stores={"m.1": "m"})
        assert listing(remove_dead(before)) == ["m.1 = B", "theta.1 = (A + B)"]

    def test_empty_branches_are_gone(self, program, listing, branch, assign):
        before = program(branch([assign("x = A")], [assign("x = B")]), "theta.1 = A")
        assert listing(remove_dead(before)) == ["theta.1 = A"]

    def test_what_one_side_needs_is_kept(self, program, listing, branch, assign):
        before = program("x = A", branch([assign("theta.1 = x")], [assign("theta.1 = B")]))
        assert listing(remove_dead(before)) == listing(before)


class TestApplyRules:
    def test_the_update_of_adam_becomes_one_operation(self, program, listing):
        after = apply_rules(program("theta.1 = theta_0 - lr * (m_0 / c) / (sqrt(A / s) + r)"))
        assert listing(after) == [
            "theta.1 = addcdiv(theta.0, m.0, ((sqrt(A) / sqrt(s)) + r), ((-lr) / c))"
        ]

    def test_moments_become_fused_averages(self, program, listing):
        after = apply_rules(program("x = s * A + (1 - s) * B", "y = s * A + (1 - s) * B**2"))
        assert listing(after) == [
            "x = lerp(A, B, (1 - s))",
            "y = addcmul((s * A), B, B, (1 - s))",
        ]

    def test_decay_becomes_one_product(self, program, listing):
        after = apply_rules(program("x = A - lr * r * A", "y = A - lr * r * B"))
        assert listing(after) == ["x = (A * (1 - (lr * r)))", "y = add_scaled(A, B, ((-lr) * r))"]

    def test_a_letter_stands_for_one_thing(self, program, listing):
        after = apply_rules(program("x = s * A + (1 - r) * B"))
        assert listing(after) == ["x = add_scaled((s * A), B, (1 - r))"]

    def test_numbers_are_left_alone(self, program, listing):
        before = program("c = s - lr * s", "t = s**2")
        assert listing(apply_rules(before)) == listing(before)
