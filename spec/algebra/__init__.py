"""The algebra of specifications: are two algorithms the same, and if not, where do they differ.

from instep.spec.algebra import difference, equal, program

equal("adam/paper", program("adam/eps-hat", bindings={"eps": "eps*sqrt(1 - beta2**t)"})).status
print(difference("adam/paper", "adam/eps-hat").to_text())
"""

from __future__ import annotations

from instep.spec.algebra.change_of_variables import change_of_variables
from instep.spec.algebra.counterexample import Counterexample
from instep.spec.algebra.difference import Difference, difference
from instep.spec.algebra.equivalence import Budget, Verdict, equal
from instep.spec.algebra.expressions import infix, parse
from instep.spec.algebra.program import Program, program
from instep.spec.algebra.proof import Proof
from instep.spec.algebra.step_map import Path, StepMap, step_map
from instep.spec.algebra.to_sympy import Translator, to_sympy

__all__ = [
    "Budget", "Counterexample", "Difference", "Path", "Program", "Proof", "StepMap", "Translator",
    "Verdict", "change_of_variables", "difference", "equal", "infix", "parse", "program",
    "step_map", "to_sympy",
]  # fmt: skip
