"""The web application: a translation of HTTP into queries, and of releases into formats."""

from __future__ import annotations

from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sdmx_service.errors import SdmxServiceError
from sdmx_service.web.current import CurrentRelease
from sdmx_service.web.data import data15, data22
from sdmx_service.web.home import health, home
from sdmx_service.web.problem import OPEN_HEADERS, TooLong, answer_error
from sdmx_service.web.structure import structure15, structure22

__all__ = ["application", "serve"]

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
        return Response(status_code=204, headers={"Allow": "GET, HEAD, OPTIONS"})
    path, query = scope.get("raw_path") or b"", scope.get("query_string", b"")
    for name, text, most in (("path", path, _LONGEST_PATH), ("query", query, _LONGEST_QUERY)):
        if len(text) > most:
            error = TooLong(name, got=f"{len(text)} bytes", expected=f"at most {most}")
            return answer_error(Request(scope), error)
    return None


def application(releases: Path | str) -> Starlette:
    """Return the application that serves the current release under the folder ``releases``."""
    app = Starlette(
        routes=[
            Route("/", home),
            Route("/healthz", health),
            Route("/rest/data", data15),
            Route("/rest/data/{query:path}", data15),
            Route("/rest/{query:path}", structure15),
            Route("/sdmx/v2/data", data22),
            Route("/sdmx/v2/data/{query:path}", data22),
            Route("/sdmx/v2/structure", structure22),
            Route("/sdmx/v2/structure/{query:path}", structure22),
        ],
        middleware=[
            Middleware(_Open),
            Middleware(GZipMiddleware, minimum_size=1000, compresslevel=1),
        ],
        exception_handlers={
            SdmxServiceError: answer_error,
            HTTPException: answer_error,
            Exception: answer_error,
        },
    )
    app.state.current = CurrentRelease(Path(releases))
    return app


def serve(releases: Path | str, *, host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve the current release until interrupted."""
    uvicorn.run(application(releases), host=host, port=port, log_level="info", server_header=False)
