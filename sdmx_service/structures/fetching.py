"""The content of a message that a person names: a file or an address."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

from sdmx_service.errors import RequestError
from sdmx_service.structures.messages import LARGEST

__all__ = ["content_of"]

_ACCEPT = (
    "application/vnd.sdmx.structure+xml;version=3.1.0, "
    "application/vnd.sdmx.structure+xml;version=3.0.0;q=0.9, "
    "application/vnd.sdmx.structure+xml;version=2.1;q=0.8, "
    "application/vnd.sdmx.structure+json;q=0.7, application/xml;q=0.5, */*;q=0.1"
)
_SECONDS = 60


def content_of(source: str) -> bytes:
    """Return the content of a file, or of an ``http(s)`` address; RequestError if there is none.

    An address is asked for SDMX-ML, then for SDMX-JSON. Content larger than any message that is
    read is cut behind that size, so that its reader refuses it.
    """
    if not source.startswith(("http://", "https://")):
        try:
            return Path(source).read_bytes()
        except OSError as error:
            raise RequestError(source, got=error.strerror, expected="a file or address") from None
    request = urllib.request.Request(source, headers={"Accept": _ACCEPT})
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
            return bytes(answer.read(LARGEST + 1))
    except urllib.error.HTTPError as error:
        with error:
            raise RequestError(
                source, got=f"HTTP {error.code}", expected="a structure message"
            ) from None
    except (urllib.error.URLError, TimeoutError) as error:
        raise RequestError(source, got=str(error), expected="an address that answers") from None
