"""Pages without Quarto: pandoc for the documents, Typst for the PDF."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import yaml

from sdmx_service.errors import RenderError
from sdmx_service.publication.rendering.execution import Page
from sdmx_service.publication.rendering.front_matter import front_matter

__all__ = ["render_with_fallback"]


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
    styles = reports / "styles"
    reader = _reader(reports / "_quarto.yml")
    style = (styles / "publication.css").read_text(encoding="utf-8")
    to_html = ["--to=html5", "--section-divs", f"--template={styles / 'page.html'}"]
    to_paper = [
        "--to=typst",
        "--shift-heading-level-by=-1",
        f"--template={styles / 'page.typ'}",
        f"--include-in-header={styles / 'publication.typ'}",
    ]

    def make(page: Page) -> None:
        head = front_matter(page, release_id=release_id, published=published)
        written = _pandoc(pandoc, reader, page.name, head + page.markdown, to_html, style)
        (out / f"{page.name}.html").write_text(written, encoding="utf-8")
        source = _pandoc(pandoc, reader, page.name, head + page.markdown, to_paper)
        _check_links(page.name, source)
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


def _reader(project: Path) -> str:
    """Return the markdown that the Quarto project says it is written in."""
    declared = yaml.safe_load(project.read_text(encoding="utf-8")).get("from")
    if not isinstance(declared, str):
        raise RenderError(str(project), got=declared, expected="from: a pandoc markdown format")
    return declared


def _pandoc(
    program: str, reader: str, name: str, text: str, arguments: Sequence[str], style: str = ""
) -> str:
    run = subprocess.run(
        [program, "--from", reader, "--standalone", f"--variable=inline-css={style}", *arguments],
        input=text,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if run.returncode != 0:
        raise RenderError(f"{name}: pandoc", got=run.stderr.strip()[-800:], expected="exit code 0")
    return run.stdout


def _check_links(name: str, source: str) -> None:
    for label in set(re.findall(r"#link\(<([^>]+)>\)", source)):
        if f"<{label}>" not in source.replace(f"#link(<{label}>)", ""):
            raise RenderError(f"{name}.pdf", got=f"#{label}", expected="a heading to link to")
