"""Pages by Quarto itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sdmx_service.errors import RenderError
from sdmx_service.publication.rendering.execution import Page

__all__ = ["quarto_path", "render_with_quarto"]


def quarto_path() -> str | None:
    """Return the Quarto program: QUARTO_PATH if it is set, else the one on the path."""
    return os.environ.get("QUARTO_PATH") or shutil.which("quarto")


def render_with_quarto(
    program: str, reports: Path, pages: Sequence[Page], work: Path, out: Path
) -> None:
    """Render pages as HTML and PDF in one run of Quarto; RenderError carries its last words."""
    shutil.copy(reports / "_quarto.yml", work / "_quarto.yml")
    shutil.copytree(reports / "styles", work / "styles", dirs_exist_ok=True)
    for page in pages:
        (work / f"{page.name}.qmd").write_text(_source(page), encoding="utf-8")
    run = subprocess.run(
        [program, "render", str(work)],
        capture_output=True,
        text=True,
        check=False,
    )
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
                raise RenderError(str(file), expected="a page written by Quarto")
            shutil.copy(file, out / file.name)


def _source(page: Page) -> str:
    quoted = {
        name: text.replace('"', "'")
        for name, text in (("title", page.title), ("subtitle", page.subtitle))
    }
    return (
        f'---\ntitle: "{quoted["title"]}"\nsubtitle: "{quoted["subtitle"]}"\n'
        f"lang: {page.language}\nengine: markdown\n---\n\n{page.markdown}"
    )
