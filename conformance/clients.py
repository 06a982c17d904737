"""Asks the service with the clients that people have, and says what each of them read.

``python conformance/clients.py URL`` needs sdmx1, pysdmx and pandas; it also asks with rsdmx
(where Rscript finds it), sdmx-json-parser (``--node-modules DIR``) and curl where they are there.
What to ask for is looked up in the service itself; then every example of docs/clients.md and of
the front page is run. Prints the versions, one line a call and how many passed, failed or were
absent; with ``--page`` into that page too. Ends with 1 where one failed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import examples

HERE = Path(__file__).resolve().parent
_BEGIN, _END = "<!-- what conformance/clients.py printed -->\n```\n", "```\n<!-- end -->"
_STRUCTURE = "application/vnd.sdmx.structure+json;version=2.0.0"


@dataclass(frozen=True)
class Call:
    """One call of a client: what it read, or why it failed; ``outcome`` passed, failed, absent."""

    client: str
    call: str
    outcome: str
    said: str


def _try(client: str, call: str, ask: Callable[[], str]) -> Call:
    try:
        return Call(client, call, "passed", ask()[:160])
    except Exception as error:  # noqa: BLE001 - whatever a client raises is its outcome
        return Call(client, call, "failed", f"{type(error).__name__}: {error}"[:300])


class Service:
    """What there is to ask a service for."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        listed = json.load(self.open("/", "application/json"))
        flows = [one for one in listed["dataflows"] if one["observations"]]
        smallest = min(flows, key=lambda one: int(one["observations"]))
        self.agency, self.flow = smallest["agency"], smallest["id"]
        self.version, self.observations = smallest["version"], int(smallest["observations"])
        self.examples = tuple(
            examples.Example(one["client"], one["language"], one["code"])
            for one in listed["examples"]
        )

    def open(self, path: str, accept: str) -> Any:
        """Open a path of the service."""
        return urllib.request.urlopen(
            urllib.request.Request(self.url + path, headers={"Accept": accept}), timeout=60
        )

    def first(self, kind: str) -> tuple[str, str, str] | None:
        """Return agency, id and version of an artefact of a kind, None where there is none."""
        with self.open(f"/sdmx/v2/structure/{kind}?detail=allstubs", _STRUCTURE) as answer:
            if answer.status == 204:
                return None
            data = json.load(answer)["data"]
        # A geographic codelist answers to the name of a codelist, but few clients know one.
        own = {key: listed for key, listed in data.items() if key.lower() == f"{kind}s"}
        found = [one for listed in (own or data).values() for one in listed]
        if not found:
            return None
        # One that tells something, where an office has several.
        one = max(found, key=lambda each: (each["agencyID"] != "SDMX", each["id"]))
        return one["agencyID"], one["id"], one["version"]


def registry_calls(service: Service) -> Iterator[Call]:
    """Make all calls of pysdmx's RegistryClient."""
    from pysdmx.api.fmr import RegistryClient
    from pysdmx.io.format import StructureFormat

    client = RegistryClient(f"{service.url}/sdmx/v2", StructureFormat.SDMX_JSON_2_0_0, timeout=30.0)
    flow = (service.agency, service.flow, service.version)
    of_agency = {
        "get_agencies": "agencyscheme",
        "get_providers": "dataproviderscheme",
        "get_metadata_providers": "metadataproviderscheme",
    }
    of_artefact = {
        "get_categories": "categoryscheme",
        "get_categorisation": "categorisation",
        "get_code_map": "representationmap",
        "get_codes": "codelist",
        "get_concepts": "conceptscheme",
        "get_data_constraint": "dataconstraint",
        "get_data_structures": "datastructure",
        "get_dataflow_details": "dataflow",
        "get_dataflows": "dataflow",
        "get_hierarchy": "hierarchy",
        "get_mapping": "structuremap",
        "get_metadata_provision_agreement": "metadataprovisionagreement",
        "get_metadata_structures": "metadatastructure",
        "get_metadataflows": "metadataflow",
        "get_provision_agreement": "provisionagreement",
        "get_vtl_transformation_scheme": "transformationscheme",
    }
    for name, kind in {**of_agency, **of_artefact}.items():
        found = flow if name == "get_dataflow_details" else service.first(kind)
        if found is None:
            yield Call("pysdmx RegistryClient", name, "absent", f"the release has no {kind}")
            continue
        arguments = found[:1] if name in of_agency else found
        yield _try(
            "pysdmx RegistryClient",
            f"{name}{arguments}",
            lambda name=name, arguments=arguments: _told(getattr(client, name)(*arguments)),
        )
    yield _try(
        "pysdmx RegistryClient",
        f"get_schema('dataflow', {flow})",
        lambda: f"{len(client.get_schema('dataflow', *flow).components)} components",
    )
    report = _report(service)
    if report is None:
        for name in ("get_report", "get_reports"):
            yield Call("pysdmx RegistryClient", name, "absent", "the release has no metadata set")
        return
    provider, id, version, target = report
    yield _try(
        "pysdmx RegistryClient",
        f"get_report{(provider, id, version)}",
        lambda: _told(client.get_report(provider, id, version)),
    )
    yield _try(
        "pysdmx RegistryClient",
        f"get_reports{target}",
        lambda: f"{len(client.get_reports(*target))} reports",
    )


def _report(service: Service) -> tuple[str, str, str, tuple[str, ...]] | None:
    """Return provider, id and version of a metadata set, and the artefact that it is about.

    Of a code that is the codelist: reports are found by what is maintained.
    """
    accept = "application/vnd.sdmx.metadata+json;version=2.0.0"
    with service.open("/sdmx/v2/metadata/metadataset/*/*/*", accept) as answer:
        if answer.status == 204:
            return None
        found = json.load(answer)["data"]["metadataSets"]
    for one in found:
        for target in one["targets"]:
            before, _, rest = target.partition("=")
            name = before.rpartition(".")[2]
            agency, _, more = rest.partition(":")
            id, _, version = more.partition(")")[0].partition("(")
            if "*" not in target:
                kind = {"code": "codelist"}.get(name.lower(), name.lower())
                about = (kind, agency, id, version)
                return one["agencyID"], one["id"], one["version"], about
    return None


def _told(found: Any) -> str:
    if isinstance(found, list | tuple):
        return f"{len(found)} of {type(found[0]).__name__}" if found else "none"
    return f"{type(found).__name__} {getattr(found, 'id', '')}".strip()


def sdmx1_calls(service: Service) -> Iterator[Call]:
    """Read structure and data with sdmx1 over both interfaces."""
    import sdmx

    sdmx.add_source({"id": "SIS", "name": "REST 1.5", "url": f"{service.url}/rest"}, override=True)
    sdmx.add_source(
        {
            "id": "SIS2",
            "name": "REST 2",
            "url": f"{service.url}/sdmx/v2",
            "versions": ["3.0.0"],
        },
        override=True,
    )
    old, new = sdmx.Client("SIS"), sdmx.Client("SIS2")

    def observations(message: Any) -> str:
        read = sum(len(one.obs) for one in message.data)
        if read != service.observations:
            raise AssertionError(f"{read} observations, not {service.observations}")
        return f"{read} observations"

    yield _try("sdmx1 v1", "dataflow()", lambda: f"{len(old.dataflow().dataflow)} dataflows")
    yield _try("sdmx1 v1", "data()", lambda: observations(old.data(service.flow)))
    for name, accept in (
        ("generic", "application/vnd.sdmx.genericdata+xml;version=2.1"),
        ("3.0", "application/vnd.sdmx.data+xml;version=3.0.0"),
    ):
        yield _try(
            "sdmx1 v2",
            f"data() {name}",
            lambda accept=accept: observations(
                new.get(
                    "data",
                    resource_id=service.flow,
                    agency_id=service.agency,
                    headers={"Accept": accept},
                    **({"dsd": _structure(old, service)} if "data+xml" in accept else {}),
                )
            ),
        )


def _structure(client: Any, service: Service) -> Any:
    message = client.dataflow(service.flow, params={"references": "descendants"})
    (structure,) = message.structure.values()
    return structure


def pysdmx_calls(service: Service) -> Iterator[Call]:
    """Read data with pysdmx over both interfaces."""
    from pysdmx.api.qb.data import DataContext, DataFormat, DataQuery
    from pysdmx.api.qb.service import RestService
    from pysdmx.api.qb.util import ApiVersion
    from pysdmx.io import read_sdmx

    def read(version: Any, entry: str, form: Any) -> str:
        client = RestService(service.url + entry, version, data_format=form, timeout=60)
        query = DataQuery(DataContext.DATAFLOW, service.agency, service.flow)
        (data,) = read_sdmx(client.data(query).decode(), validate=False).data
        if len(data.data) != service.observations:
            raise AssertionError(f"{len(data.data)} rows, not {service.observations}")
        return f"{len(data.data)} rows"

    for name, version, entry in (
        ("pysdmx v1", ApiVersion.V1_5_0, "/rest"),
        ("pysdmx v2", ApiVersion.V2_2_2, "/sdmx/v2"),
    ):
        for form in (
            DataFormat.SDMX_CSV_1_0_0,
            DataFormat.SDMX_CSV_2_0_0,
            DataFormat.SDMX_ML_2_1_GEN,
            DataFormat.SDMX_ML_2_1_STR,
            DataFormat.SDMX_ML_3_0,
        ):
            yield _try(
                name,
                form.name,
                lambda version=version, entry=entry, form=form: read(version, entry, form),
            )


def other_calls(service: Service, node_modules: Path | None) -> Iterator[Call]:
    """Ask with pandas, curl, rsdmx and sdmx-json-parser."""
    import pandas as pd

    address = f"{service.url}/rest/data/{service.flow}"
    yield _try(
        "pandas",
        "read_csv(format=csv)",
        lambda: _rows(len(pd.read_csv(f"{address}?format=csv", low_memory=False)), service),
    )
    for client, program, command in (
        ("curl", "curl", ["curl", "-sf", f"{address}?format=csv"]),
        ("rsdmx", "Rscript", ["Rscript", str(HERE / "clients.R"), service.url, service.flow]),
        *(
            (
                f"sdmx-json-parser {name}",
                "node" if node_modules else "",
                ["node", str(HERE / "clients.mjs"), str(node_modules), where, none],
            )
            for name, where, none in (
                ("v1", address, "detail=dataonly"),
                (
                    "v2",
                    f"{service.url}/sdmx/v2/data/dataflow/{service.agency}/{service.flow}",
                    "attributes=none",
                ),
            )
        ),
    ):
        if not program or shutil.which(program) is None:
            yield Call(client, " ".join(command[:1]), "absent", "not on this machine")
            continue
        yield _try(
            client,
            Path(command[1]).name if client != "curl" else "GET",
            lambda command=command, client=client: _command(command, client, service),
        )


def example_calls(service: Service, node_modules: Path | None) -> Iterator[Call]:
    """Run the examples of docs/clients.md and of the service's front page as they stand there."""
    page = examples.examples(examples.PAGE.read_text(encoding="utf-8"), service.url)
    places = [(f"docs/clients.md, {one.heading}", one) for one in page]
    places += [(f"front page, {one.heading}", one) for one in service.examples]
    for client, one in places:
        if not one.there or (one.language == "js" and node_modules is None):
            yield Call(client, one.language, "absent", "not on this machine")
            continue
        yield _try(client, one.language, lambda one=one: examples.ran(one, node_modules))


def _rows(read: int, service: Service) -> str:
    if read != service.observations:
        raise AssertionError(f"{read} rows, not {service.observations}")
    return f"{read} rows"


def _command(command: list[str], client: str, service: Service) -> str:
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=120, cwd=folder, check=False
        )
    if done.returncode:
        said = (done.stderr or done.stdout).splitlines()
        # What went wrong, without the places on this machine where it did.
        faults = [line.strip() for line in said if "Error" in line and "/" not in line]
        raise AssertionError((faults or ["it failed"])[-1][:250])
    if client == "curl":
        return f"{len(done.stdout.encode())} bytes"
    last = done.stdout.strip().splitlines()[-1]
    if str(service.observations) not in last.split():
        raise AssertionError(f"{last}, not {service.observations}")
    return last


def calls(url: str, node_modules: Path | None = None) -> Iterator[Call]:
    """Make every call, one after the other."""
    service = Service(url)
    yield from registry_calls(service)
    yield from sdmx1_calls(service)
    yield from pysdmx_calls(service)
    yield from other_calls(service, node_modules)
    yield from example_calls(service, node_modules)


def main() -> int:
    """Make every call and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="address of the running service")
    parser.add_argument("--node-modules", type=Path, help="folder that has sdmx-json-parser")
    parser.add_argument("--json", type=Path, help="where to write the outcome")
    parser.add_argument("--page", action="store_true", help="write it into docs/clients.md")
    options = parser.parse_args()
    made: list[Call] = []
    printed: list[str] = []
    for line in _lines(calls(options.url, options.node_modules), made):
        printed.append(line)
        sys.stdout.write(line)
        sys.stdout.flush()
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in made], indent=1), "utf-8")
    if options.page:
        _quote("".join(printed))
    return 1 if any(one.outcome == "failed" for one in made) else 0


def _lines(calls: Iterable[Call], made: list[Call]) -> Iterator[str]:
    """Yield what is printed, a line as soon as it is known; the calls are put into ``made``."""
    known = ", ".join(f"{name} {metadata.version(name)}" for name in ("sdmx1", "pysdmx", "pandas"))
    yield f"{known}\n"
    for call in calls:
        made.append(call)
        yield f"{call.outcome:7} {call.client}: {call.call}: {call.said}\n"
    counted = Counter(call.outcome for call in made)
    yield ", ".join(f"{counted[one]} {one}" for one in ("passed", "failed", "absent")) + "\n"


def _quote(printed: str) -> None:
    """Put what was printed into the page, between the two marks."""
    page = examples.PAGE.read_text(encoding="utf-8")
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise SystemExit(f"{examples.PAGE.name} has no place for what is printed")
    examples.PAGE.write_text(f"{before}{begin}{printed}{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
