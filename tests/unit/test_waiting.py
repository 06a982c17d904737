"""What waits for a signature is listed so that a person can sign it."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import yaml

from sdmx_service import Project, build_release
from sdmx_service.build import waiting_reviews
from sdmx_service.cli import main
from sdmx_service.definitions.policy import Coarsening
from sdmx_service.definitions.review import reviews_of
from sdmx_service.definitions.schema import hold_to_schema
from sdmx_service.definitions.yaml_file import read_yaml
from sdmx_service.errors import DefinitionError

pytestmark = pytest.mark.slow
SURVEY = "AT_EUSILC"
INDICATORS = ("LAB_UNEMPDECL", "LAB_NOWORKHH")


@pytest.fixture(scope="module")
def small(project: Project) -> Project:
    """One survey with two indicators: all whose cells wait in it."""
    indicators = {name: project.indicators[name] for name in INDICATORS}
    return replace(project, surveys={SURVEY: project.surveys[SURVEY]}, indicators=indicators)


@pytest.fixture(scope="module")
def waiting(small: Project) -> pl.DataFrame:
    return waiting_reviews(small)


def test_the_list_is_what_the_build_counts(
    small: Project, waiting: pl.DataFrame, tmp_path: Path
) -> None:
    report = build_release(small, tmp_path)
    counted = dict(waiting.group_by("indicator").len().rows())
    assert counted == report.reviews_waiting
    assert waiting_reviews(small, tmp_path).equals(waiting)


def test_each_cell_says_why_it_waits_in_words(waiting: pl.DataFrame) -> None:
    assert waiting.height > 5
    assert waiting.get_column("rule").null_count() == 0
    assert set(waiting.get_column("reason")) <= {"ZERO_EVENTS", "DF"}


def _signed(line: str, who: str) -> str:
    signature = yaml.safe_load(line)
    signature[0] |= {"signed_by": who, "date": "2026-11-22", "reason": "Seen and found sound."}
    return yaml.safe_dump({"reviews": signature})


def test_a_completed_line_is_a_signature_that_publishes_the_cell(
    small: Project, waiting: pl.DataFrame, repository: Path, tmp_path: Path
) -> None:
    first = waiting.row(0, named=True)
    path = tmp_path / "2026.yaml"
    path.write_text(_signed(first["sign"], "The clearance official"), encoding="utf-8")
    file = read_yaml(path)
    hold_to_schema(file, repository / "dsd/schemas/review.schema.json")
    after = waiting_reviews(replace(small, reviews=reviews_of(file).signed))
    assert after.height == waiting.height - 1
    gone = waiting.join(after, on=["indicator", "key"], how="anti")
    assert gone.select("indicator", "key").row(0) == (first["indicator"], first["key"])


def test_a_line_that_nobody_signed_is_refused(
    waiting: pl.DataFrame, repository: Path, tmp_path: Path
) -> None:
    path = tmp_path / "2026.yaml"
    path.write_text("reviews:\n" + waiting.item(0, "sign") + "\n", encoding="utf-8")
    with pytest.raises(DefinitionError, match=r"2026\.yaml:2"):
        hold_to_schema(read_yaml(path), repository / "dsd/schemas/review.schema.json")


def test_what_protection_withholds_anyway_does_not_wait(
    small: Project, waiting: pl.DataFrame
) -> None:
    coarser = Coarsening(dimensions=frozenset({"POP_GROUP", "MIGRATION_STATUS"}))
    careful = replace(small, disclosure=replace(small.disclosure, coarser=coarser))
    left = waiting_reviews(careful)
    assert 0 < left.height < waiting.height
    assert not left.get_column("key").str.contains("POP_GROUP|MIGRATION_STATUS").any()


def test_the_command_lists_cells_and_says_how_to_sign(
    small: Project,
    waiting: pl.DataFrame,
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # What the list holds is tested above; here, once, how it is said in three forms.
    monkeypatch.setattr("sdmx_service.definitions.project.load_project", lambda _: small)
    monkeypatch.setattr("sdmx_service.build.waiting_reviews", lambda *_: waiting)
    given = ["waiting", "--project", str(repository), "--releases", str(tmp_path)]
    assert main(given) == 0
    table = capsys.readouterr().out
    assert table.splitlines()[0].split() == ["indicator", "area", "breakdown", "reason"]
    assert "dsd/reviews/" in table
    assert "cells wait for a signature" in table
    assert main([*given, "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert f"{len(rows)} cells wait" in table
    assert {"indicator", "area", "breakdown", "reason", "rule", "n", "estimate"} <= set(rows[0])
    assert main([*given, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["waiting"] == len(rows)
