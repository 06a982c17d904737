"""The rendered pages: words, accessibility, no request, paper that is tagged."""

from __future__ import annotations

import html
import os
import re
from pathlib import Path

import pytest

from sdmx_service.publication.rendering.render import Engine, render
from sdmx_service.publication.wording import avoided_words

pytestmark = pytest.mark.slow
CHROMIUM = Path("/usr/bin/chromium")
AXE = Path(os.environ.get("AXE") or "build/axe/node_modules/axe-core/axe.min.js")


def _words(page: Path) -> str:
    text = page.read_text("utf-8")
    text = re.sub(r"<(style|svg|pre).*?</\1>", " ", text, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", " ", text))


def test_every_planned_page_is_there_twice_and_the_index_links_it(rendered):
    out, report = rendered
    assert report.engine is Engine.FALLBACK
    index = (out / "index.html").read_text("utf-8")
    for name in ("ZZ", "ZZ-1", "ZZ-2", "ZZ-3", "methods"):
        for suffix in (".html", ".pdf"):
            assert (out / f"{name}{suffix}").stat().st_size > 10_000
            assert f'href="{name}{suffix}"' in index


def test_no_page_uses_an_avoided_word(rendered):
    out, _ = rendered
    for page in out.glob("*.html"):
        assert avoided_words(_words(page)) == [], page.name


def test_no_page_names_anything_to_load(rendered):
    out, _ = rendered
    for page in out.glob("*.html"):
        text = page.read_text("utf-8")
        assert "<script" not in text
        assert not re.search(r"<(link|img|iframe)\b", text)
        assert not re.search(r"@import|url\((?!#)", text)


def test_synthetic_data_are_named_at_the_head_and_at_every_source(rendered):
    out, _ = rendered
    for name in ("ZZ", "ZZ-1"):
        text = (out / f"{name}.html").read_text("utf-8")
        assert '<p class="warn"><strong>Synthetic data' in text
        sources = re.findall(r'<p class="src">(.*?)</p>', text)
        assert sources
        assert all("synthetic" in source for source in sources)


def test_a_domain_without_data_is_one_line_and_no_chart(rendered):
    out, _ = rendered
    text = (out / "ZZ.html").read_text("utf-8")
    assert "No data in this release" in text
    assert 'id="domain-MOB"' not in text


def test_the_truth_table_prints_every_level_and_sets_no_pass_mark(rendered):
    out, _ = rendered
    words = " ".join(_words(out / "methods.html").split())
    assert "1 of 1 for nation; 2 of 2 for urban/rural; 2 of 3 for region" in words
    assert "no pass mark" in words


def test_paper_is_tagged_and_titled(rendered):
    out, _ = rendered
    for page in out.glob("*.pdf"):
        content = page.read_bytes()
        assert b"/MarkInfo" in content, page.name
        assert b"/StructTreeRoot" in content, page.name
        assert b"pdfuaid" in content, page.name


def test_the_same_release_gives_the_same_pages(
    rendered, release, repository, tmp_path, monkeypatch
):
    out, _ = rendered
    monkeypatch.setattr("sdmx_service.open_release", lambda path, id=None: release, raising=False)
    again = tmp_path / "again"
    render(repository, release, again, engine=Engine.FALLBACK, areas=["ZZ-1"])
    for name in ("ZZ-1.html", "ZZ-1.pdf", "methods.pdf"):
        assert (again / name).read_bytes() == (out / name).read_bytes()


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed; .ci/run installs it")
    if not AXE.exists():
        pytest.skip("axe-core is not installed: the environment variable AXE names axe.min.js")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
        )
        yield running
        running.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360), ("light", 320)])
@pytest.mark.parametrize("name", ["ZZ", "ZZ-3", "methods", "index"])
def test_axe_finds_no_violation_and_nothing_scrolls_sideways(
    rendered, browser, name, scheme, width
):
    out, _ = rendered
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((out / f"{name}.html").as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run().then(r => r.violations.map(v => v.id))")
    wide = page.evaluate("document.documentElement.scrollWidth")
    page.close()
    assert found == []
    assert wide <= width
    assert [url for url in asked if not url.startswith("file:")] == []
