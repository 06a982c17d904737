"""How many small faults in the statistical core the tests find: ``make mutants``.

mutmut changes one thing at a time in the modules that pyproject.toml names and runs the tests that
reach it. It runs in a copy of the project, build/mutants. A mutant is found when a test fails or
hangs. One that no test can find, because it computes the same, is named in
tests/mutants_equivalent.yaml with the reason; one that only words an error differently is not
counted. Fails where less than 90 % of the others are found, in any module.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
COPY = ROOT / "build" / "mutants"
PARTS = ["sdmx_service", "tests", "dsd", "docs", "reports", "pyproject.toml", "README.md"]
EQUIVALENT = Path("tests") / "mutants_equivalent.yaml"
WANTED = 0.90
# mutmut's exit codes: a test failed, pytest broke off; out of time
KILLED, HUNG = {1, 3}, {36, 24, -24, 152, 255}
# a line of an error's text: its raise, or one of the parts of its message
MESSAGE = re.compile(r"raise \w+\(|(where|got|expected|hint)=")


@dataclass(frozen=True)
class Change:
    """What a mutant changes: the first line taken out and the first put in, whatever its number."""

    module: str
    function: str
    was: str
    becomes: str

    @property
    def is_wording(self) -> bool:
        """Whether nothing but the text of an error is another."""
        before, after = MESSAGE.match(self.was), MESSAGE.match(self.becomes)
        return bool(before and after and before.group() == after.group())


@dataclass(frozen=True)
class Mutant:
    """A change, its name in this run, and mutmut's exit code, None where it was not tried."""

    name: str
    change: Change
    code: int | None

    @property
    def found(self) -> bool:
        """Whether a test failed or hung."""
        return self.code in KILLED | HUNG


def copy_project() -> None:
    """Make the copy anew, so that nothing is left of an earlier run."""
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir(parents=True)
    for part in PARTS:
        if (ROOT / part).is_dir():
            leave = shutil.ignore_patterns("__pycache__", ".*")
            shutil.copytree(ROOT / part, COPY / part, ignore=leave)
        else:
            shutil.copy2(ROOT / part, COPY / part)


def run(names: list[str], children: int) -> None:
    """Try the mutants with these names (patterns; all of them where there is none)."""
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "POLARS_MAX_THREADS": "1",
        "SHARED": str((ROOT / os.environ.get("SHARED", "../shared")).resolve()),
    }
    program = Path(sys.executable).with_name("mutmut")
    subprocess.run(
        [program, "run", "--max-children", str(children), *names],
        cwd=COPY,
        env=environment,
        check=True,
    )


def mutants(module: str) -> list[Mutant]:
    """Return the mutants of a module, as the run in the copy left them."""
    # imported here: it reads its settings from the folder it stands in
    diff_apply = import_module("mutmut.mutation.diff_apply")
    found = []
    with contextlib.chdir(COPY):
        meta = json.loads((Path("mutants") / f"{module}.meta").read_text(encoding="utf-8"))
        for name, code in meta["exit_code_by_key"].items():
            lines = diff_apply.get_diff_for_mutant(name, path=Path(module)).splitlines()
            out = [line[1:].strip() for line in lines if re.match(r"-(?!--)", line)]
            put = [line[1:].strip() for line in lines if re.match(r"\+(?!\+\+)", line)]
            function = name.rpartition(".")[2].rpartition("__mutmut_")[0]
            function = re.sub(r"^x_|^xǁ", "", function).replace("ǁ", ".")
            change = Change(module, function, (out or [""])[0], (put or [""])[0])
            found.append(Mutant(name, change, code))
    return found


def equivalents() -> dict[Change, str]:
    """Return the changes that compute the same, with the reasons."""
    listed = yaml.safe_load((ROOT / EQUIVALENT).read_text(encoding="utf-8"))
    return {
        Change(f"sdmx_service/{one['module']}", one["function"], one["was"], one["is"]): one[
            "reason"
        ]
        for one in listed
    }


def report(modules: list[str]) -> bool:
    """Print what came of each module, and return whether enough was found in all of them."""
    same = equivalents()
    met: set[Change] = set()
    enough, total, lines = True, Counter[str](), []
    for module in modules:
        count = Counter[str]()
        for one in mutants(module):
            if one.code is None:
                raise SystemExit(f"{one.name} was not tried: the run broke off")
            if one.change.is_wording:
                count["wording"] += 1
                continue
            count["mutants"] += 1
            count["killed"] += one.found
            if one.found:
                continue
            if one.change in same:
                met.add(one.change)
                count["equivalent"] += 1
                continue
            count["survived"] += 1
            print(f"survived: {one.name}\n  - {one.change.was}\n  + {one.change.becomes}")
        lines.append(said(module, count))
        enough &= share(count) >= WANTED
        total += count
    for change in same.keys() - met:
        if change.module in modules:
            print(f"listed as equivalent, but no survivor: {change}")
            enough = False
    print("\n".join(["", *lines, said("all", total)]))
    return enough


def share(count: Counter[str]) -> float:
    """Return the share of the mutants that are no equivalents which was found."""
    return count["killed"] / max(count["mutants"] - count["equivalent"], 1)


def said(name: str, count: Counter[str]) -> str:
    """Return the line of a module."""
    return (
        f"{name}: {count['mutants']} mutants, {count['killed']} killed, "
        f"{count['equivalent']} equivalent, {count['survived']} survived, "
        f"share {share(count):.1%} ({count['wording']} of message text not counted)"
    )


def main() -> int:
    """Run, report, and return 1 where too few are found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", help="as in pyproject.toml; by default all of them")
    parser.add_argument("--children", type=int, default=1, help="mutants tried at once")
    parser.add_argument("--report", action="store_true", help="only report the last run")
    asked = parser.parse_args()
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    modules = asked.modules or settings["tool"]["mutmut"]["only_mutate"]
    if not asked.report:
        copy_project()
        names = [one.removesuffix(".py").replace("/", ".") + ".*" for one in modules]
        run(names if asked.modules else [], asked.children)
    return 0 if report(modules) else 1


if __name__ == "__main__":
    sys.exit(main())
