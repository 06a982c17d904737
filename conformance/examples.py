"""Runs the examples of docs/clients.md as they stand there, against a running service."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "clients.md"
ADDRESS = "http://127.0.0.1:8000"
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LONGEST = 120  # seconds


@dataclass(frozen=True)
class Example:
    """All code of one language under one heading of the page."""

    heading: str
    language: str
    code: str

    @property
    def there(self) -> bool:
        """Whether this machine has what runs it."""
        program = {"python": sys.executable, "sh": "sh", "r": "Rscript", "js": "node"}
        return self.language == "powerquery" or shutil.which(program[self.language]) is not None


def examples(page: str, url: str) -> Iterator[Example]:
    """Yield the examples of a page that ask the service, put to ``url``, in their order."""
    for section in page.split("\n## ")[1:]:
        found: dict[str, list[str]] = {}
        for language, code in _BLOCK.findall(section):
            if ADDRESS in code:
                found.setdefault(language, []).append(code)
        for language, parts in found.items():
            code = "\n".join(parts).replace(ADDRESS, url)
            yield Example(section.partition("\n")[0].strip(), language, code)


def ran(example: Example, node_modules: Path | None) -> str:
    """Run an example and return the last line it printed; AssertionError says why it failed."""
    with tempfile.TemporaryDirectory() as folder:
        run = _RUN[example.language]
        return run(example.code, Path(folder), node_modules)


def _python(code: str, folder: Path, node_modules: Path | None) -> str:
    return _last("script.py", [sys.executable, "-W", "ignore"], code, folder)


def _shell(code: str, folder: Path, node_modules: Path | None) -> str:
    """Run the commands; an answer that is an error ends them."""
    counted = 'curl() { command curl -sS --fail -o answer "$@" && wc -c < answer; }\nset -e\n'
    sizes = _output("script.sh", ["sh"], counted + code, folder).split()
    return f"{len(sizes)} answers, of {', '.join(sizes)} bytes"


def _r(code: str, folder: Path, node_modules: Path | None) -> str:
    return _last("script.R", ["Rscript"], code, folder)


def _javascript(code: str, folder: Path, node_modules: Path | None) -> str:
    if node_modules is None:
        raise FileNotFoundError("sdmx-json-parser")
    (folder / "node_modules").symlink_to(node_modules.resolve())
    return _last("script.mjs", ["node"], code, folder)


def _power_query(code: str, folder: Path, node_modules: Path | None) -> str:
    """Ask for what the script asks for, and see that the columns are there that it types."""
    [service] = re.findall(r'Service\s*=\s*"([^"]+)"', code)
    [flow] = re.findall(r'RelativePath\s*=\s*"([^"]+)"', code)
    [query] = re.findall(r"Query\s*=\s*\[([^\]]*)\]", code)
    asked = urllib.parse.urlencode(re.findall(r'(\w+)\s*=\s*"([^"]*)"', query))
    with urllib.request.urlopen(f"{service}{flow}?{asked}", timeout=_LONGEST) as answer:
        [title, *rows] = answer.read().decode("utf-8").splitlines()
    typed = re.findall(r'\{"(\w+)", type \w+\}', code)
    missing = set(typed) - set(title.split(","))
    if missing or not typed or not rows:
        raise AssertionError(f"no column {', '.join(sorted(missing))}")
    return f"{len(rows)} rows with {' and '.join(typed)} (asked for as the script does, not by it)"


def _output(name: str, program: list[str], code: str, folder: Path) -> str:
    path = folder / name
    path.write_text(code, encoding="utf-8")
    done = subprocess.run(
        [*program, str(path)],
        capture_output=True,
        text=True,
        timeout=_LONGEST,
        cwd=folder,
        check=False,
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        faults = [line.strip() for line in said if "Error" in line or "curl:" in line]
        raise AssertionError((faults or said or ["it failed"])[-1][:250])
    return done.stdout


def _last(name: str, program: list[str], code: str, folder: Path) -> str:
    lines = _output(name, program, code, folder).strip().splitlines()
    if not lines:
        raise AssertionError("it printed nothing")
    return lines[-1].strip()


_RUN: dict[str, Callable[[str, Path, Path | None], str]] = {
    "python": _python,
    "sh": _shell,
    "r": _r,
    "js": _javascript,
    "powerquery": _power_query,
}
