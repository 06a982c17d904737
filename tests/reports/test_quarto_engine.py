"""How Quarto is called, seen by a program that stands in for it."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

import pytest

from sdmx_service.errors import RenderError
from sdmx_service.publication.rendering.render import Engine, render

_STAND_IN = """#!{python}
import json, os, pathlib, sys
work = pathlib.Path(sys.argv[2])
asked = {{"arguments": sys.argv[1:], "epoch": os.environ["SOURCE_DATE_EPOCH"],
          "files": sorted(str(p.relative_to(work)) for p in work.rglob("*") if p.is_file()),
          "first": (work / "ZZ-1.qmd").read_text("utf-8")}}
with open({log!r}, "a", encoding="utf-8") as log:
    log.write(json.dumps(asked) + "\\n")
if {broken}:
    sys.exit("ERROR: something in Quarto")
(work / "_output").mkdir()
for page in work.glob("*.qmd"):
    for suffix in (".html", ".pdf"):
        (work / "_output" / (page.stem + suffix)).write_text("by Quarto", "utf-8")
"""


@pytest.fixture
def quarto(tmp_path, release, monkeypatch):
    """Put a program in Quarto's place; returns what it was asked."""
    monkeypatch.setattr("sdmx_service.open_release", lambda path, id=None: release, raising=False)

    def stand_in(*, broken: bool = False):
        program, log = tmp_path / "quarto", tmp_path / "asked"
        program.write_text(
            _STAND_IN.format(python=sys.executable, log=str(log), broken=broken), "utf-8"
        )
        program.chmod(0o755)
        monkeypatch.setenv("QUARTO_PATH", str(program))
        return lambda: [json.loads(line) for line in log.read_text("utf-8").splitlines()]

    return stand_in


def test_all_pages_are_made_in_one_run_that_leaves_the_project_as_it_was(
    quarto, release, repository, tmp_path
):
    asked = quarto()
    before = sorted((repository / "reports").rglob("*"))
    out = tmp_path / "out"
    made = render(repository, release, out, engine=Engine.AUTO)
    assert made.engine is Engine.QUARTO
    (run,) = asked()
    assert run["arguments"][0] == "render"
    assert {"_quarto.yml", "styles/page.html", "styles/page.typ"} <= set(run["files"])
    assert {f"{name}.qmd" for name in ("ZZ", "ZZ-1", "ZZ-2", "ZZ-3", "methods")} == {
        name for name in run["files"] if name.endswith(".qmd")
    }
    assert datetime.fromtimestamp(int(run["epoch"]), UTC) == release.published
    assert (out / "ZZ-3.pdf").read_text("utf-8") == "by Quarto"
    assert sorted((repository / "reports").rglob("*")) == before


def test_the_documents_hold_no_code_for_quarto_to_run(quarto, release, repository, tmp_path):
    asked = quarto()
    render(repository, release, tmp_path / "out", areas=["ZZ-1"])
    first = asked()[0]["first"]
    assert 'engine: "markdown"' in first
    assert f'release-id: "{release.id}"' in first
    assert "```{python}" not in first


def test_what_quarto_said_is_in_the_error(quarto, release, repository, tmp_path):
    quarto(broken=True)
    with pytest.raises(RenderError, match="something in Quarto"):
        render(repository, release, tmp_path / "out", areas=["ZZ-1"])


def test_a_program_that_is_not_there_is_named(monkeypatch, release, repository, tmp_path):
    monkeypatch.setattr("sdmx_service.open_release", lambda path, id=None: release, raising=False)
    monkeypatch.setenv("QUARTO_PATH", str(tmp_path / "nowhere"))
    with pytest.raises(RenderError, match="nowhere"):
        render(repository, release, tmp_path / "out", areas=["ZZ-1"])
