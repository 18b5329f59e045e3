"""Types that a subject computes in, and the profile of a block that follows from them."""

from __future__ import annotations

import pytest
import torch

from instep.conformance.context import Context
from instep.conformance.errors import UsageError
from instep.conformance.profile import FLOAT_TYPES, grades
from instep.conformance.suite import Session
from instep.conformance.types import block_type, computed_in

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


def context(subject: type, **keywords: object) -> Context:
    return Session(subject, "muon", **keywords).context


class Own(torch.optim.Muon):
    """Everything in the parameter's type."""

    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                p.data.sub_(group["lr"] * p.grad)


def test_what_a_step_does_decides_and_what_is_declared_overrides():
    assert context(torch.optim.Muon).blocks == {"orthogonalise": BFLOAT16}
    assert context(Own).blocks.get("orthogonalise", FLOAT_TYPES["float64"]).bits == 53
    declared = context(torch.optim.Muon, profile={"orthogonalise": "float16"})
    assert declared.blocks == {"orthogonalise": HALF}
    with pytest.raises(UsageError, match=r"it says state=T or orthogonalise=T, with T one of"):
        context(Own, profile={"newton": "float16"})
