"""Pages by Quarto itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sdmx_service.errors import RenderError
from sdmx_service.publication.rendering.execution import Page
from sdmx_service.publication.rendering.front_matter import front_matter

__all__ = ["quarto_path", "render_with_quarto"]


def quarto_path() -> str | None:
    """Return the Quarto program: QUARTO_PATH if it is set, else the one on the path."""
    return os.environ.get("QUARTO_PATH") or shutil.which("quarto")


def render_with_quarto(
    program: str,
    reports: Path,
    pages: Sequence[Page],
    work: Path,
    out: Path,
    *,
    release_id: str,
    published: datetime,
) -> None:
    """Render pages as HTML and PDF in one run of Quarto; RenderError carries its last words.

    ``work`` is an empty folder: Quarto keeps its own files beside the documents it renders.
    """
    shutil.copy(reports / "_quarto.yml", work / "_quarto.yml")
    shutil.copytree(reports / "styles", work / "styles")
    for page in pages:
        head = front_matter(page, release_id=release_id, published=published, engine="markdown")
        (work / f"{page.name}.qmd").write_text(head + page.markdown, encoding="utf-8")
    try:
        run = subprocess.run(
            [program, "render", str(work)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            env=os.environ | {"SOURCE_DATE_EPOCH": str(int(published.timestamp()))},
        )
    except OSError as error:
        raise RenderError(
            program, got=str(error), expected="the Quarto program", hint="see QUARTO_PATH"
        ) from error
    if run.returncode != 0:
        raise RenderError(
            f"{program} render",
            got=run.stderr.strip()[-1500:],
            expected="exit code 0",
            hint="--engine fallback renders without Quarto",
        )
    made = work / "_output"
    for page in pages:
        for suffix in (".html", ".pdf"):
            file = made / f"{page.name}{suffix}"
            if not file.exists():
                raise RenderError(
                    f"{program} render",
                    got=f"no {file.name}: {run.stderr.strip()[-1500:]}",
                    expected="a page as HTML and PDF for every document",
                )
            shutil.copy(file, out / file.name)
