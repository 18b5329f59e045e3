"""Types that a subject computes in, and the profile of a block that follows from them."""

from __future__ import annotations

import pytest
import torch

from instep.conformance.diagnose import reproduces
from instep.conformance.errors import UsageError
from instep.conformance.oracle import Model
from instep.conformance.profile import FLOAT_TYPES, FloatType, grades
from instep.conformance.suite import Session
from instep.conformance.types import block_type, computed_in
from instep.spec import get

BFLOAT16, HALF, SINGLE = (FLOAT_TYPES[n] for n in ("bfloat16", "float16", "float32"))


def test_results_of_several_lanes_tell_the_type():
    x = torch.ones(3, dtype=torch.float64)

    def work() -> None:
        (x.bfloat16() * 2).double()
        torch.ones((), dtype=torch.float32) + 1
        torch.gt(x, 2)

    assert [t.name for t in computed_in(work)] == ["bfloat16", "float64"]


def test_a_block_is_as_narrow_as_it_was_seen_to_be_and_may_be():
    assert block_type(BFLOAT16, [BFLOAT16, SINGLE]) is BFLOAT16
    assert block_type(SINGLE, [BFLOAT16, SINGLE]) is SINGLE
    assert block_type(SINGLE, [BFLOAT16]) is None


def test_grades_name_the_blocks_that_are_narrower():
    (strict, loose) = grades("float32", blocks={"inside": BFLOAT16})
    assert strict.name == "float32 throughout, scalars in float64, inside in bfloat16"
    assert strict.of_block("inside").unit == 2.0**-8
    assert strict.of_block("") is strict
    assert loose.of_block("inside").scalar_unit == 2.0**-24
    assert not any(p.blocks for p in grades("bfloat16", blocks={"inside": BFLOAT16})[1:])


def blocks(subject: type, dialect: str = "muon", **keywords: object) -> dict[str, FloatType]:
    context = Session(subject, dialect, **keywords).context
    return context.blocks(context.algorithm)


class Own(torch.optim.Muon):
    """Everything in the parameter's type."""

    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                p.data.sub_(group["lr"] * p.grad)


def test_a_dialect_that_computes_a_block_in_the_parameters_type_admits_no_other():
    assert blocks(torch.optim.Muon, "muon/own-type") == {}
    session = Session(torch.optim.Muon, "muon/own-type")
    assert session.run("muon/numerics/trajectory").status == "failed"


def test_candidates_are_seen_in_the_types_of_their_own_blocks():
    """A block that the checked dialect has in the parameter's type may be narrow in another."""
    context = Session(torch.optim.Muon, "muon/own-type").context
    recording = context.record(context.probes.make("x", steps=3))
    assert recording.blocks(get("muon/torch")) == {"orthogonalise": BFLOAT16}
    assert reproduces(Model(get("muon/torch")), recording)
    assert not reproduces(Model(get("muon/own-type")), recording)


def test_what_a_step_does_decides_and_what_is_declared_overrides():
    assert blocks(torch.optim.Muon) == {"orthogonalise": BFLOAT16}
    assert blocks(Own).get("orthogonalise", FLOAT_TYPES["float64"]).bits == 53
    declared = blocks(torch.optim.Muon, profile={"orthogonalise": "float16"})
    assert declared == {"orthogonalise": HALF}
    with pytest.raises(UsageError, match=r"it says state=T or orthogonalise=T, with T one of"):
        blocks(Own, profile={"newton": "float16"})
