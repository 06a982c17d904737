"""Runs schemathesis on the official OpenAPI files of SDMX REST against a service.

The files are not part of this project: ``python conformance/openapi.py DIR --url URL`` reads
``sdmx-rest-2.2.2.yaml`` and ``sdmx-rest-1.5.0.yaml`` from DIR and patches copies of them:

* 2.2.2: two registration paths name a parameter that they do not declare;
* 2.2.2: registration queries answer ``registry+xml`` (doc/registration.md), where the file lists
  the types of metadata;
* both: ``If-Modified-Since`` is said to be of format date-time, where HTTP has its own dates: left
  out;
* 1.5.0: twelve operations refer to a response 510 that is not there.

Prints one line a file; ends with 1 where a check failed.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "negative_data_rejection",
)
FILES = {"2.2.2": "/sdmx/v2", "1.5.0": "/rest"}
REGISTRY = ("application/vnd.sdmx.registry+xml;version=3.1.0",)
REGISTRY += ("application/vnd.sdmx.registry+xml;version=3.0.0",)


@dataclass(frozen=True)
class Outcome:
    """What schemathesis found with one file."""

    version: str
    operations: int
    cases: int
    failures: int
    errors: int
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether nothing failed, and something was tried."""
        return self.cases > 0 and not self.failures and not self.errors


def patched(document: dict[str, Any], version: str) -> dict[str, Any]:
    """Return the document without the faults that keep it from being used."""
    components = document["components"]
    for path, operations in document["paths"].items():
        for operation in operations.values():
            _without_dates(operation)
            operation.get("responses", {}).pop("510", None)
            if version == "2.2.2" and path.startswith("/registration/"):
                _registration(path, operation, components)
    return document


def _without_dates(operation: dict[str, Any]) -> None:
    operation["parameters"] = [
        one
        for one in operation.get("parameters", [])
        if not one.get("$ref", "").endswith("/if-modified-since")
    ]


def _registration(path: str, operation: dict[str, Any], components: dict[str, Any]) -> None:
    operation["responses"]["200"] = {
        "description": "OK",
        "content": {name: {"schema": {"type": "string"}} for name in REGISTRY},
    }
    declared = [
        components["parameters"][one["$ref"].rpartition("/")[2]] for one in operation["parameters"]
    ]
    names = re.findall(r"\{(\w+)\}", path)
    unknown = [one for one in declared if one["in"] == "path" and one["name"] not in names]
    missing = [name for name in names if name not in {one["name"] for one in declared}]
    for parameter, name in zip(unknown, missing, strict=True):
        declared[declared.index(parameter)] = {**parameter, "name": name}
    if path == "/registration/id/{registrationID}":
        # The text says one id of IDType (doc/registration.md); the file allows a list of them.
        declared[0] = {
            **declared[0],
            "schema": {"type": "string", "pattern": r"^[A-Za-z\d_@$-]+$"},
        }
    operation["parameters"] = declared


def run(file: Path, version: str, url: str, schemathesis: str, examples: int, seed: int) -> Outcome:
    """Run the checks on one official file; what schemathesis says goes to standard error."""
    document = patched(yaml.safe_load(file.read_text(encoding="utf-8")), version)
    document["servers"] = [{"url": url + FILES[version]}]
    with tempfile.TemporaryDirectory() as folder:
        copy, report = Path(folder) / file.name, Path(folder) / "report.ndjson"
        copy.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), "utf-8")
        done = subprocess.run(
            [
                schemathesis, "run", str(copy), "--url", url + FILES[version],
                "--checks", ",".join(CHECKS), "--max-examples", str(examples),
                "--seed", str(seed), "--phases", "examples,coverage,fuzzing",
                "--generation-database", "none", "--continue-on-failure", "--no-color",
                "--report", "ndjson", "--report-ndjson-path", str(report),
                "--warnings", "off", "--request-timeout", "30",
            ],
            stdout=sys.stderr, cwd=folder, check=False,
        )  # fmt: skip
        outcome = _read(report, version)
    if done.returncode not in (0, 1) or (done.returncode and outcome.passed):
        return Outcome(version, outcome.operations, outcome.cases, outcome.failures, 1, 0.0)
    return outcome


def _read(report: Path, version: str) -> Outcome:
    """Count what the report of events tells: cases, failed checks, errors."""
    operations: set[str] = set()
    cases = failures = errors = 0
    seconds = 0.0
    for line in report.read_text(encoding="utf-8").splitlines():
        name, event = next(iter(json.loads(line).items()))
        if name == "ScenarioFinished":
            recorder = event["recorder"]
            operations.add(recorder["label"])
            cases += len(recorder.get("cases", {}))
            failures += sum(
                check["status"] == "failure"
                for checks in recorder.get("checks", {}).values()
                for check in checks
            )
        elif name in ("NonFatalError", "FatalError"):
            errors += 1
        elif name == "EngineFinished":
            seconds = event["running_time"]
    return Outcome(version, len(operations), cases, failures, errors, round(seconds, 1))


def main() -> int:
    """Run both files and say what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of the official OpenAPI files")
    parser.add_argument("--url", required=True, help="address of the running service")
    parser.add_argument("--schemathesis", default="schemathesis", help="the program")
    parser.add_argument("--max-examples", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=sorted(FILES))
    parser.add_argument("--json", type=Path, help="where to write the outcome")
    options = parser.parse_args()
    outcomes = []
    for version in FILES:
        if options.only in (None, version):
            outcome = run(
                options.folder / f"sdmx-rest-{version}.yaml",
                version,
                options.url.rstrip("/"),
                options.schemathesis,
                options.max_examples,
                options.seed,
            )
            outcomes.append(outcome)
            sys.stdout.write(
                f"OpenAPI {version}: {outcome.operations} operations, {outcome.cases} cases, "
                f"{outcome.failures} failures, {outcome.errors} errors\n"
            )
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in outcomes], indent=1), "utf-8")
    return 0 if all(one.passed for one in outcomes) else 1


if __name__ == "__main__":
    raise SystemExit(main())
