"""What an office states itself in quality reports is checked like any other definition."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sdmx_service.definitions.project import load_project
from sdmx_service.errors import DefinitionError


@pytest.fixture
def project(repository: Path, tmp_path: Path) -> Path:
    shutil.copytree(repository / "dsd", tmp_path / "dsd", ignore=shutil.ignore_patterns("data"))
    return tmp_path


def write(project: Path, name: str, text: str) -> None:
    (project / "dsd/quality" / f"{name}.yaml").write_text(text, "utf-8")


def test_a_project_may_state_nothing(project: Path) -> None:
    shutil.rmtree(project / "dsd/quality")
    assert load_project(project).statements == {}


def test_texts_and_numbers_are_stated_by_attribute(project: Path) -> None:
    write(
        project,
        "POV_GINI",
        "id: POV_GINI\nsaid:\n  UNIT_NONRESPONSE_RATE: 12.5\n"
        "  COMPLETENESS:\n    - {en: No wealth.}\n    - {en: No debt.}\n",
    )
    said = load_project(project).statements["POV_GINI"].said
    assert said["UNIT_NONRESPONSE_RATE"] == (12.5,)
    assert said["COMPLETENESS"] == ({"en": "No wealth."}, {"en": "No debt."})


@pytest.mark.parametrize(
    ("name", "said", "fault"),
    [
        ("POV_GINO", "COMMENT_DSET: {en: Text.}", "the id of a survey or an indicator"),
        ("POV_GINI", "COMENT: {en: Text.}", "an attribute of quality reports"),
        ("POV_GINI", "UNIT_NONRESPONSE_RATE: {en: much}", "a number"),
        ("POV_GINI", "COVERAGE_ERR: 12.5", "a text by language"),
        ("POV_GINI", "COVERAGE_ERR: {fr: Texte.}", "a language of dsd/publication.toml: en"),
        ("POV_GINI", "COVERAGE_ERR: [{en: One.}, {en: Two.}]", "1 at most"),
        ("POV_GINI", "COVERAGE_ERR: Text.", "a number or a mapping"),
    ],
)
def test_a_statement_that_no_report_can_tell_is_refused(
    project: Path, name: str, said: str, fault: str
) -> None:
    write(project, name, f"id: {name}\nsaid:\n  {said}\n")
    with pytest.raises(DefinitionError, match=fault) as raised:
        load_project(project)
    assert f"{name}.yaml:" in str(raised.value)
