"""Pages without Quarto: pandoc for the documents, Typst for the PDF."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from sdmx_service.errors import RenderError
from sdmx_service.publication import typst as marks
from sdmx_service.publication.rendering.execution import Page

__all__ = ["render_with_fallback"]

_READER = "markdown-smart-tex_math_dollars-citations"


def render_with_fallback(
    reports: Path,
    pages: Sequence[Page],
    out: Path,
    *,
    release_id: str,
    published: datetime,
    done: Callable[[Page], None],
) -> None:
    """Render pages as self-contained HTML and tagged PDF (PDF/UA-1).

    RenderError where pandoc or Typst is not installed (extra ``reports``) or refuses a page.
    """
    try:
        import pypandoc
        import typst
    except ImportError as error:
        raise RenderError(
            "fallback renderer",
            got=f"no module {error.name}",
            expected="pypandoc_binary and typst",
            hint="pip install 'sdmx-service[reports]'",
        ) from error
    pandoc = pypandoc.get_pandoc_path()
    style = (reports / "styles" / "publication.css").read_text(encoding="utf-8")
    template = reports / "styles" / "page.html"
    sheet = (reports / "styles" / "publication.typ").read_text(encoding="utf-8")

    def make(page: Page) -> None:
        body = _pandoc(
            pandoc,
            page,
            ["--to", "html5", "--section-divs", "--standalone", "--template", str(template)],
            style,
        )
        (out / f"{page.name}.html").write_text(body, encoding="utf-8")
        content = _pandoc(pandoc, page, ["--to", "typst", "--shift-heading-level-by", "-1"])
        source = _typst_source(page, sheet, content, release_id, published)
        try:
            made = typst.compile(
                source.encode(), pdf_standards=["ua-1"], timestamp=int(published.timestamp())
            )
        except RuntimeError as error:
            raise RenderError(
                f"{page.name}.pdf", got=str(error)[:1500], expected="a page that PDF/UA-1 accepts"
            ) from error
        (out / f"{page.name}.pdf").write_bytes(made)

    with ThreadPoolExecutor(max_workers=2) as pool:
        for page, _ in zip(pages, pool.map(make, pages), strict=True):
            done(page)


def _pandoc(program: str, page: Page, arguments: Sequence[str], style: str = "") -> str:
    given = {"title": page.title, "subtitle": page.subtitle, "lang": page.language}
    front = "\n".join(f"{name}: {json.dumps(text)}" for name, text in given.items())
    run = subprocess.run(
        [program, "--from", _READER, "--variable", f"inline-css={style}", *arguments],
        input=f"---\n{front}\n---\n\n{page.markdown}",
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if run.returncode != 0:
        raise RenderError(
            f"{page.name}: pandoc", got=run.stderr.strip()[-800:], expected="exit code 0"
        )
    return run.stdout


def _typst_source(
    page: Page, sheet: str, content: str, release_id: str, published: datetime
) -> str:
    date = f"datetime(year: {published.year}, month: {published.month}, day: {published.day})"
    labels = set(re.findall(r"#link\(<([^>]+)>\)", content))
    for label in labels:
        if f"<{label}>" not in content.replace(f"#link(<{label}>)", ""):
            raise RenderError(f"{page.name}.pdf", got=f"#{label}", expected="a heading to link to")
    return (
        f"#set document(title: {marks.literal(page.title)}, date: {date})\n"
        f"#set text(lang: {marks.literal(page.language)})\n{sheet}\n"
        "#set page(footer: context [#set text(size: 8pt)\n"
        f"{marks.literal(f'Release {release_id}', hashed=True)} #h(1fr) "
        '#counter(page).display("1 / 1", both: true)])\n'
        '#show title: set text(size: 22pt, weight: "bold", font: ("Noto Serif", '
        '"Liberation Serif", "Libertinus Serif"))\n'
        f"#block(below: .4em, text(size: 8.5pt, {marks.literal(page.subtitle)}))\n"
        f"#title()\n\n{content}"
    )
