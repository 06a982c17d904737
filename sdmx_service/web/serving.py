"""Running the service: its address, processes and log, and an end that cuts no answer short."""

from __future__ import annotations

import gc
import os
import resource
import socket
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import uvicorn
from anyio import to_thread
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import LOGGING_CONFIG
from uvicorn.supervisors import Multiprocess

from sdmx_service.errors import RequestError
from sdmx_service.web.accesslog import LOGGER, AccessLog
from sdmx_service.web.app import application
from sdmx_service.web.current import CurrentRelease

__all__ = ["serve", "served"]

_RELEASES, _CACHE = "SDMX_SERVICE_RELEASES", "SDMX_SERVICE_CACHE"
_PREFIX, _LOGGED = "SDMX_SERVICE_PREFIX", "SDMX_SERVICE_ACCESS_LOG"
# Requests of a process that are looked up at a time; more would only wait for each other.
_THREADS = 16
# Seconds that answers under way have to come to their end when the service is stopped, and that a
# process may be too busy to say that it is there.
_LAST, _BUSY = 30, 30
_MOST_FILES = 65_536


class _Process:
    """The application in a process of its own, under the prefix that a proxy passes on."""

    def __init__(self, app: Starlette, prefix: str) -> None:
        self._app, self._prefix = app, prefix
        self._raw = prefix.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            to_thread.current_default_thread_limiter().total_tokens = _THREADS
        elif self._prefix:
            scope = {**scope, "root_path": self._prefix}
            if f"{scope['path']}/".startswith(f"{self._prefix}/"):
                scope["path"] = scope["path"][len(self._prefix) :] or "/"
                scope["raw_path"] = scope["raw_path"][len(self._raw) :] or b"/"
        await self._app(scope, receive, send)


def served() -> ASGIApp:
    """Return the application of a worker process, which reads the environment."""
    app = application(os.environ[_RELEASES], cache=int(os.environ[_CACHE]))
    app.state.current.prepare()
    app.state.current.watch()
    # What is there now stays: the collector need not walk it while a request waits.
    gc.collect()
    gc.freeze()
    process: ASGIApp = _Process(app, os.environ.get(_PREFIX, ""))
    return AccessLog(process) if os.environ.get(_LOGGED) else process


def serve(
    releases: Path | str,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: int = 1,
    cache: int = 0,
    prefix: str = "",
    access_log: bool = False,
    ready: Callable[[str], object] = lambda address: None,
) -> None:
    """Serve the current release until interrupted; ``ready`` is told the address just before.

    ``workers`` processes share the mapped images of its tables; each keeps ``cache`` bytes of
    answers. ``prefix`` is the path under which a proxy offers the service. Requests are logged one
    by one only with ``access_log``, without who sent them. Raises RequestError where the address
    cannot be had or a number makes no sense, ReleaseError where there is nothing to serve.
    """
    _refuse("workers", workers, 1, 1024)
    _refuse("cache", cache, 0, 2**40)
    if prefix and (not prefix.startswith("/") or prefix.endswith("/") or "//" in prefix):
        raise RequestError("prefix", got=prefix, expected="a path such as /statistics")
    with _listening(host, port) as listener:
        CurrentRelease(Path(releases)).prepare()  # made once, not by each worker
        os.environ |= {_RELEASES: str(releases), _CACHE: str(cache), _PREFIX: prefix}
        os.environ[_LOGGED] = "1" if access_log else ""
        _allow_files()
        config = uvicorn.Config(
            "sdmx_service.web.serving:served",
            factory=True,
            workers=workers,
            log_config=_logging(),
            log_level="info",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_LAST,
            timeout_worker_healthcheck=_BUSY,
        )
        name = f"[{host}]" if ":" in host else host
        ready(f"http://{name}:{listener.getsockname()[1]}{prefix}")
        with suppress(KeyboardInterrupt):  # which ends it, after the answers under way
            if workers > 1:
                Multiprocess(config, sockets=[listener]).run()
            else:
                uvicorn.Server(config).run(sockets=[listener])


def _refuse(name: str, number: int, least: int, most: int) -> None:
    if not least <= number <= most:
        raise RequestError(name, got=str(number), expected=f"a number from {least} to {most}")


def _listening(host: str, port: int) -> socket.socket:
    """Return a socket that has the address."""
    _refuse("port", port, 0, 65_535)
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise RequestError(
            "address",
            got=f"{host}:{port}, {error.strerror}",
            expected="a host and a port of this machine that nobody else listens on",
            hint="name others with --host and --port, or stop what listens there",
        ) from None
    return listener


def _allow_files() -> None:
    """Let each process have as many connections as the machine allows: each is an open file."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if most == resource.RLIM_INFINITY else min(_MOST_FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _logging() -> dict[str, Any]:
    """Return uvicorn's configuration with the loggers of the service: errors beside its own."""
    config = deepcopy(LOGGING_CONFIG)
    config["formatters"]["line"] = {"format": "%(message)s"}
    config["handlers"]["line"] = {
        "class": "logging.StreamHandler",
        "formatter": "line",
        "stream": "ext://sys.stdout",
    }
    config["loggers"]["sdmx_service"] = {"handlers": ["default"], "level": "INFO"}
    config["loggers"][LOGGER] = {"handlers": ["line"], "level": "INFO", "propagate": False}
    return config
