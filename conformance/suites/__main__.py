"""`python -m instep.conformance.suites`: list the frozen suites, freeze one."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from instep.conformance.errors import UsageError
from instep.conformance.suites import names
from instep.conformance.suites.freezing import freeze

USAGE = "usage: python -m instep.conformance.suites [freeze NAME [--again]]"


def main(arguments: Sequence[str]) -> int:
    """Do what the words say; the exit code."""
    words = [word for word in arguments if word != "--again"]
    try:
        if words[:1] == ["freeze"] and len(words) == 2:
            print(freeze(words[1], again="--again" in arguments))
        elif not arguments:
            print("\n".join(names()))
        else:
            raise UsageError(USAGE)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
