from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest

from instep.conformance.cli import instep as group

LIGHT = """
import sys
from instep.conformance.cli import run
code = run({arguments!r})
heavy = {{"torch", "sympy", "numpy", "mpmath", "jinja2"}} & set(sys.modules)
print(code, sorted(heavy), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], [], ["check", "--help"], ["check", "nothing"]]
)
def test_what_needs_no_torch_imports_none(tmp_path, arguments):
    script = LIGHT.format(arguments=arguments)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stderr.splitlines()[-1] == f"{2 if 'nothing' in arguments else 0} []"


def test_the_version_is_the_distribution_s(instep):
    assert instep("--version").out == f"instep, version {version('instep')}\n"


def test_without_arguments_the_help_is_printed(instep):
    assert instep().out == instep("--help").out


def test_the_help_lists_every_command_and_the_exit_codes(instep):
    out = " ".join(instep("--help").out.split())
    for name in group.commands:
        assert f" {name} " in out
    assert "Exit codes: 0 in step; 1 out of step" in out


@pytest.mark.parametrize("command", sorted(group.commands))
def test_every_option_says_what_it_does(command):
    for parameter in group.commands[command].params:
        assert parameter.param_type_name == "argument" or parameter.help


def test_an_unknown_command_gets_the_nearest(instep):
    done = instep("chek")
    assert done.code == 2
    assert done.err == "instep: No such command 'chek'. Did you mean 'check'? (see instep --help)\n"


def test_a_reader_that_leaves_is_no_error():
    command = f"{sys.executable} -m instep.conformance.cli list --checks --json | head -c 1"
    script = ["bash", "-c", f"{command}; exit ${{PIPESTATUS[0]}}"]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[", "")
