"""Assignments that nothing reads are gone: equations this class does not need, joins, copies."""

from __future__ import annotations

from instep.reference.generate.lower.form import Assign, Block, Branch, Program, Statement, leaves


def remove_dead(program: Program) -> Program:
    """Keep what stores a state or the parameter, and whatever that reads."""
    block, _ = _live(program.block, {program.result})
    return program.with_block(block)


def _live(block: Block, wanted: set[str]) -> tuple[Block, set[str]]:
    """The block without dead assignments, and the names wanted before it."""
    out: list[Statement] = []
    wanted = set(wanted)
    for s in reversed(block):
        match s:
            case Assign(target, value, _, stores):
                if target not in wanted and not stores:
                    continue
                wanted.discard(target)
                wanted |= set(leaves(value))
                out.append(s)
            case Branch(condition, then, otherwise):
                (yes, first), (no, second) = _live(then, wanted), _live(otherwise, wanted)
                if yes or no:
                    wanted = first | second | set(leaves(condition))
                    out.append(Branch(condition, yes, no))
    return tuple(reversed(out)), wanted
