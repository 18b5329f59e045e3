"""Every mutant of every dialect is caught by a check that must pass, or proved equivalent."""

from __future__ import annotations

from functools import cache

import pytest

from instep import spec
from instep.conformance.mutate import Mutant, mutants
from instep.conformance.oracle import Model
from instep.conformance.suite import Session, check
from meta.interpreted import subject
from meta.strength import Fate, Judge, all_mutants, fails, few, killer, sample, table
from sampling import BY_DEFAULT, each_dialect

DIALECTS = spec.dialects()
# Of these all or many mutants are tried in every run, and of what every other name means by default
# a few; the rest waits for `make test-slow`.
WHOLE = ("sgd/torch", "adamw/torch")
PARTS = 4
FEW = 2

# Caught by a SHOULD check alone, because what shows it is no MUST: a buffer that is scaled by
# 1 - momentum may be kept without that factor, and a change of momentum then means another thing.
# Here it is not kept while momentum is 0, which only a change to 0 and back can show.
ADVISED = {
    (f"sgd/{ema}", "first_buffer: condition ignored") for ema in ("ema", "ema-from-gradient")
}
# Behind a sign the scale of a momentum is invisible, until the momentum changes.
ADVISED |= {
    (dialect, f"momentum: {mistake}")
    for dialect in ("signum/paper", "signum/l2")
    for mistake in (
        "1 - momentum missing", "momentum hard-coded", "momentum halved", "factor missing",
        "factor twice", "sign flipped", "the other branch always taken",
    )
}  # fmt: skip
ADVISED |= {
    ("mars/lion", f"first_moment: {mistake}")
    for mistake in (
        "1 - beta1 missing", "beta2 instead of beta1", "beta1 hard-coded", "beta1 halved",
        "factor missing", "factor twice", "sign flipped",
    )
}  # fmt: skip
# The estimate does not depend on the scale of the gradients' sum, until the decay rate changes.
DADAPTED = tuple(f"dadapt-adam/{d}" for d in ("authors", "decoupled", "corrected", "running"))
ADVISED |= {
    (dialect, f"sum_of_gradients: {mistake}")
    for dialect in DADAPTED
    for mistake in ("sign flipped", "factor missing")
}
PRODIGIES = tuple(d for d in DIALECTS if d.startswith("prodigy/"))
ADVISED |= {
    (dialect, f"weight: {mistake}")
    for dialect in PRODIGIES
    for mistake in ("sign flipped", "factor missing")
}
# Betas of the whole optimizer have no other value in a group, and a change of them is advised only.
ADVISED |= {
    (dialect, f"{equation}: {beta} kept from construction, groups and changes ignored")
    for dialect in (*DADAPTED, *PRODIGIES)
    for equation in ("first_moment", "second_moment", "smoothing", "corrected_rate")
    for beta in ("beta1", "beta2", "beta3")
}
# What no run shows and no algebra here proves: a gradient that is the decay reversed in every lane.
UNDECIDED = {("lars/decayed", "direction: condition ignored")}
# A direction of zero is no step, whatever its ratio; with decay it is zero where a gradient is the
# decay reversed in every lane, as above.
UNDECIDED |= {
    (f"lamb/{dialect}", f"trust_ratio: {mistake}")
    for dialect in ("decay-inside", "decoupled", "with-decay")
    for mistake in ("strictness of the comparison", "threshold one lower")
}
# Whether |g| + wd |w| is above zero, where |w| is, |g| + wd, |g| + wd wd |w| and (|g| + wd) |w| say
# as well.
UNDECIDED |= {
    ("lars/vectors", f"trust_ratio: {mistake}")
    for mistake in ("factor missing", "factor twice", "bracket around both terms")
}
# In the first step the sum of gradients before it is 0, and so is what agrees with it.
UNDECIDED |= {(d, "average_agreement: r starts as its first input") for d in DADAPTED}
# The way from the start is 0 there.
UNDECIDED |= {(d, "way: n starts as its first input") for d in PRODIGIES}
# Both sums grow by the same weight, whose unit does not matter as long as it stays.
UNDECIDED |= {
    (d, f"weight: d0 {mistake}") for d in PRODIGIES for mistake in ("times ten", "halved")
}
# The sum of gradients is asked for its size alone.
UNDECIDED |= {(d, "sum_of_gradients: sign flipped") for d in PRODIGIES}
# As long as there was no gradient at all, the first moment is 0, and so is the update.
UNDECIDED |= {(d, "update: executed last") for d in PRODIGIES}
# A sign is as large as its square.
UNDECIDED |= {("adamuon/paper", "normalise: absolute value instead of square")}
# Of the factor of the rows nothing but its proportion to its own mean counts, unless that is kept
# from zero.
UNDECIDED |= {
    (dialect, f"row_factor: {mistake}")
    for dialect in DIALECTS
    if dialect.startswith("adafactor/")
    for mistake in ("sign flipped", "sum instead of mean")
}
# The warm-up ends at t = T with the factor 1; so does the step after it, counted one behind.
UNDECIDED |= {
    (dialect, "rate: step counter one behind")
    for dialect in DIALECTS
    if dialect.startswith(("schedulefree-sgd/", "schedulefree-adamw/"))
}
# Searches along a line write what no run can show. In a bracket that is found, or that no attempt
# makes narrower, the second end is where the search stands already; where both ends are one, it is
# never read; and whatever a bracket begins with, its second end is replaced.
WOLFE = "lbfgs/strong-wolfe"
UNDECIDED |= {
    (WOLFE, f"end_step: {mistake}")
    for mistake in (
        "old t instead of new", "condition ignored", "strictness of the comparison",
        "threshold one higher",
    )
}  # fmt: skip
# Losses that are equal are so by rounding, and ends that are equal leave nothing to search.
UNDECIDED |= {
    (WOLFE, f"{equation}: strictness of the comparison") for equation in ("low", "cubic_minimum")
}
# A step beyond an end of the bracket is moved back from that end, whether it is put there before or
# not; none is left of the first end.
UNDECIDED |= {(WOLFE, f"interpolation: {m}") for m in ("min missing", "max missing", "left out")}
UNDECIDED |= {(WOLFE, "step_length: abs missing")}
# Without a search nothing reads the count any more; with one this is dead, and the other way round.
UNDECIDED |= {(WOLFE, "used: executed last")}
# The first direction of all writes these before anything reads them, and a last step of zero length
# is not remembered: what follows then is the gradient.
UNDECIDED |= {
    (WOLFE, f"{equation}: {state} starts at {value}")
    for equation, state in (
        ("direction", "d"), ("step_length", "t"), ("last_gradient_kept", "g_old"),
        ("last_loss_kept", "f_old"),
    )
    for value in (1, 0.1)
}  # fmt: skip
UNDECIDED |= {(WOLFE, "direction: the other branch always taken")}
UNDECIDED |= {(WOLFE, "last_loss_kept: f_old is never stored")}
# A mean of squares is never less than the square of the mean, unless alpha is above 1; and beside
# eps no rounding shows that.
SURVIVED = {
    (dialect, "variance: the other branch always taken")
    for dialect in DIALECTS
    if dialect.startswith("rmsprop/")
}
# Where beta2 and the learning rate are 0 at once the sum of gradients is lost, the moment is not.
SURVIVED |= {("dadapt-adam/running", "update: executed last")}
EXCUSED = {("advised", *known) for known in ADVISED} | {("undecided", *k) for k in UNDECIDED}
EXCUSED |= {("survived", *known) for known in SURVIVED}


@cache
def judge(dialect: str) -> Judge:
    return Judge(spec.get(dialect))


@cache
def everything(dialect: str) -> list[Mutant]:
    return list(all_mutants(spec.get(dialect)))


def assert_caught(fates: list[Fate]) -> None:
    assert fates
    known = {"killed", "equivalent"}
    left = [
        f
        for f in fates
        if f.status not in known and (f.status, f.algorithm.full_name, f.mutant.name) not in EXCUSED
    ]
    assert not left, "\n".join([*map(str, left), table(fates)])


@pytest.mark.parametrize("dialect", each_dialect(share=4))
def test_the_specification_itself_fails_nothing(dialect: str):
    algorithm = spec.get(dialect)
    assert killer(Model(algorithm), algorithm) == ""


def test_the_subject_of_the_mutants_is_judged_completely():
    report = check(subject(Model(spec.get("adamw"))), "adamw")
    assert report.ok, report.to_text()
    assert not report.coverage.unseen
    skipped = {id_ for id_, _ in report.coverage.skipped}
    needs_more = {"closure/missing", "checkpoints/device", "modes/grad-scale"}
    assert skipped == {f"adamw/{name}" for name in needs_more}
    assert len(report.mapping) == 2


@pytest.mark.parametrize(
    ("dialect", "part"),
    [
        # All of SGD's in every run, and one part of AdamW's.
        pytest.param(
            dialect, part, marks=() if dialect == WHOLE[0] or not part else pytest.mark.slow
        )
        for dialect in WHOLE
        for part in range(PARTS)
    ],
)
def test_every_mutant_is_caught(dialect: str, part: int):
    assert_caught([judge(dialect).fate(m) for m in everything(dialect)[part::PARTS]])


@pytest.mark.parametrize("dialect", [d for d in sorted(BY_DEFAULT) if d not in WHOLE])
def test_a_few_mutants_are_caught(dialect: str):
    chosen = few(mutants(spec.get(dialect)), FEW)
    assert len(chosen) == FEW
    assert_caught([judge(dialect).fate(m) for m in chosen])


@pytest.mark.slow
@pytest.mark.parametrize("dialect", [d for d in DIALECTS if d not in WHOLE])
def test_every_mutant_of_the_other_dialects_is_caught(dialect: str):
    assert_caught([judge(dialect).fate(m) for m in everything(dialect)])


@pytest.mark.parametrize("dialect", WHOLE)
def test_the_short_cut_says_what_the_check_says(dialect: str):
    algorithm = spec.get(dialect)
    found = set()
    for mutant in sample(everything(dialect), 8):
        session = Session(subject(mutant.model), algorithm)
        failed = fails(session.checks[f"{session.prefix}/numerics/trajectory"], session)
        assert bool(judge(dialect).leaves_trajectory(mutant.model)) == failed
        found.add(failed)
    assert found == {True, False}


def test_a_mistake_behind_an_argument_is_no_equivalent():
    (mutant,) = [m for m in everything("adamw/torch") if m.name == "maximum: max and min exchanged"]
    status, why = judge("adamw/torch").of_equations(mutant)
    assert (status, why[:12]) == ("survived", "{'amsgrad': ")
    assert judge("adamw/torch").fate(mutant).by == "adamw/options/amsgrad-raw"


def test_what_the_specification_fails_tells_of_no_mistake():
    # What belongs to the whole optimizer is kept as numpy has it, which torch refuses to load.
    assert not judge("prodigy/authors").tells("prodigy/checkpoints/weights-only")


def test_equivalence_is_proved_and_never_assumed():
    fates = [judge("sgd/torch").fate(m) for m in sample(everything("sgd/torch"), 4)]
    for f in [f for f in fates if f.status == "equivalent"]:
        assert f.by
    assert {f.status for f in fates} == {"killed", "equivalent"}
