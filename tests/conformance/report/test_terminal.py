from __future__ import annotations

import dataclasses
import io

import pytest
from rich.console import Console

from instep.conformance.report.block import Context, block_text
from instep.conformance.report.model import OutOfStepError
from instep.conformance.report.terminal import print_report, to_text


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_every_report_fits(any_report, width):
    lines = to_text(any_report, width, every=True).splitlines()
    assert max(map(len, lines)) <= width
    assert all(line == line.rstrip() for line in lines)


def test_the_terminal_shows_the_same_text(any_report):
    out = io.StringIO()
    print_report(any_report, Console(file=out, width=80))
    shown = [line.rstrip() for line in out.getvalue().splitlines()]
    assert shown == any_report.to_text(80).splitlines()


def test_a_terminal_gets_colours(reports):
    out = io.StringIO()
    print_report(reports["failing"], Console(file=out, width=80, force_terminal=True))
    assert "\x1b[1;31mOUT OF STEP\x1b[0m" in out.getvalue()


@pytest.mark.parametrize(
    ("kind", "headline"),
    [
        ("passing", "IN STEP  mylib.AdamW with adamw/torch@1"),
        ("failing", "OUT OF STEP  mylib.AdamW with adamw/torch@1"),
        ("errored", "OUT OF STEP  mylib.AdamW with adamw/torch@1"),
        ("poor", "IN STEP  mylib.AdamW with adamw/torch@1"),
        ("any dialect", "IN STEP  mylib.AdamW with adamw/decay-after@1"),
        ("nothing judged", "NOT JUDGED  mylib.AdamW with adamw/torch@1"),
        ("empty", "NOT JUDGED  mylib.AdamW with adamw/torch@1"),
    ],
)
def test_the_first_line_is_the_verdict(reports, kind, headline):
    assert reports[kind].to_text().splitlines()[0] == headline


BLOCK = """\
FAILED  adamw/numerics/update  [MUST]   equation adamw.denominator
  requirement  the denominator is sqrt(v_hat) + eps
  subject      mylib.AdamW(lr=2^-4, betas=(7/8, 63/64), eps=2^-20,
               weight_decay=2^-3)   parameters float32
  where        theta after step 3, parameter 0, lane 17 of 256
               probe eps-crossing
               131 of 640 lanes out of step, all with |g| < 2^-18
  expected     -0.0364281   -0x1.2a6b3f7c81234p-5
  +-            7.57e-09     0x1.04p-27
  got          -0.0330887   -0x1.0f1p-5   7.0e5 bounds off
  first wrong  the update; m and v are in step
  looks like   dialect adamw/eps-hat: eps is added to the root of the
               uncorrected second moment
               reproduces the numbers to 0.31 bounds
               if that is intended: dialect="eps-hat"
               the same numbers: mutant eps-before-correction
  docs         algorithms/adamw/#denominator
  reproduce    instep repro adamw/numerics/update --subject mylib:AdamW --spec
               adamw --set 'betas=(0.9, 0.95)'
  follows      adamw/numerics/float32  [MUST] failed
               adamw/groups/lr  [MUST] failed
"""


def test_a_failure_says_all_there_is_to_say(reports):
    assert BLOCK in reports["broken"].to_text()


def test_only_the_first_numeric_failure_bears_the_diagnosis(reports):
    assert reports["broken"].to_text().count("looks like") == 1


def test_consequences_are_a_line_each_and_have_no_block(reports):
    text = reports["broken"].to_text()
    assert "FAILED  adamw/groups/lr" not in text
    assert text.count("adamw/groups/lr") == 1


def test_a_consequence_whose_cause_did_not_fail_is_not_lost(make_report, reports):
    (orphan,) = [r for r in reports["broken"].results if r.id == "adamw/groups/lr"]
    assert "FAILED  adamw/groups/lr" in make_report(orphan).to_text()


def test_an_error_of_the_subject_shows_its_innermost_frames(reports):
    text = reports["errored"].to_text()
    assert "  raised       step() raised KeyError: 'lr_scale'" in text
    assert "adamw.py:63 in _update" in text
    assert "(1 frame before)" in text
    assert "conformance/subject.py" not in text


def test_frames_without_source_are_shown_too(reports):
    (errored, *_) = reports["errored"].results
    traceback = """Traceback (most recent call last):
  File "a.py", line 1, in outer
    inner()
    ~~~~~^^
  File "<string>", line 7, in inner
  File "b.py", line 3, in deepest
    raise KeyError
KeyError
"""
    text = block_text(dataclasses.replace(errored, traceback=traceback), Context("mylib.AdamW"))
    (start,) = [k for k, line in enumerate(text.splitlines()) if line.startswith("  at")]
    assert [line[15:] for line in text.splitlines()[start:]] == [
        "a.py:1 in outer",
        "  inner()",
        "<string>:7 in inner",
        "b.py:3 in deepest",
        "  raise KeyError",
    ]


def test_insensitive_is_not_taken_for_a_pass(reports):
    text = reports["insensitive"].to_text()
    assert "insensitive  adamw/numerics/bfloat16 neither passed nor failed" in text
    assert "the bound is 16 updates wide" in text


def test_skipped_checks_stand_below_their_reason(reports):
    text = reports["skipped"].to_text()
    assert (
        "  skipped      the subject refuses sparse gradients with a clear error\n"
        "               adamw/sparse/equal-dense\n"
    ) in text


def test_nothing_known_is_said(reports):
    text = reports["nothing known"].to_text()
    assert "looks like   nothing known reproduces these numbers (312 candidates tried)" in text


def test_expected_failures_are_told_from_stale_ones(reports):
    text = reports["expectations"].to_text()
    assert "  expected     adamw/groups/lr fails: issue 12" in text
    assert "  stale        adamw/groups/added was expected to fail and passes" in text


def test_counts_are_by_level_and_status(reports):
    lines = reports["broken"].to_text().splitlines()
    header = next(line.split() for line in lines if line.startswith("  checks"))
    must = next(line.split() for line in lines if line.startswith("  MUST"))
    assert dict(zip(header[1:], must[1:], strict=True)) == {
        "passed": "1",
        "failed": "4",
        "errored": "1",
        "skipped": "1",
        "insensitive": "1",
    }


@pytest.mark.parametrize(
    "said",
    [
        "ran          4 of 4 checks   1 234 567 lanes compared",
        "312 left out: no bound holds there   41 insensitive",
        "worst lane   1.2 bounds off; up to 2 is in step   (adamw/numerics/float32)",
        "sensitivity  would see 1.3e-13 of an update in adamw/numerics/update",
        "and 6.7e-05 in adamw/numerics/float32, the bluntest",
        "precision    float32: float32 throughout, scalars in float64",
        "not seen     runs longer than 24 steps",
        "constructed  mylib.AdamW(lr=0.001, betas=(0.9, 0.95))",
        "matched      m is state['exp_avg'] (by name)",
        "time         2.3 s at level quick",
        "instep 0.1.0, torch 2.13.0, numpy 2.4.6, python 3.11.9",
    ],
)
def test_a_report_says_what_it_could_see(reports, said):
    assert said.replace("e-05", "e-5") in reports["passing"].to_text()


def test_every_check_has_a_line_when_asked(reports):
    text = to_text(reports["skipped"], every=True)
    assert "passed      MUST    adamw/numerics/update   worst 0.93   sees 1.3e-13\n" in text
    assert "skipped     MUST    adamw/sparse/equal-dense\n" in text


def test_a_block_without_command_points_to_the_script(make_report, reports):
    (failed,) = [r for r in reports["failing"].results if r.evidence is not None]
    alone = make_report(failed, reproduction="import torch\n")
    assert "report.reproduction is a script that needs torch alone" in block_text(failed, alone)
    assert "reproduce" not in block_text(failed, Context("mylib.AdamW"))


def test_raising_carries_the_report(reports):
    reports["passing"].raise_for_failures()
    with pytest.raises(OutOfStepError) as error:
        reports["failing"].raise_for_failures()
    assert str(error.value) == reports["failing"].to_text()
