"""Texts from the definitions reach a page letter by letter."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime

import pytest
import yaml

from sdmx_service.publication import typst as marks
from sdmx_service.publication.markdown import verbatim
from sdmx_service.publication.rendering.execution import Page
from sdmx_service.publication.rendering.front_matter import front_matter

pypandoc = pytest.importorskip("pypandoc")
typst = pytest.importorskip("typst")

TEXTS = (
    "cost $5 and $6 @fig-a *a* _b_ <c> #d {{< meta title >}} ::: x",
    "# h",
    "1. one",
    "A. Alfons",
    "(a) x",
    "::: {.box}",
    "+ x",
    "a -- b --- c ... d .. e",
    "---",
    "> q",
    "| a | b |",
    "[l](u) ![i](u) [^1] ^[n]",
    "```py",
    "\\alpha \\(x\\) &amp; &lt;",
    "'q' \"q\"",
    "x^2^ H~2~O ~~s~~",
    "<b>bold</b> <!-- c -->",
    ": def",
    "Table: x",
    "http://a.b/?c=1&d=2#e",
)


def _pandoc(text: str, *arguments: str) -> str:
    return subprocess.run(
        [pypandoc.get_pandoc_path(), *arguments],
        input=text,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    ).stdout


@pytest.fixture(scope="module")
def reader(repository) -> str:
    return yaml.safe_load((repository / "reports" / "_quarto.yml").read_text("utf-8"))["from"]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("before", ["", "- ", "### "])
def test_a_text_is_one_block_that_says_it_letter_by_letter(reader, text, before):
    for read in (reader, "markdown"):
        read_as = json.loads(_pandoc(f"p\n\n{before}{verbatim(text)}\n", "-f", read, "-t", "json"))
        kind = {"": "Para", "- ": "BulletList", "### ": "Header"}[before]
        assert [block["t"] for block in read_as["blocks"]] == ["Para", kind]
        said = _pandoc(
            json.dumps(read_as | {"blocks": read_as["blocks"][1:]}),
            *("-f", "json", "-t", "plain", "--wrap=none"),
        )
        assert said.strip().removeprefix("-   ").removeprefix("- ") == text


def test_titles_are_not_read_as_markup():
    page = Page("p", TEXTS[0], 'a "b" -- c', "en", "x")
    head = front_matter(page, release_id="R--1", published=datetime(2026, 11, 24, tzinfo=UTC))
    said = _pandoc(head + "x\n", "-f", "markdown", "-t", "html", "--standalone")
    assert "cost $5 and $6 @fig-a *a* _b_ &lt;c&gt; #d {{&lt; meta title &gt;}} ::: x" in said


@pytest.mark.parametrize("text", [*TEXTS, "{{{< a >}}}"])
def test_a_typst_literal_says_it_and_holds_no_shortcode(text):
    written = marks.literal(text, hashed=True)
    assert "{{" not in written
    source = f"#metadata({written[1:]}) <said>"
    assert json.loads(typst.query(source.encode(), "<said>", field="value", one=True)) == text
