"""The command that writes test vectors for other languages."""

from __future__ import annotations

import click

from instep.conformance.cli import output
from instep.conformance.cli.exits import Exit
from instep.conformance.errors import UsageError


@click.command()
@click.argument("specs", nargs=-1, metavar="[SPEC]...")
@click.option("--all", "every", is_flag=True, help="All algorithms in all their dialects.")
@click.option("--out", required=True, metavar="DIR", help="A new or an empty folder.")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest.")
def vectors(specs: tuple[str, ...], every: bool, out: str, as_json: bool) -> int:
    """Write test vectors of each SPEC (adamw, adamw/decay-after, a file) as JSON with hex floats.

    A name without a dialect stands for all its dialects. Other languages read the files and replay
    them; docs/vectors.md shows how.
    """
    if every == bool(specs):
        raise UsageError("which specifications? Name them, or give --all")
    from instep import spec
    from instep.conformance.vectors.write import write_vectors

    manifest = write_vectors(spec.names() if every else specs, out)
    if as_json:
        output.print_json(manifest)
        return Exit.OK
    counts = manifest["counts"]
    click.echo(
        f"{out}: {counts['files']} files of {counts['dialects']} dialects, "
        f"{counts['lanes']} numbers in {counts['steps']} steps"
    )
    for left in manifest["left_out"]:
        click.echo(
            f"left out: {' '.join(filter(None, (left['dialect'], left['case'])))}: {left['reason']}"
        )
    return Exit.OK


COMMANDS = (vectors,)
