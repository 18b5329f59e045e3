"""Write `reference/eager` and `reference/vectorized` anew from the specifications, or check them.

python -m instep.reference.generate [--check] [SPEC...]
python -m instep.reference.generate --print TARGET SPEC...      # any: "lookahead(adamw)", a file
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from instep.reference.generate import tree
from instep.reference.generate.emit.frame_text import COMMAND
from instep.reference.generate.errors import GenerateError
from instep.reference.generate.source import TARGETS, generate_source
from instep.spec import SpecError, get


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 written or up to date, 1 out of date, 2 a usage or generator error."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 on a difference")
    parser.add_argument("--print", choices=sorted(TARGETS), help="print instead; of any algorithm")
    parser.add_argument("spec", nargs="*", help="names of exported algorithms (default: all)")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.print:
            _print(chosen.spec, chosen.print)
            return 0
        wanted, found = _trees(chosen.spec)
        if chosen.check:
            return _check(wanted, found)
        for path in tree.write(wanted, found):
            print(f"reference/{path}")
    except (GenerateError, SpecError) as error:
        print(f"generate: {error}", file=sys.stderr)
        return 2
    return 0


def _print(names: Sequence[str], target: str) -> None:
    """Modules on standard output; load them with `instep.reference.generate.load_class`."""
    if not names:
        raise GenerateError("--print needs the name of an algorithm")
    print("\n\n".join(tree.format_source(generate_source(get(n), target)) for n in names), end="")


def _trees(names: Sequence[str]) -> tuple[tree.Files, tree.Files]:
    """What should be there, and what is; of the named algorithms alone if any are named."""
    algorithms = tree.exported()
    known = [a.name for a in algorithms]
    for name in names:
        if name not in known:
            raise GenerateError(f"{name!r} is not exported; exported are {', '.join(known)}")
    some = [a for a in algorithms if not names or a.name in names]
    wanted, found = tree.generated_files(some, packages=not names), tree.files_on_disk()
    return wanted, {path: found[path] for path in found if not names or path in wanted}


def _check(wanted: tree.Files, found: tree.Files) -> int:
    difference = tree.differences(wanted, found)
    if difference:
        print(
            f"{difference}\nreference/ is not what spec/ generates; run: {COMMAND}", file=sys.stderr
        )
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main())
