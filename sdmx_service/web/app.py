"""The web application: a translation of HTTP into queries, and of releases into formats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sdmx_service.errors import SdmxServiceError
from sdmx_service.web.availability import availability15, availability22
from sdmx_service.web.coding import Coded
from sdmx_service.web.compression import Compression
from sdmx_service.web.current import CurrentRelease
from sdmx_service.web.data import data15, data22
from sdmx_service.web.home import health, home
from sdmx_service.web.metadata import metadata15, metadata22
from sdmx_service.web.problem import OPEN_HEADERS, TooLong, answer_error
from sdmx_service.web.quick import Quick
from sdmx_service.web.registration import registration22
from sdmx_service.web.schema import schema15, schema22
from sdmx_service.web.structure import structure15, structure22

__all__ = ["application"]

_ENTRIES = ("/rest", "/rest/", "/sdmx/v2", "/sdmx/v2/")
_LONGEST_PATH = 4096
_LONGEST_QUERY = 8192


class _Open:
    """Lets everyone read: CORS on every answer, OPTIONS answered, overlong requests refused."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_open(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in OPEN_HEADERS.items():
                    headers[name] = value
            await send(message)

        app: ASGIApp = self.app
        if (refused := _refused(scope)) is not None:
            app = refused
        await app(scope, receive, send_open)


def _refused(scope: Scope) -> Response | None:
    if scope["method"] == "OPTIONS":
        # What may be asked is the same for a day, and asking it each time costs a round trip.
        headers = {"Allow": "GET, HEAD, OPTIONS", "Access-Control-Max-Age": "86400"}
        return Response(status_code=204, headers=headers)
    path, query = scope.get("raw_path") or b"", scope.get("query_string", b"")
    for name, text, most in (("path", path, _LONGEST_PATH), ("query", query, _LONGEST_QUERY)):
        if len(text) > most:
            error = TooLong(name, got=f"{len(text)} bytes", expected=f"at most {most}")
            return answer_error(Request(scope), error)
    return None


def _routes(path: str, endpoint: Callable[[Request], Response]) -> tuple[Route, Route]:
    """Return the routes of a resource; what it says of a path without a rest it says itself."""
    return Route(path, endpoint), Route(f"{path}/{{query:path}}", endpoint)


def application(releases: Path | str, *, cache: int = 0) -> Starlette:
    """Return the application that serves the current release under the folder ``releases``.

    ``cache`` is how many bytes of answers for single series are kept in memory.
    """
    current = CurrentRelease(Path(releases))
    app = Starlette(
        routes=[
            *(Route(path, home) for path in ("/", *_ENTRIES)),
            *(Route(path, health) for path in ("/healthz", "/healthz/")),
            *_routes("/rest/data", data15),
            *_routes("/rest/availableconstraint", availability15),
            *_routes("/rest/schema", schema15),
            *_routes("/rest/metadata", metadata15),
            Route("/rest/{query:path}", structure15),
            *_routes("/sdmx/v2/data", data22),
            *_routes("/sdmx/v2/availability", availability22),
            *_routes("/sdmx/v2/schema", schema22),
            *_routes("/sdmx/v2/metadata", metadata22),
            *_routes("/sdmx/v2/registration", registration22),
            *_routes("/sdmx/v2/structure", structure22),
        ],
        middleware=[
            Middleware(Coded),
            Middleware(Quick, current=current, cache=cache),
            Middleware(_Open),
            Middleware(Compression),
        ],
        exception_handlers={
            SdmxServiceError: answer_error,
            HTTPException: answer_error,
            Exception: answer_error,
        },
    )
    # A redirect would lead to the address that the server thinks it has.
    app.router.redirect_slashes = False
    app.state.current = current
    return app
