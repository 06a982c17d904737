"""The subset of Quarto that the fallback reads, and the project's own documents in it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from sdmx_service.errors import RenderError
from sdmx_service.publication.rendering.execution import execute
from sdmx_service.publication.rendering.quarto_document import read_document
from sdmx_service.publication.rendering.quarto_engine import quarto_path
from sdmx_service.publication.rendering.render import Engine, choose_engine

HEAD = "---\ntitle: T\n---\n\n"


def _write(folder: Path, body: str) -> Path:
    path = folder / "page.qmd"
    path.write_text(HEAD + body, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "body",
    [
        "{{< include other.qmd >}}",
        "::: {.panel-tabset}\nA\n:::",
        "As @fig-one shows",
        "It is `{python} x`.",
        "```{r}\n1\n```",
        "```{python}\n#| fig-cap: A\n1\n```",
    ],
)
def test_a_construct_outside_the_subset_is_refused_with_file_and_line(tmp_path, body):
    with pytest.raises(RenderError, match=r"page\.qmd:[56]"):
        read_document(_write(tmp_path, body))


def test_an_unknown_front_matter_key_is_refused(tmp_path):
    path = tmp_path / "page.qmd"
    path.write_text("---\ntitle: T\nbibliography: x.bib\n---\n", encoding="utf-8")
    with pytest.raises(RenderError, match=r"page\.qmd:3.*bibliography"):
        read_document(path)


def test_text_that_only_shows_code_is_left_alone(tmp_path):
    document = read_document(_write(tmp_path, "```\n{{< not a shortcode here >}}\n```\n"))
    assert "not a shortcode" in execute(document, "page", {}).markdown


def test_a_mistake_in_a_cell_names_its_line(tmp_path):
    document = read_document(
        _write(tmp_path, "Text\n\n```{python}\n#| echo: false\nx = = 1\n```\n")
    )
    with pytest.raises(RenderError, match=r"page\.qmd:9"):
        execute(document, "page", {})


def test_a_parameter_that_no_cell_declares_is_refused(tmp_path):
    body = "```{python}\n#| tags: [parameters]\narea = 'A'\n```\n"
    with pytest.raises(RenderError, match="parameter region"):
        execute(read_document(_write(tmp_path, body)), "page", {"region": "B"})


@pytest.mark.parametrize("name", ["national", "subnational", "methods"])
def test_the_documents_of_the_project_stay_in_the_subset(repository, name):
    document = read_document(repository / "reports" / f"{name}.qmd")
    assert document.front_matter["title"]
    assert sum(cell.holds_parameters for cell in document.cells) == 1
    for cell in document.cells:
        assert cell.options["echo"] is False
        assert len(cell.code.splitlines()) <= 10
        imports = [line for line in cell.code.splitlines() if "import" in line]
        assert all(line.startswith("from sdmx_service") for line in imports)


def test_the_project_asks_quarto_for_nothing_from_the_network(repository):
    content = yaml.safe_load((repository / "reports" / "_quarto.yml").read_text("utf-8"))
    html, paper = content["format"]["html"], content["format"]["typst"]
    assert html["theme"] == "none"
    assert html["embed-resources"] is True
    assert html["html-math-method"] == "mathml"
    assert paper["pdf-standard"] == "ua-1"
    for name in (html["template"], html["css"], paper["template"], paper["include-in-header"]):
        assert "://" not in (repository / "reports" / name).read_text("utf-8")


def test_quarto_makes_no_typst_of_the_tables_for_the_screen(repository):
    content = yaml.safe_load((repository / "reports" / "_quarto.yml").read_text("utf-8"))
    assert content["html-table-processing"] == "none"


def test_the_page_says_its_document_type_as_quarto_looks_for_it(repository):
    # Quarto keeps what matches ^<!DOCTYPE.*?> in that case only; without it browsers use quirks.
    page = (repository / "reports" / "styles" / "page.html").read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>")


@pytest.mark.skipif(quarto_path() is not None, reason="Quarto is installed here")
def test_asking_for_quarto_where_there_is_none_fails_hard():
    with pytest.raises(RenderError, match="engine quarto"):
        choose_engine(Engine.QUARTO)
    assert choose_engine(Engine.AUTO) is Engine.FALLBACK
