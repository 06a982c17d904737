"""A Quarto document split into what a renderer needs; constructs outside the subset are refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sdmx_service.errors import RenderError

__all__ = ["Cell", "QuartoDocument", "Text", "read_document"]

_FRONT_MATTER = {"title", "subtitle", "lang", "jupyter", "description"}
_CELL_OPTIONS = {"echo", "output", "tags", "label"}
_FENCE = re.compile(r"^(`{3,})\s*\{([^}]*)\}\s*$")
_REFUSED = (
    (re.compile(r"\{\{<"), "a shortcode"),
    (re.compile(r"^\s*:{3,}"), "a fenced div"),
    (re.compile(r"`\{(python|r)\}[^`]*`"), "inline code"),
    (re.compile(r"(?<![\w@])@(fig|tbl|sec|eq)-"), "a cross reference"),
)


@dataclass(frozen=True, slots=True)
class Text:
    """Markdown between cells; ``line`` is its first line, counted from 1."""

    markdown: str
    line: int


@dataclass(frozen=True, slots=True)
class Cell:
    """A Python cell; ``line`` is the line of its first statement."""

    code: str
    options: dict[str, Any]
    line: int

    @property
    def holds_parameters(self) -> bool:
        """Whether the cell is tagged as the one with the page's parameters."""
        return "parameters" in (self.options.get("tags") or [])


@dataclass(frozen=True, slots=True)
class QuartoDocument:
    """Front matter and the parts below it, in order."""

    path: Path
    front_matter: dict[str, Any]
    parts: tuple[Text | Cell, ...]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells in order."""
        return tuple(part for part in self.parts if isinstance(part, Cell))


def read_document(path: Path) -> QuartoDocument:
    """Return a document in parts; RenderError names file and line of what is not understood.

    The subset: front matter with declared keys, markdown, fenced raw blocks and ``{python}``
    cells with the options echo, output, tags and label. Quarto reads every such document alike.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    front_matter, start = _front_matter(path, lines)
    parts: list[Text | Cell] = []
    text: list[str] = []
    text_start = start
    place = start
    while place < len(lines):
        fence = _FENCE.match(lines[place])
        if fence is None:
            if not lines[place].startswith("```"):
                _refuse(path, place, lines[place])
                text.append(lines[place])
                place += 1
                continue
            end = _closing(path, lines, place, "```")
            text += lines[place : end + 1]
            place = end + 1
            continue
        end = _closing(path, lines, place, fence.group(1))
        kind = fence.group(2).strip()
        if kind in ("=html", "=typst"):
            text += lines[place : end + 1]
        elif kind == "python":
            if any(line.strip() for line in text):
                parts.append(Text("\n".join(text), text_start + 1))
            parts.append(_cell(path, lines[place + 1 : end], place + 1))
            text, text_start = [], end + 1
        else:
            raise RenderError(
                f"{path}:{place + 1}",
                got="{" + kind + "}",
                expected="a {python} cell or a raw block {=html}, {=typst}",
                hint="the subset is described in docs/reports.md",
            )
        place = end + 1
    if any(line.strip() for line in text):
        parts.append(Text("\n".join(text), text_start + 1))
    return QuartoDocument(path, front_matter, tuple(parts))


def _front_matter(path: Path, lines: list[str]) -> tuple[dict[str, Any], int]:
    if not lines or lines[0].strip() != "---":
        raise RenderError(f"{path}:1", expected="front matter between two lines of ---")
    try:
        end = next(n for n, line in enumerate(lines[1:], start=1) if line.strip() == "---")
    except StopIteration:
        raise RenderError(f"{path}:1", expected="a second --- that ends the front matter") from None
    content = yaml.safe_load("\n".join(lines[1:end])) or {}
    for key in content:
        if key not in _FRONT_MATTER:
            number = next(n for n, line in enumerate(lines[:end], 1) if line.startswith(f"{key}:"))
            raise RenderError(
                f"{path}:{number}",
                got=key,
                expected=f"one of {', '.join(sorted(_FRONT_MATTER))}",
                hint="formats are declared in _quarto.yml",
            )
    if not content.get("title"):
        raise RenderError(f"{path}:1", expected="a title in the front matter")
    return content, end + 1


def _closing(path: Path, lines: list[str], start: int, fence: str) -> int:
    for place in range(start + 1, len(lines)):
        if lines[place].strip() == fence:
            return place
    raise RenderError(f"{path}:{start + 1}", expected=f"a closing {fence}")


def _refuse(path: Path, place: int, line: str) -> None:
    for pattern, name in _REFUSED:
        if pattern.search(line):
            raise RenderError(
                f"{path}:{place + 1}",
                got=line.strip(),
                expected=f"markdown without {name}",
                hint="the subset that both engines read is described in docs/reports.md",
            )


def _cell(path: Path, lines: list[str], first: int) -> Cell:
    options: dict[str, Any] = {}
    count = 0
    for line in lines:
        if not line.startswith("#|"):
            break
        options |= yaml.safe_load(line[2:]) or {}
        count += 1
    for key in options:
        if key not in _CELL_OPTIONS:
            raise RenderError(
                f"{path}:{first + 1}",
                got=f"#| {key}",
                expected=f"one of {', '.join(sorted(_CELL_OPTIONS))}",
            )
    return Cell("\n".join(lines[count:]), options, first + count + 1)
