"""Errors as people in a browser meet them."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from html import unescape
from pathlib import Path

import httpx
import pytest
from lxml import etree

pytestmark = pytest.mark.service

CHROMIUM = Path("/usr/bin/chromium")
AXE = Path(os.environ.get("AXE") or "build/axe/node_modules/axe-core/axe.min.js")
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
WRONG = [
    ("/nowhere", 404),
    ("/rest/data/DF_NONE", 404),
    ("/rest/data/DF_POV/A.XX", 404),
    ("/rest/data/DF_POV?startperiod=2019", 400),
    ("/rest/data/DF_POV?format=docx", 406),
    ("/rest/data/DF_POV?compression=compress", 406),
    ("/sdmx/v2/data/dataflow/SIS/DF_POV?c%5BNONE%5D=1", 422),
    ("/rest/data/" + "A" * 5000, 414),
]


@pytest.mark.parametrize(("path", "status"), WRONG)
def test_a_browser_gets_a_page_that_says_what_the_problem_says(
    web: httpx.Client, path: str, status: int
) -> None:
    answer = web.get(path, headers=BROWSER)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "Accept" in answer.headers["vary"]
    text = unescape(answer.text)
    problem = web.get(path).json()
    for part in ("where", "got", "expected", "hint"):
        assert problem.get(part, "") in text
    assert '<a href="/">' in text


def test_a_program_that_takes_anything_gets_no_page(web: httpx.Client) -> None:
    for accept in ("*/*", "application/json, text/html;q=0.5", "text/csv", "text/html;q=0"):
        answer = web.get("/nowhere", headers={"Accept": accept})
        assert answer.headers["content-type"] == "application/problem+json"


def test_what_was_sent_is_text_on_the_page(web: httpx.Client) -> None:
    word = "<script>alert(1)</script>\"'"
    for path in (f"/rest/data/{word}", f"/rest/data/DF_POV?{word}=1", f"/rest/{word}"):
        answer = web.get(path, headers=BROWSER)
        assert 400 <= answer.status_code < 500
        page = etree.HTML(answer.text)
        assert page.findall(".//script") == []
        assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_no_violation_on_an_error(service: str, scheme: str, width: int) -> None:
    if not CHROMIUM.exists() or not AXE.exists():
        pytest.skip("chromium or axe-core is not installed; .ci/run installs both")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(
            viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
        )
        page.goto(f"{service}/rest/data/DF_POV?format=docx")
        page.evaluate(AXE.read_text("utf-8"))
        assert page.evaluate("axe.run().then(r => r.violations.map(v => v.id))") == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        browser.close()


@pytest.mark.browser
def test_a_file_of_the_front_page_is_saved_with_its_ending(service: str) -> None:
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed; .ci/run installs it")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        page.goto(service)
        for word, ending in (("CSV", "csv"), ("Excel", "xlsx"), ("JSON", "json"), ("XML", "xml")):
            with page.expect_download() as saved:
                page.get_by_label(f"{word} of DF_POV", exact=True).click()
            assert saved.value.suggested_filename == f"DF_POV.{ending}"
        browser.close()


def test_a_release_that_cannot_be_read_is_told_to_who_runs_the_service_alone(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    running: Callable[[Path], AbstractContextManager[str]],
) -> None:
    with running(tmp_path / "secret") as address, httpx.Client(verify=False) as client:
        for accept in ("*/*", "application/xml", BROWSER["Accept"]):
            answer = client.get(f"{address}/rest/data/DF_POV", headers={"Accept": accept})
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
            assert "a fault of ours" in answer.text or "No release is ready" in answer.text
            assert "folder" not in answer.text
            assert "secret" not in answer.text
    assert "a folder with a published release" in caplog.text
