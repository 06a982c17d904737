"""The page of benchmark results, one section for each benchmark."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Report", "machine", "table", "versions", "write"]

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

How fast the statistics are beside other software, and how often their intervals hold the truth.
The scripts in `bench/` write this page: `make bench` and `make coverage`. They are run by hand.
"""


def machine() -> str:
    """Return a sentence on where and when this runs."""
    cpu = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    name = cpu.group(1) if cpu else platform.processor()
    load = os.getloadavg()[0]
    today = datetime.date.today().isoformat()
    return f"{today}; {os.cpu_count()} cores of {name}; load average {load:.1f} at the start"


def versions(*packages: str) -> str:
    """Return the versions of Python and these packages."""
    found = [f"{name} {importlib.metadata.version(name)}" for name in packages]
    return ", ".join([f"Python {platform.python_version()}", *found])


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table, padded so that it can be read as it stands."""
    text = [list(head), *[[str(cell) for cell in row] for row in rows]]
    width = [max(len(row[i]) for row in text) for i in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, width, strict=True)) + " |"
        for row in text
    ]
    lines.insert(1, "| " + " | ".join("-" * w for w in width) + " |")
    return "\n".join(lines)


def write(section: str, text: str) -> None:
    """Put ``text`` in place of the section of this name, or at the end of the page."""
    page = PAGE.read_text() if PAGE.exists() else HEAD
    start, end = f"<!-- {section}: start -->", f"<!-- {section}: end -->"
    block = f"{start}\n{text.strip()}\n{end}"
    if start in page:
        before, rest = page.split(start, 1)
        page = before + block + rest.split(end, 1)[1]
    else:
        page = page.rstrip() + "\n\n" + block + "\n"
    PAGE.write_text(page)


@dataclass
class Report:
    """Tables and verdicts, in order."""

    parts: list[str] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)

    def table(self, title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Add a table."""
        self.parts += [title, table(head, rows)]
        print(f"\n{title}\n{table(head, rows)}", flush=True)

    def target(
        self, what: str, value: float, most: float, unit: str, *, least: bool = False
    ) -> None:
        """Add whether a target is met."""
        met = value >= most if least else value <= most
        sign = "at least" if least else "at most"
        word = "Met" if met else "MISSED"
        self.verdicts.append(f"- {what}: {sign} {most:,g} {unit}. {word}: {value:,.3g}.")
        print(self.verdicts[-1], flush=True)
