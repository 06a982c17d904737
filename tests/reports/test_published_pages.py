"""The pages made from this project's own release: words, weight, accessibility."""

from __future__ import annotations

import html
import os
import re
from pathlib import Path

import pytest

from sdmx_service import open_release
from sdmx_service.publication.rendering.render import Engine, render
from sdmx_service.publication.wording import avoided_words

CHROMIUM = Path("/usr/bin/chromium")
AXE = Path(os.environ.get("AXE") or "build/axe/node_modules/axe-core/axe.min.js")
AREAS = ["AT", "AT-9", "NO", "NO07", "XA-03"]


@pytest.fixture(scope="module")
def pages(published: Path, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the pages of some areas of each survey."""
    out = tmp_path_factory.mktemp("pages")
    release = open_release(published)
    render(repository, release, out, engine=Engine.FALLBACK, areas=AREAS)
    return out


def test_the_words_of_the_publication_keep_to_its_standard(pages: Path) -> None:
    for page in pages.glob("*.html"):
        text = re.sub(r"<(style|svg|pre).*?</\1>", " ", page.read_text("utf-8"), flags=re.DOTALL)
        assert avoided_words(html.unescape(re.sub(r"<[^>]+>", " ", text))) == [], page.name


def test_every_figure_names_the_release_and_the_query_that_returns_it(
    pages: Path, published: Path
) -> None:
    release = open_release(published).id
    for name in AREAS:
        text = (pages / f"{name}.html").read_text("utf-8")
        figures = re.findall(r"<figure.*?</figure>", text, flags=re.DOTALL)
        assert figures
        for figure in figures:
            assert release in figure
            assert "/rest/data/SIS,DF_" in figure
            assert "aria-label" in figure
            assert "<table" in figure


def test_a_page_is_light_enough_for_a_slow_line(pages: Path) -> None:
    for page in pages.glob("*.html"):
        assert page.stat().st_size < 1_000_000, page.name


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 320)])
def test_axe_finds_no_violation_on_published_pages(pages: Path, scheme: str, width: int) -> None:
    if not CHROMIUM.exists() or not AXE.exists():
        pytest.skip("chromium or axe-core is not installed; .ci/run installs both")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
        )
        for name in (*AREAS, "methods"):
            page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
            page.goto((pages / f"{name}.html").as_uri())
            page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            page.evaluate(AXE.read_text("utf-8"))
            found = page.evaluate("axe.run().then(r => r.violations.map(v => v.id))")
            assert found == [], name
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            page.close()
        browser.close()
