"""Comparison with numbers that other software computed, summed up in one line a suite."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

Record = dict[str, Any]
CLOSED_FORM = 1e-8
ROUNDING = 1e-15


@dataclass
class Suite:
    """One oracle suite: its records, and what came of comparing them.

    A number agrees if it lies within ``tolerance`` of the expected one, relative to the larger of
    the expected one and its ``size``, the magnitude below which a number is rounding.
    """

    name: str
    folder: Path
    records: list[Record]
    compared: int = 0
    numbers: int = 0
    software: str = ""
    worst: float = 0.0
    failures: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def input(self, file: str = "input.csv") -> pd.DataFrame:
        """Return one of the suite's inputs."""
        return pd.read_csv(self.folder / file)

    def leave_out(self, reason: str) -> None:
        """Note that a record is not compared, and why."""
        self.left_out[reason] += 1

    def compare(
        self,
        record: Record,
        got: Mapping[str, float],
        *,
        tolerance: float = CLOSED_FORM,
        size: Mapping[str, float] | None = None,
        skip: frozenset[str] = frozenset(),
    ) -> None:
        """Compare every number of a record, apart from the fields of ``skip``."""
        self.compared += 1
        expected = {
            key: value
            for key, value in record.items()
            if (value is None or isinstance(value, int | float)) and not isinstance(value, bool)
        }
        expected = {key: value for key, value in expected.items() if key not in skip}
        if unanswered := expected.keys() - got.keys():
            raise AssertionError(f"{self.name}: nothing to compare {unanswered} with, {record}")
        wrong = []
        for key, value in expected.items():
            self.numbers += 1
            if value is None:
                error = 0.0 if np.isnan(got[key]) else np.inf
            else:
                error = abs(got[key] - value) / max(abs(value), (size or {}).get(key, ROUNDING))
            if not error <= tolerance:
                wrong.append(f"{key} {got[key]!r}, expected {value!r}")
            else:
                self.worst = max(self.worst, float(error))
        if wrong:
            self.failures.append(f"{self.name} {_label(record)}: {'; '.join(wrong)}")

    @property
    def reasons(self) -> str:
        """Why records were left out, with their numbers."""
        return "; ".join(f"{reason}: {count}" for reason, count in self.left_out.items())

    @property
    def row(self) -> str:
        """The suite's row of the conformance page."""
        out = f"{self.left_out.total()}" + (f": {self.reasons}" if self.left_out else "")
        return (
            f"| `{self.name}` | {self.software} | {self.compared} | {self.numbers} | "
            f"{len(self.failures)} | {out} | {self.worst:.1e} |"
        )

    @property
    def line(self) -> str:
        """What `make oracles` prints."""
        reasons = self.reasons
        return (
            f"{self.name}: compared {self.compared} ({self.numbers} numbers), "
            f"failed {len(self.failures)}, left out {self.left_out.total()}"
            f"{f' ({reasons})' if reasons else ''}, worst relative error {self.worst:.1e}"
        )


def _label(record: Record) -> str:
    return " ".join(f"{k}={v}" for k, v in record.items() if isinstance(v, str))


@pytest.fixture
def oracle(shared: Path, request: pytest.FixtureRequest) -> Callable[[str], Suite]:
    """Open a suite by name; what came of it is printed after the run."""

    def open_suite(name: str) -> Suite:
        folder = shared / "oracles" / name
        expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
        suite = Suite(name, folder, expected["results"])
        suite.software = ", ".join(f"{k} {v}" for k, v in expected["software"].items())
        suites.append(suite)
        return suite

    suites: list[Suite] = []
    # read when the test is over; a report carries it from a worker to the terminal
    request.node.oracle_suites = suites
    return open_suite


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    if report.when == "call":
        for suite in getattr(item, "oracle_suites", []):
            report.user_properties += [("oracle", suite.line), ("oracle row", suite.row)]
    return report


def _said(terminalreporter: pytest.TerminalReporter, what: str) -> list[str]:
    return sorted(
        {
            text
            for reports in terminalreporter.stats.values()
            for report in reports
            for name, text in getattr(report, "user_properties", [])
            if name == what
        }
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    lines = _said(terminalreporter, "oracle")
    if lines:
        terminalreporter.section("oracles")
    for line in lines:
        terminalreporter.write_line(line)
    page = os.environ.get("CONFORMANCE_PAGE")
    if page and lines:
        _write_rows(Path(page), _said(terminalreporter, "oracle row"))


def _write_rows(page: Path, rows: list[str]) -> None:
    """Put the suites' rows between the marks of the conformance page, with the day."""
    before, rest = page.read_text(encoding="utf-8").split("<!-- suites -->")
    _, after = rest.split("<!-- end of suites -->")
    head = [
        f"Compared on {datetime.now(UTC):%Y-%m-%d}.",
        "",
        "| suite | software | records | numbers | failed | left out | worst relative error |",
        "|---|---|---|---|---|---|---|",
    ]
    table = "\n".join(["<!-- suites -->", *head, *rows, "<!-- end of suites -->"])
    page.write_text(before + table + after, encoding="utf-8")
