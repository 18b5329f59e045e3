"""What is read later: the names that have to keep their values at each statement."""

from __future__ import annotations

from instep.reference.generate.lower.form import Assign, Block, Branch, Statement, leaves


def with_liveness(block: Block, live: set[str]) -> list[tuple[Statement, set[str]]]:
    """Each statement with the names that are read after it."""
    out: list[tuple[Statement, set[str]]] = []
    for statement in reversed(block):
        out.append((statement, set(live)))
        live = _live_before(statement, live)
    return out[::-1]


def _live_before(statement: Statement, live: set[str]) -> set[str]:
    match statement:
        case Assign(target, value):
            return (live - {target}) | set(leaves(value))
        case Branch(condition, then, otherwise):
            before = set(leaves(condition))
            for side in (then, otherwise):
                inner = set(live)
                for s in reversed(side):
                    inner = _live_before(s, inner)
                before |= inner
            return before
