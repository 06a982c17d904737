"""Texts that look like markup are printed letter by letter on every page."""

from __future__ import annotations

import html
import re

import pytest

from sdmx_service.publication.rendering.render import Engine, render

MARKUP = "A $5 of $6 @fig-x *star* _line_ <b> #no {{< meta title >}} ~~x~~ [l](u) a -- b"


def _marked(told):
    if isinstance(told, dict):
        return {
            key: f"{said} {MARKUP}"
            if key in ("name", "definition", "limits", "title", "design", "note", "licence")
            else _marked(said)
            for key, said in told.items()
        }
    if isinstance(told, list):
        return [
            f"{said} {MARKUP}" if said == "Nobody was asked." else _marked(said) for said in told
        ]
    return told


@pytest.fixture(scope="module")
def pages(invented, repository, tmp_path_factory):
    class Hostile(invented.InventedRelease):
        title = f"Invented {MARKUP}"

        @property
        def definitions(self):
            told = super().definitions
            return {
                name: _marked(told[name]) for name in told if name not in ("breakdowns", "areas")
            } | {"breakdowns": told["breakdowns"], "areas": told["areas"]}

    release = Hostile(tmp_path_factory.mktemp("hostile"))
    out = tmp_path_factory.mktemp("pages")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sdmx_service.open_release", lambda path, id=None: release, raising=False)
        render(repository, release, out, engine=Engine.FALLBACK, areas=["ZZ", "ZZ-1"])
    return out


@pytest.mark.parametrize("name", ["ZZ", "ZZ-1", "methods", "index"])
def test_text_that_looks_like_markup_is_printed_as_it_stands(pages, name):
    page = (pages / f"{name}.html").read_text("utf-8")
    page = re.sub(r"<(style|title)>.*?</\1>", " ", page, flags=re.DOTALL)
    said = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())
    begun = said.count("A $5 of") + said.count("a $5 of")
    assert begun > 0
    assert begun == said.lower().count(MARKUP.lower())
