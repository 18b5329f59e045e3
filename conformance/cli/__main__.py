"""`python -m instep.conformance.cli`, where the command is not on the path."""

from __future__ import annotations

from instep.conformance.cli import main

main()
