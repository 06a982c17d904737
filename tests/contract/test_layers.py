"""The rooms know only what stands below them."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from importlinter.cli import lint_imports


def test_no_import_breaks_the_contract(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(repository)
    exit_code = lint_imports(config_filename="pyproject.toml", no_cache=True)
    assert exit_code == 0, capsys.readouterr().out


def test_the_contract_is_the_order_that_the_architecture_draws(repository: Path) -> None:
    drawing = (repository / "docs/architecture.md").read_text(encoding="utf-8").split("```")[1]
    drawn = [set(line.split(" | ")) for line in drawing.strip().splitlines()]
    settings = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    [layers] = [c["layers"] for c in contracts if "containers" in c]
    declared = [{room.strip("() ") for room in line.split("|")} for line in layers]
    planned = {"exchange"}
    assert [line - planned for line in declared] == drawn
