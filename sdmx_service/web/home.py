"""The front page: what is published, in which formats, and how to point a client at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sdmx_service.formats import data_formats, languages, structure_formats
from sdmx_service.formats.negotiation import accepted
from sdmx_service.release import Release
from sdmx_service.structures.artefacts import localised
from sdmx_service.web.answer import answer

__all__ = ["health", "home"]

_RESOURCES_15 = (
    "data/{flow}/{key}/{provider}",
    "availableconstraint/{flow}/{key}/{provider}/{component}",
    "{type}/{agency}/{id}/{version}/{item}",
    "schema/{context}/{agency}/{id}/{version}",
    "metadata/{flow}/{key}/{provider}",
)
_RESOURCES_22 = (
    "data/{context}/{agency}/{id}/{version}/{key}",
    "availability/{context}/{agency}/{id}/{version}/{key}/{component}",
    "structure/{type}/{agency}/{id}/{version}/{item}",
    "schema/{context}/{agency}/{id}/{version}",
    "metadata/metadataset/{provider}/{id}/{version}",
    "metadata/metadataflow/{agency}/{id}/{version}/{provider}",
    "metadata/structure/{type}/{agency}/{id}/{version}",
    "registration/{context}/{agency}/{id}/{version}",
)
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "color:#1b1b1b;background:#fff}table{border-collapse:collapse}td,th{text-align:left;"
    "padding:.25rem .75rem .25rem 0;border-bottom:1px solid #ccc}pre{background:#f3f3f3;"
    "padding:1rem;overflow:auto}.n{text-align:right}a{color:#0b4f8a}"
)


def health(request: Request) -> Response:
    """Answer ``/healthz``: 200 with the release that is served, 503 where there is none."""
    release = request.app.state.current.release()
    return JSONResponse({"status": "ok", "release": release.id}, headers={"X-Release": release.id})


def home(request: Request) -> Response:
    """Answer ``/`` as a page for people or as JSON, by the Accept header."""
    release = request.app.state.current.release()
    wanted = languages(request.headers.get("accept-language"))
    listed = _listed(release, str(request.base_url).rstrip("/"), wanted)
    if _wants_page(request):
        page = _page(release, listed, str(request.base_url).rstrip("/"))
        return answer(request, release, "text/html;charset=utf-8", [page.encode()])
    body = orjson.dumps(listed, option=orjson.OPT_INDENT_2)
    return answer(request, release, "application/json", [body])


def _wants_page(request: Request) -> bool:
    for wanted in accepted(request.headers.get("accept")):
        if wanted.type in ("text/html", "application/xhtml+xml"):
            return True
        if wanted.type in ("application/json", "*/*"):
            return False
    return False


def _listed(release: Release, base: str, wanted: tuple[str, ...]) -> dict[str, Any]:
    return {
        "title": release.title,
        "release": release.id,
        "published": release.published.isoformat(),
        "entryPoints": {"REST 1.5": f"{base}/rest", "REST 2.2": f"{base}/sdmx/v2"},
        "resources": {
            "REST 1.5": [f"{base}/rest/{path}" for path in _RESOURCES_15],
            "REST 2.2": [f"{base}/sdmx/v2/{path}" for path in _RESOURCES_22],
        },
        "formats": {one.name: one.content_type for one in data_formats()},
        "structureFormats": {one.name: one.content_type for one in structure_formats()},
        "dataflows": [
            {
                "id": flow.id,
                "agency": flow.agency,
                "version": flow.version,
                "name": localised(flow.name, wanted[0]),
                "observations": release.count(flow.id),
                "structure": f"{base}/rest/dataflow/{flow.agency}/{flow.id}?references=descendants",
                "data": {
                    one.name: f"{base}/rest/data/{flow.id}?format={one.name}"
                    for one in data_formats()
                },
            }
            for flow in release.structures.dataflows()
        ],
    }


def _page(release: Release, listed: dict[str, Any], base: str) -> str:
    flows = listed["dataflows"]
    first = flows[0] if flows else {"agency": "AGENCY", "id": "FLOW"}
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            f"<title>{escape(release.title)}</title><style>{_STYLE}</style></head><body><main>",
            f"<h1>{escape(release.title)}</h1>",
            f"<p>Release <strong>{escape(release.id)}</strong>, published "
            f"{escape(listed['published'])}.</p><h2>Dataflows</h2>",
            "<table><thead><tr><th>Id</th><th>Name</th><th>Observations</th><th>Structure</th>"
            "<th>Data</th></tr></thead>",
            *_rows(flows),
            "</table><h2>Entry points</h2><ul>",
            *(
                f"<li>{escape(version)}: <code>{escape(path)}</code></li>"
                for version, paths in listed["resources"].items()
                for path in paths
            ),
            "</ul><h2>Clients</h2>",
            f"<pre>{escape(_examples(base, first))}</pre></main></body></html>",
        )
    )


def _rows(flows: list[dict[str, Any]]) -> Iterator[str]:
    for flow in flows:
        links = (
            "no data yet"
            if not flow["observations"]
            else ", ".join(
                f'<a href="{escape(url)}">{escape(name)}</a>' for name, url in flow["data"].items()
            )
        )
        yield (
            f'<tr><th scope="row">{escape(flow["id"])}</th><td>{escape(flow["name"])}</td>'
            f'<td class="n">{flow["observations"]}</td>'
            f'<td><a href="{escape(flow["structure"])}">structure</a></td><td>{links}</td></tr>'
        )


def _examples(base: str, first: Mapping[str, str]) -> str:
    agency, flow = first["agency"], first["id"]
    return f"""curl "{base}/rest/data/{flow}?format=csv"
curl "{base}/sdmx/v2/data/dataflow/*/{flow}/+?c%5BTIME_PERIOD%5D=ge:2005&format=csv"

# pandas
pandas.read_csv("{base}/rest/data/{flow}?format=csv")

# sdmx1
sdmx.add_source({{"id": "{agency}", "name": "office", "url": "{base}/rest"}})
sdmx.to_pandas(sdmx.Client("{agency}").data("{flow}"))

# pysdmx
service = RestService("{base}/sdmx/v2", ApiVersion.V2_0_0, DataFormat.SDMX_CSV_2_0_0)
service.data(DataQuery(DataContext.DATAFLOW, "{agency}", "{flow}"))
registry = RegistryClient("{base}/sdmx/v2")

# R, rsdmx
url <- "{base}/rest"
builder <- SDMXREST21RequestBuilder(regUrl = url, repoUrl = url, compliant = TRUE)
provider <- SDMXServiceProvider(agencyId = "{agency}", name = "office", builder = builder)
addSDMXServiceProvider(provider)
as.data.frame(readSDMX(providerId = "{agency}", resource = "data", flowRef = "{flow}"))

# Excel, Power Query
Csv.Document(Web.Contents("{base}/rest/data/{flow}?format=csv"), [Delimiter=",", Encoding=65001])
"""
