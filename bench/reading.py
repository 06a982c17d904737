"""How fast data messages are read and written, beside pysdmx and sdmx1."""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

# One thread each, so that rates are of one processor; polars counts when it is imported.
os.environ["POLARS_MAX_THREADS"] = "1"
# Run as a file, this folder would hide the standard library's module statistics.
HERE = Path(__file__).resolve().parent
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != HERE]
import polars as pl
import pyarrow as pa
import pysdmx.io
import sdmx

sys.path.append(str(HERE))
import page
from observations import TABLE, observations, structures
from page import Report

from sdmx_service.formats import DataMessage, Keys, Labels, data_formats
from sdmx_service.formats.message import ALL_DIMENSIONS
from sdmx_service.structures.artefacts import Dataflow
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.store import StructureStore
from sdmx_service.structures.writing_ml import structure_message

FORMATS = {one.name: one for one in data_formats() if one.read}
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
RUNS = 3
# What the other libraries return differs from message to message, more than their types say.
BY_PYSDMX: Any = pysdmx.io.read_sdmx
BY_SDMX1: Any = sdmx.read_sdmx
# What is measured: the name of a format and what the message is asked to be like.
FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "SDMX-CSV 1.0": ("csv10", {}),
    "SDMX-CSV 2.0": ("csv20", {}),
    "SDMX-CSV 2.1": ("csv21", {}),
    "SDMX-CSV 2.1, codes with names": ("csv21", {"labels": Labels.BOTH}),
    "SDMX-CSV 2.1, with both keys": ("csv21", {"keys": Keys.BOTH}),
    "SDMX-ML 2.1 structure-specific": ("structurespecific", {}),
    "SDMX-ML 2.1 generic": ("generic", {}),
    "SDMX-ML 2.1 generic, observations without series": (
        "generic",
        {"observed_by": ALL_DIMENSIONS},
    ),
    "SDMX-ML 3.1": ("xml31", {}),
    "SDMX-ML 3.1, observations without series": ("xml31", {"observed_by": ALL_DIMENSIONS}),
    "SDMX-JSON 1.0": ("json10", {}),
    "SDMX-JSON 2.1": ("json21", {}),
    "SDMX-JSON 2.1, observations without series": ("json21", {"observed_by": ALL_DIMENSIONS}),
}
TARGETS = {"csv20": 1.0, "json21": 0.5, "xml31": 0.2, "generic": 0.2}
BESIDE = ("SDMX-CSV 1.0", "SDMX-CSV 2.0", "SDMX-ML 2.1 structure-specific", "SDMX-ML 2.1 generic",
          "SDMX-ML 3.1", "SDMX-JSON 2.1")  # fmt: skip


def used(run: Callable[[], Any], times: int) -> float:
    """Return the least processor time of some runs, in seconds."""
    found = []
    for _ in range(times):
        began = time.process_time()
        run()
        found.append(time.process_time() - began)
    return min(found)


def messages(flow: Dataflow, rows: int) -> dict[str, DataMessage]:
    """Return a message of so many observations with all attributes, in every form."""
    table = observations(flow.structure, rows)
    message = DataMessage.of(flow, table, "r", MOMENT)
    return {name: replace(message, **asked) for name, (_, asked) in FORMS.items()}


def ours(report: Report, store: StructureStore, flow: Dataflow, rows: int) -> None:
    """Every form, written and read."""
    found = []
    for name, message in messages(flow, rows).items():
        one = FORMATS[FORMS[name][0]]
        content = b"".join(one.write(message))
        writing = used(lambda one=one, m=message: sum(map(len, one.write(m))), RUNS)  # type: ignore[misc]
        assert one.read is not None
        reading = used(partial(one.read, content, store), RUNS)
        rate = rows / reading / 1e6
        found.append(
            (
                name,
                f"{len(content) / rows:,.0f}",
                f"{rows / writing / 1e6:.2f}",
                f"{rate:.2f}",
                f"{len(content) / reading / 1e6:,.0f}",
            )
        )
        if name in ("SDMX-CSV 2.0", "SDMX-JSON 2.1", "SDMX-ML 3.1", "SDMX-ML 2.1 generic"):
            least = TARGETS[FORMS[name][0]]
            report.target(f"{name} read", rate, least, "M a processor-second", least=True)
    report.table(
        f"{rows:,} observations of {TABLE} with all attributes, in memory, one thread, the best of "
        f"{RUNS} runs in processor time. Messages are whole: each code, type and key is checked "
        "against the structure.",
        ("form", "bytes each", "written, M/s", "read, M/s", "read, MB/s"),
        found,
    )
    bare(report, flow, rows)


def bare(report: Report, flow: Dataflow, rows: int) -> None:
    """The parsers underneath alone, which check nothing of SDMX."""
    import orjson
    from lxml import etree

    made = messages(flow, rows)
    parsers: dict[str, tuple[str, Callable[[bytes], Any]]] = {
        "polars.read_csv, all columns as texts": (
            "SDMX-CSV 2.0",
            lambda content: pl.read_csv(content, infer_schema=False),
        ),
        "pyarrow.csv.read_csv": (
            "SDMX-CSV 2.0",
            lambda content: pa.csv.read_csv(
                BytesIO(content), read_options=pa.csv.ReadOptions(use_threads=False)
            ),
        ),
        "orjson.loads": ("SDMX-JSON 2.1", orjson.loads),
        "lxml, elements that are looked at and dropped": ("SDMX-ML 3.1", partial(_dropped, etree)),
    }
    found = []
    for name, (form, parse) in parsers.items():
        content = b"".join(FORMATS[FORMS[form][0]].write(made[form]))
        took = used(partial(parse, content), RUNS)
        found.append((name, form, f"{rows / took / 1e6:.2f}"))
    report.table(
        "The parsers underneath by themselves, whose results are no observations yet:",
        ("parser", "form", "M/s"),
        found,
    )


def _dropped(etree: Any, content: bytes) -> int:
    count = 0
    for _, element in etree.iterparse(BytesIO(content), tag=("Obs", "Series")):
        count += len(element.attrib.values())
        if element.tag == "Series":
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    return count


def beside(report: Report, store: StructureStore, flow: Dataflow, rows: int) -> None:
    """Ours, pysdmx's and sdmx1's readers with the same bytes."""
    made = messages(flow, rows)
    known = _for_sdmx1(store)
    found = []
    for name in BESIDE:
        one = FORMATS[FORMS[name][0]]
        content = b"".join(one.write(made[name]))
        assert one.read is not None
        rate = rows / used(partial(one.read, content, store), RUNS)
        text = content.decode()
        theirs = {
            "pysdmx": _rate(rows, partial(_by_pysdmx, text)),
            "sdmx1": _rate(rows, partial(_by_sdmx1, content, known)) if "2.1 " in name else None,
        }
        cells = [_beside(rate, other) for other in theirs.values()]
        found.append((name, f"{rate:,.0f}", *cells))
    report.table(
        f"{rows:,} observations, observations a processor-second. pysdmx gives a table of texts "
        "and is told not to validate; sdmx1, which reads SDMX-ML 2.1 and 3.0, an object an "
        "observation. A stroke is what a reader refuses or does not know.",
        ("form", "ours", "pysdmx (times as fast)", "sdmx1 (times as fast)"),
        found,
    )


def _by_pysdmx(text: str) -> Any:
    return BY_PYSDMX(text, validate=False).data[0].data


def _by_sdmx1(content: bytes, known: Any) -> Any:
    return BY_SDMX1(BytesIO(content), structure=known).data[0]


def _rate(rows: int, run: Callable[[], Any]) -> float | str:
    """Return observations a processor-second, or why there are none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return rows / used(run, 1)
        except Exception as error:  # noqa: BLE001 - whatever the other software says
            return type(error).__name__


def _beside(rate: float, other: float | str | None) -> str:
    if other is None or isinstance(other, str):
        return f"- ({other})" if other else "-"
    return f"{other:,.0f} ({rate / other:,.0f})"


def _for_sdmx1(store: StructureStore) -> Any:
    """Return the structure as sdmx1 has it."""
    wanted = (ArtefactKind.DATA_STRUCTURE, ArtefactKind.CODELIST, ArtefactKind.CONCEPT_SCHEME)
    carried = [one for one in store.artefacts if one.kind in wanted]
    written = structure_message(carried, prepared=MOMENT, sender="BENCH")
    return BY_SDMX1(BytesIO(written)).structure[TABLE]


def main() -> None:
    """Measure everything and write the page's section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="observations of ours alone")
    parser.add_argument("--beside", type=int, default=5_000, help="observations beside peers")
    parser.add_argument("--dry", action="store_true", help="print only, leave the page alone")
    asked = parser.parse_args()
    about = page.machine()
    store = structures()
    flow = store.dataflow("DF_ALL", "SIS", "1.0.0")
    report = Report()
    ours(report, store, flow, asked.rows)
    beside(report, store, flow, asked.beside)
    used_versions = page.versions("polars", "pyarrow", "orjson", "lxml", "pysdmx", "sdmx1")
    head = f"## Reading and writing data messages\n\n{about}. {used_versions}."
    text = "\n\n".join((head, *report.parts[:2], "\n".join(report.verdicts), *report.parts[2:]))
    if not asked.dry:
        page.write("reading", text)
    print(text)


if __name__ == "__main__":
    main()
