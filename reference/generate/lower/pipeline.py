"""The passes, in order."""

from __future__ import annotations

from instep.reference.generate.lower.apply_rules import apply_rules
from instep.reference.generate.lower.eliminate_common import eliminate_common
from instep.reference.generate.lower.factor_branches import factor_branches, merge_branches
from instep.reference.generate.lower.fold_scalings import fold_scalings
from instep.reference.generate.lower.form import Program
from instep.reference.generate.lower.hoist_scalars import hoist_scalars
from instep.reference.generate.lower.remove_dead import remove_dead
from instep.reference.generate.lower.single_assignment import single_assignment
from instep.spec import ir
from instep.spec.model import Algorithm

PASSES = (
    remove_dead,
    hoist_scalars,
    eliminate_common,
    factor_branches,
    fold_scalings,
    remove_dead,
    merge_branches,
    apply_rules,
)


def lower(algorithm: Algorithm, body: ir.Body) -> Program:
    """The resolved body as a program of fused, shared and folded equations.

    Raises:
        NoListFormError: a body that has no straight-line form.
    """
    program = single_assignment(algorithm, body)
    for run in PASSES:
        program = run(program)
    return program
