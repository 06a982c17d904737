"""A small publication project whose surveys are made for a test."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

__all__ = ["make_project", "survey_text"]

PUBLICATION = """\
agency = "SIS"
organisation = "A test"
title = "Designs that are declared"
base_url = "http://127.0.0.1:8000"
licence = "none"
languages = ["en"]
reliability = "open"
disclosure = "open"
"""
EVERY = ["proportion", "mean", "ratio", "quantile", "poverty_rate", "median_poverty_gap", "gini"]
OPEN = {
    "reliability": {
        "id": "open",
        "title": "Nothing is held",
        "url": "https://example.org",
        "applies_to": EVERY,
        "rules": [{"if": "n < 1", "then": "suppress", "reason": "NOBODY"}],
        "reasons": {"NOBODY": "There is nobody."},
    },
    "disclosure": {
        "id": "open",
        "title": "Nothing is withheld",
        "url": "https://example.org",
        "rules": [{"withhold_if": "n < 1"}],
        "width": {"people": 1, "share": 0.01},
    },
}


def make_project(
    root: Path,
    repository: Path,
    indicators: Mapping[str, Mapping[str, Any]],
    surveys: Mapping[str, Mapping[str, Any]],
    people: Mapping[str, pd.DataFrame],
) -> Path:
    """Write a project with the structures of this one and policies that publish everything.

    ``indicators`` change declared ones; ``surveys`` are complete but for what every survey has, and
    name one of ``people`` under ``people``.
    """
    dsd = root / "dsd"
    shutil.copytree(repository / "dsd/structures", dsd / "structures")
    shutil.copytree(repository / "dsd/schemas", dsd / "schemas")
    (dsd / "publication.toml").write_text(PUBLICATION, encoding="utf-8")
    for kind, policy in OPEN.items():
        _write(dsd / "policies" / kind / "open.yaml", policy)
    for name, changed in indicators.items():
        [path] = (repository / "dsd/indicators").glob(f"*/{name}.yaml")
        declared = yaml.safe_load(path.read_text(encoding="utf-8"))
        for beside in ("numerator", "denominator", "variable", "universe", "gaps", "without"):
            declared.pop(beside, None)
        _write(dsd / "indicators" / path.parent.name / path.name, declared | dict(changed))
    for name, frame in people.items():
        frame.to_csv(root / f"{name}.csv", index=False)
    for at, (name, survey) in enumerate(surveys.items()):
        (dsd / "surveys").mkdir(exist_ok=True)
        text = survey_text(root, name, survey, period=2000 + at)
        (dsd / "surveys" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return root


def survey_text(root: Path, name: str, survey: Mapping[str, Any], period: int = 2000) -> str:
    """Return the YAML of a survey of the file that it names under ``people``."""
    file = f"{survey['people']}.csv"
    digest = hashlib.sha256((root / file).read_bytes()).hexdigest()
    design = {"description": "A design declared for a test."} | dict(survey["design"])
    return yaml.safe_dump(
        {
            "id": name,
            "area": "AT",
            "period": str(period),
            "title": f"Survey {name}",
            "synthetic": True,
            "citation": "Made up for a test.",
            "licence": "none",
            "url": "https://example.org",
            "sources": [{"name": "people", "path": file, "format": "csv", "sha256": digest}],
            **{key: value for key, value in survey.items() if key not in ("people", "design")},
            "design": design,
        },
        sort_keys=False,
        allow_unicode=True,
    )


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(dict(content), sort_keys=False), encoding="utf-8")
