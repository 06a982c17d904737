"""The cells of a document run with the parameters of a page, giving plain markdown."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sdmx_service.errors import RenderError
from sdmx_service.publication.figure import TitleBlock
from sdmx_service.publication.rendering.quarto_document import Cell, QuartoDocument

__all__ = ["Page", "execute"]


@dataclass(frozen=True, slots=True)
class Page:
    """A page as plain markdown: no code is left in it, so every engine reads the same."""

    name: str
    title: str
    subtitle: str
    language: str
    markdown: str


def execute(document: QuartoDocument, name: str, parameters: Mapping[str, Any]) -> Page:
    """Run a document's cells in this process and return the page they make.

    Only the project's own documents are run: a cell is code. The value of a cell's last line is
    shown if it can write itself as markdown; a TitleBlock also names the page.
    """
    space: dict[str, Any] = {"__name__": "__report__"}
    written: list[str] = []
    title = str(document.front_matter["title"])
    subtitle = str(document.front_matter.get("subtitle") or "")
    for part in document.parts:
        if not isinstance(part, Cell):
            written.append(part.markdown)
            continue
        value = _run(document, part, space)
        if part.holds_parameters:
            _replace(document, part, space, parameters)
        if value is None:
            continue
        if isinstance(value, TitleBlock):
            title, subtitle = value.title, value.kind
        write = getattr(value, "_repr_markdown_", None)
        if write is None:
            raise RenderError(
                f"{document.path}:{part.line}",
                got=type(value).__name__,
                expected="a last line whose value writes itself as markdown",
            )
        written.append(write())
    language = str(document.front_matter.get("lang") or "en")
    return Page(name, title, subtitle, language, "\n\n".join(written) + "\n")


def _replace(
    document: QuartoDocument, cell: Cell, space: dict[str, Any], parameters: Mapping[str, Any]
) -> None:
    for name, value in parameters.items():
        if name not in space:
            raise RenderError(
                f"{document.path}:{cell.line}",
                got=f"parameter {name}",
                expected=f"a cell tagged parameters that sets {name}",
            )
        space[name] = value


def _run(document: QuartoDocument, cell: Cell, space: dict[str, Any]) -> Any:
    source = str(document.path)
    try:
        tree = ast.parse(cell.code, source)
    except SyntaxError as error:
        line = cell.line + (error.lineno or 1) - 1
        raise RenderError(f"{source}:{line}", got=error.msg, expected="Python") from error
    ast.increment_lineno(tree, cell.line - 1)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, source, "exec"), space)
    if not isinstance(last, ast.Expr):
        return None
    return eval(compile(ast.Expression(last.value), source, "eval"), space)
