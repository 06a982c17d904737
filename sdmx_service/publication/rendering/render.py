"""All pages of a release, by Quarto where it is installed and by the fallback where it is not."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from html import escape
from pathlib import Path
from typing import Protocol

from sdmx_service.errors import NotFound, RenderError
from sdmx_service.publication.edition import Edition, Readable
from sdmx_service.publication.rendering.execution import Page, execute
from sdmx_service.publication.rendering.fallback_engine import render_with_fallback
from sdmx_service.publication.rendering.quarto_document import read_document
from sdmx_service.publication.rendering.quarto_engine import quarto_path, render_with_quarto

__all__ = ["Engine", "Progress", "RenderReport", "StoredRelease", "choose_engine", "render"]

Progress = Callable[[str], None]


class Engine(Enum):
    """What draws the pages; AUTO takes Quarto where it is installed."""

    AUTO = "auto"
    QUARTO = "quarto"
    FALLBACK = "fallback"


class StoredRelease(Readable, Protocol):
    """A release that lies in a folder, so that a cell can open it again."""

    directory: Path


@dataclass(frozen=True, slots=True)
class RenderReport:
    """What was rendered: the engine, and title and path of every page, HTML before PDF."""

    engine: Engine
    pages: tuple[tuple[str, Path], ...]


def choose_engine(engine: Engine) -> Engine:
    """Return QUARTO or FALLBACK; RenderError where Quarto is asked for and is not there."""
    found = quarto_path() is not None
    if engine is Engine.QUARTO and not found:
        raise RenderError(
            "--engine quarto",
            got="no quarto on the path",
            expected="Quarto 1.9 or later",
            hint="install it, set QUARTO_PATH, or leave the engine to choose itself",
        )
    if engine is Engine.AUTO:
        return Engine.QUARTO if found else Engine.FALLBACK
    return engine


def render(
    project: Path,
    release: StoredRelease,
    out: Path,
    *,
    engine: Engine = Engine.AUTO,
    areas: Iterable[str] | None = None,
    progress: Progress = lambda said: None,
) -> RenderReport:
    """Render the reports of a project on a release into ``out``, with an index page.

    ``areas`` narrows them to some countries and areas; without it there is a page for every
    country with a survey and for each of its areas, and the methods page. ``progress`` is told
    what was just done. RenderError where a document or the machine does not allow it.
    """
    chosen = choose_engine(engine)
    reports = project / "reports"
    if not (reports / "_quarto.yml").exists():
        raise RenderError(str(reports / "_quarto.yml"), expected="a Quarto project")
    out.mkdir(parents=True, exist_ok=True)
    pages = _executed(reports, release, areas, progress)
    if chosen is Engine.QUARTO:
        program = quarto_path()
        if program is None:
            raise RenderError("quarto", got="no quarto on the path")
        with tempfile.TemporaryDirectory() as work:
            render_with_quarto(
                program,
                reports,
                pages,
                Path(work),
                out,
                release_id=release.id,
                published=release.published,
            )
        for page in pages:
            progress(f"rendered {page.name}")
    else:
        render_with_fallback(
            reports,
            pages,
            out,
            release_id=release.id,
            published=release.published,
            done=lambda page: progress(f"rendered {page.name}"),
        )
    index = _index(reports, release, pages)
    (out / "index.html").write_text(index, encoding="utf-8")
    made = [("All reports", out / "index.html")]
    made += [
        (page.title, out / f"{page.name}{suffix}") for page in pages for suffix in (".html", ".pdf")
    ]
    return RenderReport(chosen, tuple(made))


def planned_areas(release: Readable, areas: Iterable[str] | None) -> list[str]:
    """Return the areas to report on: each country, then its parts; NotFound for one unknown."""
    edition = Edition(release)
    every = [area for country in edition.countries() for area in (country, *edition.parts(country))]
    if areas is None:
        return every
    wanted = list(areas)
    for area in wanted:
        if area not in every:
            raise NotFound("area", got=area, expected=f"one of {', '.join(every)}")
    return wanted


def _executed(
    reports: Path, release: StoredRelease, areas: Iterable[str] | None, progress: Progress
) -> list[Page]:
    edition = Edition(release)
    given = {"releases": str(release.directory.parent), "release_id": release.id}
    documents = {
        name: read_document(reports / f"{name}.qmd")
        for name in ("national", "subnational", "methods")
    }
    pages = []
    for area in planned_areas(release, areas):
        name = "national" if edition.country(area) == area else "subnational"
        pages.append(execute(documents[name], area, given | {"area": area}))
        progress(f"composed {area}")
    pages.append(execute(documents["methods"], "methods", given))
    progress("composed methods")
    return pages


def _index(reports: Path, release: Readable, pages: Iterable[Page]) -> str:
    style = (reports / "styles" / "publication.css").read_text(encoding="utf-8")
    rows = "".join(
        f'<tr><th scope="row">{escape(page.title)}</th>'
        f'<td><a href="{page.name}.html">Page<span class="vh"> {escape(page.title)}</span></a></td>'
        f'<td><a href="{page.name}.pdf">PDF<span class="vh"> {escape(page.title)}</span></a></td>'
        "</tr>"
        for page in pages
    )
    published = release.published
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><title>{escape(release.title)}</title>'
        f'<style>{style}</style></head><body><main class="wrap" id="main"><div class="front">'
        f'<p class="kick">All reports</p><h1>{escape(release.title)}</h1>'
        f'<p class="stand">Release {escape(release.id)}, published '
        f"{published.day} {published:%B %Y, %H:%M} (UTC).</p></div>"
        '<table class="tbl index"><caption>Reports of this release</caption><thead><tr>'
        '<th scope="col">Report</th><th scope="col">Screen</th><th scope="col">Paper</th></tr>'
        f"</thead><tbody>{rows}</tbody></table></main></body></html>\n"
    )
