"""A long answer sent piece by piece, to clients of any speed, in bounded memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping

from starlette.responses import StreamingResponse
from starlette.types import Send

from sdmx_service.release.turns import Busy

__all__ = ["Streamed"]

_PIECE = 256 * 1024
# Answers that are under way in a process: so many have their next piece made while one is sent, the
# others do not; and no more than so many there are, for each holds a piece in memory.
_AHEAD, _MOST = 8, 64
# Seconds in which a client takes a quarter of a megabyte, or is taken to be gone.
_PATIENCE = 60.0


class Streamed(StreamingResponse):
    """An answer of which the first piece is made, and the others when the client can take them.

    Raises Busy where it has several pieces and too many such answers are under way.
    """

    under_way = 0

    def __init__(self, pieces: Iterator[bytes], headers: Mapping[str, str]) -> None:
        # The first piece is made before the status is sent: a failure there is still an error.
        self._made = next(pieces, b"")
        self._rest = pieces
        if Streamed.under_way >= _MOST and next(pieces, None) is not None:
            raise Busy(
                "the service",
                got=f"{Streamed.under_way} long answers under way",
                expected=f"fewer than {_MOST} of them at a time",
                hint="ask again in half a minute, or for less by key: short answers do not wait",
            )
        super().__init__(self._pieces(), headers=headers)

    async def stream_response(self, send: Send) -> None:
        """Send the answer; of one that its client does not take the rest is never made."""
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        Streamed.under_way += 1
        try:
            async for piece in self.body_iterator:
                body = {"type": "http.response.body", "body": piece, "more_body": True}
                async with asyncio.timeout(_PATIENCE):
                    await send(body)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            return  # without an end, so that the server closes the connection
        finally:
            Streamed.under_way -= 1

    async def _pieces(self) -> AsyncIterator[bytes]:
        """Yield the pieces, small enough that compressing one holds up no other answer."""
        piece: bytes | None = self._made
        self._made = b""  # no more than what is being sent is held
        while piece is not None:
            coming = None
            if Streamed.under_way <= _AHEAD:
                coming = asyncio.ensure_future(asyncio.to_thread(next, self._rest, None))
            try:
                for start in range(0, len(piece), _PIECE):
                    yield piece[start : start + _PIECE]
                piece = b""
                piece = await (coming or asyncio.to_thread(next, self._rest, None))
            finally:
                if coming is not None:
                    coming.cancel()  # the client may have gone
