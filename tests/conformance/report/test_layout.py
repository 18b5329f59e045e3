from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from instep.conformance.report.layout import GAP, Page, columns

words = st.text(st.characters(codec="ascii", exclude_categories=("Cc", "Zs")), max_size=120)
chunks = st.lists(words, min_size=1, max_size=6).map(" ".join)


@given(st.integers(40, 120), st.lists(chunks, min_size=1, max_size=6))
def test_no_line_is_wider_than_the_page(width, pieces):
    page = Page(width)
    page.row("label", *pieces)
    page.line(*pieces)
    page.rows("label", pieces)
    assert max(map(len, page.text().split("\n"))) <= width


@given(st.integers(40, 120), st.lists(chunks, min_size=1, max_size=6))
def test_nothing_is_lost(width, pieces):
    page = Page(width)
    page.row("label", *pieces)
    assert "".join(page.text().split()) == "label" + "".join("".join(pieces).split())


def test_chunks_stay_whole_where_they_fit():
    page = Page(40)
    page.row("label", "a b c d", "e f g h i j k l m n")
    assert page.text() == "  label        a b c d\n" + " " * 15 + "e f g h i j k l m n\n"


def test_a_chunk_that_is_too_long_hangs_at_the_text():
    page = Page(40)
    page.line("OUT OF STEP", "a sentence that does not fit one line")
    assert page.text() == (
        "OUT OF STEP\n" + " " * 15 + "a sentence that does not\n" + " " * 15 + "fit one line\n"
    )


def test_nothing_is_markup():
    page = Page(80)
    page.row("requirement", "betas[0] in [0, 1) :smile: [bold]")
    assert "betas[0] in [0, 1) :smile: [bold]" in page.text()


def test_there_are_never_two_blank_lines():
    page = Page(40)
    page.blank()
    page.line("a")
    page.blank()
    page.blank()
    page.line("b")
    assert page.text() == "a\n\nb\n"


def test_columns_stand_below_each_other():
    gap = " " * GAP
    assert columns([("a", "bbb"), ("cc", "d")]) == [f"a {gap}bbb", f"cc{gap}d"]
