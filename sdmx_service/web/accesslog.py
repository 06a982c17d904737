"""A line for each request, in the Common Log Format, without who sent it."""

from __future__ import annotations

import logging
import re
import time
from datetime import UTC, datetime

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["LOGGER", "AccessLog"]

LOGGER = "sdmx_service.access"
_LOG = logging.getLogger(LOGGER)
_UNSAFE = re.compile(rb"[^!#-\[\]-~]")
_LONGEST = 2_000


class AccessLog:
    """Logs what was asked, the status, the bytes of the body and the milliseconds.

    Where programs that read the format expect an address and a user there are strokes: nobody who
    reads public figures need be known.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, then log it; one that its client left is logged with what was sent."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, size, began = 0, 0, time.perf_counter()

        async def counted(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                size += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, counted)
        finally:
            took = (time.perf_counter() - began) * 1e3
            now = datetime.now(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
            asked = f"{scope['method']} {_target(scope)} HTTP/{scope['http_version']}"
            _LOG.info('- - - [%s] "%s" %d %d %.1f', now, asked, status or 500, size, took)


def _target(scope: Scope) -> str:
    """Return path and query as they were sent; what could break out of a line is escaped."""
    query: bytes = scope["query_string"]
    sent: bytes = scope["raw_path"] + (b"?" + query if query else b"")
    return _UNSAFE.sub(lambda found: b"%%%02X" % found[0][0], sent[:_LONGEST]).decode("ascii")
