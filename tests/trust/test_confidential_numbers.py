"""The numbers of a disclosure policy are in nothing that leaves the office, nor in what it logs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pytest

from sdmx_service import Project, build_release, open_release
from sdmx_service.build import waiting_reviews
from sdmx_service.definitions.policy import disclosure_of
from sdmx_service.definitions.schema import hold_to_schema
from sdmx_service.definitions.yaml_file import read_yaml

pytestmark = pytest.mark.slow

# Numbers that stand nowhere else.
SECRETS = (
    "9.27182",
    "2.83141",
    "1.97531",
    "3.14628",
    "0.11235",
    "13.57924",
    "81.46802",
    "87.65039",
)
POLICY = """
id: numbered
title: A policy with numbers that would be seen
url: https://sdctools.github.io/HandbookSDC/
rules:
  - {withhold_if: n < 9.27182}
  - {withhold_if: 0 < events and events < 2.83141}
  - {withhold_if: 0 < n - events and n - events < 1.97531}
width: {people: 3.14628, share: 0.11235}
dominance: {units: [EUR], p: 13.57924, one: 81.46802, few: {n: 2, k: 87.65039}}
"""


@dataclass(frozen=True)
class Made:
    """A project with that policy, its release and everything that was said on the way."""

    project: Project
    root: Path
    said: str


@pytest.fixture(scope="module")
def made(project: Project, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("numbered")
    path = folder / "numbered.yaml"
    path.write_text(POLICY, encoding="utf-8")
    file = read_yaml(path)
    hold_to_schema(file, repository / "dsd/schemas/disclosure.schema.json")
    name = "AT_EUSILC"
    small = replace(project, surveys={name: project.surveys[name]}, disclosure=disclosure_of(file))
    steps: list[str] = []
    root = folder / "releases"
    report = build_release(small, root, progress=lambda text, *_: steps.append(text))
    return Made(small, root, "\n".join([*steps, json.dumps(asdict(report)), repr(report)]))


def test_no_file_of_the_release_holds_a_number_of_the_policy(made: Made) -> None:
    files = [path for path in made.root.rglob("*") if path.is_file()]
    assert {"definitions.json", "manifest.json"} <= {path.name for path in files}
    for path in files:
        content = path.read_bytes()
        assert not [number for number in SECRETS if number.encode() in content], path.name
    policy = open_release(made.root).definitions["policies"]["disclosure"]
    assert policy["id"] == "numbered"
    assert set(policy) == {"id", "title"}


def test_the_reason_of_a_withheld_cell_is_in_no_file(made: Made) -> None:
    for path in made.root.rglob("*.json"):
        text = path.read_text("utf-8")
        assert not [w for w in ("CONFIDENTIAL", "COMPLEMENT", "COARSER", "SIGNED") if w in text]
    for flow in ("DF_ALL", "DF_GAP", "DF_SCALE"):
        table = open_release(made.root).observations(flow)
        withheld = table[table["RELIABILITY"] == "WITHHELD"]
        said = withheld.select_dtypes(exclude="number").astype(str)
        # The comment is that of the survey, the same for every observation.
        assert said["COMMENT_OBS"].nunique() <= 1
        assert not said.isin(["CONFIDENTIAL", "COMPLEMENT", "COARSER"]).any(axis=None)


def test_what_a_build_says_and_what_it_reports_holds_no_number_of_the_policy(made: Made) -> None:
    assert made.said
    assert not [number for number in SECRETS if number in made.said]
    assert not [number for number in SECRETS if number in repr(made.project)]


def test_the_list_of_what_waits_names_the_public_rule_only(made: Made) -> None:
    waiting = waiting_reviews(made.project, made.root)
    assert waiting.height
    text = waiting.write_csv()
    assert not [number for number in SECRETS if number in text]
    reasons = {rule.reason for rule in made.project.policy_for(_shares(made.project)).rules}
    assert set(waiting.get_column("reason")) <= reasons


def _shares(project: Project):  # type: ignore[no-untyped-def]
    return project.indicators["POV_ARPT60"].statistic
