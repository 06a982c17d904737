"""The front page: what is published, in which formats, and how to point a client at it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sdmx_service.formats import (
    Format,
    data_formats,
    metadata_formats,
    negotiate,
    schema_formats,
    structure_formats,
)
from sdmx_service.query.query import DataQuery
from sdmx_service.release import Release
from sdmx_service.release.reading import chosen
from sdmx_service.structures.artefacts import Dataflow, localised
from sdmx_service.web.answer import answer
from sdmx_service.web.current import CurrentRelease
from sdmx_service.web.examples import examples
from sdmx_service.web.homepage import home_page
from sdmx_service.web.language import preferred

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


def health(request: Request) -> Response:
    """Answer ``/healthz``: 200 with the release that is served, 503 where there is none.

    The status is "ok" unless a newer release could not be opened; the log says why.
    """
    current: CurrentRelease = request.app.state.current
    release = current.release()
    fine = current.trouble is None
    return JSONResponse(
        {"status": "ok" if fine else "the next release cannot be opened", "release": release.id},
        headers={"X-Release": release.id, "Cache-Control": "no-store"},
    )


def home(request: Request) -> Response:
    """Answer ``/`` as JSON or as a page for people, by ``format=`` or the Accept header.

    Names are in the language wanted where dataflows have any in it, the rest of the page is in
    English.
    """
    choice = negotiate(
        _FORMS,
        accept=request.headers.get("accept"),
        default=_FORMS[0],
        asked=request.query_params.get("format"),
    )
    release: Release = request.app.state.current.release()
    flows = release.structures.dataflows()
    asked = request.query_params.get("lang")
    wanted = preferred(release, request.headers.get("accept-language"), asked)
    language = next((tag for tag in wanted if any(tag in flow.name for flow in flows)), "en")
    listed = _listed(release, str(request.base_url).rstrip("/"), flows, language)
    said = language
    if choice.format.name == "html" and language != "en":
        said = f"en, {language}"
    pieces = choice.format.write(listed)
    return answer(request, release, choice.content_type, pieces, language=said)


def _json(listed: Mapping[str, Any]) -> Iterator[bytes]:
    yield orjson.dumps(listed, option=orjson.OPT_INDENT_2)


def _html(listed: Mapping[str, Any]) -> Iterator[bytes]:
    yield home_page(listed).encode()


_FORMS: tuple[Format[Mapping[str, Any]], ...] = (
    Format("json", "application/json", "", ".json", _json),
    Format("html", "text/html", "", ".html", _html),
)


def _listed(
    release: Release, base: str, dataflows: Iterable[Dataflow], language: str
) -> dict[str, Any]:
    flows = [_flow(release, base, flow, language) for flow in dataflows]
    shown = _shown(flows)
    publication = release.definitions.get("publication", {})
    return {
        "title": release.title,
        "release": release.id,
        "published": release.published.isoformat(),
        **{name: publication[name] for name in ("organisation", "licence") if name in publication},
        "entryPoints": {"REST 1.5": f"{base}/rest", "REST 2.2": f"{base}/sdmx/v2"},
        "resources": {
            "REST 1.5": [f"{base}/rest/{path}" for path in _RESOURCES_15],
            "REST 2.2": [f"{base}/sdmx/v2/{path}" for path in _RESOURCES_22],
        },
        **{name: _types(formats) for name, formats in _written().items()},
        "dataflows": flows,
        "examples": [asdict(one) for one in examples(base, shown["agency"], shown["id"])],
        "tries": [
            {"says": says, "url": base + path, "path": path}
            for says, path in _tries(release, shown)
        ],
    }


def _written() -> dict[str, Iterable[Format[Any]]]:
    """Return the formats of each kind of answer."""
    return {
        "formats": data_formats(),
        "structureFormats": structure_formats(),
        "metadataFormats": metadata_formats(),
        "schemaFormats": schema_formats(),
    }


def _types(formats: Iterable[Format[Any]]) -> dict[str, str]:
    return {one.name: one.content_type for one in sorted(formats, key=lambda one: one.name)}


def _flow(release: Release, base: str, flow: Dataflow, language: str) -> dict[str, Any]:
    return {
        "id": flow.id,
        "agency": flow.agency,
        "version": flow.version,
        "name": localised(flow.name, language),
        "language": next((tag for tag in (language, "en", *flow.name) if tag in flow.name), ""),
        "observations": release.count(flow.id),
        "structure": f"{base}/rest/dataflow/{flow.agency}/{flow.id}?references=descendants",
        "availability": f"{base}/rest/availableconstraint/{flow.id}",
        "data": {
            one.name: f"{base}/rest/data/{flow.id}?format={one.name}" for one in data_formats()
        },
    }


def _shown(flows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the dataflow to show in examples: the first smaller than the first of all."""
    held = [one for one in flows if one["observations"]]
    parts = [one for one in held if one["observations"] < held[0]["observations"]]
    return (parts or held or [{"agency": "AGENCY", "id": "FLOW"}])[0]


def _tries(release: Release, shown: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield questions, in words and as a path, that the release has an answer to."""
    if not shown.get("observations"):
        return
    id, agency = shown["id"], shown["agency"]
    flow = release.structures.dataflow(id, agency, shown["version"])
    image, new = release.image(flow.structure.id), f"/sdmx/v2/data/dataflow/{agency}/{id}"
    [row] = chosen(image, flow, DataQuery()).slice(0, 1).collected().to_dicts()
    key = ".".join(row[dimension.id] for dimension in flow.structure.dimensions)
    first = flow.structure.dimensions[0].id
    yield "One series, as CSV", f"/rest/data/{id}/{key}?format=csv"
    yield "The same in SDMX-JSON 2.1", f"{new}/+/{key}?format=json21"
    yield "The last observation of each series", f"/rest/data/{id}?lastNObservations=1&format=csv"
    yield "Ten observations, the next page in Link", f"{new}?limit=10&offset=10&format=csv"
    yield (
        "What is there of one code, and how much",
        f"/sdmx/v2/availability/dataflow/{agency}/{id}?c%5B{first}%5D={row[first]}",
    )
    yield (
        "The structure with all it refers to, in SDMX-JSON 2.1",
        f"/sdmx/v2/structure/dataflow/{agency}/{id}/+?references=descendants&format=json21",
    )
    yield (
        "A JSON Schema of its messages",
        f"/sdmx/v2/schema/dataflow/{agency}/{id}?format=schemajson21",
    )
    if "indicators" in release.definitions:
        yield "Quality reports: how the figures were made", "/sdmx/v2/metadata/metadataset"
    yield "Everything that can be asked for, by name", "/sdmx/v2/structure/dataflow?detail=allstubs"
