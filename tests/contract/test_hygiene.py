"""What keeps the code readable and the repository free of one machine's ways."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import sdmx_service

LONGEST_MODULE = 500
SAYS_NOTHING = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}
HEAVY = {"lxml", "pandas", "polars", "pyarrow", "pysdmx", "scipy", "sdmx", "statsmodels", "xarray"}
MADE = {"build", "dist", "node_modules"}
DOTTED_BUT_OURS = {".ci", ".github", ".gitignore"}

# Written in pieces, so that this file does not hold what it looks for.
OF_A_MACHINE = re.compile(r"(?<![\w.<*-])/(?:home|Users|root|work|opt)" + r"/\w")
REGISTRY_HOSTS = re.compile(
    r"\b(?:py" + r"pi\.org|python" + r"hosted\.org|npm" + r"js\.(?:org|com))"
)


def modules(repository: Path) -> list[Path]:
    return sorted(repository.glob("sdmx_service/**/*.py"))


def texts(repository: Path) -> Iterator[tuple[Path, str]]:
    """Yield every text file of the repository, leaving out what is made and what is hidden."""
    for folder, folders, files in os.walk(repository):
        made = MADE if Path(folder) == repository else {"__pycache__"}
        folders[:] = [name for name in folders if name not in made and _ours(name)]
        for name in filter(_ours, files):
            try:
                text = Path(folder, name).read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
            yield Path(folder, name).relative_to(repository), text


def _ours(name: str) -> bool:
    return not name.startswith(".") or name in DOTTED_BUT_OURS


def test_no_module_is_longer_than_500_lines(repository: Path) -> None:
    lengths = {
        path: len(path.read_text(encoding="utf-8").splitlines()) for path in modules(repository)
    }
    assert {path.name: n for path, n in lengths.items() if n > LONGEST_MODULE} == {}


def test_no_module_has_a_name_that_says_nothing(repository: Path) -> None:
    paths = [path.relative_to(repository).with_suffix("") for path in modules(repository)]
    names = {part for path in paths for part in path.parts}
    assert names & SAYS_NOTHING == set()


def test_every_module_says_in_a_docstring_what_it_knows(repository: Path) -> None:
    silent = [
        path.relative_to(repository)
        for path in modules(repository)
        if not path.read_text(encoding="utf-8").startswith('"""')
    ]
    assert silent == []


@pytest.mark.parametrize(
    "pattern", [OF_A_MACHINE, REGISTRY_HOSTS], ids=["a machine's path", "a registry's host"]
)
def test_no_file_names(repository: Path, pattern: re.Pattern[str]) -> None:
    found = [
        (str(path), m.group()) for path, text in texts(repository) for m in pattern.finditer(text)
    ]
    assert found == []


def test_the_lock_names_no_index_and_every_package_has_a_hash(repository: Path) -> None:
    lines = (repository / "requirements.lock").read_text(encoding="utf-8").splitlines()
    lines = [line for line in lines if line and not line.lstrip().startswith("#")]
    assert [line for line in lines if line.startswith("-") or "://" in line] == []
    pins = [at for at, line in enumerate(lines) if not line.startswith(" ")]
    assert all("==" in lines[at] for at in pins)
    assert all(lines[at + 1].startswith("    --hash=sha256:") for at in pins)


def test_one_version_stands_in_every_place(repository: Path) -> None:
    settings = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))
    citation = yaml.safe_load((repository / "CITATION.cff").read_text(encoding="utf-8"))
    assert settings["project"]["version"] == sdmx_service.__version__
    assert citation["version"] == sdmx_service.__version__


def test_asking_for_help_imports_nothing_heavy() -> None:
    """Cold, these libraries take seconds to import; help answers at once."""
    script = (
        "import json, sys\n"
        "from sdmx_service.cli import main\n"
        "sys.argv = ['sdmx-service', '--help']\n"
        "try:\n"
        "    main()\n"
        "except SystemExit:\n"
        "    pass\n"
        "print('\\n' + json.dumps(sorted(sys.modules)))\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, text=True
    )
    loaded = set(json.loads(answer.stdout.splitlines()[-1]))
    assert "usage: sdmx-service" in answer.stdout
    assert loaded & HEAVY == set()
