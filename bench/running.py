"""The service in processes of its own, a client that asks it, and what it uses meanwhile."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

SERVE = (
    "from sdmx_service.web import serve; import sys; "
    "serve(sys.argv[1], port=int(sys.argv[2]), workers=int(sys.argv[3]), cache=int(sys.argv[4]))"
)


def _descendants(process: int) -> list[int]:
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = place.read_text()
        except OSError:
            continue
        if int(text.rpartition(")")[2].split()[1]) == process:
            child = int(place.parent.name)
            found += [child, *_descendants(child)]
    return found


def anonymous(process: int) -> float:
    """Return the anonymous memory of the largest of a process and its children, in MB."""
    largest = 0.0
    for number in (process, *_descendants(process)):
        try:
            text = Path(f"/proc/{number}/status").read_text()
        except OSError:
            continue
        if found := re.search(r"RssAnon:\s*(\d+)", text):
            largest = max(largest, int(found[1]) / 1024)
    return largest


def processor(process: int) -> float:
    """Return the seconds of processor that a process and its children have used."""
    ticks = 0
    for number in (process, *_descendants(process)):
        try:
            fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def service(root: Path, workers: int, cache: int = 0) -> Iterator[tuple[str, int, int]]:
    """Run the service; yield its host, port and process id."""

    def command(port: int) -> list[str]:
        return [sys.executable, "-c", SERVE, str(root), str(port), str(workers), str(cache)]

    with _served(command, "/healthz") as found:
        time.sleep(2.0 if workers > 1 else 0.0)
        yield found


@contextmanager
def serving(command: Sequence[str], path: str) -> Iterator[tuple[str, int, int]]:
    """Run a server whose last argument is its port, until ``path`` is answered; as ``service``."""
    with _served(lambda port: [*command, str(port)], path) as found:
        yield found


@contextmanager
def _served(command: Callable[[int], list[str]], path: str) -> Iterator[tuple[str, int, int]]:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    process = subprocess.Popen(command(port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 300
        while True:
            try:
                with Client("127.0.0.1", port) as client:
                    client.get(path, "*/*")
                break
            except OSError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise
                time.sleep(0.2)
        yield "127.0.0.1", port, process.pid
    finally:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGTERM)
        process.wait(timeout=60)


def stalled(root: Path, path: str, accept: str) -> tuple[float, float]:
    """Return what a client does that asks for everything, reads nothing and goes away.

    The anonymous memory by which the service grew while it waited, in MB, and the seconds of
    processor that the service used in the second after it left.
    """
    with service(root, 1) as (host, port, process):
        with Client(host, port) as client:
            client.get(f"{path}?limit=1000", accept)
        before = anonymous(process)
        with Client(host, port) as client:
            client.ask(path, accept)
            time.sleep(4)
            growth = anonymous(process) - before
        time.sleep(0.5)  # what was being made when it left
        used = processor(process)
        time.sleep(1)
        return growth, processor(process) - used


def median(run: Callable[[], Any], times: int) -> float:
    """Return the median of some runs, after one that does not count, in seconds."""
    run()
    found = []
    for _ in range(times):
        began = time.perf_counter()
        run()
        found.append(time.perf_counter() - began)
    return float(np.median(found))


class Client:
    """One kept connection, with as little of its own in the way as there can be."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port), timeout=600)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, path: str, accept: str) -> None:
        """Send a request."""
        self._socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: bench\r\nAccept: {accept}\r\n\r\n".encode()
        )

    def get(self, path: str, accept: str) -> int:
        """Return the length of an answer, read to its end; OSError unless it is 200."""
        self.ask(path, accept)
        head = b""
        while b"\r\n\r\n" not in head:
            head += self._received()
        head, _, body = head.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise OSError(head[:200].decode("latin-1"))
        length = re.search(rb"content-length: (\d+)", head)
        size = len(body)
        if length is None:
            last = b"\r\n" + body[-7:]
            while not last.endswith(b"\r\n0\r\n\r\n"):
                piece = self._received()
                size += len(piece)
                last = (last + piece)[-7:]
            return size
        while size < int(length[1]):
            size += len(self._received())
        return size

    def _received(self) -> bytes:
        piece = self._socket.recv(1 << 20)
        if not piece:
            raise OSError("the connection was closed")
        return piece
