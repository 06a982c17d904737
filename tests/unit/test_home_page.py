"""The front page for people."""

from __future__ import annotations

import pytest
from lxml import etree

from sdmx_service.web.homepage import home_page

FLOW = {
    "id": "DF",
    "name": "A <name>",
    "language": "en",
    "observations": 0,
    "structure": "http://h/s",
    "availability": "http://h/a",
    "data": {},
}
LISTED = {
    "title": "Figures",
    "release": "R",
    "published": "2026-01-02T03:04:05+00:00",
    "entryPoints": {},
    "resources": {},
    "formats": {},
    "structureFormats": {},
    "metadataFormats": {},
    "schemaFormats": {},
    "examples": [],
    "tries": [],
}


@pytest.mark.parametrize(
    ("language", "marks"),
    [
        ("en", {}),
        ("", {}),
        ("fr", {"lang": "fr", "dir": "auto"}),
        ("ar", {"lang": "ar", "dir": "auto"}),
    ],
)
def test_a_name_in_another_language_than_the_page_says_so(
    language: str, marks: dict[str, str]
) -> None:
    """WCAG 2.2, 3.1.2: a screen reader needs it to speak the name, a browser its direction."""
    page = etree.HTML(home_page({**LISTED, "dataflows": [{**FLOW, "language": language}]}))
    assert page.get("lang") == "en"
    [cell] = (one for one in page.iter("td") if one.text == "A <name>")
    assert dict(cell.attrib) == marks
