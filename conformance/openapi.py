"""Runs schemathesis on the official OpenAPI files of SDMX REST against a service.

The files are not part of this project. ``python conformance/openapi.py PATH... --url URL`` takes
files, or a folder that has ``sdmx-rest-2.2.2.yaml`` and ``sdmx-rest-1.5.0.yaml``, and mends copies
of them in three places, no others:

* 2.2.2: the paths ``/registration/id/{registrationID}`` and
  ``/registration/provider/{agencyID}/{providerID}`` declare a parameter ``resourceID`` that they do
  not have, and not the one that they have: it is given the name in the path;
* both: ``If-Modified-Since`` is said to be of format date-time, where HTTP has dates of its own
  (RFC 9110, 5.6.7) and a date that cannot be read is passed over: left out;
* 1.5.0: twelve operations refer to a response 510 that is not there: left out.

Prints one line a file; ends with 1 where a check failed.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
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
"""The versions of the files and where the service answers them."""


@dataclass(frozen=True)
class Outcome:
    """What schemathesis found with one file; ``failed`` counts failures by check."""

    version: str
    operations: int
    cases: int
    failures: int
    errors: int
    seconds: float
    failed: Mapping[str, int] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether nothing failed, and something was tried."""
        return self.cases > 0 and not self.failures and not self.errors


def patched(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document without the faults that keep it from being used; it is changed."""
    declared = document["components"]["parameters"]
    for path, operations in document["paths"].items():
        for operation in operations.values():
            operation["parameters"] = _parameters(path, operation["parameters"], declared)
            operation["responses"].pop("510", None)
    return document


def _parameters(
    path: str, references: list[dict[str, Any]], declared: dict[str, Any]
) -> list[dict[str, Any]]:
    named = [(one, declared[one["$ref"].rpartition("/")[2]]) for one in references]
    known = {parameter["name"] for _, parameter in named if parameter["in"] == "path"}
    there = re.findall(r"\{(\w+)\}", path)
    missing = iter([name for name in there if name not in known])
    found = []
    for reference, parameter in named:
        if parameter["name"] == "If-Modified-Since":
            continue
        wrong = parameter["in"] == "path" and parameter["name"] not in there
        found.append({**parameter, "name": next(missing)} if wrong else reference)
    return found


def run(file: Path, version: str, url: str, schemathesis: str, examples: int, seed: int) -> Outcome:
    """Run the checks on one official file; what schemathesis says goes to standard error."""
    document = patched(yaml.safe_load(file.read_text(encoding="utf-8")))
    with tempfile.TemporaryDirectory() as folder:
        copy, report = Path(folder) / file.name, Path(folder) / "report.ndjson"
        copy.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), "utf-8")
        done = subprocess.run(
            [
                schemathesis, "run", str(copy), "--url", url + FILES[version],
                "--checks", ",".join(CHECKS), "--max-examples", str(examples),
                "--seed", str(seed), "--mode", "all",
                "--phases", "examples,coverage,fuzzing,stateful",
                "--generation-database", "none", "--continue-on-failure", "--no-color",
                "--report", "ndjson", "--report-ndjson-path", str(report),
                "--warnings", "off", "--request-timeout", "30",
            ],
            stdout=sys.stderr, cwd=folder, check=False,
        )  # fmt: skip
        if not report.exists():
            raise SystemExit(f"{file}: schemathesis ended with {done.returncode} and no report")
        outcome = _read(report, version)
    if done.returncode and outcome.passed:
        raise SystemExit(f"{file}: schemathesis ended with {done.returncode} and no failure")
    return outcome


def _read(report: Path, version: str) -> Outcome:
    """Count what the report of events tells: cases, failed checks, errors."""
    operations: set[str] = set()
    failed: Counter[str] = Counter()
    cases = errors = 0
    seconds = 0.0
    for line in report.read_text(encoding="utf-8").splitlines():
        name, event = next(iter(json.loads(line).items()))
        if name == "ScenarioFinished":
            recorder = event["recorder"]
            operations.add(recorder["label"])
            cases += len(recorder.get("cases", {}))
            failed.update(
                check["name"]
                for checks in recorder.get("checks", {}).values()
                for check in checks
                if check["status"] == "failure"
            )
        elif name in ("NonFatalError", "FatalError"):
            errors += 1
        elif name == "EngineFinished":
            seconds = round(event["running_time"], 1)
    return Outcome(version, len(operations), cases, failed.total(), errors, seconds, dict(failed))


def _official(paths: list[Path]) -> Iterator[tuple[Path, str]]:
    """Yield each file with its version; those of a folder are found by name."""
    for path in paths:
        if path.is_dir():
            yield from ((path / f"sdmx-rest-{version}.yaml", version) for version in FILES)
            continue
        version = str(yaml.safe_load(path.read_text(encoding="utf-8"))["info"]["version"])
        if version not in FILES:
            raise SystemExit(f"{path}: version {version}; expected one of {', '.join(FILES)}")
        yield path, version


def main() -> int:
    """Run the files and say what came of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", type=Path, nargs="+", help="official OpenAPI files, or a folder")
    parser.add_argument("--url", required=True, help="address of the running service")
    parser.add_argument("--schemathesis", default="schemathesis", help="the program")
    parser.add_argument("--max-examples", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="where to write the outcome")
    options = parser.parse_args()
    outcomes = []
    for file, version in _official(options.paths):
        outcome = run(
            file,
            version,
            options.url.rstrip("/"),
            options.schemathesis,
            options.max_examples,
            options.seed,
        )
        outcomes.append(outcome)
        each = ", ".join(f"{check} {outcome.failed.get(check, 0)}" for check in CHECKS)
        sys.stdout.write(
            f"OpenAPI {version}: {outcome.operations} operations, {outcome.cases} cases, "
            f"{outcome.failures} failures ({each}), {outcome.errors} errors\n"
        )
        sys.stdout.flush()
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in outcomes], indent=1), "utf-8")
    return 0 if all(one.passed for one in outcomes) else 1


if __name__ == "__main__":
    raise SystemExit(main())
