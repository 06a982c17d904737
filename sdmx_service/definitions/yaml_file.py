"""A YAML file read so that every field knows its line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sdmx_service.errors import DefinitionError

__all__ = ["YamlFile", "read_yaml"]

Path_ = tuple[str | int, ...]


@dataclass(frozen=True)
class YamlFile:
    """The content of a YAML file, with the line each field starts on (1-based)."""

    path: Path
    content: Any
    lines: Mapping[Path_, int]

    def place(self, field: Sequence[str | int] = ()) -> str:
        """Return ``file:line: field`` for an error message; the nearest field that has a line."""
        known = tuple(field)
        while known and known not in self.lines:
            known = known[:-1]
        named = ".".join(str(part) for part in field)
        place = f"{self.path}:{self.lines.get(known, 1)}"
        return f"{place}: {named}" if named else place


def _walk(node: yaml.Node, field: Path_, lines: dict[Path_, int], path: Path) -> None:
    lines.setdefault(field, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = key.value
            if name in seen:
                raise DefinitionError(
                    f"{path}:{key.start_mark.line + 1}: {name}",
                    got="the same field twice",
                    expected="each field once",
                )
            seen.add(name)
            lines[(*field, name)] = key.start_mark.line + 1
            _walk(value, (*field, name), lines, path)
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            _walk(value, (*field, position), lines, path)


def read_yaml(path: Path) -> YamlFile:
    """Read one YAML file; DefinitionError names file and line where it is broken."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DefinitionError(str(path), expected="a file") from None
    except UnicodeDecodeError as error:
        raise DefinitionError(
            str(path), got=f"byte {error.object[error.start]:#x}", expected="UTF-8 text"
        ) from None
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
        lines: dict[Path_, int] = {}
        if node is not None:
            _walk(node, (), lines, path)
        content = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise DefinitionError(
            f"{path}:{line}",
            got=getattr(error, "problem", None) or str(error),
            expected="YAML",
            hint="look at the indentation and the quotes of this line and the one before",
        ) from None
    return YamlFile(path, content, lines)
