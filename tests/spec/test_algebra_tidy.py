"""What makes no difference in loops and branches is left out, and nothing else."""

from __future__ import annotations

from dataclasses import replace

from instep.spec import ir
from instep.spec.algebra import equal
from instep.spec.algebra.tidy import tidied
from instep.spec.author import algorithm, grad, let, local, loss, prev, repeat, state, theta, when


def draft(steps):
    """An algorithm with `steps(m, x)` in a loop, under a condition on the loss."""
    with algorithm("draft", "Draft") as made:
        m, x = state("m", "m", init=0), local("x")
        let("gradient", x, grad(theta))
        with repeat(3, variable="i"), repeat(2, variable="j"), when(loss(theta) > 0):
            steps(m, x)
        let("update", theta, theta - m - x)
    return made.algorithm


def plain(m, x):
    let("average", m, m + x)
    let("size", x, abs(m))


def twice(equation, of):
    """An algorithm with an equation executed twice in a row."""

    def go(body):
        for s in body:
            match s:
                case ir.If(_, then, _):
                    yield replace(s, then=tuple(go(then)))
                case ir.Repeat(_, _, _, inner):
                    yield replace(s, body=tuple(go(inner)))
                case _:
                    yield from (s, s) if s.equation == equation else (s,)

    return replace(of, body=tuple(go(of.body)))


def from_before_the_step(m, x):
    let("average", m, prev(m) + x)
    let("size", x, abs(m))


def test_twice_in_a_row_is_once_where_nothing_reads_what_it_assigns():
    once = draft(plain)
    verdict = equal(twice("size", once), once)
    assert verdict.status == "equal"
    assert "Without repetitions and copies" in verdict.proof.to_text(width=200)
    added = twice("average", once)
    assert tidied(added.body) == added.body
    before = draft(from_before_the_step)
    assert tidied(twice("average", before).body) == tidied(before.body)


def test_an_old_value_is_the_new_one_until_it_is_assigned():
    with algorithm("late", "Late") as late:
        m, x = state("m", "m", init=0), local("x")
        let("read", x, prev(m))
        let("average", m, prev(m) + grad(theta))
        let("update", theta, theta - m - x)
    read, average, _ = tidied(late.algorithm.body)
    assert read.value == ir.Sym("m")
    assert average.value.left == ir.Sym("m")
    assert ir.Prev("m") not in set(ir.nodes((read, average)))


def test_what_a_round_before_assigned_is_not_what_the_step_began_with():
    assert tidied(draft(from_before_the_step).body) != tidied(draft(plain).body)
